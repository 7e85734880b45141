/* SPDX-License-Identifier: MIT */
/* A source of children that are none: each has said, before anybody listens, what a test wants it to say.  For the
 * library's own code, without brokers, under sanitizers and fuzzers. */
#ifndef SAFE_DECODE_PLAYED_CHILD_H
#define SAFE_DECODE_PLAYED_CHILD_H

#include "broker/service/pool.h"

struct played {
	struct sdec_pool pool; /* first: what calls of the library are given */
	const void *said;      /* borrowed */
	size_t size;           /* bytes; a pipe must hold them */
	bool silent;           /* it was asked how it ended, so it had said too little */
	bool verified;         /* before it came, as a broker's */
	int nowhere;           /* where its input goes */
};

/* Aborts where there are no descriptors. */
void played_init(struct played *played);
void played_end(struct played *played);

/* How to call the library, and what to promise of the answer.  Streams ask for all frames, too. */
enum played_way {
	PLAYED_IMAGE,
	PLAYED_IMAGE_INTO,
	PLAYED_BYTES,
	PLAYED_AUDIO,
	PLAYED_AUDIO_INTO,
	PLAYED_PROBE,
	PLAYED_STREAM,
	PLAYED_STREAM_INTO,
	PLAYED_FRAMES,
	PLAYED_WAYS,
};

/* Calls the library in one way, for an input of a format, with SDEC_PARTIAL and the like.  Returns the status.  Sets
 * *broken to what the library promises and did not hold, or NULL. */
enum sdec_status played_call(struct played *played, enum played_way way, const char *format, uint32_t flags,
                             const char **broken);

#endif
