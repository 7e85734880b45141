# SPDX-License-Identifier: MIT
# Example programs on the library.  Included by the Makefile.

VIEWER := $(BUILD)/viewer
.PHONY: viewer
viewer: deps ## build the picture viewer, build/viewer
	@$(MAKE) --no-print-directory all $(VIEWER)

# It finds the library, and so the broker, in the build folder.
$(VIEWER): $(call object,$(wildcard samples/viewer*.c)) $(SHARED)
	$(call say,LINK,$@)
	$(Q)$(CC) -pie -o $@ $^ -Wl,-rpath,'$$ORIGIN' $(ALL_CFLAGS) $(ALL_LDFLAGS) $(shell pkg-config --libs sdl2 2>/dev/null) -lm
