/* SPDX-License-Identifier: MIT */
/* Finds the broker program and starts it. */
#ifndef SAFE_DECODE_START_H
#define SAFE_DECODE_START_H

#include "decoder.h"

/* The path of the broker program that belongs to this library; the caller frees it.  NULL: there is none, or no
 * memory. */
char *start_find_broker(void);

/* The library's hold on a broker. */
struct started {
	pid_t pid; /* to be reaped by who started it */
	int pidfd, socket, timer;
};

#define STARTED_NONE ((struct started){ .pidfd = -1, .socket = -1, .timer = -1 })

/* Starts a broker for a module, which ends when the process does that `caller`, a pidfd, stands for.  Returns SAFE_OK,
 * SAFE_NO_SANDBOX or SAFE_IO, with nothing left behind. */
struct safe_outcome start_broker(const struct safe_decoder *decoder, int caller, const char *module,
                                 struct started *started);

/* The same, for this process. */
struct safe_outcome start_own_broker(const struct safe_decoder *decoder, const char *module, struct started *started);

/* Closes the descriptors. */
void started_close(struct started *started);

#endif
