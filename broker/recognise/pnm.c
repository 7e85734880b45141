/* SPDX-License-Identifier: MIT */
/* PNM that is text: what starts like it may be any other text, so both sides of the picture must be there. */
#include "look.h"

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* Passes over blanks and comments. */
static size_t skip_blanks(const struct look_view *view, size_t place)
{
	while (place < view->size && (is_blank(view->bytes[place]) || view->bytes[place] == '#')) {
		if (view->bytes[place] == '#')
			while (place < view->size && view->bytes[place] != '\n' && view->bytes[place] != '\r')
				place++;
		else
			place++;
	}
	return place;
}

/* More than a byte: a long comment that comes slowly would be read again for each. */
static enum look at_end(const struct look_view *view, size_t *more)
{
	*more = view->size + view->size / 8 + 1;
	return view->ended ? LOOK_NO : LOOK_MORE;
}

enum look look_plain_pnm(const struct look_view *view, size_t *more)
{
	enum { MAGIC = 2, DIGITS_MAX = 9 };
	size_t place = MAGIC;

	if (view->size > 0 && view->bytes[0] != 'P')
		return LOOK_NO;
	if (view->size > 1 && (view->bytes[1] < '1' || view->bytes[1] > '3'))
		return LOOK_NO;
	for (unsigned number = 0; number < 2; number++) {
		size_t blanks = place, digits = 0;
		place = skip_blanks(view, place);
		if (place >= view->size)
			return at_end(view, more);
		if (place == blanks)
			return LOOK_NO;
		while (place < view->size && view->bytes[place] >= '0' && view->bytes[place] <= '9') {
			place++;
			if (++digits > DIGITS_MAX)
				return LOOK_NO;
		}
		if (digits == 0)
			return LOOK_NO;
	}
	if (place >= view->size)
		return at_end(view, more);
	return is_blank(view->bytes[place]) || view->bytes[place] == '#' ? LOOK_YES : LOOK_NO;
}
