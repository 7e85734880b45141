/* SPDX-License-Identifier: MIT */
/* MPEG audio and AAC have no mark, but headers of frames, each of which tells where the next one is: three in a row
 * decide (of random bytes, one start in 2^48 has them).  Raw pixels and samples are not random, and deep in an input
 * there are many places: eight are needed there. */
#include <string.h>

#include "look.h"

enum { HEADER = 4, ENOUGH = 3, ENOUGH_INSIDE = 8, LONGEST_FRAME = 2881 };

/* The size of the frame that starts with this header: 0: it says none (free format); -1: it is no header. */
static int frame_size(const uint8_t *header)
{
	enum { LAYER_3 = 1, LAYER_2 = 2, LAYER_1 = 3, VERSION_1 = 3, VERSION_2_5 = 0 };
	static const uint16_t bitrates[2][4][15] = {
		{ { 0 }, /* version 1: layers 3, 2, 1 */
		  { 0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320 },
		  { 0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384 },
		  { 0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448 } },
		{ { 0 }, /* versions 2 and 2.5 */
		  { 0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160 },
		  { 0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160 },
		  { 0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256 } },
	};
	static const uint16_t rates[] = { 44100, 48000, 32000 };
	unsigned version = header[1] >> 3 & 3, layer = header[1] >> 1 & 3;
	unsigned bitrate = header[2] >> 4, rate = header[2] >> 2 & 3, padding = header[2] >> 1 & 1;

	if (header[0] != 0xff || header[1] < 0xe0 || version == 1 || layer == 0 || bitrate == 15 || rate == 3)
		return -1;
	unsigned hertz = rates[rate] >> (version == VERSION_1 ? 0 : version == VERSION_2_5 ? 2 : 1);
	unsigned bits = 1000U * bitrates[version != VERSION_1][layer][bitrate];
	if (bits == 0)
		return 0;
	if (layer == LAYER_1)
		return (int)(4 * (12 * bits / hertz + padding));
	return (int)((layer == LAYER_3 && version != VERSION_1 ? 72 : 144) * bits / hertz + padding);
}

/* Version, layer and rate stay the same within a stream. */
static bool same_stream(const uint8_t *one, const uint8_t *other)
{
	return one[0] == other[0] && (one[1] & 0xfe) == (other[1] & 0xfe) && (one[2] & 0x0c) == (other[2] & 0x0c);
}

/* A header that comes again within a few bytes is a pattern: the pixels of one colour, for example. */
static bool repeats(const struct look_view *view, size_t place)
{
	const uint8_t *header = view->bytes + place;

	for (size_t i = 2; i <= HEADER && place + i + 1 < view->size; i++)
		if (header[i] == 0xff && (header[i + 1] | 1) == (header[1] | 1))
			return true;
	return false;
}

struct chain {
	unsigned frames; /* headers in a row */
	size_t end;      /* of the last header, if that is enough of them; else where the next one should have been */
	bool cut;        /* that is out of sight */
};

static struct chain follow(const struct look_view *view, size_t place, int size, unsigned enough)
{
	struct chain chain = { .frames = 1, .end = place + (size_t)size };
	const uint8_t *first = view->bytes + place;

	for (;;) {
		if (chain.end + HEADER > view->size) {
			chain.cut = true;
			return chain;
		}
		const uint8_t *next = view->bytes + chain.end;
		size = same_stream(first, next) ? frame_size(next) : -1;
		if (size <= 0)
			return chain;
		if (++chain.frames == enough) {
			chain.end += HEADER;
			return chain;
		}
		chain.end += (size_t)size;
	}
}

/* Free format: the distance to the next such header is that of the one behind it, but for a slot of padding. */
static struct chain follow_free(const struct look_view *view, size_t place)
{
	enum { SHORTEST = 24, LONGEST = 8192 };
	const uint8_t *first = view->bytes + place;
	const struct chain none = { .frames = 1, .end = place };
	size_t end = place + LONGEST < view->size ? place + LONGEST : view->size;

	for (size_t next = place + SHORTEST; next + HEADER <= end; next++) {
		if (!same_stream(first, view->bytes + next) || frame_size(view->bytes + next) != 0)
			continue;
		for (size_t last = 2 * next - place - HEADER; last <= 2 * next - place + HEADER; last++)
			if (last + HEADER <= view->size && same_stream(first, view->bytes + last) &&
			    frame_size(view->bytes + last) == 0)
				return (struct chain){ .frames = ENOUGH, .end = last + HEADER };
	}
	return none;
}

/* What stands behind the last frame of a file. */
static bool is_end(const struct look_view *view, size_t place)
{
	struct look_view rest = look_behind(view, place);

	rest.ended = true;
	return rest.size == 0 || LOOK_BYTES(&rest, 0, "TAG") == LOOK_YES || LOOK_BYTES(&rest, 0, "ID3") == LOOK_YES ||
	       LOOK_BYTES(&rest, 0, "APETAGEX") == LOOK_YES || LOOK_BYTES(&rest, 0, "LYRICSBEGIN") == LOOK_YES;
}

/* Fewer frames are enough where they are all that there is, or where they are what the input starts with. */
static bool settles(const struct look_view *view, const struct chain *chain, size_t place, size_t zeros)
{
	bool complete = chain->cut || is_end(view, chain->end);

	if (place == zeros)
		return chain->frames >= 2 || complete;
	return chain->frames >= 2 && complete && place - zeros < LONGEST_FRAME;
}

static size_t count_zeros(const struct look_view *view)
{
	size_t zeros = 0;

	while (zeros < view->size && view->bytes[zeros] == 0)
		zeros++;
	return zeros;
}

/* How many headers in a row it takes `inside` the input; 0: what is rare (free format, and layer I, whose header may be
 * ff ff) must be what the input starts with.  A frame that the start cuts ends within the longest one; version 2.5 is
 * what pixels of light gray look like. */
static unsigned enough_for(const uint8_t *header, int size, size_t inside)
{
	if (inside == 0)
		return ENOUGH;
	if (size == 0 || (header[1] & 0x06) == 0x06)
		return 0;
	return inside < LONGEST_FRAME && (header[1] & 0x10) != 0 ? ENOUGH : ENOUGH_INSIDE;
}

/* The first place where enough headers in a row end.  They need not be what the input starts with: a recording of a
 * radio station starts anywhere, and others have remains of tags. */
size_t guess_mpeg(const struct look_view *view)
{
	size_t zeros = count_zeros(view);
	size_t best = 0;

	for (size_t place = zeros; place + HEADER <= view->size && (best == 0 || place < best); place++) {
		const uint8_t *sync = memchr(view->bytes + place, 0xff, view->size - HEADER - place + 1);
		if (!sync)
			break;
		place = (size_t)(sync - view->bytes);
		int size = frame_size(sync);
		unsigned enough = size < 0 ? 0 : enough_for(sync, size, place - zeros);
		if (enough == 0 || repeats(view, place))
			continue;
		struct chain chain = size > 0 ? follow(view, place, size, enough) : follow_free(view, place);
		if (chain.frames >= enough && (best == 0 || chain.end < best))
			best = chain.end;
		if (view->ended && best == 0 && settles(view, &chain, place, zeros))
			return view->size;
	}
	return best;
}

/* AAC with headers of its own (ADTS), from the start on. */
size_t guess_adts(const struct look_view *view)
{
	enum { ADTS_HEADER = 7 };
	size_t place = 0;

	for (unsigned frames = 1; place + ADTS_HEADER <= view->size; frames++) {
		const uint8_t *header = view->bytes + place;
		size_t size = (size_t)(header[3] & 3) << 11 | (size_t)header[4] << 3 | header[5] >> 5;
		if (header[0] != 0xff || (header[1] & 0xf6) != 0xf0 || (header[2] & 0x3c) > 0x30 || size < ADTS_HEADER)
			return 0;
		if (memcmp(header, view->bytes, 2) != 0)
			return 0;
		place += size;
		if (frames == ENOUGH)
			return place - size + ADTS_HEADER;
		if (view->ended && place >= view->size)
			return view->size;
	}
	return 0;
}
