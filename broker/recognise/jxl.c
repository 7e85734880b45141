/* SPDX-License-Identifier: MIT */
/* JPEG XL without its container starts with two bytes that text and damaged sound may start with, too: so the size of
 * the picture, which follows, must make sense. */
#include "look.h"

struct bits {
	const uint8_t *bytes;
	size_t size, place; /* in bits */
};

/* What is missing is zero. */
static uint32_t take(struct bits *bits, unsigned count)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < count; i++, bits->place++)
		if (bits->place / 8 < bits->size)
			value |= (uint32_t)(bits->bytes[bits->place / 8] >> bits->place % 8 & 1) << i;
	return value;
}

static uint32_t take_side(struct bits *bits, bool small)
{
	static const uint8_t widths[] = { 9, 13, 18, 30 };

	return small ? (take(bits, 5) + 1) * 8 : take(bits, widths[take(bits, 2)]) + 1;
}

size_t guess_jxl(const struct look_view *view)
{
	enum { MARK = 2, HEADER = MARK + 9, MOST = 1 << 18 };
	struct bits bits = { view->bytes + MARK, HEADER - MARK, 0 };

	if (LOOK_BYTES(view, 0, "\xff\x0a") != LOOK_YES)
		return 0;
	if (view->size < HEADER)
		return view->ended ? MARK : 0;
	bool small = take(&bits, 1) != 0;
	uint32_t height = take_side(&bits, small);
	/* A ratio of the two sides is at most 2. */
	uint32_t width = take(&bits, 3) == 0 ? take_side(&bits, small) : height;
	return width <= MOST && height <= MOST ? HEADER : 0;
}
