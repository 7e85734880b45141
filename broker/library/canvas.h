/* SPDX-License-Identifier: MIT */
/* Where the pixels of a frame go: memory of the caller's, or a window over which they pass. */
#ifndef SAFE_DECODE_CANVAS_H
#define SAFE_DECODE_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/wire/wire.h"

struct canvas {
	uint8_t *pixels;  /* borrowed */
	size_t stride;    /* bytes from row to row */
	size_t row_bytes; /* bytes of a row that are pixels */
	size_t rows;      /* that there is room for */
	uint64_t filled;  /* bytes of rows that are there, the padding between rows not counted */
	enum wire_pixel_format format;
	uint8_t *narrow; /* owned; what comes in where it has to be widened, else NULL */
	size_t narrow_filled;
	enum wire_pixel_format narrow_format;
};

/* A canvas of `rows` rows of `width` pixels of format `to`, for pixels that come in format `from`.  Returns false where
 * there is no memory to widen them. */
bool canvas_init(struct canvas *canvas, uint32_t width, enum wire_pixel_format from, enum wire_pixel_format to,
                 uint8_t *pixels, size_t stride, size_t rows);
void canvas_free(struct canvas *canvas);

/* As the functions of struct wire_consumer; the reader sees to it that no more comes than there is room for. */
void *canvas_reserve(struct canvas *canvas, size_t *size);
void canvas_commit(struct canvas *canvas, size_t size);

/* Rows that are complete. */
size_t canvas_complete(const struct canvas *canvas);

/* Makes room in a window: the complete rows go, and the piece of one that is left goes to the start. */
void canvas_recycle(struct canvas *canvas);

/* Zeroes what lacks of the first `rows` rows.  Returns how many of them were not complete. */
size_t canvas_fill(struct canvas *canvas, size_t rows);

/* The same for all rows, some at a time, so that limits can be looked at between; sets *more while there are any left.
 */
size_t canvas_fill_some(struct canvas *canvas, bool *more);

/* Starts over, for the next frame. */
void canvas_restart(struct canvas *canvas);

#endif
