/* SPDX-License-Identifier: MIT */
#include "flatten.h"

#include <string.h>

#include "broker/wire/pixel_forms.h"
#include "halves.h"
#include "pixels.h"

enum { CHANNELS_MOST = 4 };

enum wire_pixel_format flatten_source(enum wire_pixel_format format)
{
	switch (format) {
	case WIRE_RGB:
		return WIRE_RGBA;
	case WIRE_BGR:
		return WIRE_BGRA;
	case WIRE_GRAY:
		return WIRE_GRAY_ALPHA;
	case WIRE_GRAY16:
		return WIRE_GRAY_ALPHA16;
	case WIRE_RGB16:
		return WIRE_RGBA16;
	default:
		return format;
	}
}

/* ---- one pixel: alpha is the last of `channels` samples, and `back` is as long ---- */

static uint32_t blend(uint32_t sample, uint32_t alpha, uint32_t back, uint32_t most, bool premultiplied)
{
	uint64_t front = premultiplied ? (uint64_t)sample * most : (uint64_t)sample * alpha;
	uint64_t mixed = (front + (uint64_t)back * (most - alpha) + most / 2) / most;

	return mixed < most ? (uint32_t)mixed : most;
}

static void flatten_bytes(const struct wire_pixel_form *form, uint8_t *pixel, const uint8_t *back)
{
	size_t alpha = form->channels - 1U;

	for (size_t i = 0; i < alpha; i++)
		pixel[i] = (uint8_t)blend(pixel[i], pixel[alpha], back[i], UINT8_MAX, form->premultiplied);
	pixel[alpha] = UINT8_MAX;
}

static void flatten_deep(const struct wire_pixel_form *form, uint8_t *pixel, const uint8_t *background)
{
	uint16_t samples[CHANNELS_MOST], back[CHANNELS_MOST];
	size_t alpha = form->channels - 1U, size = form->channels * sizeof(uint16_t);

	memcpy(samples, pixel, size);
	memcpy(back, background, size);
	for (size_t i = 0; i < alpha; i++)
		samples[i] = (uint16_t)blend(samples[i], samples[alpha], back[i], UINT16_MAX, false);
	samples[alpha] = UINT16_MAX;
	memcpy(pixel, samples, size);
}

static void flatten_floats(float samples[CHANNELS_MOST], const float back[CHANNELS_MOST])
{
	float alpha = samples[3] > 0 ? samples[3] < 1 ? samples[3] : 1 : 0;

	/* What is not seen may be no number. */
	for (size_t i = 0; i < 3; i++)
		samples[i] = (alpha > 0 ? samples[i] * alpha : 0) + back[i] * (1 - alpha);
	samples[3] = 1;
}

/* By way of single floats, which hold all that halves do. */
static void flatten_light(enum wire_pixel_format format, uint8_t *pixel, const float back[CHANNELS_MOST])
{
	float samples[CHANNELS_MOST];

	halves_load_pixel(samples, pixel, wire_pixel_forms[format].sample_bytes);
	flatten_floats(samples, back);
	pixels_choose(PIXELS_RGBA_F32, format)(pixel, (const uint8_t *)samples, 1);
}

void flatten_row(enum wire_pixel_format format, uint8_t *to, const uint8_t *from, size_t width, uint32_t color)
{
	const uint8_t background[] = { (uint8_t)(color >> 16), (uint8_t)(color >> 8), (uint8_t)color, UINT8_MAX };
	enum wire_pixel_format source = flatten_source(format);
	const struct wire_pixel_form *form = &wire_pixel_forms[source];
	size_t from_bytes = wire_pixel_bytes[source], to_bytes = wire_pixel_bytes[format];
	uint8_t back[WIRE_PIXEL_BYTES_MAX], pixel[WIRE_PIXEL_BYTES_MAX];
	float light[CHANNELS_MOST];

	pixels_choose(PIXELS_RGBA, source)(back, background, 1);
	pixels_choose(PIXELS_RGBA, WIRE_RGBA_F32)((uint8_t *)light, background, 1);
	for (size_t x = 0; x < width; x++) {
		memcpy(pixel, from + x * from_bytes, from_bytes);
		if (form->floats)
			flatten_light(source, pixel, light);
		else if (form->sample_bytes == 1)
			flatten_bytes(form, pixel, back);
		else
			flatten_deep(form, pixel, back);
		memcpy(to + x * to_bytes, pixel, to_bytes);
	}
}
