/* SPDX-License-Identifier: MIT */
/* Bitmaps of old, whose marks are too short to be believed alone. */
#include <string.h>

#include "broker/base/words.h"
#include "look.h"

/* What bytes in a row say that are all there; else what it means that some lack. */
static enum look look_short(const struct look_view *view)
{
	return view->ended ? LOOK_NO : LOOK_MORE;
}

/* ---- BMP, icons ---- */

/* The size of the header that follows the file's must be one there is. */
static enum look look_bitmap_header(const struct look_view *view, size_t place, size_t *more)
{
	static const uint8_t sizes[] = { 12, 16, 20, 24, 28, 32, 36, 40, 42, 44, 46, 48, 52, 56, 60, 64, 108, 124 };

	if (view->size < place + 4) {
		*more = place + 4;
		return look_short(view);
	}
	uint64_t size = look_little_endian(view->bytes + place, 4);
	return size <= UINT8_MAX && memchr(sizes, (int)size, sizeof(sizes)) ? LOOK_YES : LOOK_NO;
}

enum look look_bmp(const struct look_view *view, size_t *more)
{
	enum { HEADER = 14 };
	enum look look = LOOK_BYTES(view, 0, "BM");

	if (look != LOOK_NO)
		return look == LOOK_YES ? look_bitmap_header(view, HEADER, more) : look;
	look = LOOK_BYTES(view, 0, "BA");
	if (look == LOOK_YES)
		look = LOOK_BYTES(view, HEADER, "BM");
	return look == LOOK_YES ? look_bitmap_header(view, 2 * (size_t)HEADER, more) : look;
}

/* A small number of pictures, the first of which is within reach, and behind the list. */
static enum look look_icons(const struct look_view *view, const char *mark, size_t *more)
{
	enum { LIST = 6, ENTRY = 16, SIZE = LIST + 8, PLACE = LIST + 12, NEED = LIST + ENTRY };
	enum look look = look_bytes(view, 0, mark, 4);

	if (look != LOOK_YES)
		return look;
	if (view->size < NEED) {
		*more = NEED;
		return look_short(view);
	}
	uint64_t count = look_little_endian(view->bytes + 4, 2);
	uint64_t size = look_little_endian(view->bytes + SIZE, 4);
	uint64_t place = look_little_endian(view->bytes + PLACE, 4);
	uint8_t reserved = view->bytes[LIST + 3];
	bool sane = count > 0 && count <= UINT8_MAX && size > 0 && size < 1 << 28 && place < 1 << 28 &&
	            place >= LIST + ENTRY * count && (reserved == 0 || reserved == UINT8_MAX);
	return sane ? LOOK_YES : LOOK_NO;
}

enum look look_ico(const struct look_view *view, size_t *more)
{
	return look_icons(view, "\0\0\1\0", more);
}

enum look look_cur(const struct look_view *view, size_t *more)
{
	return look_icons(view, "\0\0\2\0", more);
}

/* ---- TGA, PCX ---- */

enum { TGA_HEADER = 18 };

/* Whether it may be one, for who believes that it is. */
static bool is_tga(const uint8_t *bytes)
{
	uint8_t map = bytes[1], type = bytes[2] & 7, depth = bytes[16];
	bool known_type = bytes[2] <= 11 && (bytes[2] & 4) == 0 && type >= 1 && type <= 3;
	bool known_depth = depth == 8 || depth == 15 || depth == 16 || depth == 24 || depth == 32;
	bool sized = look_little_endian(bytes + 12, 2) > 0 && look_little_endian(bytes + 14, 2) > 0;

	return map <= 1 && known_type && known_depth && sized && (type != 1 || map == 1);
}

/* Whether hardly anything else could start like this. */
static bool is_surely_tga(const uint8_t *bytes)
{
	static const uint8_t no_map[5] = { 0 };
	uint8_t type = bytes[2] & 7, map_depth = bytes[7], depth = bytes[16], alpha = bytes[17] & 15;
	uint64_t colors = look_little_endian(bytes + 5, 2);
	bool map = bytes[1] == 1;
	bool known_map = map ? type == 1 && depth == 8 && colors > 0 && colors <= 256 &&
	                                 (map_depth == 15 || map_depth == 16 || map_depth == 24 || map_depth == 32)
	                     : memcmp(bytes + 3, no_map, sizeof(no_map)) == 0;
	bool known_depth = type == 1 ? depth == 8 : type == 3 ? depth == 8 || depth == 16 : depth > 8;
	bool known_alpha = alpha == 0 || (alpha == 8 && (depth == 32 || depth == 16)) || (alpha == 1 && depth == 16);

	return is_tga(bytes) && known_map && known_depth && known_alpha && (bytes[17] & 0xd0) == 0 &&
	       look_little_endian(bytes + 8, 2) == 0;
}

enum look look_tga(const struct look_view *view, size_t *more)
{
	if (!words_have("tga icb vda vst targa", view->extension))
		return LOOK_NO;
	if (view->size < TGA_HEADER) {
		*more = TGA_HEADER;
		return look_short(view);
	}
	return is_tga(view->bytes) ? LOOK_YES : LOOK_NO;
}

size_t guess_tga(const struct look_view *view)
{
	return view->size >= TGA_HEADER && is_surely_tga(view->bytes) ? TGA_HEADER : 0;
}

enum look look_pcx(const struct look_view *view, size_t *more)
{
	enum { HEADER = 66 };
	enum look look = LOOK_BYTES(view, 0, "\x0a");
	const uint8_t *bytes = view->bytes;

	if (look != LOOK_YES)
		return look;
	if ((view->size > 1 && (bytes[1] > 5 || bytes[1] == 1)) || (view->size > 2 && bytes[2] > 1))
		return LOOK_NO;
	if (view->size < HEADER) {
		*more = HEADER;
		return look_short(view);
	}
	bool known_bits = bytes[3] == 1 || bytes[3] == 2 || bytes[3] == 4 || bytes[3] == 8;
	bool sized = look_little_endian(bytes + 8, 2) >= look_little_endian(bytes + 4, 2) &&
	             look_little_endian(bytes + 10, 2) >= look_little_endian(bytes + 6, 2);
	return known_bits && sized && bytes[65] >= 1 && bytes[65] <= 4 ? LOOK_YES : LOOK_NO;
}

/* ---- XBM ---- */

/* The first definition is of a width; comments may be in front of it. */
enum look look_xbm(const struct look_view *view, size_t *more)
{
	enum { MOST = 1024 };
	static const char define[] = "#define ";
	struct look_view rest = *view;

	(void)more;
	if (LOOK_BYTES(view, 0, "/*") == LOOK_YES) {
		const uint8_t *end = memmem(view->bytes, view->size, "*/", 2);
		if (!end)
			return view->size < MOST ? look_short(view) : LOOK_NO;
		if (end - view->bytes > MOST)
			return LOOK_NO;
		rest = look_behind(view, (size_t)(end - view->bytes) + 2);
		while (rest.size > 0 && (*rest.bytes == '\n' || *rest.bytes == '\r' || *rest.bytes == ' '))
			rest = look_behind(&rest, 1);
	} else if (view->size == 1 && view->bytes[0] == '/') {
		return look_short(view);
	}
	enum look look = look_bytes(&rest, 0, define, sizeof(define) - 1);
	if (look != LOOK_YES)
		return look;
	const uint8_t *end = memchr(rest.bytes, '\n', rest.size);
	if (!end)
		return rest.size < MOST ? look_short(view) : LOOK_NO;
	return memmem(rest.bytes, (size_t)(end - rest.bytes), "width ", 6) ? LOOK_YES : LOOK_NO;
}
