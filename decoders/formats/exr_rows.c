/* SPDX-License-Identifier: MIT */
/* Rows of the picture: what is in the data window, and nothing around it, which is black, and transparent if there is
 * alpha. */
#include <stdlib.h>
#include <string.h>

#include "decoders/picture/rows.h"
#include "exr_decode.h"

static size_t row_bytes(const struct decode *decode)
{
	return (size_t)decode->image.width * pixels_layout_bytes[decode->form.layout];
}

/* Where column `x` of row `y` of the room is. */
static float *place(const struct decode *decode, int64_t x, int64_t y)
{
	size_t bytes = (size_t)y * row_bytes(decode) +
	               (size_t)(x - decode->form.display.min.x) * pixels_layout_bytes[decode->form.layout];

	return decode->rows + bytes / sizeof(float);
}

static size_t floats_across(const struct decode *decode)
{
	return (size_t)(decode->form.right - decode->form.left + 1);
}

/* Tiles have rows of the room for as many rows as one has, unless it is as wide as all that is shown. */
static session_result rows_of_room(const struct decode *decode, size_t *rows)
{
	const struct exr_form *form = &decode->form;
	uint32_t width = 0, height = 0;

	*rows = 1;
	if (!form->tiled)
		return WIRE_OK;
	if (exr_get_tile_descriptor(decode->context, form->part, &width, &height, NULL, NULL) != EXR_ERR_SUCCESS ||
	    width == 0 || height == 0)
		return WIRE_FAIL_HEADER;
	int64_t shown = form->bottom - form->top + 1;
	bool spans = (form->left - form->data.min.x) / width == (form->right - form->data.min.x) / width;
	if (!spans && shown > 0)
		*rows = height < shown ? height : (size_t)shown;
	return WIRE_OK;
}

session_result exr_prepare_rows(struct decode *decode)
{
	size_t rows = 0, floats = floats_across(decode) * EXR_PLANES;
	session_result result = rows_of_room(decode, &rows);

	if (result != WIRE_OK)
		return result;
	decode->rows = calloc(rows, row_bytes(decode));
	decode->floats = malloc((floats > 0 ? floats : 1) * sizeof(float));
	if (!decode->rows || !decode->floats)
		return WIRE_FAIL_LIMIT_MEMORY;
	return decode->form.chroma ? exr_prepare_chroma(decode) : WIRE_OK;
}

static session_result send(struct decode *decode, size_t count)
{
	return rows_send(decode->session, &decode->image, decode->form.layout, (const uint8_t *)decode->rows,
	                 row_bytes(decode), count);
}

/* Rows that are in the display window alone. */
static session_result send_empty(struct decode *decode, int64_t count)
{
	session_result result = WIRE_OK;

	memset(decode->rows, 0, row_bytes(decode));
	while (count-- > 0 && result == WIRE_OK)
		result = send(decode, 1);
	return result;
}

/* A chunk could not be had. */
static session_result end_at_damage(struct decode *decode, session_result failure)
{
	if (failure < WIRE_FAIL_UNSUPPORTED)
		return session_damage(decode->session, (enum wire_failure)failure);
	return failure;
}

/* ---- rows of the data window ---- */

/* `count` pixels of the samples of a row, from index `first` on. */
static void convert(struct decode *decode, const uint8_t *const samples[EXR_PLANES], size_t first, size_t count,
                    float *to)
{
	const float *planes[EXR_PLANES] = { NULL };

	for (unsigned i = 0; i < EXR_PLANES; i++) {
		float *floats = decode->floats + i * count;
		if (!samples[i])
			continue;
		exr_load(decode, i, samples[i], first, count, floats);
		planes[i] = floats;
	}
	exr_divide(decode, planes, count, to);
}

static session_result convert_row(struct decode *decode, int64_t y)
{
	const struct exr_form *form = &decode->form;
	size_t first = (size_t)(form->left - form->data.min.x), count = floats_across(decode);
	float *to = place(decode, form->left, 0);
	session_result result = WIRE_OK;

	if (form->chroma) {
		const float *planes[EXR_PLANES] = { NULL };
		result = exr_chroma_row(decode, y, planes);
		for (unsigned i = 0; i < EXR_PLANES; i++)
			planes[i] = planes[i] ? planes[i] + first : NULL;
		if (result == WIRE_OK)
			exr_divide(decode, planes, count, to);
	} else {
		const uint8_t *samples[EXR_PLANES] = { NULL };
		result = exr_read_row(decode, y, samples);
		if (result == WIRE_OK)
			convert(decode, samples, first, count, to);
	}
	return result;
}

static session_result send_scan_lines(struct decode *decode)
{
	session_result result = WIRE_OK;

	for (int64_t y = decode->form.top; y <= decode->form.bottom && result == WIRE_OK; y++) {
		result = convert_row(decode, y);
		if (result != WIRE_OK)
			return end_at_damage(decode, result);
		result = send(decode, 1);
	}
	return result;
}

/* ---- tiles ---- */

struct tiles {
	int64_t width, height;    /* of all but those at the right and at the bottom */
	int64_t first, last, row; /* those that are shown, and the row of them */
	int64_t from, to;         /* its rows that are shown */
	bool whole;               /* it is one tile, whose rows go out at once */
};

/* The part of a tile that is shown goes to the room, or out. */
static session_result convert_tile(struct decode *decode, const struct tiles *tiles, int64_t column, uint32_t width)
{
	const struct exr_form *form = &decode->form;
	int64_t x = form->data.min.x + column * tiles->width, y = form->data.min.y + tiles->row * tiles->height;
	int64_t left = x > form->left ? x : form->left;
	int64_t right = x + width - 1 < form->right ? x + width - 1 : form->right;
	session_result result = WIRE_OK;

	for (; y <= tiles->to && result == WIRE_OK; y++) {
		const uint8_t *samples[EXR_PLANES];
		exr_next_row(decode, width, samples);
		if (y < tiles->from)
			continue;
		convert(decode, samples, (size_t)(left - x), (size_t)(right - left + 1),
		        place(decode, left, tiles->whole ? 0 : y - tiles->from));
		if (tiles->whole)
			result = send(decode, 1);
	}
	return result;
}

static session_result send_tile_row(struct decode *decode, const struct tiles *tiles)
{
	const struct exr_form *form = &decode->form;
	session_result result = WIRE_OK;

	for (int64_t column = tiles->first; column <= tiles->last && result == WIRE_OK; column++) {
		uint32_t width = 0, height = 0;
		result = exr_read_tile(decode, (int)column, (int)tiles->row, &width, &height);
		if (result != WIRE_OK)
			return end_at_damage(decode, result);
		/* What the library makes of the last column and row must be what is left. */
		if (form->data.min.x + column * tiles->width + width - 1 <
		            (column < tiles->last ? form->left : form->right) ||
		    form->data.min.y + tiles->row * tiles->height + height - 1 < tiles->to)
			return end_at_damage(decode, WIRE_FAIL_STRUCTURE);
		result = convert_tile(decode, tiles, column, width);
	}
	if (result != WIRE_OK || tiles->whole)
		return result;
	return send(decode, (size_t)(tiles->to - tiles->from + 1));
}

static session_result send_tiles(struct decode *decode)
{
	const struct exr_form *form = &decode->form;
	uint32_t width = 0, height = 0;
	session_result result = WIRE_OK;

	if (form->top > form->bottom)
		return WIRE_OK;
	if (exr_get_tile_descriptor(decode->context, form->part, &width, &height, NULL, NULL) != EXR_ERR_SUCCESS)
		return WIRE_FAIL_HEADER;
	struct tiles tiles = { .width = width, .height = height };
	tiles.first = (form->left - form->data.min.x) / width;
	tiles.last = (form->right - form->data.min.x) / width;
	tiles.whole = tiles.first == tiles.last;
	int64_t last_row = (form->bottom - form->data.min.y) / height;
	memset(decode->rows, 0, row_bytes(decode));
	for (tiles.row = (form->top - form->data.min.y) / height; tiles.row <= last_row && result == WIRE_OK;
	     tiles.row++) {
		int64_t top = form->data.min.y + tiles.row * height;
		tiles.from = top > form->top ? top : form->top;
		tiles.to = top + height - 1 < form->bottom ? top + height - 1 : form->bottom;
		result = send_tile_row(decode, &tiles);
	}
	return result;
}

session_result exr_send_rows(struct decode *decode)
{
	const struct exr_form *form = &decode->form;
	bool apart = form->top > form->bottom;
	int64_t above = apart ? decode->image.height : form->top - form->display.min.y;
	session_result result = send_empty(decode, above);

	if (result == WIRE_OK)
		result = form->tiled ? send_tiles(decode) : send_scan_lines(decode);
	if (result == WIRE_OK && !apart)
		result = send_empty(decode, form->display.max.y - form->bottom);
	return result;
}
