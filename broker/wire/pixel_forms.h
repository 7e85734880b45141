/* SPDX-License-Identifier: MIT */
/* What pixel formats are made of, and which of them loses least of a picture. */
#ifndef SAFE_DECODE_PIXEL_FORMS_H
#define SAFE_DECODE_PIXEL_FORMS_H

#include <stdbool.h>
#include <stddef.h>

#include "wire.h"

struct wire_pixel_form {
	uint8_t channels;      /* 1 or 3, and one more where there is alpha: the last */
	uint8_t sample_bytes;  /* 1, 2 or 4 */
	uint8_t floats;        /* not 0: IEEE 754 */
	uint8_t premultiplied; /* not 0: by alpha */
};

static const struct wire_pixel_form wire_pixel_forms[WIRE_PIXEL_FORMATS] = {
	[WIRE_BGRA] = { 4, 1, 0, 0 },
	[WIRE_RGBA] = { 4, 1, 0, 0 },
	[WIRE_BGRA_PREMULTIPLIED] = { 4, 1, 0, 1 },
	[WIRE_RGBA_PREMULTIPLIED] = { 4, 1, 0, 1 },
	[WIRE_RGB] = { 3, 1, 0, 0 },
	[WIRE_BGR] = { 3, 1, 0, 0 },
	[WIRE_GRAY] = { 1, 1, 0, 0 },
	[WIRE_RGBA16] = { 4, 2, 0, 0 },
	[WIRE_GRAY_ALPHA] = { 2, 1, 0, 0 },
	[WIRE_GRAY16] = { 1, 2, 0, 0 },
	[WIRE_GRAY_ALPHA16] = { 2, 2, 0, 0 },
	[WIRE_RGB16] = { 3, 2, 0, 0 },
	[WIRE_RGBA_F16] = { 4, 2, 1, 0 },
	[WIRE_RGBA_F32] = { 4, 4, 1, 0 },
};

/* Whether samples have 16 bits and are integers. */
static inline bool wire_pixels_deep(uint32_t format)
{
	return wire_pixel_forms[format].sample_bytes == 2 && !wire_pixel_forms[format].floats;
}

static inline bool wire_pixels_alpha(uint32_t format)
{
	return wire_pixel_forms[format].channels % 2 == 0;
}

/* WIRE_FORMAT_BIT()s of all formats that have alpha. */
static inline uint32_t wire_alpha_formats(void)
{
	uint32_t set = 0;

	for (uint32_t format = 0; format < WIRE_PIXEL_FORMATS; format++)
		set |= wire_pixels_alpha(format) ? WIRE_FORMAT_BIT(format) : 0;
	return set;
}

/* How much of the samples a format loses: of 8 bits, more bits, half floats, and longer ones. */
static inline uint32_t wire_precision_loss(const struct wire_image *image, const struct wire_pixel_form *form)
{
	enum { BYTES, DEEP, HALVES, SINGLES, PRECISIONS };
	static const uint8_t losses[PRECISIONS][PRECISIONS] = {
		[BYTES] = { 0, 0, 0, 0 },
		[DEEP] = { 2, 0, 1, 0 },
		[HALVES] = { 3, 2, 0, 0 },
		[SINGLES] = { 3, 2, 1, 0 },
	};
	bool floats = (image->flags & WIRE_IMAGE_FLOAT) != 0;
	uint32_t has = floats ? (image->depth > 16 ? SINGLES : HALVES) : image->depth > 8 ? DEEP : BYTES;
	uint32_t takes = form->floats ? (form->sample_bytes > 2 ? SINGLES : HALVES) : form->sample_bytes - 1U;

	return losses[has][takes];
}

/* The format of a set, which must not be empty, that loses least of a picture with this color, depth and these flags:
 * colour counts most, then transparency, then precision.  Of those that are equal, the smallest. */
static inline enum wire_pixel_format wire_choose_format(const struct wire_image *image, uint32_t wanted)
{
	/* Which is the first of those that are equal in size, too. */
	static const uint8_t order[WIRE_PIXEL_FORMATS] = {
		WIRE_RGB,
		WIRE_BGR,
		WIRE_RGBA,
		WIRE_BGRA,
		WIRE_RGBA_PREMULTIPLIED,
		WIRE_BGRA_PREMULTIPLIED,
		WIRE_RGBA16,
		WIRE_GRAY,
		WIRE_GRAY_ALPHA,
		WIRE_GRAY16,
		WIRE_GRAY_ALPHA16,
		WIRE_RGB16,
		WIRE_RGBA_F16,
		WIRE_RGBA_F32,
	};
	bool alpha = (image->flags & WIRE_IMAGE_ALPHA) != 0, color = image->color != WIRE_COLOR_GRAY;
	enum wire_pixel_format best = WIRE_BGRA;
	uint32_t least = UINT32_MAX;

	for (size_t i = 0; i < WIRE_PIXEL_FORMATS; i++) {
		uint32_t format = order[i];
		const struct wire_pixel_form *form = &wire_pixel_forms[format];
		uint32_t loss = (color && form->channels < 3 ? UINT32_C(1) << 16 : 0) |
		                (alpha && !wire_pixels_alpha(format) ? UINT32_C(1) << 15 : 0) |
		                wire_precision_loss(image, form) << 12 |
		                (alpha && form->premultiplied ? UINT32_C(1) << 11 : 0) | wire_pixel_bytes[format];
		if ((wanted & WIRE_FORMAT_BIT(format)) && loss < least) {
			least = loss;
			best = (enum wire_pixel_format)format;
		}
	}
	return best;
}

#endif
