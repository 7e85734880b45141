/* SPDX-License-Identifier: MIT */
/*
 * One decode: a child, and the pump that feeds it and listens to it.  The command line's jobs and the library's calls
 * are made of this.
 *
 *     decode_start() -> { poll what decode_wants() says, decode_step() }* -> decode_end()
 */
#ifndef SAFE_DECODE_DECODE_H
#define SAFE_DECODE_DECODE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "child.h"
#include "pump.h"
#include "sandbox.h"
#include "status.h"
#include "wire.h"

struct decode {
	struct child child;
	struct pump pump;
	bool pump_open;
	bool said_hello;
	struct sandbox_posture posture;
	struct sandbox_report report; /* what a diagnosing child tried */
	bool reported;
	struct safe_outcome outcome; /* once it is over */
};

#define DECODE_NONE ((struct decode){ .child = CHILD_NONE })

struct decode_input {
	int source;           /* borrowed descriptor, or -1: all is at `start` */
	const uint8_t *start; /* see struct pump_plan */
	size_t start_size;
};

/* Starts with a child, which it owns from now on, whatever comes.  Returns SAFE_OK, or how it failed: decode_end() is
 * next in either case.  The consumer must outlive the decode. */
struct safe_outcome decode_start(struct decode *decode, struct child *child, const struct wire_request *request,
                                 const struct wire_consumer *consumer, const struct decode_input *input,
                                 const struct safe_limits *limits);

/* Lets a child that was verified before it was handed over have its input at once, without waiting for its hello.
 * Returns SAFE_OK, or how it failed. */
struct safe_outcome decode_send(struct decode *decode);

/* What the consumer's hello() must call: verifies the child, and lets it have its input. */
struct safe_outcome decode_hello(struct decode *decode);

/* As pump_wants() and pump_step(); decode_step() returns false when it is over, and decode->outcome says how. */
int decode_wants(const struct decode *decode, struct pollfd fds[PUMP_FDS]);
bool decode_step(struct decode *decode, const struct pollfd fds[PUMP_FDS], uint64_t waited);

/* Polls and steps until the decode is over, or the consumer asked for a pause. */
bool decode_run(struct decode *decode);

/* Lets what a child gives gather for a moment, if it gives much.  For an owner that has nothing else to do. */
void decode_let_gather(const struct decode *decode);

/* Ends the child, and releases everything. */
void decode_end(struct decode *decode);

/* Nanoseconds of the monotonic clock. */
uint64_t decode_clock(void);

#endif
