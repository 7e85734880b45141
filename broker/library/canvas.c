/* SPDX-License-Identifier: MIT */
#include "canvas.h"

#include <stdlib.h>
#include <string.h>

#include "broker/decode/widen.h"

enum {
	NARROW_SIZE = 256 << 10,
	FILL_AT_ONCE = 4 << 20, /* bytes */
};

bool canvas_init(struct canvas *canvas, uint32_t width, enum wire_pixel_format from, enum wire_pixel_format to,
                 uint8_t *pixels, size_t stride, size_t rows)
{
	*canvas = (struct canvas){
		.pixels = pixels,
		.stride = stride,
		.row_bytes = (size_t)width * wire_pixel_bytes[to],
		.rows = rows,
		.format = to,
		.narrow_format = from,
	};
	if (from != to)
		canvas->narrow = malloc(NARROW_SIZE + 1); /* the last pixel is read with a byte more */
	return from == to || canvas->narrow;
}

void canvas_free(struct canvas *canvas)
{
	free(canvas->narrow);
	canvas->narrow = NULL;
}

/* Where the next byte goes, and how many can follow it there. */
static uint8_t *position(const struct canvas *canvas, size_t *room)
{
	size_t row = (size_t)(canvas->filled / canvas->row_bytes);
	size_t column = (size_t)(canvas->filled % canvas->row_bytes);

	if (canvas->stride == canvas->row_bytes)
		*room = (canvas->rows - row) * canvas->row_bytes - column;
	else
		*room = row < canvas->rows ? canvas->row_bytes - column : 0;
	return canvas->pixels + row * canvas->stride + column;
}

void *canvas_reserve(struct canvas *canvas, size_t *size)
{
	if (!canvas->narrow)
		return position(canvas, size);
	/* Not more than there is room for once it is wide. */
	uint64_t left = (canvas->rows * (uint64_t)canvas->row_bytes - canvas->filled) /
	                wire_pixel_bytes[canvas->format] * wire_pixel_bytes[canvas->narrow_format];
	*size = NARROW_SIZE - canvas->narrow_filled;
	if (*size > left - canvas->narrow_filled)
		*size = (size_t)(left - canvas->narrow_filled);
	return canvas->narrow + canvas->narrow_filled;
}

/* Widens whole pixels and keeps the rest of one for later. */
static void commit_narrow(struct canvas *canvas)
{
	size_t from_bytes = wire_pixel_bytes[canvas->narrow_format];
	size_t to_bytes = wire_pixel_bytes[canvas->format];
	const uint8_t *narrow = canvas->narrow;

	while (canvas->narrow_filled >= from_bytes) {
		size_t room = 0;
		size_t count = canvas->narrow_filled / from_bytes;
		uint8_t *wide = position(canvas, &room);
		if (count > room / to_bytes)
			count = room / to_bytes;
		widen_pixels(canvas->narrow_format, canvas->format, wide, narrow, count);
		narrow += count * from_bytes;
		canvas->narrow_filled -= count * from_bytes;
		canvas->filled += count * to_bytes;
	}
	memmove(canvas->narrow, narrow, canvas->narrow_filled);
}

void canvas_commit(struct canvas *canvas, size_t size)
{
	if (canvas->narrow) {
		canvas->narrow_filled += size;
		commit_narrow(canvas);
	} else {
		canvas->filled += size;
	}
}

size_t canvas_complete(const struct canvas *canvas)
{
	return (size_t)(canvas->filled / canvas->row_bytes);
}

void canvas_recycle(struct canvas *canvas)
{
	size_t complete = canvas_complete(canvas);
	size_t rest = (size_t)(canvas->filled % canvas->row_bytes);

	memmove(canvas->pixels, canvas->pixels + complete * canvas->stride, rest);
	canvas->filled = rest;
}

size_t canvas_fill(struct canvas *canvas, size_t rows)
{
	size_t complete = canvas_complete(canvas);
	size_t room = 0;

	canvas->narrow_filled = 0;
	while (canvas_complete(canvas) < rows) {
		uint8_t *rest = position(canvas, &room);
		size_t row_rest = canvas->row_bytes - (size_t)(canvas->filled % canvas->row_bytes);
		memset(rest, 0, row_rest);
		canvas->filled += row_rest;
	}
	return complete < rows ? rows - complete : 0;
}

size_t canvas_fill_some(struct canvas *canvas, bool *more)
{
	size_t rows = canvas_complete(canvas) + FILL_AT_ONCE / canvas->row_bytes + 1;

	*more = rows < canvas->rows;
	return canvas_fill(canvas, *more ? rows : canvas->rows);
}

void canvas_restart(struct canvas *canvas)
{
	canvas->filled = 0;
	canvas->narrow_filled = 0;
}
