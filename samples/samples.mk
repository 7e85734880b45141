# SPDX-License-Identifier: MIT
# Example programs on the library.  Included by the Makefile.

VIEWER := $(BUILD)/viewer
.PHONY: viewer
viewer: deps ## build the picture viewer, build/viewer
	@$(MAKE) --no-print-directory all $(VIEWER)

PLAYER := $(BUILD)/play
.PHONY: player
player: deps ## build the player of sound, build/play
	@$(MAKE) --no-print-directory all $(PLAYER)

# They find the library, and so the broker, in the build folder.
$(VIEWER): $(call object,$(wildcard samples/viewer*.c)) $(SHARED)
$(PLAYER): $(call object,samples/play.c) $(SHARED)
$(VIEWER) $(PLAYER):
	$(call say,LINK,$@)
	$(Q)$(CC) -pie -o $@ $^ -Wl,-rpath,'$$ORIGIN' $(ALL_CFLAGS) $(ALL_LDFLAGS) $(shell pkg-config --libs sdl2 2>/dev/null) -lm
