/* SPDX-License-Identifier: MIT */
/*
 * What the library and a broker process say to each other, over a SOCK_SEQPACKET socket: one struct a packet.  Both are
 * trusted, and of the same build.
 *
 * The broker keeps a number of spares: children that are locked down, verified and warm.  It hands each to the library
 * as soon as it is ready, so that a decode need not ask for one.  When one has ended, or is used with a deadline, the
 * broker makes another.
 */
#ifndef SAFE_DECODE_PROTOCOL_H
#define SAFE_DECODE_PROTOCOL_H

#include <stdint.h>

/* Descriptors that a broker finds open when it starts. */
enum {
	PROTOCOL_SOCKET = 0,
	PROTOCOL_CALLER = 3, /* a pidfd of the library's process */
	PROTOCOL_TIMER = 4, /* a timerfd that runs while the library does not need the broker.  When it has run out, the
	                     * broker ends; a library that finds it so looks for another */
};

/* A broker's arguments, after its name. */
enum {
	PROTOCOL_MODULE = 1,
	PROTOCOL_MEMORY, /* bytes of the arena */
	PROTOCOL_CPU,    /* seconds of processor time of a spare */
	PROTOCOL_SPARES,
	PROTOCOL_ARGUMENTS,
};

enum {
	PROTOCOL_CHILDREN = 256, /* of a broker, at once */
	PROTOCOL_SPARES_MAX = 64,
};

/* ---- to the broker ---- */

enum protocol_command_kind {
	PROTOCOL_WANT = 1, /* one more child; `tag` 0: any, with the limits of a spare */
	PROTOCOL_USE,      /* child `id` is being used, with a deadline.  Else its end tells that it was */
	PROTOCOL_DROP,     /* child `id` could not be taken: end it */
};

struct protocol_command {
	uint32_t kind;
	uint32_t id;
	uint32_t tag;
	uint32_t cpu_seconds;           /* WANT with a tag */
	uint64_t memory;                /* WANT with a tag: bytes */
	uint32_t deadline_milliseconds; /* USE: after which to kill it; 0: never */
	uint32_t reserved;
};

/* ---- from the broker ---- */

enum protocol_report_kind {
	PROTOCOL_CHILD = 1, /* a child that is ready, with PROTOCOL_CHILD_FDS descriptors: struct child has them */
	PROTOCOL_NONE,      /* there is none: the answer to a WANT */
	PROTOCOL_ENDED,     /* child `id` was reaped */
};

/* The descriptors of a CHILD, in this order. */
enum {
	PROTOCOL_CHILD_PIDFD,
	PROTOCOL_CHILD_INPUT,
	PROTOCOL_CHILD_INPUT_PEER,
	PROTOCOL_CHILD_OUTPUT,
	PROTOCOL_CHILD_FDS,
};

/* Why there is no child. */
enum protocol_reason {
	PROTOCOL_NO_MODULE,
	PROTOCOL_NO_PREPARATION,
	PROTOCOL_NO_FORK,
	PROTOCOL_NO_LOCKDOWN,
	PROTOCOL_NOT_VERIFIED,
	PROTOCOL_REASONS,
};

struct protocol_report {
	uint32_t kind;
	uint32_t id;  /* of the child: its pid */
	uint32_t tag; /* CHILD, NONE: of the WANT that it answers; 0: of none in particular */

	/* CHILD: what was verified. */
	uint32_t strict, no_new_privs, filters, filters_before;

	/* NONE */
	uint32_t reason; /* enum protocol_reason */
	int32_t error_number;

	/* ENDED */
	int32_t wait_status;
	uint32_t deadline; /* not 0: its deadline had passed */
	uint32_t reserved;
	uint64_t cpu_microseconds, peak_memory;
};

#endif
