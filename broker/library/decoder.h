/* SPDX-License-Identifier: MIT */
/* The library's handle, and how it comes by children. */
#ifndef SAFE_DECODE_DECODER_HANDLE_H
#define SAFE_DECODE_DECODER_HANDLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../child.h"
#include "../safe-decode.h"
#include "../status.h"

struct link;
struct started;

enum { DECODER_ENDED = 64 };

struct safe_decoder {
	pid_t owner; /* the process that opened it */
	struct safe_config config;
	char *broker; /* path; owned */
	pthread_mutex_t lock;
	pthread_cond_t changed;     /* something was received on one of the links */
	struct link *links;         /* owned, as all that follows: at most one of each module is not retired */
	pid_t ended[DECODER_ENDED]; /* brokers to reap; 0: none */
	uint32_t next_tag;

	/* Starts a broker for a process that cannot execute anything; or NULL. */
	struct safe_outcome (*start)(const struct safe_decoder *decoder, const char *module, struct started *started);
	int launcher; /* for start() */

	/* Is told of brokers that start (with their socket) and end (with -1), so that a signal handler can end them;
	 * or NULL. */
	void (*watch)(pid_t broker, int socket);
};

/* Somebody who wants a child. */
struct want {
	const char *module;
	const struct safe_limits *limits;
	struct link *link; /* where it waits; NULL: nowhere */
	struct want *next;
	uint32_t tag;
	bool done;
	uint64_t since;              /* decode_clock() when it began to wait on its link */
	unsigned asked;              /* how often: brokers may go away */
	int wake;                    /* an eventfd to write to when there is something new; or -1 */
	struct safe_outcome outcome; /* once it is done */
	struct child child;          /* likewise, where the outcome is SAFE_OK */
};

/* Sets a want up: `module` and `limits` must outlive it. */
void want_init(struct want *want, const char *module, const struct safe_limits *limits);

/* Gets a child, or begins to wait for one.  Returns want->done. */
bool decoder_want(struct safe_decoder *decoder, struct want *want);

/* Looks, without blocking, whether there is one now.  Returns want->done. */
bool decoder_check(struct safe_decoder *decoder, struct want *want);

/* Blocks until there is one. */
void decoder_wait(struct safe_decoder *decoder, struct want *want);

/* Does not want it any more; a child that has come is given back. */
void decoder_forget(struct safe_decoder *decoder, struct want *want);

/* The descriptor to poll while a want waits; -1: none. */
int decoder_want_fd(struct safe_decoder *decoder, const struct want *want);

/* Closes links that nobody uses any more, and reaps brokers.  With the lock held. */
void decoder_tidy(struct safe_decoder *decoder);

/* How often this process was forked. */
unsigned decoder_forks(void);

/* Whether the handle can be used by this process. */
bool decoder_is_ours(const struct safe_decoder *decoder);

#endif
