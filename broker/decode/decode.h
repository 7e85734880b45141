/* SPDX-License-Identifier: MIT */
/*
 * One decode: a child, the pump that feeds it and listens to it, and the limits on time that the trusted side watches.
 *
 *     decode_start() -> { poll what decode_wants() says, decode_step() }* -> decode_end()
 */
#ifndef SAFE_DECODE_DECODE_H
#define SAFE_DECODE_DECODE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "broker/wire/status.h"
#include "broker/wire/wire.h"
#include "child.h"
#include "pump.h"

struct decode {
	struct child child;
	struct pump pump;
	bool pump_open;
	bool said_hello;
	struct sandbox_posture posture;
	const char *library;    /* as of the child; NULL before it was verified */
	uint64_t cpu_limit;     /* nanoseconds of the child's processor time */
	uint64_t cpu_check;     /* decode_clock() when it can have used so much at the earliest */
	uint64_t work_limit;    /* nanoseconds of this thread's processor time, for this decode */
	uint64_t work;          /* that were used */
	struct outcome outcome; /* once it is over */
};

#define DECODE_NONE ((struct decode){ .child = CHILD_NONE })

struct decode_input {
	int source;           /* borrowed descriptor, or -1: all is at `start` */
	const uint8_t *start; /* see struct pump_plan */
	size_t start_size;
	uint64_t random_start;
};

/* Starts with a child, which it owns from now on, whatever comes.  A child that was verified before it came gets its
 * input at once.  Returns SDEC_OK, or how it failed: decode_end() is next in either case.  The consumer must outlive
 * the decode. */
struct outcome decode_start(struct decode *decode, struct child *child, const struct wire_request *request,
                            const struct wire_consumer *consumer, const struct decode_input *input,
                            const struct sdec_limits *limits);

/* What the consumer's hello() must call: verifies the child, and lets it have its input. */
struct outcome decode_hello(struct decode *decode);

/* As pump_wants() and pump_step(); decode_step() returns false when it is over, and decode->outcome says how.
 * `milliseconds`: until the caller's deadline; -1: there is none. */
int decode_wants(const struct decode *decode, struct pollfd fds[PUMP_FDS]);
bool decode_step(struct decode *decode, const struct pollfd fds[PUMP_FDS], uint64_t waited, int milliseconds);

/* For work of the trusted side that is part of the decode: begin before it, and charge after it.  Returns SDEC_OK or
 * SDEC_LIMIT. */
uint64_t decode_work_begin(void);
struct outcome decode_work_charge(struct decode *decode, uint64_t begun);

/* What happens where the deadline has passed. */
struct outcome decode_too_late(void);

/* Lets what a child gives gather for a moment, if it gives much.  For an owner that has nothing else to do. */
void decode_let_gather(const struct decode *decode);

/* Ends the child, and releases everything. */
void decode_end(struct decode *decode);

/* Nanoseconds of the monotonic clock. */
uint64_t decode_clock(void);

#endif
