/* SPDX-License-Identifier: MIT */
#include "box.h"

#include <stdlib.h>
#include <string.h>

#include "broker/wire/wire.h"

/* A sum over a whole picture, and one over a row, weights included. */
_Static_assert((uint64_t)WIRE_SIDE_MAX *WIRE_SIDE_MAX < UINT64_MAX / 512, "sums fit");
_Static_assert(WIRE_SIDE_MAX < UINT32_MAX / 256, "sums of a row fit");

void box_fit(uint32_t source_width, uint32_t source_height, uint32_t most_width, uint32_t most_height, uint32_t *width,
             uint32_t *height)
{
	uint64_t fit_width = source_width < most_width ? source_width : most_width;
	uint64_t fit_height = (fit_width * source_height + source_width / 2) / source_width;

	if (fit_height > most_height) {
		fit_height = most_height;
		fit_width = (fit_height * source_width + source_height / 2) / source_height;
	}
	*width = fit_width > 0 ? (uint32_t)fit_width : 1;
	*height = fit_height > 0 ? (uint32_t)fit_height : 1;
}

bool box_open(struct box *box, uint32_t source_width, uint32_t source_height, uint32_t width, uint32_t height)
{
	*box = (struct box){
		.source_width = source_width, .source_height = source_height, .width = width, .height = height
	};
	box->source = calloc(source_width, BOX_CHANNELS);
	box->across = calloc(width, BOX_CHANNELS * sizeof(*box->across));
	box->sums = calloc(width, BOX_CHANNELS * sizeof(*box->sums));
	box->row = calloc(width, BOX_CHANNELS);
	return box->source && box->across && box->sums && box->row;
}

void box_release(struct box *box)
{
	free(box->source);
	free(box->across);
	free(box->sums);
	free(box->row);
	*box = (struct box){ .source = NULL };
}

static void add(uint32_t sums[BOX_CHANNELS], const uint8_t rgb[BOX_CHANNELS], uint32_t weight)
{
	for (size_t i = 0; i < BOX_CHANNELS; i++)
		sums[i] += rgb[i] * weight;
}

/* Each pixel of the picture is as wide as `width` parts, each of the smaller one as `source_width` of them: no part is
 * lost. */
static void sum_across(struct box *box)
{
	const uint8_t *rgb = box->source;
	uint32_t *sums = box->across;
	uint32_t filled = 0;

	memset(sums, 0, (size_t)box->width * BOX_CHANNELS * sizeof(*sums));
	for (uint32_t x = 0; x < box->source_width; x++, rgb += BOX_CHANNELS) {
		uint32_t room = box->source_width - filled;
		uint32_t part = box->width < room ? box->width : room;
		add(sums, rgb, part);
		filled += part;
		if (filled < box->source_width)
			continue;
		sums += BOX_CHANNELS;
		filled = box->width - part;
		if (filled > 0)
			add(sums, rgb, filled);
	}
}

static void add_across(struct box *box, uint32_t weight)
{
	for (size_t i = 0; i < (size_t)box->width * BOX_CHANNELS; i++)
		box->sums[i] += (uint64_t)box->across[i] * weight;
	box->filled += weight;
}

static void finish_row(struct box *box)
{
	uint64_t total = (uint64_t)box->source_width * box->source_height;
	size_t samples = (size_t)box->width * BOX_CHANNELS;

	for (size_t i = 0; i < samples; i++)
		box->row[i] = (uint8_t)((box->sums[i] + total / 2) / total); /* NOLINT: no picture is empty */
	memset(box->sums, 0, samples * sizeof(*box->sums));
	box->filled = 0;
}

/* The same downwards. */
bool box_add_row(struct box *box)
{
	uint32_t room = box->source_height - box->filled;
	uint32_t part = box->height < room ? box->height : room;

	sum_across(box);
	add_across(box, part);
	if (box->filled < box->source_height)
		return false;
	finish_row(box);
	if (part < box->height)
		add_across(box, box->height - part);
	return true;
}
