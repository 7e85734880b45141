/* SPDX-License-Identifier: MIT */
/* The library's handle: a pool of decoders, kept by brokers, as a source of children. */
#ifndef SAFE_DECODE_DECODER_HANDLE_H
#define SAFE_DECODE_DECODER_HANDLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "broker/decode/source.h"
#include "broker/safe-decode.h"
#include "broker/wire/status.h"
#include "owner.h"
#include "start.h"

struct link;

enum { DECODER_ENDED = 64 };

/* What waiting for room would bring. */
enum decoder_room {
	DECODER_ROOM_NEVER,
	DECODER_ROOM_SOON,  /* processes are ending, or are wanted by others */
	DECODER_ROOM_LATER, /* decodes are at work, for as long as they take */
};

struct sdec_pool {
	struct child_source source; /* first */
	struct owner owner;         /* the process that opened it */
	struct sdec_config config;
	char *folder; /* of decoder programs; owned */
	pthread_mutex_t lock;
	pthread_cond_t changed;              /* something was received on one of the links */
	struct link *links;                  /* owned: at most one of each program is not retired */
	struct started ended[DECODER_ENDED]; /* brokers to reap; pidfd -1: none */
	uint64_t last_end;                   /* decode_clock() when a broker ended */
	uint32_t next_tag;
	struct want *stalled; /* no broker could be started for them: they ask again when something has ended */

	/* Starts a broker, for a process that cannot execute anything; NULL: this process does. */
	struct outcome (*start)(const struct sdec_pool *decoder, const char *program, struct started_broker *started);
	int starter; /* for start() */

	/* Is told of brokers that start (with their socket) and end (with -1), so that a signal handler can end them;
	 * or NULL. */
	void (*watch)(int pidfd, int socket);
};

/* Closes links that nobody uses any more, and reaps brokers.  With the lock held. */
void decoder_tidy(struct sdec_pool *decoder);

/* No process can be made just now, or there is no descriptor: lets spares go, and brokers that nobody uses.  `asking`
 * is the link that needs room, which is kept, or NULL; and so are those of whom others have stalled for since before
 * `since`. With the lock held. */
enum decoder_room decoder_make_room(struct sdec_pool *decoder, const struct link *asking, uint64_t since);

/* There was nothing left to make a child of for a want, which is on no link: it asks again when something has ended.
 * Where nothing can end, it is done, and `outcome` says why.  With the lock held. */
void decoder_stall(struct sdec_pool *decoder, struct want *want, const struct link *asking, struct outcome outcome);

/* Something has ended: those for whom there was no room ask again.  With the lock held. */
void decoder_wake_stalled(struct sdec_pool *decoder);

/* How often this process was forked. */
unsigned decoder_forks(void);

/* Whether the handle can be used by this process. */
bool decoder_is_ours(const struct sdec_pool *decoder);

/* As callers of the library see it. */
void posture_public(const struct sandbox_posture *verified, struct sdec_posture *posture);

#endif
