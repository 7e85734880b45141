/* SPDX-License-Identifier: MIT */
#include "linear.h"

#include <stdbool.h>
#include <string.h>

#include "broker/wire/pixel_forms.h"
#include "halves.h"
#include "light.h"
#include "pixels.h"

enum { RED, GREEN, BLUE, ALPHA, CHANNELS };

/* ---- loading ---- */

/* Of sRGB, times alpha.  Where it was premultiplied, that is undone first: it was done to what is encoded. */
static linear_pixel light(const uint16_t samples[CHANNELS], bool premultiplied)
{
	float alpha = (float)samples[ALPHA] / UINT16_MAX;
	linear_pixel pixel = { 0, 0, 0, alpha };

	for (int i = RED; i < ALPHA && samples[ALPHA] > 0; i++) {
		uint32_t sample = samples[i];
		if (premultiplied) {
			sample = (sample * UINT16_MAX + samples[ALPHA] / 2U) / samples[ALPHA];
			sample = sample < UINT16_MAX ? sample : UINT16_MAX;
		}
		pixel[i] = light_of((uint16_t)sample) * alpha;
	}
	return pixel;
}

static linear_pixel load_integers(const struct wire_pixel_form *form, bool blue_first, const uint8_t *from)
{
	uint16_t samples[CHANNELS] = { 0 };

	if (form->sample_bytes == 1)
		for (int i = 0; i < form->channels; i++)
			samples[i] = (uint16_t)(from[i] * 257);
	else
		memcpy(samples, from, form->channels * sizeof(uint16_t));
	if (form->channels % 2 == 1)
		samples[form->channels] = UINT16_MAX;
	if (form->channels < 3) {
		const uint16_t gray[CHANNELS] = { samples[0], samples[0], samples[0], samples[1] };
		return light(gray, false);
	}
	if (blue_first) {
		uint16_t red = samples[BLUE];
		samples[BLUE] = samples[RED];
		samples[RED] = red;
	}
	return light(samples, form->premultiplied);
}

/* The loops of most pictures. */
static void load_bytes(const struct wire_pixel_form *form, bool blue_first, linear_pixel *to, const uint8_t *from,
                       size_t width)
{
	static float lights[UINT8_MAX + 1];
	const size_t bytes = form->channels, red = blue_first ? BLUE : RED, blue = blue_first ? RED : BLUE;

	for (int i = 1; i <= UINT8_MAX && lights[UINT8_MAX] == 0.0F; i++)
		lights[i] = light_of((uint16_t)(i * 257));
	for (size_t x = 0; x < width; x++, from += bytes) {
		linear_pixel pixel = { lights[from[red]], lights[from[GREEN]], lights[from[blue]], 1 };
		float alpha = bytes == CHANNELS ? (float)from[ALPHA] / UINT8_MAX : 1;
		to[x] = pixel * alpha;
	}
}

/* What is no number would spread, and so would what is endless. */
static float tamed(float sample)
{
	const float most = 1e30F;

	if (!(sample >= -most))
		return sample < -most ? -most : 0;
	return sample < most ? sample : most;
}

static linear_pixel load_floats(const struct wire_pixel_form *form, const uint8_t *from)
{
	float samples[CHANNELS];

	halves_load_pixel(samples, from, form->sample_bytes);
	float alpha = samples[ALPHA] > 0 ? samples[ALPHA] < 1 ? samples[ALPHA] : 1 : 0;
	linear_pixel pixel = { tamed(samples[RED]), tamed(samples[GREEN]), tamed(samples[BLUE]), 1 };
	return pixel * alpha;
}

void linear_load(enum wire_pixel_format format, linear_pixel *to, const uint8_t *from, size_t width)
{
	const struct wire_pixel_form *form = &wire_pixel_forms[format];
	bool blue_first = pixels_blue_first(format);

	if (form->sample_bytes == 1 && form->channels > 2 && !form->premultiplied) {
		load_bytes(form, blue_first, to, from, width);
		return;
	}
	for (size_t x = 0; x < width; x++, from += wire_pixel_bytes[format])
		to[x] = form->floats ? load_floats(form, from) : load_integers(form, blue_first, from);
}

/* ---- storing ---- */

/* To what the converters call floats.  A filter goes beyond 1 and below 0 at edges, and misses 1 by what floats are
 * rounded. */
static linear_pixel straighten(linear_pixel pixel, bool has_alpha)
{
	const float nearly_one = 1 - 1e-6F;
	float alpha = pixel[ALPHA];

	if (has_alpha && !(alpha > 0))
		return (linear_pixel){ 0 };
	if (has_alpha && (alpha <= nearly_one || alpha > 1))
		pixel /= alpha;
	pixel[ALPHA] = has_alpha && alpha <= nearly_one ? alpha : 1;
	return pixel;
}

void linear_store(enum wire_pixel_format format, uint8_t *to, linear_pixel *row, size_t width)
{
	bool has_alpha = wire_pixels_alpha(format);

	for (size_t x = 0; x < width; x++)
		row[x] = straighten(row[x], has_alpha);
	pixels_choose(PIXELS_RGBA_F32, format)(to, (const uint8_t *)row, width);
}
