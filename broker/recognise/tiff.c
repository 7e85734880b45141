/* SPDX-License-Identifier: MIT */
/* TIFF, and the raw photographs that look like it: their first directory tells, where it is among the first bytes. */
#include <string.h>

#include "look.h"

enum {
	HEADER = 8,
	HEADER_BIG = 16,
	ENTRIES_MAX = 512, /* more than cameras write */
	TAG_SUBFILE = 254,
	TAG_COMPRESSION = 259,
	TAG_PHOTOMETRIC = 262,
	TAG_MAKE = 271,
	TAG_SUB_DIRECTORIES = 330,
	TAG_DNG_VERSION = 50706,
	COMPRESSION_ARW = 32767,
	COMPRESSION_NEF = 34713,
	COMPRESSION_PEF = 65535,
	PHOTOMETRIC_CFA = 32803,
	PHOTOMETRIC_LINEAR_RAW = 34892,
};

/* What the first directory has. */
struct directory {
	bool dng, make, sub_directories, reduced, raw;
};

static uint64_t number(const struct look_view *view, uint64_t at, size_t size)
{
	uint64_t value = 0;

	if (view->bytes[0] == 'I')
		return look_little_endian(view->bytes + at, size);
	for (size_t i = 0; i < size; i++)
		value = value << 8 | view->bytes[at + i];
	return value;
}

static void take_entry(struct directory *directory, uint64_t tag, uint64_t value)
{
	directory->dng |= tag == TAG_DNG_VERSION;
	directory->make |= tag == TAG_MAKE;
	directory->sub_directories |= tag == TAG_SUB_DIRECTORIES;
	directory->reduced |= tag == TAG_SUBFILE && (value & 1) != 0;
	directory->raw |= tag == TAG_PHOTOMETRIC && (value == PHOTOMETRIC_CFA || value == PHOTOMETRIC_LINEAR_RAW);
	directory->raw |= tag == TAG_COMPRESSION &&
	                  (value == COMPRESSION_ARW || value == COMPRESSION_NEF || value == COMPRESSION_PEF);
}

/* Whether the view reaches to `end`.  What lies beyond all that is looked at is never there. */
static bool reaches(const struct look_view *view, uint64_t end, size_t *more)
{
	enum { FARTHEST = 32 << 10 };

	if (end > view->size && !view->ended && end <= FARTHEST)
		*more = (size_t)end;
	return end <= view->size && end <= FARTHEST;
}

/* Reads the first directory as far as it is there.  LOOK_MORE: it needs so many bytes. */
static enum look read_directory(const struct look_view *view, struct directory *directory, size_t *more)
{
	bool big = view->bytes[view->bytes[0] == 'I' ? 2 : 3] == '+';
	uint64_t header = big ? HEADER_BIG : HEADER, count_bytes = big ? 8 : 2, entry_bytes = big ? 20 : 12;

	*more = 0;
	if (!reaches(view, header, more))
		return *more > 0 ? LOOK_MORE : LOOK_NO;
	uint64_t at = number(view, big ? 8 : 4, big ? 8 : 4);
	if (at > UINT32_MAX || !reaches(view, at + count_bytes, more))
		return *more > 0 ? LOOK_MORE : LOOK_NO;
	uint64_t entries = number(view, at, count_bytes);
	uint64_t first = at + count_bytes;
	if (entries > ENTRIES_MAX || !reaches(view, first + entries * entry_bytes, more))
		return *more > 0 ? LOOK_MORE : LOOK_NO;
	for (uint64_t i = 0; i < entries; i++, first += entry_bytes) {
		bool is_short = number(view, first + 2, 2) == 3;
		take_entry(directory, number(view, first, 2), number(view, first + (big ? 12 : 8), is_short ? 2 : 4));
	}
	return LOOK_YES;
}

static const char *name_raw(const struct look_view *view, const struct directory *directory)
{
	if (view->size > 9 && memcmp(view->bytes + 8, "CR", 2) == 0)
		return "a raw photograph (CR2)";
	if (directory->dng)
		return "a raw photograph (DNG)";
	/* A small picture first, and the photograph in directories below it. */
	if (directory->raw || (directory->make && directory->reduced && directory->sub_directories))
		return "a raw photograph";
	return NULL;
}

static enum look look_mark(const struct look_view *view)
{
	static const char marks[][5] = { "II*\0", "MM\0*", "II+\0", "MM\0+" };
	enum look best = LOOK_NO;

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		enum look look = look_bytes(view, 0, marks[i], 4);
		best = look > best ? look : best;
	}
	return best;
}

enum look look_tiff(const struct look_view *view, size_t *more)
{
	struct directory directory = { 0 };
	size_t needed = 0;
	enum look look = look_mark(view);

	if (look != LOOK_YES)
		return look;
	look = read_directory(view, &directory, &needed);
	if (look == LOOK_MORE) {
		*more = needed;
		return LOOK_MORE;
	}
	return name_raw(view, &directory) ? LOOK_NO : LOOK_YES;
}

const char *look_name_raw(const struct look_view *view)
{
	struct directory directory = { 0 };
	size_t needed = 0;

	if (look_mark(view) != LOOK_YES)
		return NULL;
	(void)read_directory(view, &directory, &needed);
	const char *name = name_raw(view, &directory);
	return name ? name : "TIFF";
}
