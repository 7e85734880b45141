/* SPDX-License-Identifier: MIT */
#include "mutate.h"

#include <string.h>

#include "fuzz/hash.h"

static size_t place(size_t size, uint64_t *dice)
{
	/* Headers matter most. */
	size_t range = hash_dice(dice, 2) == 0 && size > 256 ? 256 : size;

	return hash_dice(dice, (uint32_t)range);
}

static size_t mutate_once(uint8_t *data, size_t size, size_t room, const uint8_t *other, size_t other_size,
                          uint64_t *dice)
{
	static const uint8_t edges[] = { 0, 1, 0x7f, 0x80, 0xfe, 0xff };
	size_t at = place(size, dice);
	size_t part = 1 + hash_dice(dice, UINT32_C(1) << hash_dice(dice, 10));
	size_t left = size - at;

	if (part > left)
		part = left;
	switch (hash_dice(dice, 8)) {
	case 0:
	case 1:
		data[at] ^= (uint8_t)(1U << hash_dice(dice, 8));
		break;
	case 2:
		data[at] = (uint8_t)hash_dice(dice, 256);
		break;
	case 3:
		memset(data + at, edges[hash_dice(dice, sizeof(edges))], part < 4 ? part : 4);
		break;
	case 4: /* a part is gone */
		memmove(data + at, data + at + part, left - part);
		return size - part;
	case 5: /* a part comes twice */
		if (size + part > room)
			break;
		memmove(data + at + part, data + at, left);
		return size + part;
	case 6: /* it ends early */
		return hash_dice(dice, 4) == 0 ? at : size;
	default: /* a part of another */
		if (part > other_size)
			part = other_size;
		memcpy(data + at, other + hash_dice(dice, (uint32_t)(other_size - part) + 1), part);
		break;
	}
	return size;
}

size_t mutate(uint8_t *data, size_t size, size_t room, const uint8_t *other, size_t other_size, uint64_t *dice)
{
	uint32_t times = hash_dice(dice, UINT32_C(1) << hash_dice(dice, 5));

	while (times-- > 0 && size > 0)
		size = mutate_once(data, size, room, other, other_size, dice);
	return size;
}
