/* SPDX-License-Identifier: MIT */
/* What a user sees of a device: how far a sound has come, how long a picture stays. */
#ifndef SAFE_DECODE_SHOW_H
#define SAFE_DECODE_SHOW_H

#include <stdbool.h>

#include "broker/devices/device.h"
#include "job.h"

struct show {
	struct device *device; /* borrowed; NULL: none, and nothing is done here */
	const struct job *job; /* that is on its way */
	bool drawn;            /* there is a progress line, */
	uint64_t seconds;      /* of this time */
};

/* A job is about to start. */
void show_start(struct show *show, const struct job *job);

/* Takes the progress line away, so that another one can be printed. */
void show_clear(struct show *show);

/* The job has ended and was reported on: leaves its picture on the screen, and tells of gaps in its sound. */
void show_end(struct show *show, const struct job *job);

#endif
