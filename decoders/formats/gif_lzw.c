/* SPDX-License-Identifier: MIT */
/*
 * LZW as GIF has it.  Ours rather than giflib's, which loses the row in which it meets a wrong code, refuses a frame
 * without a palette and data that goes on behind the last pixel, all of which browsers show, and keeps a record of
 * every frame it has passed.
 */
#include "gif_lzw.h"

#include <stdlib.h>
#include <string.h>

enum {
	CODE_BITS_MAX = 12,
	CHUNK = 32 << 10, /* pixels are given in pieces of about this size */
	NO_CODE = GIF_CODES,
};

bool gif_skip_blocks(struct input *input)
{
	uint8_t size = 0;

	do {
		if (input_take(input, &size, 1) == 0 || input_skip(input, size) < size)
			return false;
	} while (size > 0);
	return true;
}

/* ---- bits ---- */

/* Points `at` to more data.  Returns false at the end of the data or of the input. */
static bool next_piece(struct gif_lzw *lzw)
{
	uint8_t size = 0;

	if (lzw->block_left == 0) {
		if (input_take(lzw->input, &size, 1) == 0)
			return false;
		lzw->blocks_ended = size == 0;
		lzw->block_left = size;
	}
	if (lzw->blocks_ended)
		return false;
	size_t there = input_look(lzw->input, &lzw->at);
	if (there > lzw->block_left)
		there = lzw->block_left;
	/* It stays where it is until the session is asked for more. */
	lzw->end = lzw->at + there;
	lzw->block_left -= there;
	input_used(lzw->input, there);
	return there > 0;
}

/* The next code, or NO_CODE where the data ends. */
static unsigned next_code(struct gif_lzw *lzw)
{
	while (lzw->bit_count < lzw->code_bits) {
		if (lzw->at == lzw->end && !next_piece(lzw))
			return NO_CODE;
		lzw->bits |= (uint32_t)*lzw->at++ << lzw->bit_count;
		lzw->bit_count += 8;
	}
	unsigned code = lzw->bits & ((1U << lzw->code_bits) - 1);
	lzw->bits >>= lzw->code_bits;
	lzw->bit_count -= lzw->code_bits;
	return code;
}

/* ---- pixels ---- */

/* Gives the whole rows that have gathered. */
static session_result give_rows(struct gif_lzw *lzw)
{
	size_t rows = lzw->filled / lzw->width;

	if (rows > lzw->rows_left)
		rows = lzw->rows_left;
	if (rows == 0)
		return WIRE_OK;
	session_result result = lzw->take(lzw->context, lzw->pixels, (uint32_t)rows);
	size_t given = rows * lzw->width;
	memmove(lzw->pixels, lzw->pixels + given, lzw->filled - given);
	lzw->filled -= given;
	lzw->rows_left -= (uint32_t)rows;
	return result;
}

/* Writes the string of a code, from its end to its start. */
static void put_string(struct gif_lzw *lzw, unsigned code)
{
	size_t length = lzw->length[code];
	uint8_t *to = lzw->pixels + lzw->filled + length;

	lzw->filled += length;
	for (; length > 0; length--) {
		*--to = lzw->last[code];
		code = lzw->prefix[code];
	}
}

/* ---- codes ---- */

static void clear(struct gif_lzw *lzw, unsigned literal_bits)
{
	lzw->next = lzw->literals + 2;
	lzw->code_bits = literal_bits + 1;
}

static void define(struct gif_lzw *lzw, unsigned prefix, uint8_t last)
{
	unsigned code = lzw->next++;

	lzw->prefix[code] = (uint16_t)prefix;
	lzw->length[code] = (uint16_t)(lzw->length[prefix] + 1);
	lzw->first[code] = lzw->first[prefix];
	lzw->last[code] = last;
	if (lzw->next == 1U << lzw->code_bits && lzw->code_bits < CODE_BITS_MAX)
		lzw->code_bits++;
}

/* Decodes until all pixels are there or something is wrong.  Once all codes are taken, those there are go on. */
static session_result decode_codes(struct gif_lzw *lzw, unsigned literal_bits)
{
	unsigned previous = NO_CODE;
	size_t wanted = (size_t)lzw->width * lzw->height, enough = lzw->enough;
	session_result result = WIRE_OK;

	clear(lzw, literal_bits);
	while (result == WIRE_OK && lzw->rows_left > 0) {
		unsigned code = next_code(lzw);
		if (code == NO_CODE) {
			lzw->damage = lzw->blocks_ended ? WIRE_FAIL_LENGTH : WIRE_FAIL_TRUNCATED;
			return WIRE_OK;
		}
		if (code == lzw->literals) {
			clear(lzw, literal_bits);
			previous = NO_CODE;
			continue;
		}
		bool known = code < lzw->next && code != lzw->literals + 1;
		bool repeats = code == lzw->next && code < GIF_CODES && previous != NO_CODE;
		if (!known && !repeats) {
			lzw->damage = code == lzw->literals + 1 ? WIRE_FAIL_LENGTH : WIRE_FAIL_DATA;
			return WIRE_OK;
		}
		if (previous != NO_CODE && lzw->next < GIF_CODES)
			define(lzw, previous, lzw->first[repeats ? previous : code]);
		put_string(lzw, code);
		previous = code;
		size_t left = wanted - (size_t)(lzw->height - lzw->rows_left) * lzw->width;
		if (lzw->filled >= enough || lzw->filled >= left)
			result = give_rows(lzw);
	}
	return result;
}

static size_t enough_for(uint32_t width)
{
	return width < CHUNK ? CHUNK : width;
}

uint64_t gif_lzw_memory(uint32_t width)
{
	return sizeof(struct gif_lzw) + enough_for(width) + GIF_CODES;
}

static void prepare(struct gif_lzw *lzw, unsigned literal_bits)
{
	lzw->damage = WIRE_OK;
	lzw->blocks_ended = false;
	lzw->at = lzw->end = NULL;
	lzw->block_left = 0;
	lzw->bits = lzw->bit_count = 0;
	lzw->filled = 0;
	lzw->enough = enough_for(lzw->width);
	lzw->rows_left = lzw->width > 0 ? lzw->height : 0;
	lzw->literals = 1U << literal_bits;
	for (unsigned code = 0; code < lzw->literals; code++) {
		lzw->prefix[code] = 0;
		lzw->length[code] = 1;
		lzw->first[code] = lzw->last[code] = (uint8_t)code;
	}
}

session_result gif_lzw_decode(struct gif_lzw *lzw, unsigned literal_bits)
{
	prepare(lzw, literal_bits);
	/* Room for the longest string behind what is not enough yet. */
	lzw->pixels = malloc(lzw->enough + GIF_CODES);
	if (!lzw->pixels)
		return WIRE_FAIL_LIMIT_MEMORY;
	session_result result = decode_codes(lzw, literal_bits);
	if (result == WIRE_OK && lzw->damage != WIRE_OK)
		result = give_rows(lzw);
	free(lzw->pixels);
	lzw->pixels = NULL;
	/* Whatever follows the last pixel is passed over. */
	if (result == WIRE_OK && !lzw->blocks_ended && input_skip(lzw->input, lzw->block_left) == lzw->block_left)
		lzw->blocks_ended = gif_skip_blocks(lzw->input);
	return result;
}
