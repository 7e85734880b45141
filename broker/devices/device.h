/* SPDX-License-Identifier: MIT */
/*
 * What shows pictures or plays sound instead of writing files.
 *
 * A device is opened before any decoder exists, and the process that has it forks none: decoders come from brokers,
 * which are executed and inherit neither descriptors nor mappings.  There is one device in a process, for signal
 * handlers must find it.
 */
#ifndef SAFE_DECODE_DEVICE_H
#define SAFE_DECODE_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/output/sink.h"
#include "broker/wire/status.h"
#include "console.h"
#include "frames.h"
#include "screen.h"
#include "speaker.h"

enum device_kind {
	DEVICE_NONE,
	DEVICE_FRAMEBUFFER, /* /dev/fb0 */
	DEVICE_DISPLAY,     /* DRM */
	DEVICE_SPEAKER,     /* ALSA */
};

/* How to reach a screen.  All functions keep their state in `context`, which open() makes. */
struct screen_driver {
	/* Opens `path` and describes it.  SDEC_OK, SDEC_IO or SDEC_UNSUPPORTED. */
	struct outcome (*open)(const char *path, struct screen *screen, void **context);
	/* A picture is about to be drawn: makes the memory visible, and describes it as it is now. */
	struct outcome (*begin)(void *context, struct screen *screen);
	/* Lets what was drawn be seen, where that takes a call.  May be NULL. */
	struct outcome (*flush)(void *context);
	/* Puts back what was shown before.  May be called from a signal handler, and twice.  May be NULL. */
	void (*restore)(void *context);
	void (*close)(void *context);
};

/* What the modules of screens and of speakers export. */
#define SCREEN_MODULE_SYMBOL "safe_decode_screen"
#define SPEAKER_MODULE_SYMBOL "safe_decode_speaker"

struct device {
	enum device_kind kind;
	const struct screen_driver *driver; /* of a screen */
	void *context;                      /* the driver's */
	struct screen screen;
	struct console console;
	struct frames frames; /* of a screen */
	struct speaker speaker;
};

/* The output format whose sinks draw on devices of this kind, or play; sink.device is a struct device. */
const struct sink_format *device_sink_format(enum device_kind kind);

/* The name of the device that is meant when none is named. */
const char *device_usual_name(enum device_kind kind);

/* Opens a device.  SDEC_OK, or SDEC_IO, SDEC_UNSUPPORTED; device_close() is next in either case. */
struct outcome device_open(struct device *device, enum device_kind kind, const char *name);

/* Gives the text console back at once.  May be called from a signal handler. */
void device_restore(struct device *device);

void device_close(struct device *device);

#endif
