/* SPDX-License-Identifier: MIT */
/* From rows as they are in the file to RGB and RGBA. */
#include <string.h>

#include "dib.h"

bool dib_has_alpha(const struct dib *dib)
{
	return dib->icon || dib->palette_alpha || dib->coding != DIB_PLAIN || dib->masks[DIB_ALPHA] != 0;
}

enum pixels_layout dib_layout(const struct dib *dib)
{
	return dib_has_alpha(dib) ? PIXELS_RGBA : PIXELS_RGB;
}

static void convert_indices(const struct dib *dib, const uint8_t *row, uint8_t *to, size_t bytes)
{
	unsigned bits = dib->coding == DIB_PLAIN ? dib->bits : 8, each = 8 / bits;
	unsigned mask = (1U << bits) - 1;

	for (uint32_t x = 0; x < dib->width; x++, to += bytes) {
		unsigned shift = 8 - bits - x % each * bits;
		unsigned pixels = row[x / each];
		memcpy(to, dib->palette[pixels >> shift & mask], bytes);
	}
}

static void convert_triples(const struct dib *dib, const uint8_t *row, uint8_t *to, size_t bytes)
{
	for (uint32_t x = 0; x < dib->width; x++, to += bytes, row += 3) {
		to[0] = row[2];
		to[1] = row[1];
		to[2] = row[0];
		if (bytes == 4)
			to[3] = UINT8_MAX;
	}
}

static inline uint8_t channel_of(const struct dib *dib, uint32_t pixel, unsigned channel)
{
	return dib->levels[channel][(pixel & dib->masks[channel]) >> dib->shifts[channel]];
}

static void convert_fields(const struct dib *dib, const uint8_t *row, uint8_t *to, size_t bytes)
{
	size_t from_bytes = dib->bits / 8;

	for (uint32_t x = 0; x < dib->width; x++, to += bytes, row += from_bytes) {
		uint32_t pixel = from_bytes == 2 ? input_le16(row) : input_le32(row);
		to[0] = channel_of(dib, pixel, DIB_RED);
		to[1] = channel_of(dib, pixel, DIB_GREEN);
		to[2] = channel_of(dib, pixel, DIB_BLUE);
		if (bytes == 4)
			to[3] = dib->alpha_used ? channel_of(dib, pixel, DIB_ALPHA) : UINT8_MAX;
	}
}

void dib_convert(const struct dib *dib, const uint8_t *row, uint8_t *to)
{
	size_t bytes = pixels_layout_bytes[dib_layout(dib)];

	if (dib->bits <= 8)
		convert_indices(dib, row, to, bytes);
	else if (dib->bits == 24)
		convert_triples(dib, row, to, bytes);
	else
		convert_fields(dib, row, to, bytes);
}

/* Clears the pixels whose bit is `wanted`; the first one is bit `place` of the plane. */
static void clear_pixels(const uint8_t *plane, size_t place, bool wanted, uint8_t *to, uint32_t width)
{
	for (uint32_t x = 0; x < width; x++, place++)
		if ((plane[place / 8] >> (7 - place % 8) & 1) == wanted)
			memset(to + (size_t)x * 4, 0, 4);
}

void dib_convert_at(const struct dib *dib, uint32_t y, uint8_t *to)
{
	size_t place = dib->top_down ? y : dib->height - 1 - y;

	dib_convert(dib, dib->data + place * dib->stride, to);
	if (dib->drawn)
		clear_pixels(dib->drawn, place * dib->width, false, to, dib->width);
	if (dib->mask)
		clear_pixels(dib->mask, place * dib->mask_stride * 8, true, to, dib->width);
}
