/* SPDX-License-Identifier: MIT */
/* What libFLAC gets to read of a bare file: all of it, but no tags behind the last frame, which it takes for damage. */
#ifndef SAFE_DECODE_FLAC_BARE_H
#define SAFE_DECODE_FLAC_BARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoders/runtime/input.h"

enum {
	FLAC_BARE_PIECE = 4 << 10, /* bytes that are given at a time */
	FLAC_BARE_BEFORE = 64,     /* and those before them that libFLAC may not have used */
};

struct flac_bare {
	struct input *input;
	uint64_t given;     /* bytes so far */
	uint64_t looked_at; /* the place at which a tag was looked for last */
	bool over;          /* there was one: no more is given */
	bool more;          /* it is not the end of the input */

	uint8_t recent[FLAC_BARE_BEFORE + FLAC_BARE_PIECE + INPUT_PEEK_MAX]; /* the last bytes given, and some room */
	size_t recent_size;
};

/* Copies up to `size` bytes.  `frame_end` is how many bytes libFLAC has made frames of, if a tag may follow there; else
 * 0.  Returns 0 at the end. */
size_t flac_bare_read(struct flac_bare *bare, void *to, size_t size, uint64_t frame_end);

#endif
