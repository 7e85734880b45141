/* SPDX-License-Identifier: MIT */
/* Structs of the public interface, whose first member is their size as the caller's compiler knows it. */
#ifndef SAFE_DECODE_STRUCTS_H
#define SAFE_DECODE_STRUCTS_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { STRUCTS_MOST = 4096 }; /* bytes of any struct, of whatever version */

/* Fills `ours`, of `size` bytes, with what the caller's struct has, and zeros where it is shorter.  NULL: all zeros.
 * Returns false where the caller's size was not set, or the caller's struct is longer and says something there that is
 * not known here. */
static inline bool structs_take(void *ours, size_t size, const void *given)
{
	size_t given_size = 0;
	const unsigned char *bytes = given;

	memset(ours, 0, size);
	memcpy(ours, &size, sizeof(size));
	if (!given)
		return true;
	memcpy(&given_size, given, sizeof(given_size));
	if (given_size < sizeof(size_t) || given_size > STRUCTS_MOST)
		return false;
	memcpy((char *)ours + sizeof(size_t), bytes + sizeof(size_t),
	       (given_size < size ? given_size : size) - sizeof(size_t));
	for (size_t i = size; i < given_size; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

/* Fills the caller's struct, which may be NULL, with as much of `ours` as it has room for.  Its size stays. */
static inline void structs_give(void *given, const void *ours, size_t size)
{
	size_t given_size = 0;

	if (!given)
		return;
	memcpy(&given_size, given, sizeof(given_size));
	if (given_size > size)
		given_size = size;
	if (given_size > sizeof(size_t))
		memcpy((char *)given + sizeof(size_t), (const char *)ours + sizeof(size_t),
		       given_size - sizeof(size_t));
}

#endif
