/* SPDX-License-Identifier: MIT */
/* What plays sound, and what it does not let a decoder ask for. */
#ifndef SAFE_DECODE_SPEAKER_H
#define SAFE_DECODE_SPEAKER_H

#include <stddef.h>
#include <stdint.h>

#include "broker/wire/status.h"
#include "broker/wire/wire.h"

#define SOUND_RATE_LEAST UINT32_C(4000) /* sample frames a second that can be played */

struct sound_limits {
	uint32_t max_rate; /* sample frames a second */
	uint32_t max_channels;
	uint32_t max_seconds;
};

#define SOUND_LIMITS_DEFAULT ((struct sound_limits){ .max_rate = 192000, .max_channels = 8, .max_seconds = 86400 })

/* How to reach a sound card.  All functions keep their state in `context`, which open() makes. */
struct speaker_driver {
	struct outcome (*open)(const char *name, void **context);
	/* Sound of this rate, format and number of channels follows. */
	struct outcome (*start)(void *context, const struct wire_audio *audio);
	/* Plays whole sample frames: blocks until all but what is buffered was played.  Counts in *gaps how often it
	 * came too late. */
	struct outcome (*play)(void *context, const uint8_t *samples, size_t frames, uint64_t *gaps);
	/* Sample frames that are buffered and were not heard yet. */
	uint64_t (*pending)(void *context);
	/* Waits until all was heard. */
	struct outcome (*drain)(void *context);
	/* Ends at once. */
	void (*stop)(void *context);
	void (*close)(void *context);
};

/* Tells how many sample frames were heard. */
typedef void speaker_heard(void *context, uint64_t frames);

struct speaker {
	const struct speaker_driver *driver;
	void *context; /* the driver's */
	struct sound_limits limits;
	speaker_heard *heard; /* called several times a second, or NULL */
	void *heard_context;
	uint64_t gaps;                     /* of the current sound */
	uint64_t frames;                   /* of the current sound that were taken */
	uint8_t places[WIRE_CHANNELS_MAX]; /* the channels in the order of ALSA */
};

#endif
