/* SPDX-License-Identifier: MIT */
/* The library's end of one broker process.  All functions are called with the pool's lock held. */
#ifndef SAFE_DECODE_LINK_H
#define SAFE_DECODE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "broker/decode/child.h"
#include "broker/sandbox/protocol.h"
#include "pool.h"

/* A child that came from a broker, from its coming to its end. */
struct link_child {
	struct link *link;
	struct link_child *next;
	struct child child; /* while it waits as a spare; then the decode's copy counts */
	struct protocol_report posture;
	struct protocol_report end; /* once it ended */
	bool used, ended;
	unsigned forks; /* of this process, when it came */
};

struct link {
	struct sdec_pool *decoder;
	struct link *next;
	const char *program; /* static */
	struct started process;
	const char *library; /* that the broker has named, once it is greeted */
	int socket, timer;
	bool greeted;  /* the broker has said hello, and is of this build */
	bool dead;     /* the broker is gone, or does not behave */
	bool retired;  /* no new work goes there */
	bool needed;   /* its timer does not run */
	bool reading;  /* a thread waits at the socket, and will tell the others */
	bool draining; /* what it has sent is being taken: it must not go meanwhile */
	bool full;     /* the broker could make no process the last time that it was asked */
	struct link_child *children;
	struct want *wants; /* the oldest first */
};

/* Starts a broker for a program.  Returns SDEC_OK; SDEC_UNSUPPORTED, SDEC_NO_SANDBOX or SDEC_EXHAUSTED. */
struct outcome link_open(struct sdec_pool *decoder, const char *program, struct link **link);

/* Kills what it still has, closes it and frees it.  Returns the broker, which is to be reaped. */
struct started link_close(struct link *link);

enum { LINK_PATIENCE = 20000 }; /* milliseconds for a broker that does not answer: far above what it needs */

/* Says that the broker is needed.  False: it is about to end. */
bool link_touch(struct link *link);

/* If nothing uses it any more, the time begins after which the broker ends. */
void link_settle(struct link *link);

/* Whether the broker has not ended.  Its socket alone does not tell: a child that it was just forking has it, too. */
bool link_is_running(const struct link *link);

/* Takes what the broker has sent, unless a spare is at hand: then that can wait. */
void link_restock(struct link *link);

/* A spare, or NULL. */
struct link_child *link_spare(const struct link *link);

/* Takes a child over that the broker reports, with its PROTOCOL_CHILD_FDS descriptors.  NULL: no memory; the
 * descriptors are still the caller's. */
struct link_child *link_add(struct link *link, const struct protocol_report *report, const int *fds);

/* Kills a child, closes it and forgets it. */
void link_drop(struct link_child *child);

/* Lets all spares go.  Returns whether there were any. */
bool link_drop_spares(struct link *link);

/* Asks for a child on behalf of a want. */
void link_ask(struct link *link, struct want *want);

/* Takes all that the broker has sent, unless a thread that waits for it will. */
void link_drain(struct link *link);

/* The same, on behalf of who has waited since then; gives the broker up where that was too long ago. */
void link_expect(struct link *link, uint64_t since);

/* Waits until the broker has sent something, or another thread has taken it; for so many milliseconds at most, or -1.
 */
void link_wait(struct link *link, int milliseconds);

/* Hands the child to a decode. */
void link_use(struct link_child *from, struct child *child);

/* Takes a want off its link's list. */
void link_forget(struct want *want);

/* Lets who waits for a want look again. */
void link_wake(const struct want *want);

/* No new work goes to a link: its spares are let go, and those who wait must ask again. */
void link_retire(struct link *link);

/* Whether nothing uses it any more; and whether a child of it is at work. */
bool link_is_unused(const struct link *link);
bool link_is_used(const struct link *link);

#endif
