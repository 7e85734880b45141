/* SPDX-License-Identifier: MIT */
#include "reduce.h"

#include <string.h>

#include "broker/wire/pixel_forms.h"
#include "halves.h"

enum { CHANNELS_MOST = 4 };

/* Whether colours count by the alpha, the last channel. */
static bool is_weighted(const struct wire_pixel_form *form)
{
	return form->channels % 2 == 0 && !form->premultiplied;
}

/* ---- integers ---- */

static uint64_t get(const uint8_t *sample, const struct wire_pixel_form *form)
{
	uint16_t deep = 0;

	if (form->sample_bytes == 1)
		return sample[0];
	memcpy(&deep, sample, sizeof(deep));
	return deep;
}

static void put(uint8_t *sample, const struct wire_pixel_form *form, uint64_t value)
{
	if (form->sample_bytes == 1)
		*sample = (uint8_t)value;
	else
		memcpy(sample, &(uint16_t){ (uint16_t)value }, sizeof(uint16_t));
}

/* At most 64 samples of 16 bits, times an alpha of 16 bits: far below 2^64. */
static void add_pixel(uint64_t *sums, const struct wire_pixel_form *form, const uint8_t *pixel)
{
	size_t last = form->channels - 1U;
	bool weighted = is_weighted(form);
	uint64_t weight = weighted ? get(pixel + last * form->sample_bytes, form) : 1;

	for (size_t channel = 0; channel <= last; channel++) {
		uint64_t sample = get(pixel + channel * form->sample_bytes, form);
		sums[channel] += weighted && channel == last ? sample : sample * weight;
	}
}

static uint64_t mean(uint64_t sum, uint64_t count)
{
	return count > 0 ? (sum + count / 2) / count : 0;
}

static void put_mean(uint8_t *pixel, const struct wire_pixel_form *form, const uint64_t *sums, uint64_t count)
{
	size_t last = form->channels - 1U;
	bool weighted = is_weighted(form);
	uint64_t weights = weighted ? sums[last] : count;

	for (size_t channel = 0; channel <= last; channel++)
		put(pixel + channel * form->sample_bytes, form,
		    mean(sums[channel], weighted && channel == last ? count : weights));
}

/* ---- floats, which are all RGBA ---- */

static void add_floats(double *sums, const struct wire_pixel_form *form, const uint8_t *pixel)
{
	float samples[CHANNELS_MOST];

	halves_load_pixel(samples, pixel, form->sample_bytes);
	/* What is not seen is not looked at: it may be no number. */
	if (!(samples[3] > 0))
		return;
	for (size_t channel = 0; channel < 3; channel++)
		sums[channel] += (double)samples[channel] * (double)samples[3];
	sums[3] += (double)samples[3];
}

static void put_floats(uint8_t *pixel, const struct wire_pixel_form *form, const double *sums, uint64_t count)
{
	float samples[CHANNELS_MOST];
	uint16_t halves[CHANNELS_MOST];

	for (size_t channel = 0; channel < 3; channel++)
		samples[channel] = sums[3] > 0 ? (float)(sums[channel] / sums[3]) : 0;
	samples[3] = (float)(sums[3] / (double)count);
	if (form->sample_bytes == sizeof(float)) {
		memcpy(pixel, samples, sizeof(samples));
		return;
	}
	for (size_t channel = 0; channel < CHANNELS_MOST; channel++)
		halves[channel] = half_from_float(samples[channel]);
	memcpy(pixel, halves, sizeof(halves));
}

/* ---- squares ---- */

static void reduce(const struct wire_pixel_form *form, size_t stride, size_t rows, size_t columns,
                   const uint8_t *square, uint8_t *reduced)
{
	size_t pixel_bytes = (size_t)form->channels * form->sample_bytes;
	uint64_t sums[CHANNELS_MOST] = { 0 };
	double floats[CHANNELS_MOST] = { 0 };

	for (size_t row = 0; row < rows; row++)
		for (size_t column = 0; column < columns; column++) {
			const uint8_t *pixel = square + row * stride + column * pixel_bytes;
			if (form->floats)
				add_floats(floats, form, pixel);
			else
				add_pixel(sums, form, pixel);
		}
	if (form->floats)
		put_floats(reduced, form, floats, (uint64_t)rows * columns);
	else
		put_mean(reduced, form, sums, (uint64_t)rows * columns);
}

void reduce_rows(enum wire_pixel_format format, uint32_t factor, uint32_t width, const uint8_t *rows, size_t stride,
                 size_t count, uint8_t *reduced)
{
	const struct wire_pixel_form *form = &wire_pixel_forms[format];
	size_t pixel_bytes = wire_pixel_bytes[format];

	for (uint32_t x = 0; x < width; x += factor, reduced += pixel_bytes) {
		uint32_t columns = width - x < factor ? width - x : factor;
		reduce(form, stride, count, columns, rows + x * pixel_bytes, reduced);
	}
}
