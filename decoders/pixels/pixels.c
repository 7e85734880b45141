/* SPDX-License-Identifier: MIT */
#include "pixels.h"

#include <string.h>

#include "decoders/pixels/halves.h"
#include "light.h"
#include "tone.h"

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

/* Of formats of 8 bits. */
static inline void store(enum wire_pixel_format format, uint8_t *to, struct pixel pixel)
{
	if (wire_pixel_forms[format].premultiplied)
		pixel = premultiply(pixel);
	bool blue_first = pixels_blue_first(format);
	switch (format) {
	case WIRE_GRAY:
		to[0] = luma(pixel);
		break;
	case WIRE_GRAY_ALPHA:
		to[0] = luma(pixel);
		to[1] = pixel.alpha;
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

	memcpy(samples, from, layout < PIXELS_LAYOUTS ? pixels_layout_bytes[layout] : 0);
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

static inline uint16_t luma_deep(struct deep_pixel pixel)
{
	return (uint16_t)((pixel.red * 19595U + pixel.green * 38470U + pixel.blue * 7471U + 0x8000U) >> 16);
}

/* Of integers; those of 16 bits are in the machine's order. */
static inline void store_deep(enum wire_pixel_format format, uint8_t *to, struct deep_pixel pixel)
{
	if (!wire_pixels_deep(format)) {
		store(format, to,
		      (struct pixel){ narrow(pixel.red), narrow(pixel.green), narrow(pixel.blue),
		                      narrow(pixel.alpha) });
		return;
	}
	bool gray = wire_pixel_forms[format].channels < 3;
	uint16_t samples[] = { gray ? luma_deep(pixel) : pixel.red, gray ? pixel.alpha : pixel.green, pixel.blue,
		               pixel.alpha };
	memcpy(to, samples, wire_pixel_bytes[format]);
}

static inline struct deep_pixel widen(struct pixel pixel)
{
	return (struct deep_pixel){ pixel.red * 257, pixel.green * 257, pixel.blue * 257, pixel.alpha * 257 };
}

/* With constants for the first two arguments, the compiler leaves one plain loop. */
static inline __attribute__((always_inline)) void convert(enum pixels_layout layout, enum wire_pixel_format format,
                                                          uint8_t *restrict to, const uint8_t *restrict from,
                                                          size_t width)
{
	size_t from_bytes = pixels_layout_bytes[layout];
	size_t to_bytes = wire_pixel_bytes[format];

	for (size_t x = 0; x < width; x++)
		if (layout >= PIXELS_GRAY16)
			store_deep(format, to + x * to_bytes, load_deep(layout, from + x * from_bytes));
		else if (wire_pixels_deep(format))
			store_deep(format, to + x * to_bytes, widen(load(layout, from + x * from_bytes)));
		else
			store(format, to + x * to_bytes, load(layout, from + x * from_bytes));
}

/* ---- floats: the time goes into the functions of sRGB, so that one loop does for all ---- */

struct light_pixel {
	float red, green, blue, alpha;
};

static struct tone tone;

static struct light_pixel load_light(enum pixels_layout layout, const uint8_t *from)
{
	float samples[4] = { 0 };

	if (layout < PIXELS_GRAY_F32) {
		struct deep_pixel deep = layout < PIXELS_GRAY16 ? widen(load(layout, from)) : load_deep(layout, from);
		return (struct light_pixel){ light_of(deep.red), light_of(deep.green), light_of(deep.blue),
			                     (float)deep.alpha / UINT16_MAX };
	}
	memcpy(samples, from, layout < PIXELS_LAYOUTS ? pixels_layout_bytes[layout] : 0);
	switch (layout) {
	case PIXELS_GRAY_F32:
		return (struct light_pixel){ samples[0], samples[0], samples[0], 1 };
	case PIXELS_GRAY_ALPHA_F32:
		return (struct light_pixel){ samples[0], samples[0], samples[0], samples[1] };
	case PIXELS_RGB_F32:
		return (struct light_pixel){ samples[0], samples[1], samples[2], 1 };
	default:
		return (struct light_pixel){ samples[0], samples[1], samples[2], samples[3] };
	}
}

static uint16_t opacity(float alpha)
{
	if (!(alpha > 0))
		return 0;
	float exact = alpha >= 1 ? UINT16_MAX : alpha * UINT16_MAX;
	uint16_t whole = (uint16_t)exact;
	return (uint16_t)(whole + (exact - (float)whole >= 0.5F ? 1 : 0));
}

static void store_light(enum wire_pixel_format format, uint8_t *to, const struct light_pixel *pixel)
{
	const float samples[] = { pixel->red, pixel->green, pixel->blue, pixel->alpha };
	uint16_t halves[4];

	if (format == WIRE_RGBA_F32) {
		memcpy(to, samples, sizeof(samples));
	} else if (format == WIRE_RGBA_F16) {
		for (int i = 0; i < 4; i++)
			halves[i] = half_from_float(samples[i]);
		memcpy(to, halves, sizeof(halves));
	} else {
		store_deep(format, to,
		           (struct deep_pixel){ tone_encode(&tone, pixel->red), tone_encode(&tone, pixel->green),
		                                tone_encode(&tone, pixel->blue), opacity(pixel->alpha) });
	}
}

static __attribute__((noinline)) void convert_light(enum pixels_layout layout, enum wire_pixel_format format,
                                                    uint8_t *to, const uint8_t *from, size_t width)
{
	for (size_t x = 0; x < width; x++) {
		struct light_pixel pixel = load_light(layout, from + x * pixels_layout_bytes[layout]);
		store_light(format, to + x * wire_pixel_bytes[format], &pixel);
	}
}

/* ---- the table ---- */

/* One function for each pair. */
#define CONVERTER(layout, format)                                                                                      \
	static void layout##_to_##format(uint8_t *to, const uint8_t *from, size_t width)                               \
	{                                                                                                              \
		if (layout >= PIXELS_GRAY_F32 || wire_pixel_forms[format].floats)                                      \
			convert_light(layout, format, to, from, width);                                                \
		else                                                                                                   \
			convert(layout, format, to, from, width);                                                      \
	}
#define FORMATS(layout, do_with)                                                                                       \
	do_with(layout, WIRE_BGRA) do_with(layout, WIRE_RGBA) do_with(layout, WIRE_BGRA_PREMULTIPLIED)                 \
	        do_with(layout, WIRE_RGBA_PREMULTIPLIED) do_with(layout, WIRE_RGB) do_with(layout, WIRE_BGR)           \
	                do_with(layout, WIRE_GRAY) do_with(layout, WIRE_RGBA16) do_with(layout, WIRE_GRAY_ALPHA)       \
	                        do_with(layout, WIRE_GRAY16) do_with(layout, WIRE_GRAY_ALPHA16)                        \
	                                do_with(layout, WIRE_RGB16) do_with(layout, WIRE_RGBA_F16)                     \
	                                        do_with(layout, WIRE_RGBA_F32)

FORMATS(PIXELS_GRAY, CONVERTER)
FORMATS(PIXELS_GRAY_ALPHA, CONVERTER)
FORMATS(PIXELS_RGB, CONVERTER)
FORMATS(PIXELS_RGBA, CONVERTER)
FORMATS(PIXELS_GRAY16, CONVERTER)
FORMATS(PIXELS_GRAY_ALPHA16, CONVERTER)
FORMATS(PIXELS_RGB16, CONVERTER)
FORMATS(PIXELS_RGBA16, CONVERTER)
FORMATS(PIXELS_GRAY_F32, CONVERTER)
FORMATS(PIXELS_GRAY_ALPHA_F32, CONVERTER)
FORMATS(PIXELS_RGB_F32, CONVERTER)
FORMATS(PIXELS_RGBA_F32, CONVERTER)

#define CELL(layout, format) [format] = layout##_to_##format,
#define ROW(layout) [layout] = { FORMATS(layout, CELL) }

static pixels_converter *const converters[PIXELS_LAYOUTS][WIRE_PIXEL_FORMATS] = {
	ROW(PIXELS_GRAY),     ROW(PIXELS_GRAY_ALPHA),     ROW(PIXELS_RGB),     ROW(PIXELS_RGBA),
	ROW(PIXELS_GRAY16),   ROW(PIXELS_GRAY_ALPHA16),   ROW(PIXELS_RGB16),   ROW(PIXELS_RGBA16),
	ROW(PIXELS_GRAY_F32), ROW(PIXELS_GRAY_ALPHA_F32), ROW(PIXELS_RGB_F32), ROW(PIXELS_RGBA_F32),
};

pixels_converter *pixels_choose(enum pixels_layout from, enum wire_pixel_format to)
{
	static bool prepared;

	if (from >= PIXELS_GRAY_F32 && !wire_pixel_forms[to].floats && !prepared) {
		tone_prepare(&tone);
		prepared = true;
	}
	return converters[from][to];
}

bool pixels_as_is(enum pixels_layout layout, uint32_t format)
{
	static const uint8_t same[PIXELS_LAYOUTS] = {
		[PIXELS_GRAY] = WIRE_GRAY,
		[PIXELS_GRAY_ALPHA] = WIRE_GRAY_ALPHA,
		[PIXELS_RGB] = WIRE_RGB,
		[PIXELS_RGBA] = WIRE_RGBA,
		[PIXELS_GRAY16] = WIRE_GRAY16,
		[PIXELS_GRAY_ALPHA16] = WIRE_GRAY_ALPHA16,
		[PIXELS_RGB16] = WIRE_RGB16,
		[PIXELS_RGBA16] = WIRE_RGBA16,
		[PIXELS_GRAY_F32] = WIRE_PIXEL_FORMATS,
		[PIXELS_GRAY_ALPHA_F32] = WIRE_PIXEL_FORMATS,
		[PIXELS_RGB_F32] = WIRE_PIXEL_FORMATS,
		[PIXELS_RGBA_F32] = WIRE_RGBA_F32,
	};

	return same[layout] == format;
}
