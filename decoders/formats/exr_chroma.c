/* SPDX-License-Identifier: MIT */
/*
 * Luminance and chroma: RY is (R - Y) / Y, BY is (B - Y) / Y, and in most files both have half the width and height.
 * What lacks is interpolated as OpenEXR itself does it: by a filter of 27 samples, every other of which counts, first
 * along the rows, then along the columns; and colours that come out far more saturated than their neighbours are
 * toned down.
 */
#include <stdlib.h>
#include <string.h>

#include "exr_decode.h"

enum {
	REACH = 13, /* of the filter, to both sides */
	TAPS = 7,   /* of a side */
	HELD = 32,  /* rows: those that the filter reaches from the rows above and below the one that is wanted */
	RGB_HELD = 4,
	RED = 0,
	GREEN = 1,
	BLUE = 2,
};

struct exr_chroma {
	size_t width;
	int64_t next;       /* the row that is read next */
	int64_t next_color; /* the row whose colours are made next */
	float *held;        /* owned: rows of Y, RY, BY and alpha; chroma is whole in even ones */
	float *colors;      /* owned: rows of red, green and blue */
	float *padded;      /* owned: a row of chroma with what the filter reaches beside it */
	float *row;         /* owned: red, green and blue of the row that is wanted */
};

static float *held_plane(struct exr_chroma *chroma, int64_t y, unsigned plane)
{
	return chroma->held + ((size_t)(y & (HELD - 1)) * EXR_PLANES + plane) * chroma->width;
}

static float *color_plane(struct exr_chroma *chroma, int64_t y, unsigned plane)
{
	return chroma->colors + ((size_t)(y & (RGB_HELD - 1)) * 3 + plane) * chroma->width;
}

/* ---- the filter ---- */

/* Between two samples, for those at 1, 3, 5 ... to both sides. */
static const float taps[TAPS] = { 0.627123F, -0.186077F, 0.087929F, -0.043159F, 0.019597F, -0.007540F, 0.002128F };

/* The samples of a row are at its even columns. */
static void spread(struct exr_chroma *chroma, const float *samples, float *to)
{
	float *at = chroma->padded + REACH + 1;
	size_t half = chroma->width / 2;

	for (size_t i = 0; i < half; i++)
		at[2 * i] = samples[i];
	for (int i = 1; i <= REACH + 1; i++) {
		at[-i] = samples[0];
		at[chroma->width - 1 + (size_t)i] = samples[half - 1];
	}
	for (size_t x = 0; x < chroma->width; x++) {
		if (x % 2 == 0) {
			to[x] = at[x];
			continue;
		}
		const float *here = at + x;
		float sum = 0;
		for (ptrdiff_t i = 0; i < TAPS; i++)
			sum += (here[-2 * i - 1] + here[2 * i + 1]) * taps[i];
		to[x] = sum;
	}
}

/* The row itself, or the last that has chroma. */
static int64_t within(const struct decode *decode, int64_t y)
{
	const exr_attr_box2i_t *data = &decode->form.data;

	if (y < data->min.y)
		return data->min.y;
	return y > data->max.y ? (int64_t)data->max.y - 1 : y;
}

static void interpolate_row(struct decode *decode, int64_t y, unsigned plane, float *to)
{
	struct exr_chroma *chroma = decode->chroma;

	memset(to, 0, chroma->width * sizeof(float));
	for (int64_t i = 0; i < TAPS; i++) {
		const float *above = held_plane(chroma, within(decode, y - 2 * i - 1), plane);
		const float *below = held_plane(chroma, within(decode, y + 2 * i + 1), plane);
		for (size_t x = 0; x < chroma->width; x++)
			to[x] += (above[x] + below[x]) * taps[i];
	}
}

/* ---- rows ---- */

static session_result read_next(struct decode *decode)
{
	struct exr_chroma *chroma = decode->chroma;
	const uint8_t *samples[EXR_PLANES];
	session_result result = exr_read_row(decode, chroma->next, samples);

	if (result != WIRE_OK)
		return result;
	for (unsigned plane = 0; plane < EXR_PLANES; plane++) {
		bool halved = decode->form.halved && (plane == 1 || plane == 2);
		float *to = held_plane(chroma, chroma->next, plane);
		if (!samples[plane])
			continue;
		if (!halved) {
			exr_load(decode, plane, samples[plane], 0, chroma->width, to);
			continue;
		}
		exr_load(decode, plane, samples[plane], 0, chroma->width / 2, decode->floats);
		spread(chroma, decode->floats, to);
	}
	chroma->next++;
	return WIRE_OK;
}

/* Red and blue follow from Y and chroma, and green from what is left of Y. */
static void make_colors(struct decode *decode, int64_t y)
{
	struct exr_chroma *chroma = decode->chroma;
	const float *luma = decode->form.luma, *light = held_plane(chroma, y, 0);
	float *red = color_plane(chroma, y, RED), *green = color_plane(chroma, y, GREEN);
	float *blue = color_plane(chroma, y, BLUE);

	if (decode->form.halved && y % 2 != 0) {
		interpolate_row(decode, y, 1, red);
		interpolate_row(decode, y, 2, blue);
	} else {
		memcpy(red, held_plane(chroma, y, 1), chroma->width * sizeof(float));
		memcpy(blue, held_plane(chroma, y, 2), chroma->width * sizeof(float));
	}
	for (size_t x = 0; x < chroma->width; x++) {
		bool gray = red[x] == 0 && blue[x] == 0;
		red[x] = (red[x] + 1) * light[x];
		blue[x] = (blue[x] + 1) * light[x];
		green[x] = gray ? light[x] : (light[x] - red[x] * luma[RED] - blue[x] * luma[BLUE]) / luma[GREEN];
	}
}

/* ---- saturation ---- */

static float largest(float one, float two, float three)
{
	float most = one > two ? one : two;

	return three > most ? three : most;
}

static float saturation(const float *const planes[3], size_t x)
{
	float most = largest(planes[RED][x], planes[GREEN][x], planes[BLUE][x]);
	float least = -largest(-planes[RED][x], -planes[GREEN][x], -planes[BLUE][x]);

	return most > 0 ? 1 - least / most : 0;
}

/* Nearer to gray by a factor, as bright as it was. */
static void desaturate(const float *luma, float factor, float color[3])
{
	float most = largest(color[0], color[1], color[2]), before = 0, after = 0;

	for (unsigned i = 0; i < 3; i++) {
		before += color[i] * luma[i];
		color[i] = most - (most - color[i]) * factor;
		color[i] = color[i] > 0 ? color[i] : 0;
		after += color[i] * luma[i];
	}
	for (unsigned i = 0; i < 3 && after > 0; i++)
		color[i] *= before / after;
}

/* By what its four neighbours across have on average. */
static void fix_saturation(struct decode *decode, int64_t above, int64_t y, int64_t below)
{
	struct exr_chroma *chroma = decode->chroma;
	const float *rows[3][3];
	size_t width = chroma->width;

	for (unsigned i = 0; i < 3; i++) {
		rows[0][i] = color_plane(chroma, above, i);
		rows[1][i] = color_plane(chroma, y, i);
		rows[2][i] = color_plane(chroma, below, i);
	}
	for (size_t x = 0; x < width; x++) {
		size_t before = x > 0 ? x - 1 : 0, after = x + 1 < width ? x + 1 : x;
		float mean = (saturation(rows[0], before) + saturation(rows[0], after) + saturation(rows[2], before) +
		              saturation(rows[2], after)) /
		             4;
		float own = saturation(rows[1], x), color[3];
		for (unsigned i = 0; i < 3; i++)
			color[i] = rows[1][i][x];
		float most = mean < 1 ? 1 - (1 - mean) / 4 : 1;
		if (own > mean && own > most)
			desaturate(decode->form.luma, most / own, color);
		for (unsigned i = 0; i < 3; i++)
			chroma->row[i * width + x] = color[i];
	}
}

/* ---- the page ---- */

uint64_t exr_chroma_memory(const struct decode *decode)
{
	enum { PLANES = HELD * EXR_PLANES + RGB_HELD * 3 + 1 + 3 };

	return decode->form.chroma ? (uint64_t)((int64_t)decode->form.data.max.x - decode->form.data.min.x + 1) *
	                                     PLANES * sizeof(float)
	                           : 0;
}

session_result exr_prepare_chroma(struct decode *decode)
{
	struct exr_chroma *chroma = calloc(1, sizeof(*chroma));
	const exr_attr_box2i_t *data = &decode->form.data;

	if (!chroma)
		return WIRE_FAIL_LIMIT_MEMORY;
	decode->chroma = chroma;
	size_t width = chroma->width = (size_t)((int64_t)data->max.x - data->min.x + 1);
	chroma->next = chroma->next_color = data->min.y;
	chroma->held = calloc(width, (size_t)HELD * EXR_PLANES * sizeof(float));
	chroma->colors = calloc(width, (size_t)RGB_HELD * 3 * sizeof(float));
	chroma->padded = calloc(width + (size_t)2 * (REACH + 1), sizeof(float));
	chroma->row = calloc(width, 3 * sizeof(float));
	/* Samples come from the whole width. */
	free(decode->floats);
	decode->floats = malloc(width * EXR_PLANES * sizeof(float));
	if (!chroma->held || !chroma->colors || !chroma->padded || !chroma->row || !decode->floats)
		return WIRE_FAIL_LIMIT_MEMORY;
	return WIRE_OK;
}

void exr_end_chroma(struct decode *decode)
{
	struct exr_chroma *chroma = decode->chroma;

	if (!chroma)
		return;
	free(chroma->held);
	free(chroma->colors);
	free(chroma->padded);
	free(chroma->row);
	free(chroma);
	decode->chroma = NULL;
}

session_result exr_chroma_row(struct decode *decode, int64_t y, const float *planes[EXR_PLANES])
{
	struct exr_chroma *chroma = decode->chroma;
	int64_t last = decode->form.data.max.y, first = decode->form.data.min.y;
	/* Beyond the edges are the rows that the filter takes for those. */
	int64_t above = y > first ? y - 1 : first, below = y < last ? y + 1 : last > first ? last - 1 : last;

	/* Rows that nobody wants are read all the same, unless the filter does not reach them. */
	if (chroma->next_color < above)
		chroma->next_color = above;
	if (chroma->next < chroma->next_color - REACH)
		chroma->next = chroma->next_color - REACH;
	for (; chroma->next_color <= (below > y ? below : y); chroma->next_color++) {
		int64_t reached = chroma->next_color + REACH < last ? chroma->next_color + REACH : last;
		while (chroma->next <= reached) {
			session_result result = read_next(decode);
			if (result != WIRE_OK)
				return result;
		}
		make_colors(decode, chroma->next_color);
	}
	if (decode->form.halved)
		fix_saturation(decode, above, y, below);
	for (unsigned i = 0; i < 3; i++)
		planes[i] = decode->form.halved ? chroma->row + i * chroma->width : color_plane(chroma, y, i);
	planes[EXR_ALPHA] = decode->form.planes[EXR_ALPHA] >= 0 ? held_plane(chroma, y, EXR_ALPHA) : NULL;
	return WIRE_OK;
}
