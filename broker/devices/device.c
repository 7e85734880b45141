/* SPDX-License-Identifier: MIT */
#include "device.h"

#include <stddef.h>

#include "../loader.h"
#include "drivers.h"

enum { SHOW_SECONDS = 10 };

static const struct {
	const char *name; /* of the usual device */
	const struct sink_format *format;
	const struct screen_driver *driver; /* NULL: it is in a module, */
	const char *module, *symbol;        /* this one */
} kinds[] = {
	[DEVICE_FRAMEBUFFER] = { "/dev/fb0", &sink_screen, &framebuffer_driver, NULL, NULL },
	[DEVICE_DISPLAY] = { "/dev/dri/card0", &sink_screen, NULL, "display", SCREEN_MODULE_SYMBOL },
	[DEVICE_SPEAKER] = { "default", &sink_speaker, NULL, "alsa", SPEAKER_MODULE_SYMBOL },
};

const struct sink_format *device_sink_format(enum device_kind kind)
{
	return kinds[kind].format;
}

static struct safe_outcome open_screen(struct device *device, const char *name)
{
	struct safe_outcome outcome = console_open(&device->console);

	if (outcome.status == SAFE_OK)
		outcome = device->driver->open(name, &device->screen, &device->context);
	return outcome;
}

struct safe_outcome device_open(struct device *device, enum device_kind kind, const char *name)
{
	struct safe_outcome outcome = outcome_ok();
	void *driver = NULL;

	device->kind = kind;
	device->console = CONSOLE_NONE;
	device->driver = kinds[kind].driver;
	if (kinds[kind].module)
		outcome = loader_find(LOADER_SINKS, kinds[kind].module, kinds[kind].symbol, &driver);
	if (outcome.status != SAFE_OK)
		return outcome;
	if (!name)
		name = kinds[kind].name;
	if (kind == DEVICE_SPEAKER) {
		device->speaker.driver = driver;
		return device->speaker.driver->open(name, &device->speaker.context);
	}
	if (driver)
		device->driver = driver;
	return open_screen(device, name);
}

uint32_t device_patience(const struct device *device, uint32_t seconds)
{
	if (device->console.keys)
		return 0;
	return seconds == DEVICE_SHOW_DEFAULT ? SHOW_SECONDS : seconds;
}

void device_linger(struct device *device, uint32_t seconds)
{
	bool endless = seconds == DEVICE_SHOW_DEFAULT && device->console.keys;

	if (seconds == DEVICE_SHOW_DEFAULT)
		seconds = SHOW_SECONDS;
	console_wait(&device->console, endless ? -1 : (int64_t)seconds * 1000);
}

void device_restore(struct device *device)
{
	if (device->context && device->driver->restore)
		device->driver->restore(device->context);
	console_restore(&device->console);
}

void device_close(struct device *device)
{
	if (device->kind == DEVICE_NONE)
		return;
	device_restore(device);
	console_close(&device->console);
	if (device->context)
		device->driver->close(device->context);
	if (device->speaker.context)
		device->speaker.driver->close(device->speaker.context);
	*device = (struct device){ .kind = DEVICE_NONE };
}
