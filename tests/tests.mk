# SPDX-License-Identifier: MIT
# What `make test`, `make asan`, `make ubsan` and `make fuzz` build.  Included by the Makefile.

# Tests share modules.
export PYTHONPATH := $(CURDIR)/tests/support:$(CURDIR)/tests/faults:$(CURDIR)/tests/devices:$(CURDIR)/tests/cli

# Every tests/*/*_test.c is one criterion program.  Those listed as SANDBOXED lock children down, where no sanitizer's
# runtime can follow.
UNIT_SOURCES := $(wildcard tests/unit/*_test.c tests/library/*_test.c)
UNITS := $(basename $(notdir $(UNIT_SOURCES)))
SANDBOXED := lockdown_test confine_test $(filter library%,$(UNITS))
# The tests of guard pages die of a signal that AddressSanitizer handles itself.
export ASAN_OPTIONS := handle_segv=0:handle_sigill=0:allow_user_segv_handler=1
UNIT_PROGRAMS := $(UNITS:%=$(BUILD)/tests/%)

UNIT_SUPPORT := $(BUILD)/libtestsupport.a $(CLIENT) $(BUILD)/libsandbox.a $(BUILD)/libdecoding.a

$(BUILD)/libtestsupport.a: $(call object,$(addprefix tests/support/,library_support.c library_sound.c played_child.c counting.c))

# The allocator and what decoders share, without the interposed malloc().
$(BUILD)/libdecoding.a: $(call object,broker/sandbox/arena.c broker/sandbox/arena_check.c $(COMMON))

# Tests of the library know the format "hostile", too.
$(foreach source,$(UNIT_SOURCES),$(eval $(BUILD)/tests/$(basename $(notdir $(source))): $(call object,$(source))))
$(UNIT_PROGRAMS): $(UNIT_SUPPORT)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -pie -o $@ $(filter %.o,$^) $(filter %.a,$^) -lcriterion -lseccomp $(LINKED) $(ALL_CFLAGS) $(ALL_LDFLAGS)

# It compares with what the C library works out.
$(BUILD)/tests/pixels_test: LINKED := -lm

# Its kernel can refuse.
$(BUILD)/tests/arena_misuse_test: LINKED := -Wl,--wrap=mprotect,--wrap=munmap

$(filter $(BUILD)/tests/library%,$(UNIT_PROGRAMS)): $(BUILD)/obj/hostile/registry.o

# A program of its own, because criterion must not run on the allocator that is tested.
INTERPOSE_CHECK := $(BUILD)/tests/interpose_check
$(INTERPOSE_CHECK): $(call object,tests/unit/interpose_check.c $(MEMORY) broker/sandbox/arena_check.c) broker/sandbox/interpose.list
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(EXPORTS) -o $@ $(filter-out %.list,$^) $(ALL_CFLAGS) $(ALL_LDFLAGS)

# Many decodes through one handle of the library.
STRESS := $(BUILD)/tests/library_stress
$(STRESS): $(call object,tests/library/library_stress.c tests/support/counting.c) $(BUILD)/obj/hostile/registry.o $(BUILD)/liblibrary.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -pie -o $@ $^ $(ALL_CFLAGS) $(ALL_LDFLAGS)

# The command line as users have it, but with more formats: a decoder that attacks (tests/hostile/).
HOSTILE := $(BUILD)/tests/bin-hostile
$(BUILD)/obj/hostile/registry.o: broker/recognise/registry.c tests/hostile/picture/format.h $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CPPFLAGS) -include tests/hostile/picture/format.h -c -o $@ $< $(ALL_CFLAGS)

$(HOSTILE)/safe-decode: $(call object,broker/cli/main.c) $(BUILD)/obj/hostile/registry.o $(CLIENT)
$(HOSTILE)/safe-decode-starter: $(call object,broker/service/starter.c) $(BUILD)/obj/hostile/registry.o $(BUILD)/libtrusted.a $(BUILD)/liblibrary.a
$(HOSTILE)/safe-decode $(HOSTILE)/safe-decode-starter:
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -pie -o $@ $^ $(ALL_CFLAGS) $(ALL_LDFLAGS)

# For the viewer, which takes it instead of the one beside it where LD_LIBRARY_PATH says so.
HOSTILE_LIBRARY := $(HOSTILE)/libsafe-decode.so.$(SONAME_VERSION)
$(HOSTILE_LIBRARY): $(filter-out %/registry.o,$(call object,$(LIBRARY))) $(BUILD)/obj/hostile/registry.o
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -shared -Wl,-soname,$(@F) -o $@ $^ $(ALL_CFLAGS) $(ALL_LDFLAGS)

HOSTILE_DECODERS := $(HOSTILE)/decoders/hostile $(HOSTILE)/decoders/hostile_sound
$(HOSTILE)/decoders/hostile: $(call object,$(wildcard tests/hostile/picture/*.c))
$(HOSTILE)/decoders/hostile_sound: $(call object,tests/hostile/sound.c)
$(HOSTILE_DECODERS): $(PROGRAM_PARTS) broker/sandbox/interpose.list
	$(call program_link)

# Beside them, the decoders that they share with the others.  (A link in the file system: symbolic ones are not followed.)
SHARED_DECODERS := $(DECODERS:%=$(HOSTILE)/decoders/%)
$(SHARED_DECODERS): $(HOSTILE)/decoders/%: $(BUILD)/decoders/%
	@mkdir -p $(@D)
	$(Q)cp -lf $< $@

.PHONY: tests sanitized threads
tests: $(UNIT_PROGRAMS) $(INTERPOSE_CHECK) $(STRESS) $(HOSTILE)/safe-decode $(HOSTILE)/safe-decode-starter $(HOSTILE_LIBRARY) \
	$(HOSTILE_DECODERS) $(SHARED_DECODERS) $(REPLAYERS) $(VIEWER) $(PLAYER)
sanitized: $(filter-out $(SANDBOXED:%=$(BUILD)/tests/%),$(UNIT_PROGRAMS)) $(REPLAYERS)
# The library's side under ThreadSanitizer: its brokers are those of the plain build.
threads: $(STRESS)
	$(Q)ln -sfn ../../tests/bin-hostile $(HOSTILE)

$(BUILD)/bench/png-loop: $(call object,bench/png_loop.c)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -pie -o $@ $^ $(ALL_CFLAGS) $(ALL_LDFLAGS) -lpng16

$(BUILD)/bench/library-bench: $(call object,bench/library_bench.c bench/in_process.c) $(SHARED)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -pie -o $@ $(filter-out %.so,$^) $(ALL_CFLAGS) $(ALL_LDFLAGS) -L$(BUILD) -lsafe-decode -Wl,-rpath,'$$ORIGIN/..' -ljpeg -lpng16 -pthread
