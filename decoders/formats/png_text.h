/* SPDX-License-Identifier: MIT */
/* What the chunks of a PNG say of the picture. */
#ifndef SAFE_DECODE_PNG_TEXT_H
#define SAFE_DECODE_PNG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoders/runtime/decoder.h"

/* Zero at first, but for the session. */
struct png_texts {
	struct session *session;
	bool has_profile;  /* one was looked at: more do not count */
	uint64_t unpacked; /* bytes so far, of all that is compressed: there is a limit on how much that may be */
};

/* Gives what is wanted of a chunk with this name of four letters, and tells its tags; of any other, nothing. */
void png_send_chunk(struct png_texts *texts, const uint8_t name[4], const uint8_t *data, size_t size);

#endif
