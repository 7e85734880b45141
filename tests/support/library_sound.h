/* SPDX-License-Identifier: MIT */
/* What the tests of sound through the library share: a listener on a stream. */
#ifndef SAFE_DECODE_LIBRARY_SOUND_H
#define SAFE_DECODE_LIBRARY_SOUND_H

#include "library_support.h"

/* What a listener heard. */
struct heard {
	enum sdec_status status;
	struct sdec_info info;
	uint64_t frames, losses;
	unsigned tags, ends;
	char tag_text[4096]; /* "name=value" lines */
	uint8_t *data;       /* owned: the samples */
	size_t size;
	struct sdec_result result;
};

/* Follows a stream to its end in a poll() loop, and asserts that all that comes is in order. */
struct heard listen_to(struct sdec_pool *decoder, const struct sdec_input *input, const struct sdec_request *request);

/* The same on an open stream, for at most `events` events; -1: to its end.  `heard` is zero at first. */
void listen_on(struct heard *heard, struct sdec_stream *stream, int events);

#endif
