/* SPDX-License-Identifier: MIT */
#include "pixels.h"

#include <stdbool.h>
#include <string.h>

struct pixel {
	uint8_t red, green, blue, alpha;
};

static inline struct pixel load(enum pixels_layout layout, const uint8_t *from)
{
	switch (layout) {
	case PIXELS_GRAY:
		return (struct pixel){ from[0], from[0], from[0], 255 };
	case PIXELS_GRAY_ALPHA:
		return (struct pixel){ from[0], from[0], from[0], from[1] };
	case PIXELS_RGB:
		return (struct pixel){ from[0], from[1], from[2], 255 };
	default:
		return (struct pixel){ from[0], from[1], from[2], from[3] };
	}
}

/* c * a / 255, rounded: exact for all bytes. */
static inline uint8_t multiply(uint8_t color, uint8_t alpha)
{
	uint32_t product = (uint32_t)color * alpha + 128;

	return (uint8_t)((product + (product >> 8)) >> 8);
}

static inline struct pixel premultiply(struct pixel pixel)
{
	return (struct pixel){ multiply(pixel.red, pixel.alpha), multiply(pixel.green, pixel.alpha),
		               multiply(pixel.blue, pixel.alpha), pixel.alpha };
}

/* The weights of ITU-R BT.601 in 16-bit fixed point; a gray pixel stays what it is. */
static inline uint8_t luma(struct pixel pixel)
{
	return (uint8_t)((pixel.red * 19595U + pixel.green * 38470U + pixel.blue * 7471U + 0x8000U) >> 16);
}

static inline void store(enum wire_pixel_format format, uint8_t *to, struct pixel pixel)
{
	if (format == WIRE_BGRA_PREMULTIPLIED || format == WIRE_RGBA_PREMULTIPLIED)
		pixel = premultiply(pixel);
	bool blue_first = format == WIRE_BGRA || format == WIRE_BGRA_PREMULTIPLIED || format == WIRE_BGR;
	switch (format) {
	case WIRE_GRAY:
		to[0] = luma(pixel);
		break;
	case WIRE_RGBA16:
		to[0] = to[1] = pixel.red;
		to[2] = to[3] = pixel.green;
		to[4] = to[5] = pixel.blue;
		to[6] = to[7] = pixel.alpha;
		break;
	default:
		to[0] = blue_first ? pixel.blue : pixel.red;
		to[1] = pixel.green;
		to[2] = blue_first ? pixel.red : pixel.blue;
		if (wire_pixel_bytes[format] == 4)
			to[3] = pixel.alpha;
	}
}

struct deep_pixel {
	uint16_t red, green, blue, alpha;
};

static inline struct deep_pixel load_deep(enum pixels_layout layout, const uint8_t *from)
{
	uint16_t samples[4] = { 0 };

	memcpy(samples, from, pixels_layout_bytes[layout]);
	switch (layout) {
	case PIXELS_GRAY16:
		return (struct deep_pixel){ samples[0], samples[0], samples[0], UINT16_MAX };
	case PIXELS_GRAY_ALPHA16:
		return (struct deep_pixel){ samples[0], samples[0], samples[0], samples[1] };
	case PIXELS_RGB16:
		return (struct deep_pixel){ samples[0], samples[1], samples[2], UINT16_MAX };
	default:
		return (struct deep_pixel){ samples[0], samples[1], samples[2], samples[3] };
	}
}

/* v / 257, rounded: exact for all 16-bit values. */
static inline uint8_t narrow(uint16_t sample)
{
	return (uint8_t)((sample * 255U + 32895U) >> 16);
}

static inline void store_deep(enum wire_pixel_format format, uint8_t *to, struct deep_pixel pixel)
{
	if (format == WIRE_RGBA16) {
		const uint16_t samples[] = { __builtin_bswap16(pixel.red), __builtin_bswap16(pixel.green),
			                     __builtin_bswap16(pixel.blue), __builtin_bswap16(pixel.alpha) };
		memcpy(to, samples, sizeof(samples));
		return;
	}
	store(format, to,
	      (struct pixel){ narrow(pixel.red), narrow(pixel.green), narrow(pixel.blue), narrow(pixel.alpha) });
}

/* With constants for the first two arguments, the compiler leaves one plain loop. */
static inline __attribute__((always_inline)) void convert(enum pixels_layout layout, enum wire_pixel_format format,
                                                          uint8_t *restrict to, const uint8_t *restrict from,
                                                          size_t width)
{
	size_t from_bytes = pixels_layout_bytes[layout];
	size_t to_bytes = wire_pixel_bytes[format];

	for (size_t x = 0; x < width; x++)
		if (layout < PIXELS_GRAY16)
			store(format, to + x * to_bytes, load(layout, from + x * from_bytes));
		else
			store_deep(format, to + x * to_bytes, load_deep(layout, from + x * from_bytes));
}

/* One function for each pair. */
#define CONVERTER(layout, format)                                                                                      \
	static void layout##_to_##format(uint8_t *to, const uint8_t *from, size_t width)                               \
	{                                                                                                              \
		convert(layout, format, to, from, width);                                                              \
	}
#define CONVERTERS(layout)                                                                                             \
	CONVERTER(layout, WIRE_BGRA)                                                                                   \
	CONVERTER(layout, WIRE_RGBA)                                                                                   \
	CONVERTER(layout, WIRE_BGRA_PREMULTIPLIED)                                                                     \
	CONVERTER(layout, WIRE_RGBA_PREMULTIPLIED)                                                                     \
	CONVERTER(layout, WIRE_RGB)                                                                                    \
	CONVERTER(layout, WIRE_BGR)                                                                                    \
	CONVERTER(layout, WIRE_GRAY)                                                                                   \
	CONVERTER(layout, WIRE_RGBA16)

CONVERTERS(PIXELS_GRAY)
CONVERTERS(PIXELS_GRAY_ALPHA)
CONVERTERS(PIXELS_RGB)
CONVERTERS(PIXELS_RGBA)
CONVERTERS(PIXELS_GRAY16)
CONVERTERS(PIXELS_GRAY_ALPHA16)
CONVERTERS(PIXELS_RGB16)
CONVERTERS(PIXELS_RGBA16)

#define ROW(layout)                                                                                                    \
	[layout] = {                                                                                                   \
		[WIRE_BGRA] = layout##_to_WIRE_BGRA,                                                                   \
		[WIRE_RGBA] = layout##_to_WIRE_RGBA,                                                                   \
		[WIRE_BGRA_PREMULTIPLIED] = layout##_to_WIRE_BGRA_PREMULTIPLIED,                                       \
		[WIRE_RGBA_PREMULTIPLIED] = layout##_to_WIRE_RGBA_PREMULTIPLIED,                                       \
		[WIRE_RGB] = layout##_to_WIRE_RGB,                                                                     \
		[WIRE_BGR] = layout##_to_WIRE_BGR,                                                                     \
		[WIRE_GRAY] = layout##_to_WIRE_GRAY,                                                                   \
		[WIRE_RGBA16] = layout##_to_WIRE_RGBA16,                                                               \
	}

static pixels_converter *const converters[PIXELS_LAYOUTS][WIRE_PIXEL_FORMATS] = {
	ROW(PIXELS_GRAY),   ROW(PIXELS_GRAY_ALPHA),   ROW(PIXELS_RGB),   ROW(PIXELS_RGBA),
	ROW(PIXELS_GRAY16), ROW(PIXELS_GRAY_ALPHA16), ROW(PIXELS_RGB16), ROW(PIXELS_RGBA16),
};

pixels_converter *pixels_choose(enum pixels_layout from, enum wire_pixel_format to)
{
	return converters[from][to];
}
