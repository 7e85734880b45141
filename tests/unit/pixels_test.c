/* SPDX-License-Identifier: MIT */
/* Every converter against plain arithmetic, for every value that the arithmetic depends on. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/pixels/halves.h"
#include "decoders/pixels/light.h"
#include "decoders/pixels/pixels.h"

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

/* Of samples of any size. */
static unsigned luma(struct rgba pixel)
{
	return (unsigned)((pixel.red * 19595ULL + pixel.green * 38470ULL + pixel.blue * 7471ULL + 0x8000) >> 16);
}

/* The samples of one pixel in the order of the wire, whatever their size.  Returns how many there are. */
static size_t samples_of(enum wire_pixel_format format, struct rgba pixel, unsigned samples[4])
{
	bool premultiply = format == WIRE_BGRA_PREMULTIPLIED || format == WIRE_RGBA_PREMULTIPLIED;
	bool blue_first = format == WIRE_BGRA || format == WIRE_BGRA_PREMULTIPLIED || format == WIRE_BGR;
	unsigned alpha = premultiply ? pixel.alpha : 255;

	switch (format) {
	case WIRE_GRAY:
	case WIRE_GRAY16:
	case WIRE_GRAY_ALPHA:
	case WIRE_GRAY_ALPHA16:
		samples[0] = luma(pixel);
		samples[1] = pixel.alpha;
		return format == WIRE_GRAY || format == WIRE_GRAY16 ? 1 : 2;
	case WIRE_RGBA16:
	case WIRE_RGB16:
		memcpy(samples, &pixel, sizeof(pixel));
		return format == WIRE_RGB16 ? 3 : 4;
	default:
		samples[0] = premultiplied(blue_first ? pixel.blue : pixel.red, alpha);
		samples[1] = premultiplied(pixel.green, alpha);
		samples[2] = premultiplied(blue_first ? pixel.red : pixel.blue, alpha);
		samples[3] = pixel.alpha;
		return format == WIRE_RGB || format == WIRE_BGR ? 3 : 4;
	}
}

static bool is_deep(enum wire_pixel_format format)
{
	return format == WIRE_GRAY16 || format == WIRE_GRAY_ALPHA16 || format == WIRE_RGB16 || format == WIRE_RGBA16;
}

static bool is_float(enum wire_pixel_format format)
{
	return format == WIRE_RGBA_F16 || format == WIRE_RGBA_F32;
}

static struct rgba deepened(struct rgba pixel)
{
	return (struct rgba){ pixel.red * 257, pixel.green * 257, pixel.blue * 257, pixel.alpha * 257 };
}

/* sRGB as its standard has it. */
static double linear(double sample)
{
	return sample <= 0.04045 ? sample / 12.92 : pow((sample + 0.055) / 1.055, 2.4);
}

static double encoded(double light)
{
	light = light > 0 ? light < 1 ? light : 1 : 0;
	return light <= 0.0031308 ? light * 12.92 : 1.055 * pow(light, 1 / 2.4) - 0.055;
}

static void pack_floats(enum wire_pixel_format format, uint8_t *to, const float samples[4])
{
	if (format == WIRE_RGBA_F32)
		memcpy(to, samples, 16);
	for (int i = 0; i < 4 && format == WIRE_RGBA_F16; i++)
		memcpy(to + 2 * i, &(uint16_t){ half_from_float(samples[i]) }, 2);
}

/* Of integers that are all of 16 bits. */
static void pack_deep(enum wire_pixel_format format, uint8_t *to, struct rgba pixel)
{
	unsigned samples[4];

	if (is_float(format)) {
		pack_floats(format, to,
		            (float[]){ (float)linear(pixel.red / 65535.0), (float)linear(pixel.green / 65535.0),
		                       (float)linear(pixel.blue / 65535.0), (float)pixel.alpha / 65535 });
		return;
	}
	size_t count = samples_of(format, pixel, samples);
	for (size_t i = 0; i < count; i++)
		memcpy(to + 2 * i, &(uint16_t){ (uint16_t)samples[i] }, 2);
}

static void pack(enum wire_pixel_format format, uint8_t *to, struct rgba pixel)
{
	unsigned samples[4];

	if (is_deep(format) || is_float(format)) {
		pack_deep(format, to, deepened(pixel));
		return;
	}
	size_t count = samples_of(format, pixel, samples);
	for (size_t i = 0; i < count; i++)
		to[i] = (uint8_t)samples[i];
}

/* Converts one row that ends where its memory does, and compares. */
static void check_row(enum pixels_layout layout, enum wire_pixel_format format, const uint8_t *from, size_t width)
{
	size_t pixel_bytes = wire_pixel_bytes[format];
	size_t from_size = width * pixels_layout_bytes[layout];
	uint8_t *source = malloc(from_size + 1);
	uint8_t *row = malloc(width * pixel_bytes + 1);
	uint8_t expected[16];

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

static struct rgba unpack_deep(enum pixels_layout layout, const uint16_t *from)
{
	switch (layout) {
	case PIXELS_GRAY16:
		return (struct rgba){ from[0], from[0], from[0], 65535 };
	case PIXELS_GRAY_ALPHA16:
		return (struct rgba){ from[0], from[0], from[0], from[1] };
	case PIXELS_RGB16:
		return (struct rgba){ from[0], from[1], from[2], 65535 };
	default:
		return (struct rgba){ from[0], from[1], from[2], from[3] };
	}
}

/* What is nearest of 8 bits. */
static struct rgba narrowed(struct rgba pixel)
{
	return (struct rgba){ (pixel.red + 128) / 257, (pixel.green + 128) / 257, (pixel.blue + 128) / 257,
		              (pixel.alpha + 128) / 257 };
}

/* Of every 16-bit sample, in every place of a pixel: 8 bits are the nearest, and 16 bits stay what they are. */
Test(pixels, every_deep_sample)
{
	for (int layout = PIXELS_GRAY16; layout <= PIXELS_RGBA16; layout++) {
		for (uint32_t sample = 0; sample <= UINT16_MAX; sample++) {
			uint16_t deep[4] = { (uint16_t)sample, (uint16_t)(sample + 21845),
				             (uint16_t)(UINT16_MAX - sample), (uint16_t)(sample * 7) };
			struct rgba pixel = unpack_deep((enum pixels_layout)layout, deep);
			for (enum wire_pixel_format format = 0; format < WIRE_PIXEL_FORMATS; format++) {
				uint8_t row[16] = { 0 }, expected[16] = { 0 };
				if (is_deep(format) || is_float(format))
					pack_deep(format, expected, pixel);
				else
					pack(format, expected, narrowed(pixel));
				pixels_choose((enum pixels_layout)layout, format)(row, (uint8_t *)deep, 1);
				cr_assert_arr_eq(row, expected, sizeof(row), "layout %d, format %d, sample %u", layout,
				                 format, sample);
			}
		}
	}
}

/* ---- floats ---- */

static unsigned as_bits(float value)
{
	unsigned bits = 0;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

Test(pixels, light_is_the_nearest_float)
{
	for (unsigned sample = 0; sample <= UINT16_MAX; sample++) {
		float light = light_of((uint16_t)sample);
		cr_assert_eq(light, (float)linear(sample / 65535.0), "of %u", sample);
		cr_assert_eq(light_of((uint16_t)sample), light, "the second time");
	}
	cr_expect_eq(light_of(UINT16_MAX), 1);
	for (float sample = 1e-9F; sample < 1e15F; sample *= 1.37F) {
		cr_assert_eq(light_of_float(sample), (float)linear((double)sample), "of %a", (double)sample);
		cr_assert_eq(light_of_float(-sample), -light_of_float(sample));
	}
	cr_expect_eq(light_of_float(0), 0);
	cr_expect(isnan(light_of_float(NAN)));
	cr_expect_eq(light_of_float(-INFINITY), -INFINITY);
}

/* What became linear light becomes the same integers again, as singles, and of 8 bits as halves, too. */
Test(pixels, light_and_back)
{
	for (unsigned sample = 0; sample <= UINT16_MAX; sample++) {
		const uint16_t deep[4] = { (uint16_t)sample, (uint16_t)sample, (uint16_t)sample, (uint16_t)sample };
		uint8_t single[16], half[8], back[8], bytes[4];
		float wide[4];
		pixels_choose(PIXELS_RGBA16, WIRE_RGBA_F32)(single, (const uint8_t *)deep, 1);
		pixels_choose(PIXELS_RGBA_F32, WIRE_RGBA16)(back, single, 1);
		cr_assert_arr_eq(back, deep, sizeof(back), "of %u", sample);
		if (sample % 257 != 0)
			continue;
		pixels_choose(PIXELS_RGBA16, WIRE_RGBA_F16)(half, (const uint8_t *)deep, 1);
		for (int i = 0; i < 4; i++) {
			uint16_t bits = 0;
			memcpy(&bits, half + 2 * i, 2);
			wide[i] = half_to_float(bits);
		}
		pixels_choose(PIXELS_RGBA_F32, WIRE_RGBA)(bytes, (const uint8_t *)wide, 1);
		for (int i = 0; i < 4; i++)
			cr_assert_eq(bytes[i], sample / 257, "of %u", sample);
	}
}

static const float oddities[] = { 0,      -0.0F, 1,    0.5F,  0.25F, 0.0031308F, 1e-6F, 2,   65504,    1e9F,
	                          1e-30F, -1,    0.9F, 0.01F, 0.1F,  0.75F,      3e-8F, NAN, INFINITY, -INFINITY };
enum { ODDITIES = sizeof(oddities) / sizeof(oddities[0]) };

static struct rgba encode_pixel(const float samples[4])
{
	unsigned integers[4];

	for (int i = 0; i < 4; i++) {
		double value = isnan(samples[i]) ? 0 : (double)samples[i];
		double alpha = value > 0 ? value < 1 ? value : 1 : 0;
		integers[i] = (unsigned)lround((i < 3 ? encoded(value) : alpha) * 65535);
	}
	return (struct rgba){ integers[0], integers[1], integers[2], integers[3] };
}

/* Each layout of floats to each format: floats as they are, and integers by the curve of sRGB. */
Test(pixels, every_layout_of_floats)
{
	for (unsigned at = 0; at < ODDITIES; at++) {
		const float given[4] = { oddities[at], oddities[(at + 3) % ODDITIES], oddities[(at + 7) % ODDITIES],
			                 oddities[(at + 11) % ODDITIES] };
		const float rows[][4] = { { given[0], given[0], given[0], 1 },
			                  { given[0], given[0], given[0], given[1] },
			                  { given[0], given[1], given[2], 1 },
			                  { given[0], given[1], given[2], given[3] } };
		for (int layout = PIXELS_GRAY_F32; layout < PIXELS_LAYOUTS; layout++) {
			const float *all = rows[layout - PIXELS_GRAY_F32];
			uint8_t row[17], light[16] = { 0 }, deep[8], expected[16] = { 0 };
			struct rgba pixel = encode_pixel(all);
			for (enum wire_pixel_format format = 0; format < WIRE_PIXEL_FORMATS; format++) {
				size_t size = wire_pixel_bytes[format];
				memset(row, GUARD, sizeof(row));
				pixels_choose((enum pixels_layout)layout, format)(row, (const uint8_t *)given, 1);
				cr_assert_eq(row[size], GUARD);
				if (is_float(format)) {
					pack_floats(format, light, all);
					cr_assert_arr_eq(row, light, size, "layout %d, format %d", layout, format);
				} else if (is_deep(format)) {
					pack_deep(format, deep, pixel);
					for (size_t i = 0; i < size; i += 2) {
						uint16_t is = 0, should = 0;
						memcpy(&is, row + i, 2);
						memcpy(&should, deep + i, 2);
						cr_assert_leq(abs(is - should), 1, "layout %d, format %d", layout,
						              format);
					}
				} else {
					pack(format, expected, narrowed(pixel));
					for (size_t i = 0; i < size; i++)
						cr_assert_leq(abs(row[i] - expected[i]), 1, "layout %d, format %d",
						              layout, format);
				}
			}
		}
	}
}

/* Every half, and what lies between two of them. */
Test(pixels, halves)
{
	for (unsigned half = 0; half <= UINT16_MAX; half++) {
		float value = half_to_float((uint16_t)half);
		bool number = (half & 0x7fff) <= 0x7c00;
		cr_assert_eq(isnan(value), !number);
		cr_assert_eq(number ? half_from_float(value) : 0, number ? half : 0, "half %u", half);
		cr_assert(number || isnan(half_to_float(half_from_float(value))));
		if ((half & 0x7fff) >= 0x7bff)
			continue;
		float next = half_to_float((uint16_t)(half + 1)), middle = (value + next) / 2;
		unsigned even = half % 2 == 0 ? half : half + 1;
		cr_assert_eq(half_from_float(middle), even, "between %u and the next", half);
		cr_assert_eq(half_from_float(nextafterf(middle, value)), half);
		cr_assert_eq(half_from_float(nextafterf(middle, next)), half + 1);
	}
	cr_expect_eq(half_from_float(65519), 0x7bff);
	cr_expect_eq(half_from_float(65520), 0x7c00);
	cr_expect_eq(half_from_float(-1e30F), 0xfc00);
	cr_expect_eq(half_from_float(1e-30F), 0);
	cr_expect_eq(as_bits(half_to_float(0x8000)), 0x80000000);
}

/* ---- which format ---- */

static enum wire_pixel_format native(uint32_t color, uint32_t depth, uint32_t flags, uint32_t wanted)
{
	const struct wire_image image = { .color = color, .depth = depth, .flags = flags };

	return wire_choose_format(&image, wanted);
}

Test(pixels, the_format_that_loses_least)
{
	const uint32_t all = WIRE_FORMAT_BIT(WIRE_PIXEL_FORMATS) - 1, alpha = WIRE_IMAGE_ALPHA;
	const uint32_t gray = WIRE_COLOR_GRAY, color = WIRE_COLOR_YCBCR, floats = WIRE_IMAGE_FLOAT;

	cr_expect_eq(native(gray, 1, 0, all), WIRE_GRAY);
	cr_expect_eq(native(gray, 8, alpha, all), WIRE_GRAY_ALPHA);
	cr_expect_eq(native(gray, 16, 0, all), WIRE_GRAY16);
	cr_expect_eq(native(gray, 10, alpha, all), WIRE_GRAY_ALPHA16);
	cr_expect_eq(native(color, 8, 0, all), WIRE_RGB);
	cr_expect_eq(native(WIRE_COLOR_PALETTE, 8, alpha, all), WIRE_RGBA);
	cr_expect_eq(native(color, 12, 0, all), WIRE_RGB16);
	cr_expect_eq(native(color, 16, alpha, all), WIRE_RGBA16);
	cr_expect_eq(native(color, 16, floats, all), WIRE_RGBA_F16);
	cr_expect_eq(native(gray, 32, floats | alpha, all), WIRE_RGBA_F32);
	/* Where something must be lost. */
	cr_expect_eq(native(color, 8, alpha, all & ~WIRE_FORMAT_BIT(WIRE_RGBA)), WIRE_BGRA);
	cr_expect_eq(native(color, 8, alpha, WIRE_FORMAT_BIT(WIRE_RGB) | WIRE_FORMAT_BIT(WIRE_BGRA_PREMULTIPLIED)),
	             WIRE_BGRA_PREMULTIPLIED);
	cr_expect_eq(native(color, 16, 0, WIRE_FORMAT_BIT(WIRE_GRAY16) | WIRE_FORMAT_BIT(WIRE_BGR)), WIRE_BGR);
	cr_expect_eq(native(color, 16, alpha, WIRE_FORMAT_BIT(WIRE_RGB16) | WIRE_FORMAT_BIT(WIRE_RGBA)), WIRE_RGBA);
	cr_expect_eq(native(color, 32, floats, WIRE_FORMAT_BIT(WIRE_RGB16) | WIRE_FORMAT_BIT(WIRE_RGBA_F16)),
	             WIRE_RGBA_F16);
	cr_expect_eq(native(color, 16, 0, WIRE_FORMAT_BIT(WIRE_RGBA_F32) | WIRE_FORMAT_BIT(WIRE_RGBA_F16)),
	             WIRE_RGBA_F32);
	for (uint32_t format = 0; format < WIRE_PIXEL_FORMATS; format++)
		cr_expect_eq(native(color, 8, alpha, WIRE_FORMAT_BIT(format)), format);
	cr_expect_eq(wire_alpha_formats() & WIRE_FORMAT_BIT(WIRE_RGB16), 0);
	cr_expect_neq(wire_alpha_formats() & WIRE_FORMAT_BIT(WIRE_GRAY_ALPHA), 0);
}

/* The sizes and the parts of each format say the same. */
Test(pixels, forms_have_the_size_of_their_pixels)
{
	for (int format = 0; format < WIRE_PIXEL_FORMATS; format++) {
		const struct wire_pixel_form *form = &wire_pixel_forms[format];
		cr_expect_eq(form->channels * form->sample_bytes, wire_pixel_bytes[format]);
		cr_expect_leq(wire_pixel_bytes[format], WIRE_PIXEL_BYTES_MAX);
	}
	for (int layout = 0; layout < PIXELS_LAYOUTS; layout++)
		for (int format = 0; format < WIRE_PIXEL_FORMATS; format++)
			if (pixels_as_is((enum pixels_layout)layout, (uint32_t)format))
				cr_expect_eq(pixels_layout_bytes[layout], wire_pixel_bytes[format]);
}

/* Fixed numbers, so that a mistake which the arithmetic above shares would be seen. */
Test(pixels, by_hand)
{
	static const uint8_t pixel[4] = { 200, 100, 50, 128 };
	static const uint8_t expected[WIRE_PIXEL_FORMATS][16] = {
		[WIRE_BGRA] = { 50, 100, 200, 128 },
		[WIRE_RGBA] = { 200, 100, 50, 128 },
		[WIRE_BGRA_PREMULTIPLIED] = { 25, 50, 100, 128 },
		[WIRE_RGBA_PREMULTIPLIED] = { 100, 50, 25, 128 },
		[WIRE_RGB] = { 200, 100, 50 },
		[WIRE_BGR] = { 50, 100, 200 },
		[WIRE_GRAY] = { 124 },
		[WIRE_RGBA16] = { 200, 200, 100, 100, 50, 50, 128, 128 },
		[WIRE_GRAY_ALPHA] = { 124, 128 },
		[WIRE_GRAY16] = { 0xaf, 0x7c }, /* 31919 */
		[WIRE_GRAY_ALPHA16] = { 0xaf, 0x7c, 128, 128 },
		[WIRE_RGB16] = { 200, 200, 100, 100, 50, 50 },
		/* 0.5775804, 0.1274376, 0.0318960, 0.5019608 */
		[WIRE_RGBA_F16] = { 0x9f, 0x38, 0x14, 0x30, 0x15, 0x28, 0x04, 0x38 },
		[WIRE_RGBA_F32] = { 0x50, 0xdc, 0x13, 0x3f, 0x06, 0x7f, 0x02, 0x3e, 0x6a, 0xa5, 0x02, 0x3d, 0x81, 0x80,
		                    0x00, 0x3f },
	};
	uint8_t row[16];

	for (int format = 0; format < WIRE_PIXEL_FORMATS; format++) {
		pixels_choose(PIXELS_RGBA, (enum wire_pixel_format)format)(row, pixel, 1);
		cr_expect_arr_eq(row, expected[format], wire_pixel_bytes[format], "format %d", format);
	}
}
