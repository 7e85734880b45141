/* SPDX-License-Identifier: MIT */
/* The children of a broker process, from fork to reaping. */
#ifndef SAFE_DECODE_CHILDREN_H
#define SAFE_DECODE_CHILDREN_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../child.h"
#include "../engine.h"
#include "../protocol.h"

enum slot_state {
	SLOT_FREE,
	SLOT_STARTING, /* it locks itself down */
	SLOT_SPARE,    /* the library has it, and does not use it yet */
	SLOT_USED,     /* it decodes */
	SLOT_ENDED,    /* it was reaped; the report could not be sent yet */
};

struct slot {
	enum slot_state state;
	bool wanted; /* somebody waits for it */
	uint32_t tag;
	uint64_t deadline; /* nanoseconds of the monotonic clock; 0: none */
	bool overdue;      /* it was killed for that */
	pid_t pid;
	struct child child;            /* while STARTING */
	struct protocol_report report; /* while ENDED */
};

struct children {
	struct engine *engine;
	struct safe_outcome engine_outcome; /* whether it can be used */
	const char *module;
	uint32_t cpu_seconds;
	size_t spares; /* to keep */
	bool failing;  /* the last one could not be made: none is made unless it is wanted */
	int socket;
	struct slot slots[PROTOCOL_CHILDREN];
};

/* Makes as many children as spares lack. */
void children_refill(struct children *children);

/* Acts on a command of the library's. */
void children_command(struct children *children, const struct protocol_command *command);

/* Adds what to poll to `fds`, PROTOCOL_CHILDREN at most: the outputs of children that are starting.  Returns how many.
 * Lowers *timeout, in milliseconds, to the next deadline. */
size_t children_wants(const struct children *children, struct pollfd *fds, int *timeout);

/* Hands over those that are ready, kills those whose time is up, reaps those that ended, and reports it. */
void children_step(struct children *children);

/* Kills and reaps all. */
void children_end(struct children *children);

#endif
