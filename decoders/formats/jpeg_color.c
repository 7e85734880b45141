/* SPDX-License-Identifier: MIT */
/* The conversions that libjpeg does not have: from CMYK, and to formats that it does not know. */
#include "decoders/pixels/cmyk.h"
#include "decoders/pixels/pixels.h"
#include "jpeg_decode.h"

/* CMYK becomes RGB where it lies, and goes on from there.  Inks are stored inverted: Adobe began it, and all decoders
 * take files of others, too, to be like that. */
static void convert_cmyk(const struct decode *decode, uint8_t *samples, uint8_t *row)
{
	size_t width = decode->info.output_width;

	cmyk_to_rgb(samples, samples, width);
	pixels_choose(PIXELS_RGB, decode->pixel_format)(row, samples, width);
}

static void convert_plain(const struct decode *decode, uint8_t *samples, uint8_t *row)
{
	enum pixels_layout layout = decode->info.out_color_space == JCS_GRAYSCALE ? PIXELS_GRAY : PIXELS_RGB;

	pixels_choose(layout, decode->pixel_format)(row, samples, decode->info.output_width);
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
		[WIRE_GRAY_ALPHA] = JCS_GRAYSCALE,
		[WIRE_GRAY16] = JCS_GRAYSCALE,
		[WIRE_GRAY_ALPHA16] = JCS_GRAYSCALE,
		[WIRE_RGB16] = JCS_EXT_RGB,
		[WIRE_RGBA16] = JCS_EXT_RGB,
		[WIRE_RGBA_F16] = JCS_EXT_RGB,
		[WIRE_RGBA_F32] = JCS_EXT_RGB,
	};
	struct jpeg_decompress_struct *info = &decode->info;

	info->out_color_space = libjpeg_format[decode->pixel_format];
	if (info->num_components == 4) {
		info->out_color_space = JCS_CMYK;
		decode->convert_row = convert_cmyk;
	} else if (decode->pixel_format == WIRE_GRAY_ALPHA || wire_pixel_forms[decode->pixel_format].sample_bytes > 1) {
		decode->convert_row = convert_plain;
	}
}
