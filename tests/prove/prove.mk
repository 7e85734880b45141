# SPDX-License-Identifier: MIT
# The proof: attacks by a decoder that was taken over, and a lock-down that fails.  Included by the Makefile.

.PHONY: prove
prove: ## attack the sandbox in every way that we know, and print what was expected and what was seen
	@$(MAKE) --no-print-directory all tests
	@/usr/bin/python3 tests/prove $(BUILD) $(if $(filter command line environment,$(origin SECONDS)),$(SECONDS))

# They lie beside the programs that know the hostile decoder.
PROOF := $(addprefix $(HOSTILE)/,prove-library under-filter tsc inject)
tests: $(PROOF) $(HOSTILE)/sinks
$(HOSTILE)/sinks: $(SINKS)
	@mkdir -p $@
	$(Q)cp -lf $(SINKS) $@

$(HOSTILE)/prove-library: $(call object,tests/prove/library.c tests/prove/ways.c) $(BUILD)/obj/hostile/registry.o $(BUILD)/liblibrary.a
$(HOSTILE)/under-filter: $(call object,tests/prove/under-filter.c)
$(HOSTILE)/tsc: $(call object,tests/prove/tsc.c)
$(HOSTILE)/inject: $(call object,tests/prove/inject.c)
$(PROOF):
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -pie -o $@ $^ $(ALL_CFLAGS) $(ALL_LDFLAGS) -lseccomp
