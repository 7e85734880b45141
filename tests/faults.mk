# SPDX-License-Identifier: MIT
# Programs whose system calls and allocations fail on demand, and the tests that are too long for every change.
# Included by the Makefile.

# The linker leads to tests/faults.c whatever that has a __wrap_ for.
FAULTS := $(BUILD)/tests/bin-faults
FAULTS_LINK = $(CC) -pie -o $@ $(filter-out %.list,$^) \
	$$(nm $(filter $(BUILD)/obj/tests/%.o,$^) | sed -n 's/.* T __wrap_/-Wl,--wrap=/p') $(ALL_CFLAGS) $(ALL_LDFLAGS)

$(FAULTS)/safe-decode: $(call object,broker/cli/main.c $(MEMORY) tests/faults.c tests/faults_launcher.c) $(BUILD)/libinterface.a $(BUILD)/libtrusted.a decoders/interpose.list
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(FAULTS_LINK) $(EXPORTS)

$(FAULTS)/safe-decode-broker: $(call object,broker/process/main.c broker/process/children.c $(MEMORY) tests/faults.c) $(BUILD)/libtrusted.a decoders/interpose.list
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(FAULTS_LINK) $(EXPORTS)

# Beside them, the modules that they share with the others.
$(FAULTS)/decoders $(FAULTS)/sinks: $(FAULTS)/%: $(MODULES) $(SINKS)
	@mkdir -p $(FAULTS)
	$(Q)ln -sfn ../../$* $@

# The library, in a process of its own, so that AddressSanitizer can tell of leaks.
WALK := $(BUILD)/tests/library_walk
$(WALK): $(call object,tests/library_walk.c tests/faults.c tests/counting.c decoders/arena.c) $(BUILD)/obj/hostile/registry.o $(BUILD)/libtrusted.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(FAULTS_LINK)

FAULTY := $(addprefix $(FAULTS)/,safe-decode safe-decode-broker decoders sinks)
tests: $(FAULTY) $(WALK)

.PHONY: faults leaks walk
walk: $(WALK)

leaks: ## fail every allocation and system call of the library under AddressSanitizer, with plain brokers
	@$(MAKE) --no-print-directory all $(HOSTILE)/safe-decode-broker $(HOSTILE)/decoders/hostile.so
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan SANITIZE=address,undefined walk
	@$(BUILD)/asan/tests/library_walk $(BROKER)

faults: ## fail every allocation and system call of the trusted side, kill, interrupt, fill disks: all rounds
	@$(MAKE) --no-print-directory all tests
	@$(MAKE) --no-print-directory leaks
	@FAULTS_FULL=1 /usr/bin/python3 tests/faults_test.py $(BUILD)

# ---- damaged files for long, and the same without a sandbox ----

SOAK := $(BUILD)/tests/soak
$(SOAK): $(call object,tests/soak.c tests/mutate.c tests/counting.c) $(BUILD)/libtrusted.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -pie -o $@ $^ $(ALL_CFLAGS) $(ALL_LDFLAGS)

PLAIN := $(BUILD)/tests/bin-plain
$(PLAIN)/safe-decode-broker: $(call object,broker/process/main.c broker/process/children.c tests/plain_broker.c decoders/arena.c) $(BUILD)/libtrusted.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(FAULTS_LINK)

$(PLAIN)/decoders: $(MODULES)
	@mkdir -p $(PLAIN)
	$(Q)ln -sfn ../../decoders $@

tests: $(SOAK) $(PLAIN)/safe-decode-broker $(PLAIN)/decoders

# Folders of the corpus whose formats there are decoders for; what they lack nobody misses.
SOAKED := $(filter $(addprefix ../shared/corpus/,jpeg png gzip zlib bz2 xz lzma lzip zstd lz4 brotli deflate flac mp3 opus vorbis wav),$(wildcard ../shared/corpus/*))

.PHONY: soak
soak: ## decode damaged files with random limits for SECONDS=20, and compare with decodes that have no sandbox
	@$(MAKE) --no-print-directory all tests
	@mkdir -p $(BUILD)/soak
	@$(SOAK) $(SECONDS) $$((2 * $$(nproc))) $(BUILD)/soak samples $(SOAKED)
