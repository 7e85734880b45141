/* SPDX-License-Identifier: MIT */
/* Every converter against plain arithmetic, for every value that the arithmetic depends on. */
#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/picture/pixels.h"

enum {
	WIDTH_MAX = 67, /* odd, and longer than two vectors of any processor */
	GUARD = 0xa5,
};

struct rgba {
	unsigned red, green, blue, alpha;
};

static struct rgba unpack(enum pixels_layout layout, const uint8_t *from)
{
	switch (layout) {
	case PIXELS_GRAY:
		return (struct rgba){ from[0], from[0], from[0], 255 };
	case PIXELS_GRAY_ALPHA:
		return (struct rgba){ from[0], from[0], from[0], from[1] };
	case PIXELS_RGB:
		return (struct rgba){ from[0], from[1], from[2], 255 };
	default:
		return (struct rgba){ from[0], from[1], from[2], from[3] };
	}
}

/* There are no ties: 255 is odd. */
static unsigned premultiplied(unsigned color, unsigned alpha)
{
	return (color * alpha + 127) / 255;
}

static unsigned luma(struct rgba pixel)
{
	return (pixel.red * 19595 + pixel.green * 38470 + pixel.blue * 7471 + 0x8000) >> 16;
}

/* The samples of one pixel in the order of the wire.  Returns how many there are. */
static size_t samples_of(enum wire_pixel_format format, struct rgba pixel, unsigned samples[4])
{
	bool premultiply = format == WIRE_BGRA_PREMULTIPLIED || format == WIRE_RGBA_PREMULTIPLIED;
	bool blue_first = format == WIRE_BGRA || format == WIRE_BGRA_PREMULTIPLIED || format == WIRE_BGR;
	unsigned alpha = premultiply ? pixel.alpha : 255;

	if (format == WIRE_GRAY) {
		samples[0] = luma(pixel);
		return 1;
	}
	samples[0] = premultiplied(blue_first ? pixel.blue : pixel.red, alpha);
	samples[1] = premultiplied(pixel.green, alpha);
	samples[2] = premultiplied(blue_first ? pixel.red : pixel.blue, alpha);
	samples[3] = pixel.alpha;
	return format == WIRE_RGB || format == WIRE_BGR ? 3 : 4;
}

static void pack(enum wire_pixel_format format, uint8_t *to, struct rgba pixel)
{
	unsigned samples[4];
	size_t count = samples_of(format, pixel, samples);

	for (size_t i = 0; i < count; i++) {
		if (format == WIRE_RGBA16) {
			to[2 * i] = (uint8_t)(samples[i] * 257 >> 8);
			to[2 * i + 1] = (uint8_t)(samples[i] * 257);
		} else {
			to[i] = (uint8_t)samples[i];
		}
	}
}

/* Converts one row that ends where its memory does, and compares. */
static void check_row(enum pixels_layout layout, enum wire_pixel_format format, const uint8_t *from, size_t width)
{
	size_t pixel_bytes = wire_pixel_bytes[format];
	size_t from_size = width * pixels_layout_bytes[layout];
	uint8_t *source = malloc(from_size + 1);
	uint8_t *row = malloc(width * pixel_bytes + 1);
	uint8_t expected[8];

	cr_assert(source && row);
	memcpy(source, from, from_size);
	row[width * pixel_bytes] = GUARD;
	pixels_choose(layout, format)(row, source, width);
	for (size_t x = 0; x < width; x++) {
		pack(format, expected, unpack(layout, from + x * pixels_layout_bytes[layout]));
		cr_assert_arr_eq(row + x * pixel_bytes, expected, pixel_bytes,
		                 "layout %d to format %d, width %zu, pixel %zu", layout, format, width, x);
	}
	cr_expect_eq(row[width * pixel_bytes], GUARD, "layout %d to format %d writes too far", layout, format);
	free(row);
	free(source);
}

static void check_all_formats(enum pixels_layout layout, const uint8_t *from, size_t width)
{
	for (int format = 0; format < WIRE_PIXEL_FORMATS; format++)
		check_row(layout, (enum wire_pixel_format)format, from, width);
}

Test(pixels, every_width_of_noise)
{
	uint8_t noise[WIDTH_MAX * 4];
	uint32_t state = 1;

	for (size_t i = 0; i < sizeof(noise); i++) {
		state = state * 1664525 + 1013904223;
		noise[i] = (uint8_t)(state >> 24);
	}
	for (int layout = 0; layout < PIXELS_GRAY16; layout++)
		for (size_t width = 0; width <= WIDTH_MAX; width++)
			check_all_formats((enum pixels_layout)layout, noise, width);
}

Test(pixels, every_color_with_every_alpha)
{
	static uint8_t gray_alpha[256 * 256][2];
	static uint8_t rgba[256 * 256][4];

	for (size_t i = 0; i < 256 * 256; i++) {
		uint8_t color = (uint8_t)i;
		uint8_t alpha = (uint8_t)(i >> 8);
		memcpy(gray_alpha[i], (uint8_t[]){ color, alpha }, 2);
		memcpy(rgba[i], (uint8_t[]){ color, (uint8_t)(color + 85), (uint8_t)(255 - color), alpha }, 4);
	}
	check_all_formats(PIXELS_GRAY_ALPHA, gray_alpha[0], 256 * 256);
	check_all_formats(PIXELS_RGBA, rgba[0], 256 * 256);
}

Test(pixels, every_pair_of_colors)
{
	static uint8_t rgb[256 * 256][3];

	for (size_t i = 0; i < 256 * 256; i++)
		memcpy(rgb[i], (uint8_t[]){ (uint8_t)i, (uint8_t)(i >> 8), (uint8_t)(i * 7 + (i >> 8) * 13) }, 3);
	check_all_formats(PIXELS_RGB, rgb[0], 256 * 256);
}

Test(pixels, gray_stays_what_it_is)
{
	uint8_t gray[256];
	uint8_t rgb[256][3];
	uint8_t row[256];

	for (size_t i = 0; i < 256; i++) {
		gray[i] = (uint8_t)i;
		memset(rgb[i], (int)i, 3);
	}
	check_all_formats(PIXELS_GRAY, gray, 256);
	pixels_choose(PIXELS_RGB, WIRE_GRAY)(row, rgb[0], 256);
	cr_expect_arr_eq(row, gray, sizeof(gray));
}

/* Of every 16-bit sample, in every place of a pixel: 8 bits are the nearest, and 16 bits stay what they are. */
Test(pixels, every_deep_sample)
{
	static const uint8_t channels[PIXELS_LAYOUTS] = { 1, 2, 3, 4, 1, 2, 3, 4 };

	for (int layout = PIXELS_GRAY16; layout < PIXELS_LAYOUTS; layout++) {
		enum pixels_layout shallow = (enum pixels_layout)(layout - PIXELS_GRAY16);
		for (uint32_t sample = 0; sample <= UINT16_MAX; sample++) {
			uint16_t deep[4] = { (uint16_t)sample, (uint16_t)(sample + 21845),
				             (uint16_t)(UINT16_MAX - sample), (uint16_t)(sample * 7) };
			uint8_t near[4], row[8], expected[8], wide[8], swapped[8];
			for (int i = 0; i < 4; i++)
				near[i] = (uint8_t)(((uint32_t)deep[i] + 128) / 257);
			pixels_choose((enum pixels_layout)layout, WIRE_RGBA)(row, (uint8_t *)deep, 1);
			pixels_choose(shallow, WIRE_RGBA)(expected, near, 1);
			cr_assert_arr_eq(row, expected, 4, "layout %d, sample %u", layout, sample);
			pixels_choose((enum pixels_layout)layout, WIRE_RGBA16)(wide, (uint8_t *)deep, 1);
			for (int i = 0; i < channels[layout]; i++) {
				swapped[2 * i] = (uint8_t)(deep[i] >> 8);
				swapped[2 * i + 1] = (uint8_t)deep[i];
			}
			cr_assert_arr_eq(wide, swapped, 2, "layout %d, sample %u", layout, sample);
			if (channels[layout] == 2)
				cr_assert_arr_eq(wide + 6, swapped + 2, 2);
			if (channels[layout] >= 3)
				cr_assert_arr_eq(wide, swapped, (size_t)channels[layout] * 2);
		}
	}
}

/* Fixed numbers, so that a mistake which the arithmetic above shares would be seen. */
Test(pixels, by_hand)
{
	static const uint8_t pixel[4] = { 200, 100, 50, 128 };
	static const uint8_t expected[WIRE_PIXEL_FORMATS][8] = {
		[WIRE_BGRA] = { 50, 100, 200, 128 },
		[WIRE_RGBA] = { 200, 100, 50, 128 },
		[WIRE_BGRA_PREMULTIPLIED] = { 25, 50, 100, 128 },
		[WIRE_RGBA_PREMULTIPLIED] = { 100, 50, 25, 128 },
		[WIRE_RGB] = { 200, 100, 50 },
		[WIRE_BGR] = { 50, 100, 200 },
		[WIRE_GRAY] = { 124 },
		[WIRE_RGBA16] = { 200, 200, 100, 100, 50, 50, 128, 128 },
	};
	uint8_t row[8];

	for (int format = 0; format < WIRE_PIXEL_FORMATS; format++) {
		pixels_choose(PIXELS_RGBA, (enum wire_pixel_format)format)(row, pixel, 1);
		cr_expect_arr_eq(row, expected[format], wire_pixel_bytes[format], "format %d", format);
	}
}
