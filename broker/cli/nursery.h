/* SPDX-License-Identifier: MIT */
/*
 * Where the command line's decoders come from, and when it confines itself.
 *
 * One input is decoded by a program that is executed for it: nothing starts faster.  For several, and for a cover,
 * which takes two decoders one after the other, brokers keep spares, and are replaced when one of their decoders
 * crashed; a starter, which is a program of its own, starts them, for this process has confined itself by then.  In any
 * case that has happened before a byte of any decoder's is read.
 */
#ifndef SAFE_DECODE_NURSERY_H
#define SAFE_DECODE_NURSERY_H

#include <stdbool.h>

#include "broker/confine/confine.h"
#include "broker/decode/source.h"
#include "broker/service/single.h"
#include "broker/service/start.h"
#include "options.h"
#include "outputs.h"

struct nursery {
	struct child_source *source; /* one of the next two */
	struct single single;
	struct sdec_pool *pool; /* NULL: none */
	char *folder;           /* of decoder programs; owned */
	struct started starter;
	int socket;                 /* to the starter */
	struct confine_files files; /* where outputs get their names; borrowed */
	bool confined;
	struct confinement confinement;
};

#define NURSERY_NONE ((struct nursery){ .starter = STARTED_NONE, .socket = -1 })

/* What `outputs` has open must stay so.  SDEC_OK, or how it failed; nursery_close() is next in either case. */
struct outcome nursery_open(struct nursery *nursery, const struct options *options, const struct outputs *outputs);

/* To be called when there is a decoder and before a byte of it is read: gives up, once, all that moving bytes does not
 * need.  Returns SDEC_OK or SDEC_NO_SANDBOX. */
struct outcome nursery_confine(struct nursery *nursery, const struct options *options);

/* Ends all brokers. */
void nursery_close(struct nursery *nursery);

#endif
