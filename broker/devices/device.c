/* SPDX-License-Identifier: MIT */
#include "device.h"

#include <stddef.h>

#include "broker/output/loader.h"
#include "drivers.h"

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

const char *device_usual_name(enum device_kind kind)
{
	return kinds[kind].name;
}

const struct sink_format *device_sink_format(enum device_kind kind)
{
	return kinds[kind].format;
}

static struct outcome open_screen(struct device *device, const struct screen_driver *driver, const char *name)
{
	struct outcome outcome = console_open(&device->console);

	device->driver = driver;
	if (outcome.status == SDEC_OK)
		outcome = driver->open(name, &device->screen, &device->context);
	return outcome;
}

static struct outcome open_speaker(struct device *device, const struct speaker_driver *driver, const char *name)
{
	device->speaker.driver = driver;
	return driver->open(name, &device->speaker.context);
}

struct outcome device_open(struct device *device, enum device_kind kind, const char *name)
{
	void *loaded = NULL;

	device->kind = kind;
	device->console = CONSOLE_NONE;
	if (kinds[kind].driver)
		return open_screen(device, kinds[kind].driver, name);
	struct outcome outcome = loader_find(kinds[kind].module, kinds[kind].symbol, &loaded);
	if (outcome.status != SDEC_OK || !loaded)
		return outcome;
	return kind == DEVICE_SPEAKER ? open_speaker(device, loaded, name) : open_screen(device, loaded, name);
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
	frames_release(&device->frames);
	if (device->context)
		device->driver->close(device->context);
	if (device->speaker.context)
		device->speaker.driver->close(device->speaker.context);
	*device = (struct device){ .kind = DEVICE_NONE };
}
