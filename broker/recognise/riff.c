/* SPDX-License-Identifier: MIT */
/* WAV and its relatives.  Some hold MPEG audio, which is for another decoder. */
#include <string.h>

#include "look.h"

enum { TAG_NONE = 0, TAG_MPEG = 0x50, TAG_MP3 = 0x55, TAG_EXTENSIBLE = 0xfffe };

static enum look look_riff(const struct look_view *view)
{
	static const char *const marks[] = { "RIFF\0\0\0\0WAVE", "RF64\0\0\0\0WAVE", "BW64\0\0\0\0WAVE",
		                             "RIFX\0\0\0\0WAVE" };

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		const struct look_pattern riff = { 0, 12, marks[i], "\xff\xff\xff\xff\0\0\0\0\xff\xff\xff\xff" };
		enum look look = look_pattern(view, &riff);
		if (look != LOOK_NO)
			return look;
	}
	return LOOK_NO;
}

static uint32_t read_number(const struct look_view *view, const uint8_t *bytes, size_t size)
{
	uint32_t number = 0;
	bool big_endian = memcmp(view->bytes, "RIFX", 4) == 0;

	for (size_t i = 0; i < size; i++)
		number = number << 8 | bytes[big_endian ? i : size - 1 - i];
	return number;
}

/* The format's tag in the chunk "fmt ", which starts the view `chunk`; LOOK_MORE: it is not all there. */
static enum look read_tag(const struct look_view *view, const struct look_view *chunk, size_t size, unsigned *tag)
{
	enum { HEADER = 8, SUBFORMAT = HEADER + 24 };

	if (chunk->size < HEADER + 2)
		return LOOK_MORE;
	*tag = read_number(view, chunk->bytes + HEADER, 2);
	if (*tag != TAG_EXTENSIBLE || size < SUBFORMAT + 2 - HEADER)
		return LOOK_YES;
	if (chunk->size < SUBFORMAT + 2)
		return LOOK_MORE;
	*tag = read_number(view, chunk->bytes + SUBFORMAT, 2);
	return LOOK_YES;
}

/* LOOK_YES: it is WAV, with this tag; TAG_NONE if the chunk that has it is out of sight. */
static enum look look_for_tag(const struct look_view *view, size_t *more, unsigned *tag)
{
	enum { MOST = 64 };
	enum look look = look_riff(view);
	size_t place = 12;

	*tag = TAG_NONE;
	for (unsigned i = 0; look == LOOK_YES && i < MOST; i++) {
		struct look_view chunk = look_behind(view, place);
		if (chunk.size < 8) {
			*more = place + 8;
			return view->ended ? LOOK_YES : LOOK_MORE;
		}
		uint32_t size = read_number(view, chunk.bytes + 4, 4);
		if (memcmp(chunk.bytes, "fmt ", 4) == 0)
			return read_tag(view, &chunk, size, tag) == LOOK_YES || view->ended ? LOOK_YES : LOOK_MORE;
		if (memcmp(chunk.bytes, "data", 4) == 0)
			break;
		place += 8 + (size_t)size + (size & 1);
	}
	return look;
}

static bool is_mpeg(unsigned tag)
{
	return tag == TAG_MPEG || tag == TAG_MP3;
}

enum look look_wav(const struct look_view *view, size_t *more)
{
	unsigned tag = TAG_NONE;
	enum look look = look_for_tag(view, more, &tag);

	return look == LOOK_YES && is_mpeg(tag) ? LOOK_NO : look;
}

enum look look_wav_mpeg(const struct look_view *view, size_t *more)
{
	unsigned tag = TAG_NONE;
	enum look look = look_for_tag(view, more, &tag);

	return look == LOOK_YES && !is_mpeg(tag) ? LOOK_NO : look;
}
