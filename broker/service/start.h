/* SPDX-License-Identifier: MIT */
/* Starts programs of the trusted side: a clean environment, just the descriptors that they are to have, and a hold on
 * them from the first moment. */
#ifndef SAFE_DECODE_START_H
#define SAFE_DECODE_START_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "broker/wire/status.h"

enum { START_FDS = 5 };

struct start_plan {
	const char *path;       /* absolute */
	char *const *arguments; /* NULL behind the last */
	int fds[START_FDS];     /* what it finds under each number; -1: nothing */
	bool detached;          /* it becomes no child of this process, so that no wait() of a caller's is about it */
};

struct started {
	pid_t pid; /* of a process that may be gone, and so good to be shown only, unless it is our child */
	int pidfd;
};

#define STARTED_NONE ((struct started){ .pidfd = -1 })

/* Executes a program that nobody else may have changed (programs.h), without copying this process.  In it all signals
 * are blocked.  `failure` says what could not be done.  Returns SDEC_OK, SDEC_UNSUPPORTED, SDEC_NO_SANDBOX or
 * SDEC_EXHAUSTED, with nothing left behind. */
struct outcome start_checked(const struct start_plan *plan, const char *failure, struct started *started);

/* Whether it has ended. */
bool started_has_ended(const struct started *started);

/* Kills it, if it still runs, and leaves no zombie. */
void started_end(struct started *started);

/* Waits for it for a while, kills it then, and leaves no zombie.  Returns its status as of wait(), 0 if it was
 * detached. */
int started_reap(struct started *started, int milliseconds);

/* ---- decoder programs ---- */

/* Numbers for a decoder program's arguments, see protocol.h. */
struct decoder_numbers {
	uint64_t memory;
	uint32_t cpu_seconds, spares;
};

/* Starts the program of a decoder in one of its modes, after checking who may change it.  Returns SDEC_OK,
 * SDEC_UNSUPPORTED, SDEC_NO_SANDBOX or SDEC_EXHAUSTED. */
struct outcome start_decoder(const char *folder, const char *name, const char *mode,
                             const struct decoder_numbers *numbers, struct start_plan *plan, struct started *started);

/* The library's hold on a broker. */
struct started_broker {
	struct started process;
	int socket, timer;
};

#define STARTED_BROKER_NONE ((struct started_broker){ .process = STARTED_NONE, .socket = -1, .timer = -1 })

struct broker_plan {
	const char *folder;
	struct decoder_numbers numbers;
	uint32_t idle_seconds;
	int caller;    /* a pidfd of the process with which it is to end */
	bool detached; /* see struct start_plan */
};

/* Starts a broker.  Returns as start_decoder(), with nothing left behind. */
struct outcome start_broker(const struct broker_plan *plan, const char *name, struct started_broker *started);

/* Closes the descriptors; the broker ends by that. */
void started_broker_close(struct started_broker *started);

#endif
