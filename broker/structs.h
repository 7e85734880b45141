/* SPDX-License-Identifier: MIT */
/* Structs of the public interface, whose first member is their size as the caller's compiler knows it. */
#ifndef SAFE_DECODE_STRUCTS_H
#define SAFE_DECODE_STRUCTS_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Fills `ours`, of `size` bytes, with what the caller's struct has, and zeros where it is shorter.  NULL: all zeros. */
static inline void structs_take(void *ours, size_t size, const void *given)
{
	size_t given_size = 0;

	if (given)
		memcpy(&given_size, given, sizeof(given_size));
	memset(ours, 0, size);
	if (given_size > 0)
		memcpy(ours, given, given_size < size ? given_size : size);
	memcpy(ours, &size, sizeof(size));
}

/* Whether the size of a struct that the caller gives was set.  NULL is allowed. */
static inline bool structs_is_set(const void *given)
{
	size_t size = 0;

	if (!given)
		return true;
	memcpy(&size, given, sizeof(size));
	return size >= sizeof(size);
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
