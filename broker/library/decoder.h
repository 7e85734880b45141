/* SPDX-License-Identifier: MIT */
/* The library's handle: a pool of decoders, kept by brokers, as a source of children. */
#ifndef SAFE_DECODE_DECODER_HANDLE_H
#define SAFE_DECODE_DECODER_HANDLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../safe-decode.h"
#include "../source.h"
#include "../start.h"
#include "../status.h"

struct link;

enum { DECODER_ENDED = 64 };

struct safe_decoder {
	struct child_source source; /* first */
	pid_t owner;                /* the process that opened it */
	struct safe_config config;
	char *folder; /* of decoder programs; owned */
	pthread_mutex_t lock;
	pthread_cond_t changed;              /* something was received on one of the links */
	struct link *links;                  /* owned: at most one of each module is not retired */
	struct started ended[DECODER_ENDED]; /* brokers to reap; pidfd -1: none */
	uint32_t next_tag;
	struct want *stalled; /* no broker could be started for them: they ask again when something has ended */

	/* Starts a broker, for a process that cannot execute anything; NULL: this process does. */
	struct safe_outcome (*start)(const struct safe_decoder *decoder, const char *module,
	                             struct started_broker *started);
	int starter; /* for start() */

	/* Is told of brokers that start (with their socket) and end (with -1), so that a signal handler can end them;
	 * or NULL. */
	void (*watch)(int pidfd, int socket);
};

/* Closes links that nobody uses any more, and reaps brokers.  With the lock held. */
void decoder_tidy(struct safe_decoder *decoder);

/* No process can be made just now: lets spares go that nobody uses.  Returns whether something can end, so that waiting
 * makes sense.  With the lock held. */
bool decoder_make_room(struct safe_decoder *decoder);

/* Something has ended: those for whom there was no room ask again.  With the lock held. */
void decoder_wake_stalled(struct safe_decoder *decoder);

/* How often this process was forked. */
unsigned decoder_forks(void);

/* Whether the handle can be used by this process. */
bool decoder_is_ours(const struct safe_decoder *decoder);

#endif
