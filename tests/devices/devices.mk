# SPDX-License-Identifier: MIT
# Tests on real devices, in a virtual machine.  Included by the Makefile.

# Large, and needed for nothing else.
DEVICE_PACKAGES := qemu-system-x86 seabios libc6-dev

.PHONY: test-devices
test-devices: deps ## show pictures and play sound in a virtual machine, and compare what comes out
	@tests/support/install-packages $(DEVICE_PACKAGES)
	@tests/devices/fetch-kernel $(BUILD)/devices/kernel
	@$(MAKE) --no-print-directory all $(BUILD)/tests/devices-init
	@/usr/bin/python3 tests/devices/devices.py $(BUILD)

# The first process of the machine needs no libraries.
$(BUILD)/tests/devices-init: $(call object,tests/devices/devices_init.c)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -static -o $@ $^ $(ALL_CFLAGS) $(LDFLAGS)
