/* SPDX-License-Identifier: MIT */
/* Formats that a few bytes at the start tell. */
#include <string.h>

#include "broker/base/words.h"
#include "look.h"

enum look look_pattern(const struct look_view *view, const struct look_pattern *pattern)
{
	size_t there = view->size > pattern->offset ? view->size - pattern->offset : 0;

	for (size_t i = 0; i < pattern->size && i < there; i++) {
		unsigned mask = pattern->mask ? (uint8_t)pattern->mask[i] : 0xff;
		if ((view->bytes[pattern->offset + i] & mask) != ((uint8_t)pattern->bytes[i] & mask))
			return LOOK_NO;
	}
	if (there >= pattern->size)
		return LOOK_YES;
	return view->ended ? LOOK_NO : LOOK_MORE;
}

enum look look_bytes(const struct look_view *view, size_t offset, const char *bytes, size_t size)
{
	const struct look_pattern pattern = { offset, size, bytes, NULL };

	return look_pattern(view, &pattern);
}

uint64_t look_little_endian(const uint8_t *bytes, size_t size)
{
	uint64_t number = 0;

	for (size_t i = 0; i < size; i++)
		number |= (uint64_t)bytes[i] << (8 * i);
	return number;
}

struct look_view look_behind(const struct look_view *view, size_t offset)
{
	struct look_view rest = *view;

	if (offset > view->size)
		offset = view->size;
	rest.bytes += offset;
	rest.size -= offset;
	return rest;
}

/* Two bytes and the end: one that was cut, which the decoder will say. */
static enum look look_cut(const struct look_view *view, const char *bytes, size_t size)
{
	enum look look = look_bytes(view, 0, bytes, size);

	if (view->ended && view->size == 2)
		look = memcmp(view->bytes, bytes, 2) == 0 ? LOOK_YES : LOOK_NO;
	return look;
}

enum look look_jpeg(const struct look_view *view, size_t *more)
{
	(void)more;
	return look_cut(view, "\xff\xd8\xff", 3);
}

static bool is_marker(const struct look_view *view, size_t place)
{
	return place + 2 <= view->size && view->bytes[place] == 0xff && view->bytes[place + 1] >= 0xc0 &&
	       view->bytes[place + 1] != 0xff;
}

/* Codecs pass over garbage between the mark and the first segment: so one that another follows is evidence. */
size_t guess_jpeg(const struct look_view *view)
{
	enum { START = 2, MOST_GARBAGE = 1024, HEADER = 4 };

	if (LOOK_BYTES(view, 0, "\xff\xd8") != LOOK_YES)
		return 0;
	for (size_t place = START; place < MOST_GARBAGE && place + HEADER <= view->size; place++) {
		size_t length = (size_t)view->bytes[place + 2] << 8 | view->bytes[place + 3];
		size_t next = place + 2 + length;
		if (is_marker(view, place) && length >= 2)
			return is_marker(view, next) ? next + 2 : 0;
	}
	return 0;
}

enum look look_gzip(const struct look_view *view, size_t *more)
{
	(void)more;
	return look_cut(view, "\x1f\x8b\x08", 3);
}

/* The mark of a block or of the end follows, so that no text is taken for it. */
enum look look_bzip2(const struct look_view *view, size_t *more)
{
	enum { BLOCK = 4, NEED = BLOCK + 6 };
	enum look look = LOOK_BYTES(view, 0, "BZh");

	(void)more;
	if (look != LOOK_YES || view->size <= 3)
		return look == LOOK_YES && view->ended ? LOOK_NO : look == LOOK_YES ? LOOK_MORE : look;
	if (view->bytes[3] < '1' || view->bytes[3] > '9')
		return LOOK_NO;
	size_t there = view->size < NEED ? view->size - BLOCK : NEED - BLOCK;
	if (memcmp(view->bytes + BLOCK, "1AY&SY", there) != 0 &&
	    memcmp(view->bytes + BLOCK, "\x17rE8P\x90", there) != 0)
		return LOOK_NO;
	return view->size >= NEED || view->ended ? LOOK_YES : LOOK_MORE;
}

enum look look_lzip(const struct look_view *view, size_t *more)
{
	enum look look = LOOK_BYTES(view, 0, "LZIP\0");

	(void)more;
	return look == LOOK_NO ? LOOK_BYTES(view, 0, "LZIP\1") : look;
}

enum look look_aiff(const struct look_view *view, size_t *more)
{
	static const char mask[] = "\xff\xff\xff\xff\0\0\0\0\xff\xff\xff";
	const struct look_pattern form = { 0, 11, "FORM\0\0\0\0AIF", mask };
	enum look look = look_pattern(view, &form);

	(void)more;
	if (look != LOOK_YES)
		return look;
	look = LOOK_BYTES(view, 11, "F");
	return look == LOOK_NO ? LOOK_BYTES(view, 11, "C") : look;
}

/* The sound starts within 16 MiB: no text does so. */
enum look look_au(const struct look_view *view, size_t *more)
{
	(void)more;
	return LOOK_BYTES(view, 0, ".snd\0");
}

/* No mark, but a header in which little is usual: literal coder settings, a dictionary of 2^n or 2^n + 2^(n-1) bytes,
 * a length that is unknown or below 256 GiB, and a first byte of code that is 0. */
enum look look_lzma(const struct look_view *view, size_t *more)
{
	enum { HEADER = 13, SMALLEST = 4096 };
	const uint8_t *bytes = view->bytes;

	(void)more;
	if (view->size < 1)
		return view->ended ? LOOK_NO : LOOK_MORE;
	if (bytes[0] >= 9 * 5 * 5 || bytes[0] % 9 + bytes[0] / 9 % 5 > 4)
		return LOOK_NO;
	if (view->size < 5)
		return view->ended ? LOOK_NO : LOOK_MORE;
	uint32_t dictionary = (uint32_t)look_little_endian(bytes + 1, 4);
	uint32_t lowest = dictionary & -dictionary;
	bool usual = dictionary == lowest || dictionary == 3 * lowest || dictionary == UINT32_MAX;
	if (dictionary < SMALLEST || !usual)
		return LOOK_NO;
	if (view->size < HEADER)
		return view->ended ? LOOK_NO : LOOK_MORE;
	uint64_t length = look_little_endian(bytes + 5, 8);
	if (length != UINT64_MAX && length >= UINT64_C(1) << 38)
		return LOOK_NO;
	if (bytes[0] == 0 && length == 0)
		return LOOK_NO; /* zeros with one bit among them are too usual */
	if (view->size == HEADER)
		return view->ended ? LOOK_YES : LOOK_MORE;
	return bytes[HEADER] == 0 ? LOOK_YES : LOOK_NO;
}

enum frames { FRAMES_NONE, FRAMES_CUT, FRAMES_ZSTD, FRAMES_LZ4 };

static enum frames first_of(enum look look, enum frames frames)
{
	return look == LOOK_YES ? frames : look == LOOK_MORE ? FRAMES_CUT : FRAMES_NONE;
}

/* What the view starts with: a frame that tells the format, one that is skipped (*skip is its size), or neither. */
static enum frames look_frame(const struct look_view *view, uint64_t *skip)
{
	static const struct look_pattern skipped = { 0, 4, "\x50\x2a\x4d\x18", "\xf0\xff\xff\xff" };
	enum frames frames = first_of(LOOK_BYTES(view, 0, "\x28\xb5\x2f\xfd"), FRAMES_ZSTD);

	*skip = 0;
	if (frames == FRAMES_NONE)
		frames = first_of(LOOK_BYTES(view, 0, "\x04\x22\x4d\x18"), FRAMES_LZ4);
	if (frames == FRAMES_NONE)
		frames = first_of(LOOK_BYTES(view, 0, "\x02\x21\x4c\x18"), FRAMES_LZ4);
	if (frames == FRAMES_NONE && look_pattern(view, &skipped) != LOOK_NO) {
		if (view->size >= 8)
			*skip = 8 + look_little_endian(view->bytes + 4, 4);
		return FRAMES_CUT;
	}
	return frames;
}

/* zstd and lz4 share the frames that are skipped: whichever comes next decides.  If that is out of sight, or neither,
 * it is zstd, unless the name says lz4. */
static enum frames look_frames(const struct look_view *view, size_t *more)
{
	enum { MOST = 64 };
	struct look_view rest = *view;
	uint64_t skip = 0, skipped = 0;

	for (unsigned i = 0; i < MOST; i++) {
		enum frames frames = look_frame(&rest, &skip);
		if (frames == FRAMES_NONE && skipped == 0)
			return FRAMES_NONE;
		if (frames == FRAMES_ZSTD || frames == FRAMES_LZ4)
			return frames;
		if (frames == FRAMES_NONE)
			break;
		skipped += skip;
		if (skip == 0 || skip >= rest.size) {
			if (!view->ended) {
				*more = skip > 0 ? skipped + 4 : *more;
				return FRAMES_CUT;
			}
			if (skipped == 0 && rest.size < 4)
				return FRAMES_NONE;
			break;
		}
		rest = look_behind(&rest, skip);
	}
	return words_have("lz4", view->extension) ? FRAMES_LZ4 : FRAMES_ZSTD;
}

static enum look look_for_frames(const struct look_view *view, size_t *more, enum frames wanted)
{
	enum frames frames = look_frames(view, more);

	return frames == FRAMES_CUT ? LOOK_MORE : frames == wanted ? LOOK_YES : LOOK_NO;
}

enum look look_zstd(const struct look_view *view, size_t *more)
{
	return look_for_frames(view, more, FRAMES_ZSTD);
}

enum look look_lz4(const struct look_view *view, size_t *more)
{
	return look_for_frames(view, more, FRAMES_LZ4);
}
