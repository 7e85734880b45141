/* SPDX-License-Identifier: MIT */
/*
 * Makes a picture smaller, row by row as they come: a box filter.
 *
 * Each pixel of the smaller picture is the exact average of the part of the picture that it covers, rounded to the
 * nearest value.  Memory does not depend on the height.
 *
 * The decoders have a filter of their own, decoders/pixels/reduce.h: the two sides share nothing but the wire.  That
 * one reduces by whole numbers, in all pixel formats, and keeps alpha; this one fits opaque pixels into any size.
 */
#ifndef SAFE_DECODE_BOX_H
#define SAFE_DECODE_BOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Red, green and blue, a byte each. */
enum { BOX_CHANNELS = 3 };

struct box {
	uint32_t source_width, source_height; /* of the picture; WIRE_SIDE_MAX at most */
	uint32_t width, height;               /* of the smaller one: not more */
	uint32_t filled;                      /* of source_height parts of the row that is being filled */
	uint8_t *source;                      /* owned: the next row of the picture, for the caller to fill */
	uint32_t *across;                     /* owned: that row, summed to `width` pixels */
	uint64_t *sums;                       /* owned: the row that is being filled */
	uint8_t *row;                         /* owned: the one that is complete */
};

/* The largest size that keeps the shape of a picture, fits, and does not enlarge it; rounded to the nearest pixel, and
 * not less than one. */
void box_fit(uint32_t source_width, uint32_t source_height, uint32_t most_width, uint32_t most_height, uint32_t *width,
             uint32_t *height);

/* Starts a picture whose sides are not smaller than those that it gets.  Returns false where there is no memory;
 * box_release() is next in either case. */
bool box_open(struct box *box, uint32_t source_width, uint32_t source_height, uint32_t width, uint32_t height);

/* Takes the row in box->source.  Returns whether a row of the smaller picture is complete: then it is in box->row,
 * until the next call. */
bool box_add_row(struct box *box);

void box_release(struct box *box);

#endif
