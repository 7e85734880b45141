/* SPDX-License-Identifier: MIT */
/* What harnesses decide by that the input does not say in so many words, and compare outputs by. */
#ifndef SAFE_DECODE_FUZZ_HASH_H
#define SAFE_DECODE_FUZZ_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH_START UINT64_C(0xcbf29ce484222325)

/* Of a stream of bytes, in whatever pieces it comes. */
static inline uint64_t hash_add(uint64_t hash, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ data[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* A generator of decisions: the next number below `most`, which is 1 or more. */
static inline uint32_t hash_dice(uint64_t *state, uint32_t most)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((*state >> 33) % most);
}

#endif
