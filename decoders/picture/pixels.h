/* SPDX-License-Identifier: MIT */
/* From what a codec gives to what the caller wants, a row at a time. */
#ifndef SAFE_DECODE_PIXELS_H
#define SAFE_DECODE_PIXELS_H

#include <stddef.h>
#include <stdint.h>

#include "broker/wire/wire.h"

/* What codecs give: 8 bits a sample, or 16 in the machine's order, packed. */
enum pixels_layout {
	PIXELS_GRAY,
	PIXELS_GRAY_ALPHA,
	PIXELS_RGB,
	PIXELS_RGBA,
	PIXELS_GRAY16,
	PIXELS_GRAY_ALPHA16,
	PIXELS_RGB16,
	PIXELS_RGBA16,
	PIXELS_LAYOUTS,
};

/* Bytes a pixel of each layout takes. */
static const uint8_t pixels_layout_bytes[PIXELS_LAYOUTS] = { 1, 2, 3, 4, 2, 4, 6, 8 };

/* Converts `width` pixels.  The two rows must not overlap. */
typedef void pixels_converter(uint8_t *to, const uint8_t *from, size_t width);

/* The converter from a layout to a wire format.  Premultiplied colours are c * a / 255, rounded; gray is
 * 0.299 R + 0.587 G + 0.114 B, rounded; formats without alpha drop it.  8 bits become 16 by a factor of 257, and 16
 * bits become 8 by the same, rounded. */
pixels_converter *pixels_choose(enum pixels_layout from, enum wire_pixel_format to);

#endif
