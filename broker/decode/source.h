/* SPDX-License-Identifier: MIT */
/*
 * Where a decode gets its decoder process from: a pool, which keeps spares (library/decoder.h), or a program that is
 * started for this one decode (single.h).  A decode asks, waits as long as it likes, and takes the child.
 */
#ifndef SAFE_DECODE_SOURCE_H
#define SAFE_DECODE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/safe-decode.h"
#include "broker/wire/status.h"
#include "child.h"

struct link;

/* Somebody who wants a child. */
struct want {
	const char *program; /* static */
	const struct sdec_limits *limits;
	bool diagnose; /* the child tells of a forbidden system call */
	int wake;      /* a timerfd to let run out when there is something new; or -1 */

	bool done;
	struct outcome outcome; /* once it is done */
	struct child child;     /* likewise, where the outcome is SDEC_OK */

	/* The source's own. */
	struct link *link; /* where it waits; NULL: nowhere */
	struct want *next;
	uint32_t tag;
	uint64_t since;         /* decode_clock() when it began to wait on its link */
	unsigned asked;         /* how often: brokers may go away */
	bool greeted;           /* the last of them had said hello */
	uint64_t stalled_since; /* when there was nothing left to make a child of; 0: there was */
};

#define WANT_NONE ((struct want){ .wake = -1, .child = CHILD_NONE })

struct child_source {
	/* Gets a child, or begins to wait for one.  Returns want->done. */
	bool (*want)(struct child_source *source, struct want *want);

	/* Looks, without blocking, whether there is one now.  Returns want->done. */
	bool (*check)(struct child_source *source, struct want *want);

	/* Blocks until there may be one, for so many milliseconds at most; -1: for any time. */
	void (*wait)(struct child_source *source, struct want *want, int milliseconds);

	/* Does not want it any more; a child that has come is given back. */
	void (*forget)(struct child_source *source, struct want *want);

	/* The descriptor to poll while a want waits; -1: none. */
	int (*descriptor)(struct child_source *source, const struct want *want);

	/* Whether it can be used by this process: not in one that was forked from the one that made it. */
	bool (*is_ours)(const struct child_source *source);
};

/* A source whose want() always answers, so that nothing is ever waited for; what it gives ends by its owner. */
struct child_source source_at_once(bool (*want)(struct child_source *source, struct want *want));

#endif
