/* SPDX-License-Identifier: MIT */
/* The conversions that libjpeg does not have: from CMYK, and to 16 bits. */
#include "jpeg_decode.h"

enum { CMYK_BYTES = 4 };

/* x / 255, rounded, for the product of two bytes. */
static uint32_t divide_by_255(uint32_t x)
{
	return (x + 128 + ((x + 128) >> 8)) >> 8;
}

/* Without colour management: each ink takes its share of the light that black leaves.  Adobe stores inks inverted. */
static void cmyk_to_rgb(const uint8_t *cmyk, uint32_t inverted, uint8_t rgb[3])
{
	uint32_t light = 255 - (cmyk[3] ^ inverted);

	for (int i = 0; i < 3; i++)
		rgb[i] = (uint8_t)(light - divide_by_255((cmyk[i] ^ inverted) * light));
}

static void put_pixel(enum wire_pixel_format format, const uint8_t rgb[3], uint8_t *pixel)
{
	bool blue_first = format == WIRE_BGR || format == WIRE_BGRA || format == WIRE_BGRA_PREMULTIPLIED;

	switch (format) {
	case WIRE_GRAY: /* as libjpeg does it for RGB */
		pixel[0] = (uint8_t)((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000) >> 16);
		break;
	case WIRE_RGBA16:
		for (int i = 0; i < 6; i++)
			pixel[i] = rgb[i / 2];
		pixel[6] = pixel[7] = 255;
		break;
	default:
		pixel[0] = rgb[blue_first ? 2 : 0];
		pixel[1] = rgb[1];
		pixel[2] = rgb[blue_first ? 0 : 2];
		if (wire_pixel_bytes[format] == 4)
			pixel[3] = 255;
	}
}

static void convert_cmyk(const struct decode *decode, const uint8_t *samples, uint8_t *row)
{
	uint32_t inverted = decode->info.saw_Adobe_marker ? 255 : 0;
	uint8_t rgb[3];

	for (uint32_t x = 0; x < decode->info.output_width; x++) {
		cmyk_to_rgb(samples, inverted, rgb);
		put_pixel(decode->pixel_format, rgb, row);
		samples += CMYK_BYTES;
		row += wire_pixel_bytes[decode->pixel_format];
	}
}

static void convert_rgb(const struct decode *decode, const uint8_t *samples, uint8_t *row)
{
	for (uint32_t x = 0; x < decode->info.output_width; x++) {
		put_pixel(decode->pixel_format, samples, row);
		samples += 3;
		row += wire_pixel_bytes[decode->pixel_format];
	}
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
