/* SPDX-License-Identifier: MIT */
/* How the command line asks for brokers once it cannot execute anything itself: see starter/main.c. */
#ifndef SAFE_DECODE_CLI_STARTER_H
#define SAFE_DECODE_CLI_STARTER_H

#include "broker/service/pool.h"
#include "broker/service/start.h"
#include "broker/wire/status.h"

/* Executes the starter, from which `pool` gets its brokers from then on.  `*socket` is our end of its socket.  Returns
 * SDEC_OK, or how it failed. */
struct outcome starter_open(struct sdec_pool *pool, struct started *starter, int *socket);

/* To be called after the pool and the socket were closed: returns when the starter and all brokers have ended. */
void starter_close(struct started *starter);

#endif
