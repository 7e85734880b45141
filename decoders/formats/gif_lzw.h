/* SPDX-License-Identifier: MIT */
/* The compressed pixels of one frame of a GIF. */
#ifndef SAFE_DECODE_GIF_LZW_H
#define SAFE_DECODE_GIF_LZW_H

#include <stdbool.h>
#include <stdint.h>

#include "decoders/runtime/input.h"

enum {
	GIF_CODES = 4096,
	GIF_LITERAL_BITS_MAX = 8,
};

/* Takes `count` whole rows of palette indices, in the order of the file.  What it returns ends the frame, but for
 * WIRE_OK. */
typedef session_result gif_take_rows(void *context, const uint8_t *indices, uint32_t count);

struct gif_lzw {
	struct input *input;
	gif_take_rows *take;
	void *context;
	uint32_t width, height;

	enum wire_failure damage; /* after gif_lzw_decode(): why there are fewer pixels than there should be */
	bool blocks_ended;        /* the empty block that ends the data was read */

	/* The block of data that is being read, and bits of it that are no code yet. */
	const uint8_t *at, *end;
	size_t block_left;
	uint32_t bits;
	unsigned bit_count;

	/* Pixels that are no whole rows yet, or few: `filled` of them. */
	uint8_t *pixels;
	size_t filled, enough;
	uint32_t rows_left;

	/* A code is the string of another, its prefix, and one index more. */
	unsigned literals, next, code_bits;
	uint16_t prefix[GIF_CODES], length[GIF_CODES];
	uint8_t last[GIF_CODES], first[GIF_CODES];
};

/* How many bytes it takes besides. */
uint64_t gif_lzw_memory(uint32_t width);

/* Decodes a frame up to and including the end of its data.  `lzw` has its first four members set.  Returns WIRE_OK,
 * WIRE_FAIL_LIMIT_MEMORY, or what `take` returned. */
session_result gif_lzw_decode(struct gif_lzw *lzw, unsigned literal_bits);

/* Passes over blocks of data up to and including the empty one.  Returns whether it was there. */
bool gif_skip_blocks(struct input *input);

#endif
