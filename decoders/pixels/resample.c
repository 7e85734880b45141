/* SPDX-License-Identifier: MIT */
#include "resample.h"

#include <stdlib.h>
#include <string.h>

enum {
	LOBES = 3,
	/* From where on blocks are averaged, and how many of them are left for each pixel of the output: the average of
	 * a quarter of it hardly blurs what is to stay. */
	REDUCTION_MOST = 8,
	REDUCTION_LEFT = 4,
};

/* ---- the filter, without libm, whose results may differ from one processor to the next ---- */

/* sin(pi x) / (pi x), for |x| <= 3. */
static double sinc(double x)
{
	const double pi = 3.14159265358979323846;
	double term = 1, sum = 1;

	if (x < 0)
		x = -x;
	if (x < 1e-9)
		return 1;
	/* To -1/2 to 1/2, where the series ends soon; sin(pi x) = (-1)^n sin(pi (x - n)). */
	int whole = (int)(x + 0.5);
	double angle = pi * (x - whole), square = angle * angle;
	for (int i = 1; i <= 10; i++) {
		term *= -square / ((2.0 * i) * (2.0 * i + 1));
		sum += term;
	}
	return (whole % 2 == 0 ? angle : -angle) * sum / (pi * x);
}

static double lanczos(double x)
{
	return x > -LOBES && x < LOBES ? sinc(x) * sinc(x / LOBES) : 0;
}

/* ---- one side ---- */

static struct resample_axis make_axis(const struct resample_side *side)
{
	struct resample_axis axis = { .from = side->from, .to = side->to, .block = 1 };
	double ratio = side->extent / side->to;

	if (ratio > REDUCTION_MOST)
		axis.block = (uint32_t)(ratio / REDUCTION_LEFT);
	axis.blocks = (axis.from + axis.block - 1) / axis.block;
	axis.start = side->start / axis.block;
	axis.step = ratio / axis.block;
	axis.radius = LOBES * (axis.step > 1 ? axis.step : 1);
	axis.taps = (uint32_t)(2 * axis.radius) + 2;
	if (axis.taps > axis.blocks)
		axis.taps = axis.blocks;
	return axis;
}

static double center_of(const struct resample_axis *axis, uint32_t place)
{
	return axis->start + (place + 0.5) * axis->step;
}

/* The first of the blocks that make up the pixel at `place`. */
static uint32_t first_block(const struct resample_axis *axis, uint32_t place)
{
	double start = center_of(axis, place) - axis->radius;
	uint32_t first = start > 0 ? (uint32_t)start : 0;

	return first < axis->blocks - axis->taps ? first : axis->blocks - axis->taps;
}

/* How much each of them counts. */
static void weigh(const struct resample_axis *axis, uint32_t place, float *weights)
{
	double center = center_of(axis, place), stretch = axis->step > 1 ? axis->step : 1, sum = 0;
	uint32_t first = first_block(axis, place);

	for (uint32_t i = 0; i < axis->taps; i++) {
		/* The last one may have fewer pixels. */
		uint32_t left = axis->from - (first + i) * axis->block;
		double length = left < axis->block ? (double)left / axis->block : 1;
		double weight = length * lanczos((first + i + length / 2 - center) / stretch);
		weights[i] = (float)weight;
		sum += weight;
	}
	for (uint32_t i = 0; i < axis->taps; i++)
		weights[i] /= (float)sum;
}

/* ---- memory ---- */

bool resample_open(struct resample *resample, enum wire_pixel_format format, const struct resample_side *across_side,
                   const struct resample_side *down_side)
{
	struct resample_axis across = make_axis(across_side), down = make_axis(down_side);
	uint32_t to_width = across.to;

	*resample = (struct resample){ .format = format, .across = across, .down = down };
	/* A few dozen taps, and no side of more than WIRE_SIDE_MAX: nothing overflows. */
	resample->firsts = calloc(to_width, sizeof(uint32_t));
	resample->weights = calloc((size_t)to_width * across.taps, sizeof(float));
	resample->row_weights = calloc(down.taps, sizeof(float));
	resample->row = calloc(across.from, sizeof(linear_pixel));
	resample->means = calloc(across.blocks, sizeof(linear_pixel));
	resample->ring = calloc((size_t)to_width * down.taps, sizeof(linear_pixel));
	resample->made = calloc(to_width, sizeof(linear_pixel));
	if (!resample->firsts || !resample->weights || !resample->row_weights || !resample->row || !resample->means ||
	    !resample->ring || !resample->made)
		return false;
	for (uint32_t x = 0; x < to_width; x++) {
		resample->firsts[x] = first_block(&across, x);
		weigh(&across, x, resample->weights + (size_t)x * across.taps);
	}
	return true;
}

void resample_close(struct resample *resample)
{
	free(resample->firsts);
	free(resample->weights);
	free(resample->row_weights);
	free(resample->row);
	free(resample->means);
	free(resample->ring);
	free(resample->made);
	*resample = (struct resample){ .firsts = NULL };
}

uint64_t resample_memory(const struct resample_side *across_side, const struct resample_side *down_side)
{
	struct resample_axis across = make_axis(across_side), down = make_axis(down_side);

	return (uint64_t)across.to * (sizeof(uint32_t) + across.taps * sizeof(float)) +
	       ((uint64_t)across.from + across.blocks) * sizeof(linear_pixel) +
	       (uint64_t)across.to * (down.taps + 1) * sizeof(linear_pixel);
}

/* ---- rows ---- */

void resample_begin(struct resample *resample)
{
	resample->rows_in = resample->rows_averaged = resample->rows_out = 0;
	memset(resample->means, 0, resample->across.blocks * sizeof(linear_pixel));
}

/* A row that is as wide as those of the output. */
static void filter_across(struct resample *resample, const linear_pixel *row)
{
	const struct resample_axis *axis = &resample->across;
	linear_pixel *to = resample->ring + (size_t)(resample->rows_averaged % resample->down.taps) * axis->to;
	const float *weights = resample->weights;

	for (uint32_t x = 0; x < axis->to; x++, weights += axis->taps) {
		const linear_pixel *from = row + resample->firsts[x];
		linear_pixel sum = { 0 };
		for (uint32_t i = 0; i < axis->taps; i++)
			sum += from[i] * weights[i];
		to[x] = sum;
	}
	resample->rows_averaged++;
}

/* Adds a row to the row of blocks that it belongs to. */
static void average_across(struct resample *resample)
{
	uint32_t block = resample->across.block, width = resample->across.from;

	for (uint32_t i = 0, x = 0; x < width; i++) {
		linear_pixel sum = { 0 };
		uint32_t end = width - x < block ? width : x + block;
		float columns = (float)(end - x);
		for (; x < end; x++)
			sum += resample->row[x];
		resample->means[i] += sum / columns;
	}
}

void resample_put(struct resample *resample, const uint8_t *row)
{
	uint32_t block = resample->down.block;

	linear_load(resample->format, resample->row, row, resample->across.from);
	resample->rows_in++;
	if (block == 1 && resample->across.block == 1) {
		filter_across(resample, resample->row);
		return;
	}
	average_across(resample);
	uint32_t rows = resample->rows_in % block;
	if (rows != 0 && resample->rows_in < resample->down.from)
		return;
	float count = (float)(rows != 0 ? rows : block);
	for (uint32_t x = 0; x < resample->across.blocks; x++)
		resample->means[x] /= count;
	filter_across(resample, resample->means);
	memset(resample->means, 0, resample->across.blocks * sizeof(linear_pixel));
}

bool resample_take(struct resample *resample, uint8_t *row)
{
	const struct resample_axis *axis = &resample->down;
	uint32_t width = resample->across.to, first = 0;

	if (resample->rows_out < axis->to)
		first = first_block(axis, resample->rows_out);
	if (resample->rows_out == axis->to || resample->rows_averaged < first + axis->taps)
		return false;
	weigh(axis, resample->rows_out, resample->row_weights);
	memset(resample->made, 0, width * sizeof(linear_pixel));
	for (uint32_t i = 0; i < axis->taps; i++) {
		const linear_pixel *from = resample->ring + (size_t)((first + i) % axis->taps) * width;
		float weight = resample->row_weights[i];
		for (uint32_t x = 0; x < width; x++)
			resample->made[x] += from[x] * weight;
	}
	linear_store(resample->format, row, resample->made, width);
	resample->rows_out++;
	return true;
}
