/* SPDX-License-Identifier: MIT */
#include "tail_tags.h"

#include <string.h>

#include "id3.h"

enum {
	TAG_PLUS_SIZE = 227,  /* of an extended ID3v1 tag */
	APE_SIZE = 32,        /* of the header or footer of an APE tag */
	APE_IS_HEADER = 0x20, /* in the last byte of its flags */
	LYRICS_MAX = 1000000, /* longer than the 6 digits that Lyrics3 has for a size can say */
	LYRICS_END_SIZE = 9,
};

static bool skip(struct input *input, uint64_t size)
{
	(void)input_skip(input, size);
	return true;
}

/* The header of an APE tag and its items, whose size counts the footer, or that footer: not all write it. */
static bool skip_ape(struct input *input, const uint8_t start[APE_SIZE])
{
	uint32_t size = input_le32(start + 12);
	bool header = (start[23] & APE_IS_HEADER) != 0 && size > APE_SIZE;

	return skip(input, header ? size : APE_SIZE);
}

static bool skip_lyrics(struct input *input)
{
	uint8_t end[LYRICS_END_SIZE] = { 0 };

	for (size_t i = 0; i < LYRICS_MAX; i++) {
		memmove(end, end + 1, sizeof(end) - 1);
		if (input_take(input, &end[LYRICS_END_SIZE - 1], 1) == 0 ||
		    memcmp(end, "LYRICSEND", sizeof(end)) == 0 || memcmp(end, "LYRICS200", sizeof(end)) == 0)
			break;
	}
	return true;
}

bool tail_tag_skip(struct input *input, bool after_frame)
{
	uint8_t start[APE_SIZE] = { 0 };
	size_t size = input_peek(input, start, sizeof(start));

	if (size == APE_SIZE && memcmp(start, "APETAGEX", 8) == 0)
		return skip_ape(input, start);
	if (size >= 11 && memcmp(start, "LYRICSBEGIN", 11) == 0)
		return skip_lyrics(input);
	if (after_frame && size >= 4 && memcmp(start, "TAG+", 4) == 0)
		return skip(input, TAG_PLUS_SIZE);
	return after_frame && size >= 3 && memcmp(start, "TAG", 3) == 0 && skip(input, ID3_V1_SIZE);
}
