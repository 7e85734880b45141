/* SPDX-License-Identifier: MIT */
/* The decoders of a broker, from fork to reaping. */
#ifndef SAFE_DECODE_CHILDREN_H
#define SAFE_DECODE_CHILDREN_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"
#include "sandbox.h"
#include "spawn.h"

struct arena;

enum slot_state {
	SLOT_FREE,
	SLOT_STARTING, /* it locks itself down */
	SLOT_GIVEN,    /* the caller has it: as a spare, or at work */
	SLOT_ENDED,    /* it was reaped; the report could not be sent yet */
};

struct slot {
	enum slot_state state;
	bool wanted; /* somebody waits for it */
	uint32_t tag;
	struct spawned decoder; /* once it is GIVEN, its pidfd alone */
	int status;             /* its /proc/PID/status, once it has handed that over; or -1 */
	bool failed;            /* it has reported a step that failed: */
	int32_t step, error_number;
	struct protocol_report report; /* while ENDED */
};

struct children {
	struct spawn_plan spawn;  /* of all; cpu_seconds are those of a spare */
	struct arena *arena;      /* in which decoders work */
	enum sandbox_step failed; /* in preparation: nothing can be spawned */
	int error_number;
	uint64_t filters; /* in force in this process */
	size_t spares;    /* to keep */
	bool failing;     /* the last one could not be made: none is made unless it is wanted */
	int socket;       /* to the caller */
	int control;      /* from decoders that lock themselves down */
	struct slot slots[PROTOCOL_CHILDREN];

	/* Wants that wait, the oldest first, because no process could be made. */
	struct protocol_command waiting[PROTOCOL_CHILDREN];
	size_t waiting_count;
};

/* Makes as many decoders as spares are missing. */
void children_refill(struct children *children);

/* Acts on a command of the caller's. */
void children_command(struct children *children, const struct protocol_command *command);

/* Adds what to poll to `fds`, PROTOCOL_CHILDREN at most: the outputs of decoders that are starting.  Returns how many.
 * Lowers *timeout, in milliseconds. */
size_t children_wants(const struct children *children, struct pollfd *fds, int *timeout);

/* Hands over those that are ready, reaps those that ended, and reports it. */
void children_step(struct children *children);

/* Kills and reaps all. */
void children_end(struct children *children);

#endif
