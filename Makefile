# SPDX-License-Identifier: MIT
#
# make            build everything into build/
# make help       list the other targets
#
# Variables that users may set: CC, CFLAGS, CPPFLAGS, LDFLAGS (added last, so that they win), PREFIX, DESTDIR, V=1;
# WITHOUT="jxl heif" leaves decoders out, as does a library that is not installed.

VERSION := 0.3.0
SONAME_VERSION := 0

PREFIX ?= /usr/local
BINDIR := $(PREFIX)/bin
# The program looks for decoders at ../lib/safe-decode, seen from its own folder: see broker/base/programs.c.
LIBRARYDIR := $(PREFIX)/lib/safe-decode
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR := $(PREFIX)/include
MANDIR := $(PREFIX)/share/man

# They are compiled in, and others look there from any folder.
ifneq ($(filter-out /%,$(PREFIX) $(LIBDIR)),)
$(error PREFIX and LIBDIR must be absolute paths: $(PREFIX), $(LIBDIR))
endif

BUILD ?= build
SANITIZE ?=
SECONDS ?= 20

# What building needs, as Debian packages; and all that building, testing and checking need.  `make deps-build` and
# `make deps` install what is missing.
BUILD_PACKAGES := gcc libc6-dev pkg-config libseccomp-dev scdoc \
	libjpeg62-turbo-dev libpng-dev libwebp-dev zlib1g-dev libbz2-dev liblzma-dev libzstd-dev liblz4-dev libbrotli-dev \
	libavif-dev libjxl-dev libheif-dev 'libheif-plugin-libde265?' \
	libflac-dev libmpg123-dev libvorbis-dev libopusfile-dev \
	libtiff-dev libopenjp2-7-dev libopenexr-dev libasound2-dev libdrm-dev
PACKAGES := $(BUILD_PACKAGES) g++ clang libclang-rt-dev llvm clang-tidy clang-format cppcheck libcriterion-dev \
	flac mpg123 vorbis-tools opus-tools \
	libavif-bin libjxl-tools libheif-examples 'libheif-plugin-x265?' \
	libjpeg-turbo-progs webp netpbm valgrind python3 python3-pil bubblewrap systemd strace gnuplot-nox \
	bzip2 xz-utils lzip zstd lz4 brotli libtiff-tools libopenjp2-tools imagemagick \
	libsdl2-dev xvfb xdotool x11-apps

# ---- flags ----

ifeq ($(origin CC),default)
CC := gcc
endif

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Werror
HARDENING := -fstack-protector-strong -fstack-clash-protection -fcf-protection
comma := ,
ifeq ($(findstring address,$(SANITIZE)),)
HARDENING += -D_FORTIFY_SOURCE=2
endif
SANITIZER := $(if $(SANITIZE),-fsanitize=$(SANITIZE)$(if $(FUZZER),$(comma)fuzzer-no-link) -fno-sanitize-recover=all -fno-omit-frame-pointer)
# Nothing of a sanitizer's runtime could work in a locked-down child: undefined behaviour traps.
ifeq ($(SANITIZE),undefined)
SANITIZER += -fsanitize-undefined-trap-on-error
endif
# What runs is counted in files that are mapped from the start: nobody could open them later, and most end by _exit().
COVERAGE ?=
COUNTING := $(if $(COVERAGE),-fprofile-instr-generate=$(abspath $(BUILD))/profiles/%m%c.profraw -fcoverage-mapping \
	-fprofile-update=atomic -mllvm -runtime-counter-relocation -Wno-unused-command-line-argument)

# What programs that talk to each other must have in common.
PROTOCOL := $(shell cat broker/sandbox/protocol.h broker/wire/wire.h broker/service/order.h | sha256sum | cut -c 1-8)
ALL_CPPFLAGS := -D_GNU_SOURCE -I. -DSAFE_DECODE_VERSION='"$(VERSION)"' -DSAFE_DECODE_BUILD='"$(PROTOCOL)"' $(CPPFLAGS)
ALL_CFLAGS := -std=c11 -O2 -g $(WARNINGS) $(HARDENING) $(SANITIZER) $(COUNTING) -fPIC -fvisibility=hidden $(CFLAGS)
ALL_LDFLAGS := -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed $(SANITIZER) $(COUNTING) $(LDFLAGS)

Q := $(if $(V),,@)
define newline


endef
say = $(if $(V),,@printf '  %-8s %s\n' $(1) $(2);)

# ---- what is built from what ----

# A module is what only those load who ask for it: an output format's writer, or a device's driver, with its library.
SINK_MODULES := broker/output/png.c
DEVICE_MODULES := broker/devices/alsa.c broker/devices/display.c
MODULES := $(SINK_MODULES) $(DEVICE_MODULES)

room = $(wildcard $(1:%=broker/%/*.c))
# The library: what starts decoder programs and talks to them, and needs nothing but libc.
LIBRARY := $(filter-out %/starter.c %/single.c %/source.c,$(call room,wire base recognise decode service library)) broker/sandbox/verify.c
# What locks decoders down, and what makes them: the trusted part of every decoder program.
MEMORY := broker/sandbox/arena.c broker/sandbox/interpose.c
PROGRAM_MAIN := broker/sandbox/program.c broker/sandbox/children.c
SANDBOX := $(filter-out $(MEMORY) $(PROGRAM_MAIN) %/arena_check.c,$(call room,sandbox)) \
	$(addprefix broker/,confine/confine.c base/packet.c base/pipes.c base/procfs.c wire/status.c)
# What the command line has besides.
TRUSTED := $(addprefix broker/,confine/confine.c output/loader.c service/single.c service/source.c)
INTERFACE := $(filter-out %/cli/main.c $(MODULES) $(TRUSTED),$(call room,cli output devices))
# What decoders share; a program has those of them that it needs.
COMMON := $(filter-out %/program.c,$(wildcard $(addprefix decoders/,runtime/*.c pixels/*.c picture/*.c sound/*.c)))

# A decoder is a file in decoders/formats/ that says which libraries it needs, or "none"; files NAME_*.c belong to decoder NAME.
ALL_DECODERS := $(patsubst decoders/formats/%.c,%,$(shell grep -l '^[/ ]\* pkg-config: ' decoders/formats/*.c))
# NAME: LIBRARIES of each, then what pkg-config says of each library, asked once.  A library that comes without a file for
# it is named as the linker finds it.
$(foreach decoder,$(ALL_DECODERS),$(eval LIBRARIES_$(decoder) := $(filter-out none, \
	$(shell sed -n 's:^[/ ]\* pkg-config\: \([^*]*\).*$$:\1:p' decoders/formats/$(decoder).c))))
LINKS := echo 'int nothing;' | $(CC) -shared -o /dev/null -x c -
define library_facts
LIBS_OF_$(1) := $(shell pkg-config --libs $(1) 2>/dev/null || echo -l$(1))
CFLAGS_OF_$(1) := $(shell pkg-config --cflags $(1) 2>/dev/null)
MISSING_$(1) := $(shell command -v pkg-config >/dev/null || exit 0; pkg-config --exists $(1) || $(LINKS) -l$(1) 2>/dev/null || echo $(1))
endef
$(foreach library,$(sort $(foreach decoder,$(ALL_DECODERS),$(LIBRARIES_$(decoder)))),$(eval $(call library_facts,$(library))))
libs_of = $(foreach library,$(LIBRARIES_$(1)),$(LIBS_OF_$(library)))
cflags_of = $(foreach library,$(LIBRARIES_$(1)),$(CFLAGS_OF_$(library)))
# Those of a decoder's libraries that are not installed.  Where nobody can tell, none is.
missing_of = $(strip $(foreach library,$(LIBRARIES_$(1)),$(MISSING_$(library))))
LEFT_OUT := $(foreach decoder,$(filter-out $(WITHOUT),$(ALL_DECODERS)),$(if $(call missing_of,$(decoder)),$(decoder)))
DECODERS := $(filter-out $(WITHOUT) $(LEFT_OUT),$(ALL_DECODERS))
parts_of = decoders/formats/$(1).c $(wildcard decoders/formats/$(1)_*.c)

object = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
PROGRAM := $(BUILD)/safe-decode
STARTER := $(BUILD)/safe-decode-starter
SHARED := $(BUILD)/libsafe-decode.so
STATIC := $(BUILD)/libsafe-decode.a
MANUALS := $(patsubst man/%.scd,$(BUILD)/%,$(wildcard man/*.scd))
DECODER_PROGRAMS := $(DECODERS:%=$(BUILD)/decoders/%)
SINKS := $(patsubst %.c,$(BUILD)/sinks/%.so,$(notdir $(MODULES)))

.PHONY: all left-out deps deps-build run test coverage compdb check stress asan ubsan tsan valgrind fuzz bench install uninstall clean help
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
.PRECIOUS: $(BUILD)/obj/%.o

all: $(PROGRAM) $(STARTER) $(SHARED) $(STATIC) $(BUILD)/safe-decode.pc $(DECODER_PROGRAMS) $(SINKS) $(MANUALS) left-out ## build the program, the library, the decoders and the manual pages

# Their formats are known all the same, and say what is missing.  What an earlier build left of them goes.
ABSENT := $(filter-out $(DECODERS),$(ALL_DECODERS))
left-out:
	@rm -f $(ABSENT:%=$(BUILD)/decoders/%)
	$(foreach decoder,$(LEFT_OUT),@echo 'left out: $(decoder), for it needs $(call missing_of,$(decoder))'$(newline))

# MODE:SOURCE:TARGET of each file that is installed, and link:TEXT:TARGET; what others need comes before them.
INSTALL_FILES := $(foreach sink,$(SINKS),644:$(sink):$(sink:$(BUILD)/%=$(LIBRARYDIR)/%)) \
	$(foreach decoder,$(DECODER_PROGRAMS),755:$(decoder):$(decoder:$(BUILD)/%=$(LIBRARYDIR)/%)) \
	755:$(STARTER):$(LIBRARYDIR)/$(notdir $(STARTER)) \
	755:$(SHARED).$(SONAME_VERSION):$(LIBDIR)/$(notdir $(SHARED)).$(VERSION) \
	link:$(notdir $(SHARED)).$(VERSION):$(LIBDIR)/$(notdir $(SHARED)).$(SONAME_VERSION) \
	link:$(notdir $(SHARED)).$(SONAME_VERSION):$(LIBDIR)/$(notdir $(SHARED)) \
	644:$(STATIC):$(LIBDIR)/$(notdir $(STATIC)) \
	644:$(BUILD)/safe-decode.pc:$(LIBDIR)/pkgconfig/safe-decode.pc \
	644:broker/safe-decode.h:$(INCLUDEDIR)/safe-decode.h \
	$(foreach page,$(MANUALS),644:$(page):$(MANDIR)/man$(subst .,,$(suffix $(page)))/$(notdir $(page))) \
	755:$(PROGRAM):$(BINDIR)/$(notdir $(PROGRAM))
INSTALLED := $(foreach file,$(INSTALL_FILES),$(lastword $(subst :, ,$(file))))

# Changes whenever the compiler or its flags do, and everything depends on it.
FLAGS := $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(FLAGS))' | cmp -s - $@ || echo '$(subst ','\'',$(FLAGS))' > $@
FORCE:

$(addprefix $(BUILD)/obj/decoders/,pixels/pixels.o pixels/reduce.o sound/samples.o): EXTRA := -O3
# Where decoder programs are once they are installed.
$(BUILD)/obj/broker/base/programs.o: EXTRA := -DSAFE_DECODE_LIBRARYDIR='"$(LIBRARYDIR)"'
$(BUILD)/obj/broker/base/programs.o $(BUILD)/safe-decode.pc: $(BUILD)/prefix
$(BUILD)/prefix: FORCE
	@mkdir -p $(@D)
	@echo '$(PREFIX) $(LIBDIR)' | cmp -s - $@ || echo '$(PREFIX) $(LIBDIR)' > $@
# Seccomp filters, and names of system calls, made here so that no start has to, and nothing needs libseccomp to run.
GENERATED := $(BUILD)/generated
COMPILE_FILTERS := $(BUILD)/tools/compile-filters
$(COMPILE_FILTERS): broker/confine/compile_filters.c broker/confine/confine_rules.h broker/confine/confine.h $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CPPFLAGS) -std=c11 -O1 $(WARNINGS) -o $@ $< -lseccomp
$(GENERATED)/confine_filters.h: TABLE := trusted
$(GENERATED)/child_filters.h: TABLE := child
$(GENERATED)/system_call_names.h: TABLE := names
$(GENERATED)/%.h: $(COMPILE_FILTERS)
	@mkdir -p $(@D)
	$(Q)$< $(TABLE) > $@
$(BUILD)/obj/broker/confine/confine.o: $(GENERATED)/confine_filters.h
$(BUILD)/obj/broker/sandbox/filter.o: $(GENERATED)/child_filters.h
$(BUILD)/obj/broker/cli/system_calls.o: $(GENERATED)/system_call_names.h
$(addprefix $(BUILD)/obj/broker/,confine/confine.o sandbox/filter.o cli/system_calls.o): EXTRA := -I$(GENERATED)
# Its callocs must not be turned into calls of themselves.
$(BUILD)/obj/broker/sandbox/interpose.o: EXTRA := -fno-builtin

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CPPFLAGS) -MMD -MP -c -o $@ $< $(ALL_CFLAGS) $(EXTRA)

$(BUILD)/liblibrary.a: $(call object,$(LIBRARY))
$(BUILD)/libtrusted.a: $(call object,$(TRUSTED))
$(BUILD)/libsandbox.a: $(call object,$(SANDBOX))
$(BUILD)/libinterface.a: $(call object,$(INTERFACE))
$(BUILD)/libcommon.a: $(call object,$(COMMON))
$(BUILD)/%.a:
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# All of the trusted side but main functions.
CLIENT := $(BUILD)/libinterface.a $(BUILD)/libtrusted.a $(BUILD)/liblibrary.a

$(PROGRAM): $(call object,broker/cli/main.c) $(CLIENT)
$(STARTER): $(call object,broker/service/starter.c) $(BUILD)/libtrusted.a $(BUILD)/liblibrary.a
$(PROGRAM) $(STARTER):
	$(call say,LINK,$@)
	$(Q)$(CC) -pie -o $@ $^ $(ALL_CFLAGS) $(ALL_LDFLAGS)
	$(Q)chmod go-w $(@D) $@

$(SHARED).$(SONAME_VERSION): $(call object,$(LIBRARY))
	$(call say,LINK,$@)
	$(Q)$(CC) -shared -Wl,-soname,libsafe-decode.so.$(SONAME_VERSION) -o $@ $^ $(ALL_CFLAGS) $(ALL_LDFLAGS)
$(SHARED): $(SHARED).$(SONAME_VERSION)
	$(Q)ln -sf $(<F) $@

# One object in which all that is not for callers is local.
$(STATIC): $(call object,$(LIBRARY))
	$(call say,AR,$@)
	$(Q)$(LD) -r -o $(BUILD)/libsafe-decode.o $^ && objcopy --localize-hidden $(BUILD)/libsafe-decode.o
	$(Q)rm -f $@ && $(AR) rcs $@ $(BUILD)/libsafe-decode.o

$(BUILD)/safe-decode.pc: broker/safe-decode.pc.in Makefile
	$(Q)sed -e 's:@PREFIX@:$(PREFIX):' -e 's:@LIBDIR@:$(LIBDIR):' -e 's:@VERSION@:$(VERSION):' $< > $@

# What every decoder program is made of, besides its decoder: decoder,folder of the program.  Only what is interposed is
# seen by libraries.
EXPORTS := -Wl,--dynamic-list=broker/sandbox/interpose.list
# Memory first: what a single writes to lies together then.
PROGRAM_PARTS := $(call object,$(MEMORY) $(PROGRAM_MAIN) decoders/runtime/program.c) $(BUILD)/libcommon.a $(BUILD)/libsandbox.a
define program_link
	@mkdir -p $(@D)
	$(call say,DECODER,$@)
	$(Q)$(CC) -pie $(EXPORTS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(1)
	$(Q)chmod go-w $(@D) $@
endef
define program_rule
$(call object,$(call parts_of,$(1))): EXTRA := $(call cflags_of,$(1))
$(BUILD)/decoders/$(1): $(call object,$(call parts_of,$(1))) $(PROGRAM_PARTS) broker/sandbox/interpose.list
	$$(call program_link,$(call libs_of,$(1)))
endef
$(foreach decoder,$(DECODERS),$(eval $(call program_rule,$(decoder))))
# A codec that libheif loads when it begins cannot tell the linker which of the program's functions it is to find.
$(BUILD)/decoders/heif: EXPORTS += -Wl,--export-dynamic-symbol=de265_start_worker_threads

$(BUILD)/sinks/png.so: $(call object,broker/output/png.c broker/output/write.c broker/wire/status.c)
	@mkdir -p $(@D)
	$(call say,MODULE,$@)
	$(Q)$(CC) -shared -o $@ $^ $(ALL_CFLAGS) $(ALL_LDFLAGS) $(shell pkg-config --libs libpng 2>/dev/null)

# A line "@FILE@" of a page stands for an example, which is a file that the tests compile.
$(MANUALS): $(BUILD)/%: man/%.scd $(wildcard samples/*.c)
	@mkdir -p $(@D)
	$(call say,MAN,$@)
	$(Q)awk '/^@.*@$$/ { file = substr($$0, 2, length - 2); while ((getline line < file) > 0) \
		if (line !~ /SPDX/) { gsub(/\\/, "&&", line); print line }; next } { print }' $< | scdoc > $@

# ---- targets ----

# How others of these targets are made: on all processors, unless -j said how.
PARALLEL = --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))

deps: ## install what is missing for all targets, with apt-get
	@tests/support/install-packages $(PACKAGES)

deps-build: ## install what is missing for `make` and `make install` alone
	@tests/support/install-packages $(BUILD_PACKAGES)

run: deps ## decode a photograph and a screenshot, and show the photograph
	@$(MAKE) $(PARALLEL) all
	@samples/run $(PROGRAM)

test: deps ## build and run all tests, or T="NAME...": tests or folders of tests/; the last line is "N passed, N failed"
	@$(MAKE) $(PARALLEL) all tests
	@tests/run $(BUILD) $(T)

coverage: deps ## run all tests and print which lines of broker/ they reach, and what of the wire reader and the arena not
	@rm -rf $(BUILD)/coverage/profiles
	@$(MAKE) $(PARALLEL) BUILD=$(BUILD)/coverage CC=clang COVERAGE=1 all tests
	@tests/run $(BUILD)/coverage
	@/usr/bin/python3 tests/support/coverage.py $(BUILD)/coverage

compdb: ## write compile_commands.json, for editors
	@$(MAKE) --no-print-directory --always-make --dry-run all tests | tests/support/compdb

check: ## static analysis, format, exported symbols, sizes
	@tests/check $(BUILD)

asan: ## build and run the tests that can run under AddressSanitizer
	@$(MAKE) $(PARALLEL) BUILD=$(BUILD)/asan SANITIZE=address,undefined sanitized
	@tests/run $(BUILD)/asan

ubsan: ## build everything with clang so that undefined behaviour traps, and run all tests or T="NAME..."
	@$(MAKE) $(PARALLEL) BUILD=$(BUILD)/ubsan CC=clang SANITIZE=undefined all tests
	@QUICK=1 tests/run $(BUILD)/ubsan $(T)

tsan: ## run the stress test of the library under ThreadSanitizer, with plain brokers
	@$(MAKE) $(PARALLEL) all tests
	@$(MAKE) $(PARALLEL) BUILD=$(BUILD)/tsan SANITIZE=thread threads
	@TSAN_OPTIONS=halt_on_error=1 $(BUILD)/tsan/tests/library_stress 2000 8 10

stress: ## decode 100,000 inputs through one handle, and kill brokers meanwhile
	@$(MAKE) $(PARALLEL) all tests
	@$(BUILD)/tests/library_stress 100000 8 50
	@DECODES=10000 /usr/bin/python3 tests/cli/sandbox_cli_test.py $(BUILD)

# A library of libjxl's reads the clock of the processor, by an instruction that valgrind does not know.
VALGRIND_CANNOT := jxl
valgrind: deps ## replay the samples through every harness under valgrind
	@$(MAKE) $(PARALLEL) tests
	@fuzz/valgrind $(BUILD) $(TRUSTED_HARNESSES) $(filter-out $(VALGRIND_CANNOT),$(DECODERS))

fuzz: ## run every fuzz harness for SECONDS=20 each, or for RUNS=N inputs, always the same ones
	@$(MAKE) $(PARALLEL) BUILD=$(BUILD)/fuzz CC=clang SANITIZE=address,undefined FUZZER=1 fuzzers
	@$(MAKE) $(PARALLEL) BUILD=$(BUILD)/fuzz-child CC=clang SANITIZE=undefined FUZZER=1 child-fuzzers
	@RUNS=$(RUNS) fuzz/run $(SECONDS) $(BUILD)/fuzz/fuzz $(BUILD)/fuzz-child/fuzz

bench: deps ## measure against in-process codecs and other sandboxes
	@$(MAKE) $(PARALLEL) all $(BUILD)/bench/png-loop $(BUILD)/bench/library-bench
	@bench/run $(BUILD)

# Each file takes its name when it is whole, so that programs that run meanwhile find the old one or the new one.
install: all ## install under PREFIX (and DESTDIR)
	@set -e; for file in $(INSTALL_FILES); do \
		kind=$${file%%:*}; rest=$${file#*:}; source=$${rest%%:*}; target="$(DESTDIR)$${rest#*:}"; \
		install -d "$${target%/*}"; \
		if [ $$kind = link ]; then ln -sfn "$$source" "$$target.new"; \
		else install -m $$kind "$$source" "$$target.new"; fi; \
		mv -fT "$$target.new" "$$target"; \
	done
	@rm -f $(ABSENT:%=$(DESTDIR)$(LIBRARYDIR)/decoders/%)

uninstall: ## remove what install put there
	rm -f $(addprefix $(DESTDIR),$(INSTALLED) $(ABSENT:%=$(LIBRARYDIR)/decoders/%))
	-rmdir --ignore-fail-on-non-empty $(addprefix $(DESTDIR),$(LIBRARYDIR)/decoders $(LIBRARYDIR)/sinks $(LIBRARYDIR) $(LIBDIR)/pkgconfig)

clean: ## remove build/
	rm -rf $(BUILD)

help: ## print this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) samples/samples.mk bench/bench.mk tests/faults/faults.mk tests/prove/prove.mk tests/devices/devices.mk tests/support/release.mk | expand -t 20
	@echo '  variables: CC CFLAGS CPPFLAGS LDFLAGS PREFIX DESTDIR BUILD V=1; for fuzz, prove: SECONDS; for memory: GIB'

include samples/samples.mk
include bench/bench.mk
include fuzz/fuzz.mk
include broker/devices/devices.mk
include tests/tests.mk
include tests/faults/faults.mk
include tests/prove/prove.mk
include tests/devices/devices.mk
include tests/support/release.mk

-include $(shell test -d $(BUILD)/obj && find $(BUILD)/obj -name '*.d')
