/* SPDX-License-Identifier: MIT */
/* The input byte by byte, for decoders that parse it themselves. */
#ifndef SAFE_DECODE_INPUT_H
#define SAFE_DECODE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoder.h"

enum { INPUT_PEEK_MAX = 32 };

/* Zero at first, but for the session. */
struct input {
	struct session *session;
	const uint8_t *data; /* what the session gave and nobody has taken */
	size_t left;
	uint64_t position;            /* bytes that were taken so far */
	uint8_t held[INPUT_PEEK_MAX]; /* the bytes that a peek found in two pieces; `data` points here while they last,
	                               */
	const uint8_t *after;         /* and this is what follows them */
	size_t after_left;
};

/* Copies up to `size` bytes.  Returns how many there were: fewer only at the end of the input. */
size_t input_take(struct input *input, void *to, size_t size);

/* Passes over `size` bytes.  Returns how many there were. */
uint64_t input_skip(struct input *input, uint64_t size);

/* Copies up to INPUT_PEEK_MAX bytes and leaves them in the input.  Returns how many there were. */
size_t input_peek(struct input *input, void *to, size_t size);

/* Makes input_look() give at least `size` bytes at once, for which `room` has the memory; it must last until they are
 * taken.  Returns how many there were of these: fewer only at the end of the input. */
size_t input_gather(struct input *input, uint8_t *room, size_t size);

/* Puts `size` bytes that were taken back in front of the input: `room` holds them, has INPUT_PEEK_MAX bytes of room
 * behind them, and must last until they are taken again.  Not for those who gather. */
void input_return(struct input *input, uint8_t *room, size_t size);

/* Points *data at what is at hand, at least 1 byte; returns 0 at the end.  input_used() tells how much of it was taken.
 */
size_t input_look(struct input *input, const uint8_t **data);
void input_used(struct input *input, size_t size);

/* Takes the next byte; -1 at the end. */
int input_next(struct input *input);

static inline uint16_t input_le16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static inline uint32_t input_le32(const uint8_t *bytes)
{
	return input_le16(bytes) | (uint32_t)input_le16(bytes + 2) << 16;
}

static inline uint64_t input_le64(const uint8_t *bytes)
{
	return input_le32(bytes) | (uint64_t)input_le32(bytes + 4) << 32;
}

static inline uint16_t input_be16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static inline uint32_t input_be32(const uint8_t *bytes)
{
	return (uint32_t)input_be16(bytes) << 16 | input_be16(bytes + 2);
}

/* Of files that are in either order. */
static inline uint16_t input_16(const uint8_t *bytes, bool big_endian)
{
	return big_endian ? input_be16(bytes) : input_le16(bytes);
}

static inline uint32_t input_32(const uint8_t *bytes, bool big_endian)
{
	return big_endian ? input_be32(bytes) : input_le32(bytes);
}

/* Whether a size is what writers leave in a header that they cannot go back to: nothing, all ones, or half of that;
 * what else they count may be added or taken away. */
bool input_is_placeholder(uint64_t size);

#endif
