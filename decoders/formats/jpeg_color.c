/* SPDX-License-Identifier: MIT */
/* The conversions that libjpeg does not have: from CMYK, and to 16 bits. */
#include <string.h>

#include "decoders/picture/pixels.h"
#include "jpeg_decode.h"

enum { CMYK_BYTES = 4 };

/* x / 255, rounded, for the product of two bytes. */
static uint32_t divide_by_255(uint32_t x)
{
	return (x + 128 + ((x + 128) >> 8)) >> 8;
}

/* Without colour management: each ink takes its share of the light that black leaves.  Inks are stored inverted: Adobe
 * began it, and all decoders take files of others, too, to be like that. */
static void cmyk_to_rgb(const uint8_t *cmyk, uint8_t rgb[3])
{
	uint32_t light = cmyk[3];

	for (int i = 0; i < 3; i++)
		rgb[i] = (uint8_t)(light - divide_by_255((255U - cmyk[i]) * light));
}

/* CMYK becomes RGB where it lies, and goes on from there. */
static void convert_cmyk(const struct decode *decode, uint8_t *samples, uint8_t *row)
{
	size_t width = decode->info.output_width;

	for (size_t x = 0; x < width; x++) {
		uint8_t rgb[3];
		cmyk_to_rgb(samples + CMYK_BYTES * x, rgb);
		memcpy(samples + sizeof(rgb) * x, rgb, sizeof(rgb));
	}
	pixels_choose(PIXELS_RGB, decode->pixel_format)(row, samples, width);
}

static void convert_rgb(const struct decode *decode, uint8_t *samples, uint8_t *row)
{
	pixels_choose(PIXELS_RGB, decode->pixel_format)(row, samples, decode->info.output_width);
}

void jpeg_choose_conversion(struct decode *decode)
{
	static const J_COLOR_SPACE libjpeg_format[WIRE_PIXEL_FORMATS] = {
		[WIRE_BGRA] = JCS_EXT_BGRA,
		[WIRE_RGBA] = JCS_EXT_RGBA,
		[WIRE_BGRA_PREMULTIPLIED] = JCS_EXT_BGRA,
		[WIRE_RGBA_PREMULTIPLIED] = JCS_EXT_RGBA,
		[WIRE_RGB] = JCS_EXT_RGB,
		[WIRE_BGR] = JCS_EXT_BGR,
		[WIRE_GRAY] = JCS_GRAYSCALE,
		[WIRE_RGBA16] = JCS_EXT_RGB,
	};
	struct jpeg_decompress_struct *info = &decode->info;

	info->out_color_space = libjpeg_format[decode->pixel_format];
	if (info->num_components == 4) {
		info->out_color_space = JCS_CMYK;
		decode->convert_row = convert_cmyk;
	} else if (decode->pixel_format == WIRE_RGBA16) {
		decode->convert_row = convert_rgb;
	}
}
