/* SPDX-License-Identifier: MIT */
#include "painter.h"

#include <stdlib.h>
#include <string.h>

#include "broker/wire/wire.h"

/* A sum over a whole picture, and one over a row, weights included. */
_Static_assert((uint64_t)WIRE_SIDE_MAX *WIRE_SIDE_MAX < UINT64_MAX / 512, "sums fit");
_Static_assert(WIRE_SIDE_MAX < UINT32_MAX / 256, "sums of a row fit");

void painter_fit(struct painter *painter, const struct screen *screen, uint32_t width, uint32_t height)
{
	uint64_t fit_width = width < screen->width ? width : screen->width;
	uint64_t fit_height = (fit_width * height + width / 2) / width;

	if (fit_height > screen->height) {
		fit_height = screen->height;
		fit_width = (fit_height * width + height / 2) / height;
	}
	*painter = (struct painter){ .screen = screen, .source_width = width, .source_height = height };
	painter->width = fit_width > 0 ? (uint32_t)fit_width : 1;
	painter->height = fit_height > 0 ? (uint32_t)fit_height : 1;
	painter->x = (screen->width - painter->width) / 2;
	painter->y = (screen->height - painter->height) / 2;
}

bool painter_begin(struct painter *painter, const struct screen *screen, uint32_t width, uint32_t height)
{
	painter_fit(painter, screen, width, height);
	painter->across = calloc(painter->width, 3 * sizeof(*painter->across));
	painter->sums = calloc(painter->width, 3 * sizeof(*painter->sums));
	painter->line = calloc(painter->width, 3);
	if (!painter->across || !painter->sums || !painter->line)
		return false;
	screen_clear(screen);
	return true;
}

static void add(uint32_t sums[3], const uint32_t rgb[3], uint32_t weight)
{
	for (size_t i = 0; i < 3; i++)
		sums[i] += rgb[i] * weight;
}

/* Each pixel of the picture is as wide as `width` parts, each of the screen as `source_width` of them: no part is lost.
 */
static void sum_across(struct painter *painter, const uint8_t *bgra)
{
	uint32_t *sums = painter->across;
	uint32_t filled = 0;

	memset(sums, 0, (size_t)painter->width * 3 * sizeof(*sums));
	for (uint32_t x = 0; x < painter->source_width; x++, bgra += 4) {
		uint32_t alpha = bgra[3];
		uint32_t rgb[3];
		for (size_t i = 0; i < 3; i++)
			rgb[i] = (bgra[2 - i] * alpha + 127) / 255;
		uint32_t room = painter->source_width - filled;
		uint32_t part = painter->width < room ? painter->width : room;
		add(sums, rgb, part);
		filled += part;
		if (filled < painter->source_width)
			continue;
		sums += 3;
		filled = painter->width - part;
		if (filled > 0)
			add(sums, rgb, filled);
	}
}

static void add_row(struct painter *painter, uint32_t weight)
{
	for (size_t i = 0; i < (size_t)painter->width * 3; i++)
		painter->sums[i] += (uint64_t)painter->across[i] * weight;
	painter->filled += weight;
}

static void put_row(struct painter *painter)
{
	uint64_t total = (uint64_t)painter->source_width * painter->source_height;

	for (size_t i = 0; i < (size_t)painter->width * 3; i++)
		painter->line[i] = (uint8_t)((painter->sums[i] + total / 2) / total); /* NOLINT: no picture is empty */
	screen_write(painter->screen, painter->x, painter->y + painter->row, painter->line, painter->width);
	memset(painter->sums, 0, (size_t)painter->width * 3 * sizeof(*painter->sums));
	painter->row++;
	painter->filled = 0;
}

void painter_row(struct painter *painter, const uint8_t *bgra)
{
	uint32_t room = painter->source_height - painter->filled;
	uint32_t part = painter->height < room ? painter->height : room;

	if (painter->row >= painter->height)
		return;
	sum_across(painter, bgra);
	add_row(painter, part);
	if (painter->filled < painter->source_height)
		return;
	put_row(painter);
	if (part < painter->height)
		add_row(painter, painter->height - part);
}

void painter_release(struct painter *painter)
{
	free(painter->across);
	free(painter->sums);
	free(painter->line);
	painter->across = NULL;
	painter->sums = NULL;
	painter->line = NULL;
}
