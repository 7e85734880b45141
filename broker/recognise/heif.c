/* SPDX-License-Identifier: MIT */
/* AVIF and HEIF, which are files of boxes like MP4: the brands in the first box tell. */
#include <string.h>

#include "look.h"

enum {
	BRAND = 4,
	MAJOR = 8,       /* where the main brand is */
	COMPATIBLE = 16, /* and from where on others that the file keeps to */
	MOST = 1024,     /* how much of the box is looked at */
};

static bool is_brand(const uint8_t *bytes, const char *brands)
{
	for (; *brands; brands += BRAND)
		if (memcmp(bytes, brands, BRAND) == 0)
			return true;
	return false;
}

static size_t box_size(const struct look_view *view)
{
	const uint8_t *bytes = view->bytes;
	size_t size = (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];

	return size < MOST ? size : MOST;
}

/* Whether the file says that it keeps to one of these. */
static enum look look_compatible(const struct look_view *view, size_t *more, const char *brands)
{
	size_t size = box_size(view);

	if (size > view->size && !view->ended) {
		*more = size;
		return LOOK_MORE;
	}
	if (size > view->size)
		size = view->size;
	for (size_t place = COMPATIBLE; place + BRAND <= size; place += BRAND)
		if (is_brand(view->bytes + place, brands))
			return LOOK_YES;
	return LOOK_NO;
}

/* Files whose brand says no more than that they hold pictures: LOOK_YES: the view has such. */
static enum look look_brand(const struct look_view *view, const char *brands)
{
	/* The box is small: so most inputs are known not to be such by their first byte. */
	static const struct look_pattern start = LOOK_MASKED("\0\0\0\0ftyp", "\xff\xff\0\0\xff\xff\xff\xff");
	enum look look = look_pattern(view, &start);

	if (look != LOOK_YES)
		return look;
	if (view->size < MAJOR + BRAND)
		return view->ended ? LOOK_NO : LOOK_MORE;
	return is_brand(view->bytes + MAJOR, brands) ? LOOK_YES : LOOK_NO;
}

static const char avif[] = "avifavis", heic[] = "heicheixheimheishevchevxhevmhevs", any[] = "mif1mif2msf1miaf";

enum look look_avif(const struct look_view *view, size_t *more)
{
	enum look look = look_brand(view, avif);

	if (look != LOOK_NO)
		return look;
	look = look_brand(view, any);
	return look == LOOK_YES ? look_compatible(view, more, avif) : look;
}

/* What is not AVIF. */
enum look look_heif(const struct look_view *view, size_t *more)
{
	enum look look = look_brand(view, heic);

	(void)more;
	return look == LOOK_NO ? look_brand(view, any) : look;
}
