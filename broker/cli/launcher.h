/* SPDX-License-Identifier: MIT */
/*
 * Starts brokers for a command line that cannot execute anything any more.
 *
 * The command line forks the launcher before it confines itself.  The launcher never sees a byte of a child's; all that
 * it can be told is the name of a module of the compiled-in list.
 */
#ifndef SAFE_DECODE_LAUNCHER_H
#define SAFE_DECODE_LAUNCHER_H

#include "../library/decoder.h"

struct launcher {
	pid_t pid; /* 0: none */
	int socket;
};

#define LAUNCHER_NONE ((struct launcher){ .pid = 0, .socket = -1 })

/* Forks the launcher, from which `decoder` gets its brokers from then on.  Returns SAFE_OK or SAFE_NO_SANDBOX. */
struct safe_outcome launcher_open(struct safe_decoder *decoder, struct launcher *launcher);

/* To be called after the decoder was closed: returns when the launcher and all brokers have ended. */
void launcher_close(struct launcher *launcher);

#endif
