/* SPDX-License-Identifier: MIT */
/* EXIF is a TIFF file without a picture; its first directory holds the orientation. */
#include "exif.h"

#include <stdbool.h>
#include <string.h>

enum {
	TIFF_HEADER_SIZE = 8,
	ENTRY_SIZE = 12,
	TAG_ORIENTATION = 0x0112,
	TYPE_SHORT = 3,
	TYPE_LONG = 4,
	TYPE_SIGNED_LONG = 9,
};

struct tiff {
	const uint8_t *data;
	size_t size;
	bool big_endian;
};

/* Both need `offset` and the bytes after it to be inside. */
static uint32_t read_u16(const struct tiff *tiff, size_t offset)
{
	const uint8_t *bytes = tiff->data + offset;

	return tiff->big_endian ? (uint32_t)bytes[0] << 8 | bytes[1] : (uint32_t)bytes[1] << 8 | bytes[0];
}

static uint32_t read_u32(const struct tiff *tiff, size_t offset)
{
	uint32_t first = read_u16(tiff, offset);
	uint32_t second = read_u16(tiff, offset + 2);

	return tiff->big_endian ? first << 16 | second : second << 16 | first;
}

/* The value of the entry at `offset` if it is one SHORT, as it should be, or a LONG, as some writers have it. */
static uint32_t entry_value(const struct tiff *tiff, size_t offset)
{
	uint32_t type = read_u16(tiff, offset + 2);

	if (read_u32(tiff, offset + 4) != 1)
		return 0;
	if (type == TYPE_SHORT)
		return read_u16(tiff, offset + 8);
	return type == TYPE_LONG || type == TYPE_SIGNED_LONG ? read_u32(tiff, offset + 8) : 0;
}

uint32_t exif_orientation(const uint8_t *data, size_t size)
{
	struct tiff tiff = { .data = data, .size = size };

	if (size < TIFF_HEADER_SIZE)
		return 0;
	tiff.big_endian = memcmp(data, "MM\0*", 4) == 0;
	if (!tiff.big_endian && memcmp(data, "II*\0", 4) != 0)
		return 0;

	size_t offset = read_u32(&tiff, 4);
	if (offset > size || size - offset < 2)
		return 0;
	uint32_t entries = read_u16(&tiff, offset);
	offset += 2;
	for (; entries > 0 && size - offset >= ENTRY_SIZE; entries--, offset += ENTRY_SIZE) {
		if (read_u16(&tiff, offset) == TAG_ORIENTATION) {
			uint32_t value = entry_value(&tiff, offset);
			return value <= 8 ? value : 0;
		}
	}
	return 0;
}
