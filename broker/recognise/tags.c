/* SPDX-License-Identifier: MIT */
/* Tags in front of sound, which do not say of what format it is. */
#include "look.h"

/* ID3v2: its version, flags, and a size of four times seven bits. */
static enum look look_id3(const struct look_view *view, size_t *size)
{
	enum { HEADER = 10, VERSION = 3, REVISION = 4, FLAGS = 5, SIZE = 6, FOOTER = 0x10, OLDEST = 2, NEWEST = 4 };
	const uint8_t *bytes = view->bytes;
	enum look look = LOOK_BYTES(view, 0, "ID3");

	if (look != LOOK_YES)
		return look;
	*size = SIZE_MAX;
	for (size_t i = VERSION; i < HEADER; i++) {
		if (i == view->size)
			return !view->ended ? LOOK_MORE : i > VERSION ? LOOK_YES : LOOK_NO;
		if (i == VERSION && (bytes[i] < OLDEST || bytes[i] > NEWEST))
			return LOOK_NO;
		if ((i == REVISION && bytes[i] == 0xff) || (i == FLAGS && (bytes[i] & 0x0f) != 0) ||
		    (i >= SIZE && bytes[i] >= 0x80))
			return LOOK_NO;
	}
	*size = (size_t)bytes[6] << 21 | (size_t)bytes[7] << 14 | (size_t)bytes[8] << 7 | bytes[9];
	*size += bytes[FLAGS] & FOOTER ? 2 * HEADER : HEADER;
	return LOOK_YES;
}

/* APEv2, with a header: its size is that of what follows. */
static enum look look_ape(const struct look_view *view, size_t *size)
{
	enum { HEADER = 32, VERSION = 8, SIZE = 12 };
	enum look look = LOOK_BYTES(view, 0, "APETAGEX");

	if (look != LOOK_YES)
		return look;
	if (view->size < HEADER) {
		*size = SIZE_MAX;
		return view->ended ? LOOK_YES : LOOK_MORE;
	}
	if (look_little_endian(view->bytes + VERSION, 4) > 2000)
		return LOOK_NO;
	*size = HEADER + (size_t)look_little_endian(view->bytes + SIZE, 4);
	return LOOK_YES;
}

enum look look_tag(const struct look_view *view, size_t *size)
{
	enum look look = look_id3(view, size);

	return look == LOOK_NO ? look_ape(view, size) : look;
}
