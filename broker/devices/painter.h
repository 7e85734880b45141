/* SPDX-License-Identifier: MIT */
/*
 * Brings a picture onto a screen, row by row as they come: centred, made smaller until it fits, never enlarged.
 *
 * Each pixel of the screen gets the average of the part of the picture that it covers (box.h).  Transparent parts show
 * black, as does what lies around the picture.
 */
#ifndef SAFE_DECODE_PAINTER_H
#define SAFE_DECODE_PAINTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/output/box.h"
#include "screen.h"

struct painter {
	const struct screen *screen;  /* borrowed */
	uint32_t x, y, width, height; /* where it goes on the screen */
	uint32_t row;                 /* of these that comes next */
	struct box box;               /* owned */
};

/* Where a picture goes, see box_fit(). */
void painter_fit(struct painter *painter, const struct screen *screen, uint32_t width, uint32_t height);

/* Starts a picture whose sides are at most WIRE_SIDE_MAX: makes the screen black.  Returns false where there is no
 * memory. */
bool painter_begin(struct painter *painter, const struct screen *screen, uint32_t width, uint32_t height);

/* Takes the next row, BGRA.  Rows past the last are ignored. */
void painter_row(struct painter *painter, const uint8_t *bgra);

void painter_release(struct painter *painter);

#endif
