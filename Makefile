# SPDX-License-Identifier: MIT
#
# make            build everything into build/
# make help       list the other targets
#
# Variables that users may set: CC, CFLAGS, CPPFLAGS, LDFLAGS (added last, so that they win), PREFIX, DESTDIR, V=1.

VERSION := 0.1.0

PREFIX ?= /usr/local
BINDIR := $(PREFIX)/bin
# The program looks for its modules at ../lib/safe-decode, seen from its own folder: see broker/loader.c.
LIBRARYDIR := $(PREFIX)/lib/safe-decode
MANDIR := $(PREFIX)/share/man

BUILD ?= build
SANITIZE ?=
SECONDS ?= 20

# Everything that building, testing and checking need, as Debian packages.  `make deps` installs what is missing.
PACKAGES := gcc clang libclang-rt-14-dev clang-tidy clang-format cppcheck pkg-config \
	libjpeg62-turbo-dev libpng-dev zlib1g-dev libseccomp-dev libcriterion-dev scdoc \
	libflac-dev libmpg123-dev libvorbis-dev libopusfile-dev \
	flac mpg123 vorbis-tools opus-tools \
	libjpeg-turbo-progs netpbm valgrind python3 python3-pil

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

ALL_CPPFLAGS := -D_GNU_SOURCE -DSAFE_DECODE_VERSION='"$(VERSION)"' $(CPPFLAGS)
ALL_CFLAGS := -std=c11 -O2 -g $(WARNINGS) $(HARDENING) $(SANITIZER) -fPIC -fvisibility=hidden $(CFLAGS)
ALL_LDFLAGS := -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed $(SANITIZER) $(LDFLAGS)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s %s\n' $(1) $(2);)

# ---- what is built from what ----

TRUSTED := $(wildcard broker/*.c)
# Output formats whose writer is a module.
SINK_MODULES := broker/sinks/png.c
INTERFACE := $(filter-out broker/cli/main.c,$(wildcard broker/cli/*.c)) $(filter-out $(SINK_MODULES),$(wildcard broker/sinks/*.c))
MEMORY := decoders/arena.c decoders/interpose.c
COMMON := decoders/session.c decoders/session_audio.c decoders/pixels.c decoders/exif.c
# What audio decoders share; a module has those of them that it needs.
COMMON += decoders/input.c decoders/samples.c decoders/tags.c decoders/id3.c decoders/ogg_pages.c

# A decoder is a file in decoders/ that says which library it needs; files NAME_*.c belong to decoder NAME.
DECODERS := $(patsubst decoders/%.c,%,$(shell grep -l '^[/ ]\* pkg-config: ' decoders/*.c))
library_of = $(shell sed -n 's:^[/ ]\* pkg-config\: ::p' $(1))
parts_of = decoders/$(1).c $(wildcard decoders/$(1)_*.c)

object = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
PROGRAM := $(BUILD)/safe-decode
MODULES := $(DECODERS:%=$(BUILD)/decoders/%.so)
SINKS := $(SINK_MODULES:broker/sinks/%.c=$(BUILD)/sinks/%.so)
LIBS := -lseccomp

.PHONY: all deps run test check asan ubsan valgrind fuzz bench install uninstall clean help
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
.PRECIOUS: $(BUILD)/obj/%.o

all: $(PROGRAM) $(MODULES) $(SINKS) $(BUILD)/safe-decode.1 ## build the program, its decoders and the manual page

# Changes whenever the compiler or its flags do, and everything depends on it.
FLAGS := $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(FLAGS))' | cmp -s - $@ || echo '$(subst ','\'',$(FLAGS))' > $@
FORCE:

$(BUILD)/obj/decoders/pixels.o $(BUILD)/obj/decoders/samples.o: EXTRA := -O3
# Its callocs must not be turned into calls of themselves.
$(BUILD)/obj/decoders/interpose.o: EXTRA := -fno-builtin

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(EXTRA) -MMD -MP -c -o $@ $< $(ALL_CFLAGS)

$(BUILD)/libtrusted.a: $(call object,$(TRUSTED))
$(BUILD)/libinterface.a: $(call object,$(INTERFACE))
$(BUILD)/libcommon.a: $(call object,$(COMMON))
$(BUILD)/%.a:
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

EXPORTS := -Wl,--dynamic-list=decoders/interpose.list
$(PROGRAM): $(call object,broker/cli/main.c $(MEMORY)) $(BUILD)/libinterface.a $(BUILD)/libtrusted.a decoders/interpose.list
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(EXPORTS) -o $@ $(filter-out %.list,$^) $(LIBS) $(ALL_CFLAGS) $(ALL_LDFLAGS)

define module_rule
$(call object,$(call parts_of,$(1))): EXTRA := $(shell pkg-config --cflags $(call library_of,decoders/$(1).c) 2>/dev/null)
$(BUILD)/decoders/$(1).so: $(call object,$(call parts_of,$(1)) decoders/module.c) $(BUILD)/libcommon.a decoders/module.map
	@mkdir -p $$(@D)
	$$(call say,MODULE,$$@)
	$$(Q)$$(CC) -shared -Wl,--version-script=decoders/module.map -o $$@ $$(filter-out %.map,$$^) $$(ALL_CFLAGS) $$(ALL_LDFLAGS) $(shell pkg-config --libs $(call library_of,decoders/$(1).c) 2>/dev/null)
endef
$(foreach decoder,$(DECODERS),$(eval $(call module_rule,$(decoder))))

$(BUILD)/sinks/png.so: $(call object,broker/sinks/png.c broker/sinks/write.c broker/status.c)
	@mkdir -p $(@D)
	$(call say,MODULE,$@)
	$(Q)$(CC) -shared -o $@ $^ $(ALL_CFLAGS) $(ALL_LDFLAGS) $(shell pkg-config --libs libpng 2>/dev/null)

$(BUILD)/%.1: man/%.1.scd
	@mkdir -p $(@D)
	$(call say,MAN,$@)
	$(Q)scdoc < $< > $@

# ---- targets ----

deps: ## install what is missing, with apt-get
	@tests/install-packages $(PACKAGES)

run: deps ## decode a photograph and a screenshot, and show the photograph
	@$(MAKE) --no-print-directory all
	@samples/run $(PROGRAM)

test: deps ## build and run all tests; the last line is "N passed, N failed"
	@$(MAKE) --no-print-directory all tests
	@tests/run $(BUILD)

check: ## static analysis, format, exported symbols, sizes
	@tests/check $(BUILD)

asan: ## build and run the tests that can run under AddressSanitizer
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan SANITIZE=address,undefined sanitized
	@tests/run $(BUILD)/asan

ubsan: ## build everything so that undefined behaviour traps, and run all tests
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/ubsan SANITIZE=undefined all tests
	@tests/run $(BUILD)/ubsan

valgrind: deps ## replay the samples through every harness under valgrind
	@$(MAKE) --no-print-directory tests
	@for harness in $(HARNESSES); do \
		valgrind -q --error-exitcode=1 --leak-check=full $(BUILD)/fuzz/$$harness samples || exit 1; \
	done

fuzz: ## run every fuzz harness for SECONDS=20 each
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC=clang SANITIZE=address,undefined FUZZER=1 fuzzers
	@fuzz/run $(BUILD)/fuzz $(SECONDS)

bench: all ## measure against djpeg and in-process codecs
	@$(MAKE) --no-print-directory $(BUILD)/bench/png-loop
	@bench/run $(BUILD)

install: all ## install under PREFIX (and DESTDIR)
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBRARYDIR)/decoders $(DESTDIR)$(LIBRARYDIR)/sinks $(DESTDIR)$(MANDIR)/man1
	install -m 755 $(PROGRAM) $(DESTDIR)$(BINDIR)/safe-decode
	install -m 644 $(MODULES) $(DESTDIR)$(LIBRARYDIR)/decoders
	install -m 644 $(SINKS) $(DESTDIR)$(LIBRARYDIR)/sinks
	install -m 644 $(BUILD)/safe-decode.1 $(DESTDIR)$(MANDIR)/man1

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(BINDIR)/safe-decode $(DESTDIR)$(MANDIR)/man1/safe-decode.1
	rm -f $(MODULES:$(BUILD)/%=$(DESTDIR)$(LIBRARYDIR)/%) $(SINKS:$(BUILD)/%=$(DESTDIR)$(LIBRARYDIR)/%)
	-rmdir $(DESTDIR)$(LIBRARYDIR)/decoders $(DESTDIR)$(LIBRARYDIR)/sinks $(DESTDIR)$(LIBRARYDIR)

clean: ## remove build/
	rm -rf $(BUILD)

help: ## print this list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18
	@echo '  variables: CC CFLAGS CPPFLAGS LDFLAGS PREFIX DESTDIR BUILD V=1; for fuzz: SECONDS'

include tests/tests.mk

-include $(shell test -d $(BUILD)/obj && find $(BUILD)/obj -name '*.d')
