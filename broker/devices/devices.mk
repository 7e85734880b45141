# SPDX-License-Identifier: MIT
# Drivers of devices whose libraries only those load who ask for them: modules beside the output formats.  Included by
# the Makefile.

$(BUILD)/sinks/alsa.so: LIBRARIES := alsa
$(BUILD)/sinks/display.so: LIBRARIES := libdrm
$(BUILD)/obj/broker/devices/display.o: EXTRA := $(shell pkg-config --cflags libdrm 2>/dev/null)

$(DEVICE_MODULES:broker/devices/%.c=$(BUILD)/sinks/%.so): $(BUILD)/sinks/%.so: $(BUILD)/obj/broker/devices/%.o $(call object,broker/devices/screen.c broker/wire/status.c)
	@mkdir -p $(@D)
	$(call say,MODULE,$@)
	$(Q)$(CC) -shared -o $@ $^ $(ALL_CFLAGS) $(ALL_LDFLAGS) $(shell pkg-config --libs $(LIBRARIES) 2>/dev/null)
