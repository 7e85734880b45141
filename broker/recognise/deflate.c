/* SPDX-License-Identifier: MIT */
/* zlib has a mark of ten bits.  What makes it certain is that deflate's blocks follow: their structure is read here, as
 * far as it takes, and nothing is decompressed. */
#include <string.h>

#include "broker/base/words.h"
#include "look.h"

enum { CODES = 19, LITERALS = 288, DISTANCES = 32, MOST_LENGTH = 15, END_OF_BLOCK = 256 };

struct bits {
	const uint8_t *bytes;
	size_t count, place; /* in bits */
};

/* What came of a block. */
enum block {
	BLOCK_BAD,
	BLOCK_CUT,     /* it goes on where the view ends */
	BLOCK_LIKELY,  /* the same, but there was evidence that it is one */
	BLOCK_CERTAIN, /* enough of it was seen that it can be nothing else */
	BLOCK_DONE,
};

struct stream {
	struct bits bits;
	size_t produced; /* bytes that distances may reach back */
	unsigned symbols;
	bool preset; /* a dictionary comes before, so that any distance is right */
};

static bool have(const struct bits *bits, size_t count)
{
	return bits->count - bits->place >= count;
}

/* What is not there reads as 0: callers ask before, or look at `place` afterwards. */
static unsigned take(struct bits *bits, unsigned count)
{
	unsigned value = 0;

	for (unsigned i = 0; i < count; i++, bits->place++)
		if (bits->place < bits->count)
			value |= (unsigned)(bits->bytes[bits->place / 8] >> (bits->place % 8) & 1) << i;
	return value;
}

static bool overran(const struct bits *bits)
{
	return bits->place > bits->count;
}

/* A prefix code by the lengths of its words: how many have each, and the symbols in their order. */
struct code {
	uint16_t counts[MOST_LENGTH + 1];
	uint16_t symbols[LITERALS + DISTANCES];
};

/* Returns how much of the code's room is left: 0 for a complete one, below 0 for an impossible one. */
static int make_code(struct code *code, const uint8_t *lengths, unsigned size)
{
	uint16_t places[MOST_LENGTH + 2] = { 0 };
	int left = 1;

	memset(code, 0, sizeof(*code));
	for (unsigned i = 0; i < size; i++)
		code->counts[lengths[i]]++;
	for (unsigned length = 1; length <= MOST_LENGTH; length++) {
		left = 2 * left - code->counts[length];
		if (left < 0)
			return left;
		places[length + 1] = (uint16_t)(places[length] + code->counts[length]);
	}
	for (unsigned i = 0; i < size; i++)
		if (lengths[i] > 0)
			code->symbols[places[lengths[i]]++] = (uint16_t)i;
	return left;
}

/* Returns the next symbol, -1 if there is none of this code. */
static int take_symbol(struct bits *bits, const struct code *code)
{
	int word = 0, first = 0, index = 0;

	for (unsigned length = 1; length <= MOST_LENGTH; length++) {
		word |= (int)take(bits, 1);
		int count = code->counts[length];
		if (word - first < count)
			return code->symbols[index + word - first];
		index += count;
		first = (first + count) << 1;
		word <<= 1;
	}
	return -1;
}

/* The lengths of both codes, which come in a code of their own. */
static enum block take_lengths(struct bits *bits, const struct code *code, uint8_t *lengths, unsigned size)
{
	static const uint8_t extra[] = { 2, 3, 7 }, least[] = { 3, 3, 11 };

	for (unsigned i = 0; i < size;) {
		int symbol = take_symbol(bits, code);
		unsigned repeat = symbol >= 16 ? least[symbol - 16] + take(bits, extra[symbol - 16]) : 1;
		if (overran(bits))
			return BLOCK_LIKELY;
		if (symbol < 0 || (symbol == 16 && i == 0) || repeat > size - i)
			return BLOCK_BAD;
		memset(lengths + i, symbol < 16 ? symbol : symbol == 16 ? lengths[i - 1] : 0, repeat);
		i += repeat;
	}
	return BLOCK_DONE;
}

static enum block look_dynamic(struct bits *bits)
{
	static const uint8_t order[CODES] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };
	uint8_t lengths[LITERALS + DISTANCES] = { 0 };
	struct code code;

	if (!have(bits, 14))
		return BLOCK_CUT;
	unsigned literals = 257 + take(bits, 5);
	unsigned distances = 1 + take(bits, 5);
	unsigned codes = 4 + take(bits, 4);
	if (literals > 286 || distances > 30)
		return BLOCK_BAD;
	for (unsigned i = 0; i < codes; i++)
		lengths[order[i]] = (uint8_t)take(bits, 3);
	if (overran(bits))
		return BLOCK_CUT;
	if (make_code(&code, lengths, CODES) != 0)
		return BLOCK_BAD;
	memset(lengths, 0, sizeof(lengths));
	enum block block = take_lengths(bits, &code, lengths, literals + distances);
	if (block != BLOCK_DONE)
		return block;
	if (lengths[END_OF_BLOCK] == 0)
		return BLOCK_BAD;
	/* A code may be incomplete only if it has one word, or none. */
	int left = make_code(&code, lengths, literals);
	if (left < 0 || (left > 0 && literals - code.counts[0] != code.counts[1]))
		return BLOCK_BAD;
	left = make_code(&code, lengths + literals, distances);
	if (left < 0 || (left > 0 && distances - code.counts[0] != code.counts[1]))
		return BLOCK_BAD;
	return BLOCK_CERTAIN;
}

static enum block look_stored(struct bits *bits)
{
	bits->place = (bits->place + 7) / 8 * 8;
	if (bits->count < bits->place || !have(bits, 32))
		return BLOCK_CUT;
	unsigned length = take(bits, 16);
	return (length ^ take(bits, 16)) == 0xffff ? BLOCK_CERTAIN : BLOCK_BAD;
}

/* The smallest length or distance of a symbol whose extra bits grow by one every `step` symbols. */
static size_t take_value(struct bits *bits, unsigned symbol, unsigned step)
{
	unsigned extra = symbol < 2 * step ? 0 : symbol / step - 1;
	size_t least = extra == 0 ? symbol : (size_t)(step + symbol % step) << extra;

	return least + take(bits, extra);
}

static int take_fixed(struct bits *bits)
{
	unsigned word = 0;

	for (unsigned length = 1; length <= 9; length++) {
		word = word << 1 | take(bits, 1);
		if (length == 7 && word < 24)
			return (int)(256 + word);
		if (length == 8 && word >= 48 && word < 192)
			return (int)(word - 48);
		if (length == 8 && word >= 192 && word < 200)
			return (int)(280 + word - 192);
	}
	return (int)(144 + word - 400);
}

/* Of random bits, 64 symbols are right in one case of 30,000. */
static enum block look_fixed(struct stream *stream)
{
	enum { ENOUGH = 64, LONGEST = 285 - 257 };
	struct bits *bits = &stream->bits;

	for (; stream->symbols < ENOUGH; stream->symbols++) {
		int symbol = take_fixed(bits);
		size_t length = 1;
		if (symbol > END_OF_BLOCK) {
			unsigned distance = 0;
			if (symbol > 285)
				return overran(bits) ? BLOCK_CUT : BLOCK_BAD;
			length = symbol - 257 == LONGEST ? 258 : 3 + take_value(bits, (unsigned)symbol - 257, 4);
			for (unsigned i = 0; i < 5; i++)
				distance = distance << 1 | take(bits, 1);
			if (!overran(bits) && (distance >= 30 || 1 + take_value(bits, distance, 2) > stream->produced))
				return overran(bits) ? BLOCK_CUT : BLOCK_BAD;
		}
		if (overran(bits))
			return BLOCK_CUT;
		if (symbol == END_OF_BLOCK)
			return BLOCK_DONE;
		stream->produced += length;
	}
	return BLOCK_CERTAIN;
}

/* BLOCK_DONE: the stream ended, at the place where its bits are. */
static enum block look_blocks(struct stream *stream)
{
	enum block block = BLOCK_DONE;

	for (bool last = false; block == BLOCK_DONE && !last; stream->symbols++) {
		if (!have(&stream->bits, 3))
			return BLOCK_CUT;
		last = take(&stream->bits, 1) != 0;
		switch (take(&stream->bits, 2)) {
		case 0:
			block = look_stored(&stream->bits);
			break;
		case 1:
			block = stream->preset ? BLOCK_BAD : look_fixed(stream);
			break;
		case 2:
			block = look_dynamic(&stream->bits);
			break;
		default:
			block = BLOCK_BAD;
		}
	}
	return block;
}

/* The view has ended, and what was seen is possible.  The checksum is the end of the usual input; what follows it makes
 * that less likely. */
static enum look settle(const struct look_view *view, const struct stream *stream, enum block block)
{
	enum { HEADER = 2, CHECKSUM = 4, USUAL = 0x78, SOME = 16 };
	size_t end = (stream->bits.place + 7) / 8 + HEADER + CHECKSUM;

	if (block == BLOCK_LIKELY || (block == BLOCK_DONE && view->size == end))
		return LOOK_YES;
	if (view->bytes[0] != USUAL || (block == BLOCK_DONE && view->size > end && stream->symbols < SOME))
		return LOOK_NO;
	return LOOK_YES;
}

/* RFC 1950: method 8, a window of at most 32 KiB, and a header that is a multiple of 31. */
enum look look_zlib(const struct look_view *view, size_t *more)
{
	enum { HEADER = 2, DICTIONARY = 4, HAS_DICTIONARY = 0x20, TEXT = 32 };
	const uint8_t *bytes = view->bytes;

	(void)more;
	if (view->size < 1)
		return view->ended ? LOOK_NO : LOOK_MORE;
	if ((bytes[0] & 0x0f) != 8 || bytes[0] >> 4 > 7)
		return LOOK_NO;
	if (view->size < HEADER)
		return view->ended ? LOOK_NO : LOOK_MORE;
	if (((unsigned)bytes[0] << 8 | bytes[1]) % 31 != 0)
		return LOOK_NO;
	struct look_view start = *view;
	start.size = start.size < TEXT ? start.size : TEXT;
	if (look_is_utf8(&start))
		return view->size >= TEXT || view->ended ? LOOK_NO : LOOK_MORE;

	bool preset = (bytes[1] & HAS_DICTIONARY) != 0;
	struct look_view body = look_behind(view, HEADER + (preset ? DICTIONARY : 0));
	struct stream stream = { .bits = { body.bytes, 8 * body.size, 0 }, .preset = preset };
	enum block block = look_blocks(&stream);
	if (block == BLOCK_CERTAIN)
		return LOOK_YES;
	/* The name tells it from other data, and its decoder what is wrong. */
	if (words_have("zlib zz z", view->extension) && (block == BLOCK_BAD || view->ended))
		return LOOK_YES;
	if (block == BLOCK_BAD)
		return LOOK_NO;
	if (!view->ended)
		return LOOK_MORE;
	return settle(view, &stream, block);
}
