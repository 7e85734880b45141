/* SPDX-License-Identifier: MIT */
/*
 * Moves compressed bytes from a source to a child and messages from the child to the wire reader, both at once, so that
 * a child that writes before it has read everything cannot deadlock it.  With WIRE_RANDOM, the bytes that move are
 * those that the child asks for.
 *
 * The pump never blocks and never sleeps: its owner polls the descriptors that pump_wants() names, and calls
 * pump_step().  Several pumps can share one poll loop.
 */
#ifndef SAFE_DECODE_PUMP_H
#define SAFE_DECODE_PUMP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/wire/reader.h"
#include "broker/wire/status.h"
#include "broker/wire/wire.h"
#include "random.h"

enum {
	PUMP_FDS = 3,                /* descriptors to poll, at most */
	PUMP_BUFFER_SIZE = 64 << 10, /* bytes */
	PUMP_STASH = 512,            /* bytes */
};

struct pump {
	struct wire_reader reader;
	size_t request_sent; /* bytes of the reader's request that have left */
	const uint8_t *next; /* compressed bytes that leave next: in the buffer, or in memory of the caller's */
	size_t next_size;
	uint8_t *buffer; /* owned; NULL where the whole input is in memory, or the child asks for its parts: */
	bool is_random;
	struct random_input random;
	bool answers;          /* a part is on its way */
	struct wire_part part; /* which goes before its bytes, */
	size_t part_left;      /* and what of this has not left */
	int source;            /* compressed bytes come from here; borrowed; -1: all are at `next` */
	int to_child;          /* pipe ends; borrowed */
	int from_child;
	int relay[2];  /* owned; a pipe, or -1.  Reading locks a pipe for as long as the copy takes, and the child could
	                * not write meanwhile: so where much comes, its pages are moved here first, which takes no time
	                */
	bool no_relay; /* there can be none */
	size_t relayed;            /* bytes in the relay */
	uint64_t gather;           /* nanoseconds that an owner lets much gather: see pump_gathering() */
	size_t received;           /* bytes that came before there was a relay */
	uint8_t stash[PUMP_STASH]; /* small messages are read together: a read for each would cost more than they do */
	size_t stash_start, stash_end;
	uint64_t input; /* compressed bytes read so far */
	uint64_t max_input;
	uint64_t stall_limit; /* nanoseconds */
	uint64_t stalled;     /* nanoseconds that the child alone was waited for */
	bool released;        /* the child may have its input */
	bool paused;          /* the consumer asked for a pause */
	bool source_ended;
	bool source_is_file;    /* it always has something, or is at its end */
	bool source_ready;      /* it has something that can be spliced */
	bool splices;           /* the source and the pipe to the child can */
	bool input_closed;      /* to_child takes no more: the owner closes it */
	struct outcome outcome; /* once it is over */
};

enum pump_progress {
	PUMP_MORE, /* poll again */
	PUMP_OVER, /* pump->outcome says how the decode ended */
	PUMP_GONE, /* the child closed its output before END or FAIL: its exit status says how */
};

struct pump_plan {
	const struct wire_request *request;
	const struct wire_consumer *consumer;
	int to_child, from_child;
	int source;           /* descriptor, or -1 */
	const uint8_t *start; /* with a source: bytes that were read from it already, at most PUMP_BUFFER_SIZE; without:
	                       * all of the input, which must stay there */
	size_t start_size;
	uint64_t random_start; /* with WIRE_RANDOM and a source: where the input starts in that file */
	uint64_t max_input;    /* bytes */
	uint32_t stall_seconds;
};

/* Returns SDEC_OK, SDEC_IO (no memory) or SDEC_LIMIT.  Nothing of the input, not even the request, leaves before
 * pump_release(). */
struct outcome pump_init(struct pump *pump, const struct pump_plan *plan);
void pump_free(struct pump *pump);

/* The child is verified: let the request and the input go.  To be called before the first step, or by the consumer's
 * hello(). */
void pump_release(struct pump *pump);

/* To be called by the consumer: pump_step() returns after the message that is being taken. */
void pump_pause(struct pump *pump);

/* Fills `fds` with what to poll (entries that are not used have fd -1).  Returns after how many milliseconds at most to
 * call pump_step() again, or -1. */
int pump_wants(const struct pump *pump, struct pollfd fds[PUMP_FDS]);

/* For how many nanoseconds an owner that has nothing else to do lets what comes gather before it polls; 0: not much is
 * coming.  Each time that the trusted side is woken up and takes the pipe's lock holds the child up, or even takes its
 * processor; but the pipe must not fill up meanwhile. */
uint64_t pump_gathering(const struct pump *pump);

/* Moves what can be moved.  `fds` is as poll() left it; `waited` is the time that poll() took, in nanoseconds. */
enum pump_progress pump_step(struct pump *pump, const struct pollfd fds[PUMP_FDS], uint64_t waited);

/* Sends what can be sent at once, for an owner that knows that the child waits for it. */
enum pump_progress pump_send(struct pump *pump);

#endif
