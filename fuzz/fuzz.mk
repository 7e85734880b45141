# SPDX-License-Identifier: MIT
# Fuzz harnesses: each with libFuzzer, and as a plain replayer.  Included by the Makefile.

# harness,sources,libraries,archives,flags: of both, and objects that only the one with libFuzzer has
define harness_rule
$(BUILD)/fuzz/$(1): $(call object,$(2)) $(4) $(BUILD)/obj/fuzz/replay.o $(CLIENT)
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) -pie -o $$@ $$(filter-out %.list,$$^) $$(ALL_CFLAGS) $$(ALL_LDFLAGS) $(5) $(3)
$(BUILD)/fuzz/$(1)-fuzzer: $(call object,$(2)) $(4) $(CLIENT) $(call object,$(6))
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) -pie -o $$@ $$(filter-out %.list,$$^) -fsanitize=fuzzer $$(ALL_CFLAGS) $$(ALL_LDFLAGS) $(5) $(3)
endef

# A decoder as it is, with allocations that fail, and on a child's arena, which no sanitizer's allocator may replace.
define decoder_harness_rules
$(call harness_rule,$(1),fuzz/decoder_fuzz.c fuzz/decoder_run.c $(call parts_of,$(1)),$(call libs_of,$(1)),$(BUILD)/libcommon.a,,fuzz/allocations_shared.c)
$(call harness_rule,$(1)-memory,fuzz/memory_fuzz.c fuzz/decoder_run.c fuzz/allocations.c $(call parts_of,$(1)),$(call libs_of,$(1)),$(BUILD)/libcommon.a)
$(call harness_rule,$(1)-child,fuzz/child_fuzz.c fuzz/decoder_run.c $(MEMORY) broker/sandbox/arena_check.c $(call parts_of,$(1)),$(call libs_of,$(1)),$(BUILD)/libcommon.a broker/sandbox/interpose.list,$(EXPORTS))
endef
$(foreach decoder,$(DECODERS),$(eval $(call decoder_harness_rules,$(decoder))))

# Decoders of what can be shown or unpacked in part: prefixes of inputs, and inputs in pieces.
PARTIAL := $(filter $(DECODERS),jpeg png gif webp tiff bmp raster xpm ico jxl pnm qoi hdr exr dds psd \
	zlib bzip2 lzma zstd lz4 brotli)
$(foreach decoder,$(PARTIAL),$(eval $(call harness_rule,$(decoder)-prefix,fuzz/prefix_fuzz.c fuzz/decoder_run.c $(call parts_of,$(decoder)),$(call libs_of,$(decoder)),$(BUILD)/libcommon.a)))

# The system calls of the pump lead to the harness.
PUMP_CALLS := read pread splice writev pipe2 close fcntl fstat
$(eval $(call harness_rule,wire,fuzz/wire_fuzz.c))
$(eval $(call harness_rule,stream,fuzz/stream_fuzz.c tests/support/played_child.c))
$(eval $(call harness_rule,pump,fuzz/pump_fuzz.c fuzz/allocations.c,,,$(PUMP_CALLS:%=-Wl,--wrap=%)))
$(eval $(call harness_rule,session,fuzz/session_fuzz.c,,$(BUILD)/libcommon.a,,fuzz/allocations_shared.c))
$(eval $(call harness_rule,registry,fuzz/registry_fuzz.c))
$(eval $(call harness_rule,options,fuzz/options_fuzz.c))
$(eval $(call harness_rule,arena,fuzz/arena_fuzz.c broker/sandbox/arena.c broker/sandbox/arena_check.c))
# Comparisons are not worth tracing in harnesses, in checks and in loops over pixels, where that takes most of the time.
UNTRACED := $(if $(FUZZER),-fno-sanitize-coverage=trace-cmp)
$(BUILD)/obj/fuzz/%.o: EXTRA := -fPIE $(UNTRACED)
# Its callocs must not be turned into calls of themselves.
$(BUILD)/obj/fuzz/allocations.o $(BUILD)/obj/fuzz/allocations_shared.o: EXTRA := -fPIE -fno-builtin $(UNTRACED)
# Codec libraries use it, too, so that the sanitizer sees what they do.  Where allocations fail and are counted, they do not:
# some crash when there is no memory, which a child survives by being killed, and some keep what they have for later.
$(BUILD)/obj/fuzz/allocations_shared.o: fuzz/allocations.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CPPFLAGS) -DALLOCATIONS_SHARED $(EXTRA) -MMD -MP -c -o $@ $< $(ALL_CFLAGS)
$(addprefix $(BUILD)/obj/,$(addprefix decoders/,pixels/pixels.o pixels/reduce.o sound/samples.o) broker/sandbox/arena_check.o): EXTRA += $(UNTRACED)

TRUSTED_HARNESSES := wire pump stream session registry options arena
DECODER_HARNESSES := $(DECODERS) $(DECODERS:%=%-memory) $(PARTIAL:%=%-prefix)
CHILD_HARNESSES := $(DECODERS:%=%-child)
HARNESSES := $(TRUSTED_HARNESSES) $(DECODER_HARNESSES) $(if $(findstring address,$(SANITIZE)),,$(CHILD_HARNESSES))
REPLAYERS := $(HARNESSES:%=$(BUILD)/fuzz/%)

# Decoders of sound, many times over one file: for tests/corpus/pieces_sound_test.py.
SOUND_DECODERS := $(filter $(DECODERS),flac mp3 opus pcm vorbis)
define sound_rule
$(BUILD)/tests/sound_pieces_$(1): $(call object,tests/corpus/sound_pieces.c $(call parts_of,$(1))) $(BUILD)/libcommon.a
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) -pie -o $$@ $$^ $$(ALL_CFLAGS) $$(ALL_LDFLAGS) $(call libs_of,$(1))
endef
$(foreach decoder,$(SOUND_DECODERS),$(eval $(call sound_rule,$(decoder))))
REPLAYERS += $(SOUND_DECODERS:%=$(BUILD)/tests/sound_pieces_%)

# Decoders of animations, for tests/corpus/frames_test.py.
FRAME_DECODERS := gif webp png
define frames_rule
$(BUILD)/tests/frames_$(1): $(call object,tests/corpus/frames.c $(call parts_of,$(1))) $(BUILD)/libcommon.a
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) -pie -o $$@ $$^ $$(ALL_CFLAGS) $$(ALL_LDFLAGS) $(call libs_of,$(1))
endef
$(foreach decoder,$(FRAME_DECODERS),$(eval $(call frames_rule,$(decoder))))
REPLAYERS += $(FRAME_DECODERS:%=$(BUILD)/tests/frames_%)

.PHONY: fuzzers child-fuzzers
fuzzers: $(TRUSTED_HARNESSES:%=$(BUILD)/fuzz/%-fuzzer) $(DECODER_HARNESSES:%=$(BUILD)/fuzz/%-fuzzer)
child-fuzzers: $(CHILD_HARNESSES:%=$(BUILD)/fuzz/%-fuzzer)
