/* SPDX-License-Identifier: MIT */
#include "screen.h"

#include <string.h>

/* Whether a field fits the pixel.  Those of a display have at most 16 bits. */
static bool fits(const struct screen_field *field, uint32_t bits)
{
	return field->length <= 16 && field->offset <= bits && field->length <= bits - field->offset;
}

bool screen_is_sound(const struct screen *screen)
{
	uint32_t bytes = screen->bits / 8;
	uint64_t right = (uint64_t)screen->x_offset + screen->width;
	uint64_t last = (uint64_t)screen->y_offset + screen->height - 1;
	uint64_t end = 0;

	if (screen->bits != 16 && screen->bits != 24 && screen->bits != 32)
		return false;
	if (screen->width == 0 || screen->height == 0 || screen->red.length == 0 || screen->green.length == 0 ||
	    screen->blue.length == 0)
		return false;
	if (!fits(&screen->red, screen->bits) || !fits(&screen->green, screen->bits) ||
	    !fits(&screen->blue, screen->bits) || !fits(&screen->alpha, screen->bits))
		return false;
	return right * bytes <= screen->stride && !__builtin_mul_overflow(last, screen->stride, &end) &&
	       !__builtin_add_overflow(end, right * bytes, &end) && end <= screen->size;
}

/* A sample of 8 bits in its field: the highest bits, or all of them and the highest ones again below. */
static uint32_t place(uint32_t sample, const struct screen_field *field)
{
	uint32_t wide = sample << 8 | sample;

	return wide >> (16 - field->length) << field->offset;
}

static uint32_t opaque(const struct screen *screen)
{
	return ((UINT32_C(1) << screen->alpha.length) - 1) << screen->alpha.offset;
}

/* The first byte of a visible pixel. */
static uint8_t *locate(const struct screen *screen, uint32_t x, uint32_t y)
{
	return screen->memory + ((size_t)screen->y_offset + y) * screen->stride +
	       ((size_t)screen->x_offset + x) * (screen->bits / 8);
}

static void put(uint8_t *at, uint32_t pixel, uint32_t bits)
{
	switch (bits) {
	case 16:
		memcpy(at, &pixel, 2);
		break;
	case 24:
		memcpy(at, &pixel, 3);
		break;
	default:
		memcpy(at, &pixel, 4);
		break;
	}
}

void screen_write(const struct screen *screen, uint32_t x, uint32_t y, const uint8_t *rgb, size_t count)
{
	uint32_t base = screen->alpha.length > 0 ? opaque(screen) : 0;

	if (x >= screen->width || y >= screen->height)
		return;
	if (count > screen->width - x)
		count = screen->width - x;
	uint8_t *at = locate(screen, x, y);
	for (size_t i = 0; i < count; i++, rgb += 3, at += screen->bits / 8)
		put(at,
		    base | place(rgb[0], &screen->red) | place(rgb[1], &screen->green) | place(rgb[2], &screen->blue),
		    screen->bits);
}

void screen_copy(const struct screen *to, const struct screen *from)
{
	size_t bytes = (size_t)from->width * (from->bits / 8);

	if (to->width != from->width || to->height != from->height || to->bits != from->bits)
		return;
	for (uint32_t y = 0; y < from->height; y++)
		memcpy(locate(to, 0, y), locate(from, 0, y), bytes);
}

void screen_clear(const struct screen *screen)
{
	uint32_t black = screen->alpha.length > 0 ? opaque(screen) : 0;

	for (uint32_t y = 0; y < screen->height; y++) {
		uint8_t *at = locate(screen, 0, y);
		if (black == 0) {
			memset(at, 0, (size_t)screen->width * (screen->bits / 8));
			continue;
		}
		for (uint32_t x = 0; x < screen->width; x++, at += screen->bits / 8)
			put(at, black, screen->bits);
	}
}
