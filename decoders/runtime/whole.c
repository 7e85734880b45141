/* SPDX-License-Identifier: MIT */
#include "whole.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 64 << 10 };

static bool grow(struct whole *whole, size_t *room, size_t wanted)
{
	uint8_t *larger = wanted > *room ? realloc(whole->data, wanted) : NULL;

	if (!larger)
		return false;
	whole->data = larger;
	*room = wanted;
	return true;
}

/* Half as much again where doubling does not fit: what is freed on the way may be what lacks. */
static bool make_room(struct whole *whole, size_t *room, size_t least)
{
	size_t twice = 0, half_more = 0;

	if (least <= *room)
		return true;
	if (!__builtin_mul_overflow(least, 2, &twice) && grow(whole, room, twice))
		return true;
	if (!__builtin_add_overflow(least, least / 2, &half_more) && grow(whole, room, half_more))
		return true;
	return grow(whole, room, least);
}

session_result whole_read(struct session *session, struct whole *whole)
{
	uint64_t total = session_request(session)->input_total;
	size_t room = 0, size = 0;
	const uint8_t *data = NULL;

	*whole = (struct whole){ 0 };
	if (total > SIZE_MAX || !grow(whole, &room, total > 0 ? (size_t)total : FIRST_SIZE))
		return WIRE_FAIL_LIMIT_MEMORY;
	while ((size = session_read(session, &data)) > 0) {
		size_t least = 0;
		if (__builtin_add_overflow(whole->size, size, &least) || !make_room(whole, &room, least))
			return WIRE_FAIL_LIMIT_MEMORY;
		memcpy(whole->data + whole->size, data, size);
		whole->size = least;
	}
	return WIRE_OK;
}

void whole_free(struct whole *whole)
{
	free(whole->data);
	*whole = (struct whole){ 0 };
}
