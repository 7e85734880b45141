/* SPDX-License-Identifier: MIT */
#include "boxes.h"

enum { SMALL_HEADER = 8, LARGE_HEADER = 16 };

static uint64_t read_number(const uint8_t *bytes, size_t size)
{
	uint64_t number = 0;

	for (size_t i = 0; i < size; i++)
		number = number << 8 | bytes[i];
	return number;
}

bool boxes_are_cut(const uint8_t *data, size_t size)
{
	while (size > 0) {
		if (size < SMALL_HEADER)
			return true;
		uint64_t box = read_number(data, 4), least = SMALL_HEADER;
		if (box == 0) /* to the end */
			return false;
		if (box == 1) {
			if (size < LARGE_HEADER)
				return true;
			box = read_number(data + SMALL_HEADER, 8);
			least = LARGE_HEADER;
		}
		if (box < least)
			return false;
		if (box > size)
			return true;
		data += box;
		size -= (size_t)box;
	}
	return false;
}
