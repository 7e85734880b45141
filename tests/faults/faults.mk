# SPDX-License-Identifier: MIT
# Programs whose system calls and allocations fail on demand, and the tests that are too long for every change.
# Included by the Makefile.

# The linker leads to tests/faults/faults.c whatever that has a __wrap_ for.
FAULTS := $(BUILD)/tests/bin-faults
FAULTS_LINK = $(CC) -pie -o $@ $(filter %.o,$^) $(filter %.a,$^) \
	$$(nm $(filter $(BUILD)/obj/tests/faults/%.o,$^) | sed -n 's/.* T __wrap_/-Wl,--wrap=/p') $(ALL_CFLAGS) $(ALL_LDFLAGS)

$(FAULTS)/safe-decode: $(call object,broker/cli/main.c tests/faults/faults.c tests/faults/faults_memory.c) $(CLIENT)
$(FAULTS)/safe-decode-starter: $(call object,broker/service/starter.c tests/faults/faults.c tests/faults/faults_memory.c tests/faults/faults_starter.c) $(BUILD)/libtrusted.a $(BUILD)/liblibrary.a
$(FAULTS)/safe-decode $(FAULTS)/safe-decode-starter:
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(FAULTS_LINK)
	$(Q)chmod go-w $(@D) $@

# Decoders whose brokers' calls fail.
FAULTY_DECODERS := $(addprefix $(FAULTS)/decoders/,jpeg png zlib flac pcm)
define faulty_rule
$(FAULTS)/decoders/$(1): $(call object,$(call parts_of,$(1)) tests/faults/faults.c tests/faults/faults_decoder.c) $(PROGRAM_PARTS) broker/sandbox/interpose.list
	@mkdir -p $$(@D)
	$$(call say,DECODER,$$@)
	$$(Q)$$(FAULTS_LINK) $$(EXPORTS) $(call libs_of,$(1))
	$$(Q)chmod go-w $$(@D) $$@
endef
$(foreach decoder,$(notdir $(FAULTY_DECODERS)),$(eval $(call faulty_rule,$(decoder))))

# The others, as they are.
HARDY_DECODERS := $(filter-out $(FAULTY_DECODERS),$(DECODERS:%=$(FAULTS)/decoders/%))
$(HARDY_DECODERS): $(FAULTS)/decoders/%: $(BUILD)/decoders/%
	@mkdir -p $(@D)
	$(Q)cp -lf $< $@

$(FAULTS)/sinks: $(SINKS)
	@mkdir -p $@
	$(Q)cp -lf $(SINKS) $@

# The library, in a process of its own, so that AddressSanitizer can tell of leaks.
WALK := $(BUILD)/tests/library_walk
$(WALK): $(call object,tests/library/library_walk.c tests/faults/faults.c tests/faults/faults_memory.c tests/support/counting.c) $(BUILD)/obj/hostile/registry.o $(BUILD)/liblibrary.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(FAULTS_LINK)

FAULTY := $(addprefix $(FAULTS)/,safe-decode safe-decode-starter sinks) $(FAULTY_DECODERS) $(HARDY_DECODERS)
tests: $(FAULTY) $(WALK)

.PHONY: faults leaks walk
walk: $(WALK)

leaks: ## fail every allocation and system call of the library under AddressSanitizer, with plain brokers
	@$(MAKE) --no-print-directory all $(HOSTILE_DECODERS) $(SHARED_DECODERS)
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan SANITIZE=address,undefined walk
	@$(BUILD)/asan/tests/library_walk $(HOSTILE)/decoders

faults: ## fail every allocation and system call of the trusted side, kill, interrupt, fill disks: all rounds
	@$(MAKE) --no-print-directory all tests
	@$(MAKE) --no-print-directory leaks
	@FAULTS_FULL=1 /usr/bin/python3 tests/faults/faults_test.py $(BUILD)

# ---- damaged files for long, and the same without a sandbox ----

SOAK := $(BUILD)/tests/soak
$(SOAK): $(call object,tests/library/soak.c tests/support/mutate.c tests/support/counting.c) $(BUILD)/liblibrary.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -pie -o $@ $^ $(ALL_CFLAGS) $(ALL_LDFLAGS)

PLAIN := $(BUILD)/tests/bin-plain
PLAIN_DECODERS := $(DECODERS:%=$(PLAIN)/%)
define plain_rule
$(PLAIN)/$(1): $(call object,$(call parts_of,$(1)) $(PROGRAM_MAIN) decoders/runtime/program.c tests/faults/plain_decoder.c broker/sandbox/arena.c) $(BUILD)/libcommon.a $(BUILD)/libsandbox.a
	@mkdir -p $$(@D)
	$$(call say,DECODER,$$@)
	$$(Q)$$(FAULTS_LINK) $(call libs_of,$(1))
	$$(Q)chmod go-w $$(@D) $$@
endef
$(foreach decoder,$(DECODERS),$(eval $(call plain_rule,$(decoder))))

tests: $(SOAK) $(PLAIN_DECODERS)

# Folders of the corpus whose formats there are decoders for; what they lack nobody misses.
SOAKED := $(filter $(addprefix ../shared/corpus/,jpeg png gzip zlib bz2 xz lzma lzip zstd lz4 brotli deflate flac mp3 opus vorbis wav),$(wildcard ../shared/corpus/*))

.PHONY: soak
soak: ## decode damaged files with random limits for SECONDS=20, and compare with decodes that have no sandbox
	@$(MAKE) --no-print-directory all tests
	@mkdir -p $(BUILD)/soak
	@$(SOAK) $(SECONDS) $$((2 * $$(nproc))) $(BUILD)/soak samples $(SOAKED)
