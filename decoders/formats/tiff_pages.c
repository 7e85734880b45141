/* SPDX-License-Identifier: MIT */
/* The chain of a file's directories, one for each page. */
#include <string.h>

#include "tiff_decode.h"

enum {
	PAGES_MAX = 65535,
	TAG_EXTRA_SAMPLES = 338,
	BIG = 43, /* in place of 42: offsets and counts have 8 bytes */
};

struct layout {
	bool big, big_endian;
	size_t count_bytes, entry_bytes, offset_bytes;
};

static uint64_t number(const struct layout *layout, const uint8_t *bytes, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | bytes[layout->big_endian ? i : size - 1 - i];
	return value;
}

static bool read_number(struct decode *decode, const struct layout *layout, uint64_t offset, size_t size,
                        uint64_t *value)
{
	uint8_t bytes[8];

	if (tiff_read_at(decode, offset, bytes, size) < size)
		return false;
	*value = number(layout, bytes, size);
	return true;
}

/* Returns where the offset of the first directory is, or 0. */
static uint64_t read_layout(struct decode *decode, struct layout *layout)
{
	uint8_t header[4];

	if (tiff_read_at(decode, 0, header, sizeof(header)) < sizeof(header))
		return 0;
	layout->big_endian = header[0] == 'M';
	layout->big = number(layout, header + 2, 2) == BIG;
	layout->count_bytes = layout->big ? 8 : 2;
	layout->entry_bytes = layout->big ? 20 : 12;
	layout->offset_bytes = layout->big ? 8 : 4;
	return layout->big ? 8 : 4;
}

static bool has_tag(struct decode *decode, const struct layout *layout, uint64_t first, uint64_t entries, uint64_t tag)
{
	uint64_t value = 0;

	for (uint64_t i = 0; i < entries && i <= UINT16_MAX; i++)
		if (!read_number(decode, layout, first + i * layout->entry_bytes, 2, &value) || value == tag)
			return value == tag;
	return false;
}

bool tiff_tells_extra(struct decode *decode)
{
	struct layout layout = { 0 };
	uint64_t directory = TIFFCurrentDirOffset(decode->tiff), entries = 0;

	return read_layout(decode, &layout) > 0 &&
	       read_number(decode, &layout, directory, layout.count_bytes, &entries) &&
	       has_tag(decode, &layout, directory + layout.count_bytes, entries, TAG_EXTRA_SAMPLES);
}

uint32_t tiff_count_pages(struct decode *decode)
{
	struct layout layout = { 0 };
	uint64_t place = read_layout(decode, &layout), directory = 0, entries = 0, end = 0;
	uint64_t mark = 0; /* a directory that was passed: who comes there again goes in circles */
	uint32_t pages = 0;
	bool circle = false;

	while (place > 0 && pages < PAGES_MAX && read_number(decode, &layout, place, layout.offset_bytes, &directory)) {
		circle = directory > 0 && directory == mark;
		if (directory == 0 || directory > decode->input.size || circle ||
		    !read_number(decode, &layout, directory, layout.count_bytes, &entries))
			break;
		if ((pages & (pages + 1)) == 0)
			mark = directory;
		pages++;
		if (__builtin_mul_overflow(entries, layout.entry_bytes, &end) ||
		    __builtin_add_overflow(end, directory + layout.count_bytes, &place))
			break;
	}
	/* In circles, nobody can tell. */
	return pages == 0 || circle ? 1 : pages;
}
