/* SPDX-License-Identifier: MIT */
/* What harnesses decide by that the input does not say in so many words, and compare outputs by. */
#ifndef SAFE_DECODE_FUZZ_HASH_H
#define SAFE_DECODE_FUZZ_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH_START UINT64_C(0xcbf29ce484222325)

#define HASH_FACTOR UINT64_C(0x100000001b3)

/* Of a stream of bytes, in whatever pieces it comes: each byte is added to what was before it times a factor.  Four at
 * a time, for the products need not wait for each other. */
static inline uint64_t hash_add(uint64_t hash, const uint8_t *data, size_t size)
{
	const uint64_t f = HASH_FACTOR, f2 = f * f, f3 = f2 * f, f4 = f3 * f;
	uint8_t next[4];

	for (; size >= sizeof(next); data += sizeof(next), size -= sizeof(next)) {
		memcpy(next, data, sizeof(next));
		hash = hash * f4 + next[0] * f3 + next[1] * f2 + next[2] * f + next[3];
	}
	for (size_t i = 0; i < size; i++)
		hash = hash * f + data[i];
	return hash;
}

/* A generator of decisions: the next number below `most`, which is 1 or more. */
static inline uint32_t hash_dice(uint64_t *state, uint32_t most)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((*state >> 33) % most);
}

#endif
