/* SPDX-License-Identifier: MIT */
/*
 * Brings a picture onto a screen, row by row as they come: centred, made smaller until it fits, never enlarged.
 *
 * Each pixel of the screen gets the exact average of the part of the picture that it covers, rounded to the nearest
 * value.  Transparent parts show black, as does what lies around the picture.
 */
#ifndef SAFE_DECODE_PAINTER_H
#define SAFE_DECODE_PAINTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "screen.h"

struct painter {
	const struct screen *screen;          /* borrowed */
	uint32_t source_width, source_height; /* of the picture; WIRE_SIDE_MAX at most */
	uint32_t x, y, width, height;         /* where it goes on the screen */
	uint32_t row;                         /* of these that is being filled */
	uint32_t filled;                      /* of source_height parts of it */
	uint32_t *across;                     /* owned: a row of the picture, summed to `width` pixels */
	uint64_t *sums;                       /* owned: the row that is being filled */
	uint8_t *line;                        /* owned: a row that is complete */
};

/* Where a picture goes: the largest size that fits, keeps its shape and does not enlarge it, rounded to the nearest
 * pixel, and not less than one. */
void painter_fit(struct painter *painter, const struct screen *screen, uint32_t width, uint32_t height);

/* Starts a picture whose sides are at most WIRE_SIDE_MAX: makes the screen black.  Returns false where there is no
 * memory. */
bool painter_begin(struct painter *painter, const struct screen *screen, uint32_t width, uint32_t height);

/* Takes the next row, BGRA.  Rows past the last are ignored. */
void painter_row(struct painter *painter, const uint8_t *bgra);

void painter_release(struct painter *painter);

#endif
