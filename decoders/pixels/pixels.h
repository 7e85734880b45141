/* SPDX-License-Identifier: MIT */
/* From what a codec gives to what the caller wants, a row at a time. */
#ifndef SAFE_DECODE_PIXELS_H
#define SAFE_DECODE_PIXELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/wire/pixel_forms.h"
#include "broker/wire/wire.h"

/* What codecs give, packed: 8 bits a sample, 16 in the machine's order, or floats, whose colours are linear light. */
enum pixels_layout {
	PIXELS_GRAY,
	PIXELS_GRAY_ALPHA,
	PIXELS_RGB,
	PIXELS_RGBA,
	PIXELS_GRAY16,
	PIXELS_GRAY_ALPHA16,
	PIXELS_RGB16,
	PIXELS_RGBA16,
	PIXELS_GRAY_F32,
	PIXELS_GRAY_ALPHA_F32,
	PIXELS_RGB_F32,
	PIXELS_RGBA_F32,
	PIXELS_LAYOUTS,
};

/* Bytes a pixel of each layout takes, and the most. */
static const uint8_t pixels_layout_bytes[PIXELS_LAYOUTS] = { 1, 2, 3, 4, 2, 4, 6, 8, 4, 8, 12, 16 };
#define PIXELS_LAYOUT_BYTES_MAX 16

/* The layout of samples of `bytes` bytes: 1, 2 or 4. */
static inline enum pixels_layout pixels_layout_of(unsigned bytes, bool color, bool alpha)
{
	return (enum pixels_layout)((bytes == 1   ? PIXELS_GRAY
	                             : bytes == 2 ? PIXELS_GRAY16
	                                          : PIXELS_GRAY_F32) +
	                            (color ? 2 : 0) + (alpha ? 1 : 0));
}

/* Whether the format in which a picture is sent has room for more than 8 bits of a sample, and whether it has floats.
 */
static inline bool pixels_want_deep(const struct wire_image *image)
{
	return wire_pixel_forms[image->pixel_format].sample_bytes > 1;
}

static inline bool pixels_want_floats(const struct wire_image *image)
{
	return wire_pixel_forms[image->pixel_format].floats != 0;
}

/* Whether the order of its samples is blue, green, red. */
static inline bool pixels_blue_first(enum wire_pixel_format format)
{
	return format == WIRE_BGRA || format == WIRE_BGRA_PREMULTIPLIED || format == WIRE_BGR;
}

/* Converts `width` pixels.  The two rows must not overlap. */
typedef void pixels_converter(uint8_t *to, const uint8_t *from, size_t width);

/* The converter from a layout to a wire format.  Premultiplied colours are c * a / 255, rounded; gray is
 * 0.299 R + 0.587 G + 0.114 B, rounded; formats without alpha drop it.  8 bits become 16 by a factor of 257, and 16
 * bits become 8 by the same, rounded.  Integers are taken for sRGB where they become floats, and floats that become
 * integers are cut to 0 to 1 and encoded by it; alpha is linear in both. */
pixels_converter *pixels_choose(enum pixels_layout from, enum wire_pixel_format to);

/* Whether the layout is that of the format, so that rows need no converter. */
bool pixels_as_is(enum pixels_layout layout, uint32_t format);

#endif
