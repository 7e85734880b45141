/* SPDX-License-Identifier: MIT */
/* EXIF is a TIFF file without a picture; its first directory holds the orientation. */
#include "exif.h"

#include <string.h>

#include "decoders/runtime/input.h"

enum {
	TAG_ORIENTATION = 0x0112,
	TYPE_SHORT = 3,
	TYPE_LONG = 4,
	TYPE_SIGNED_LONG = 9,
};

size_t exif_prefix(const uint8_t *data, size_t size)
{
	static const char prefix[] = { 'E', 'x', 'i', 'f', 0, 0 };

	return size >= sizeof(prefix) && memcmp(data, prefix, sizeof(prefix)) == 0 ? sizeof(prefix) : 0;
}

bool exif_open(const uint8_t *data, size_t size, bool *big_endian, uint32_t *directory)
{
	if (size < EXIF_HEADER_SIZE)
		return false;
	*big_endian = memcmp(data, "MM\0*", 4) == 0;
	if (!*big_endian && memcmp(data, "II*\0", 4) != 0)
		return false;
	*directory = input_32(data + 4, *big_endian);
	return true;
}

/* The value of an entry if it is one SHORT, as it should be, or a LONG, as some writers have it. */
static uint32_t entry_value(const uint8_t *entry, bool big_endian)
{
	uint32_t type = input_16(entry + 2, big_endian);

	if (input_32(entry + 4, big_endian) != 1)
		return 0;
	if (type == TYPE_SHORT)
		return input_16(entry + 8, big_endian);
	return type == TYPE_LONG || type == TYPE_SIGNED_LONG ? input_32(entry + 8, big_endian) : 0;
}

uint32_t exif_orientation(const uint8_t *data, size_t size)
{
	bool big_endian = false;
	uint32_t directory = 0;

	if (!exif_open(data, size, &big_endian, &directory))
		return 0;
	size_t offset = directory;
	if (offset > size || size - offset < 2)
		return 0;
	uint32_t entries = input_16(data + offset, big_endian);
	offset += 2;
	for (; entries > 0 && size - offset >= EXIF_ENTRY_SIZE; entries--, offset += EXIF_ENTRY_SIZE) {
		if (input_16(data + offset, big_endian) == TAG_ORIENTATION) {
			uint32_t value = entry_value(data + offset, big_endian);
			return value <= 8 ? value : 0;
		}
	}
	return 0;
}
