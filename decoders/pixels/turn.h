/* SPDX-License-Identifier: MIT */
/* Turns a picture as its orientation says, so that it stands upright.  Rows go in and come out one by one. */
#ifndef SAFE_DECODE_TURN_H
#define SAFE_DECODE_TURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* EXIF's orientations: which way the first row and the first column of the picture as it is stored are shown. */
enum turn_orientation {
	TURN_NONE = 1,
	TURN_MIRROR, /* left and right are exchanged; no row waits for another */
	TURN_HALF,
	TURN_FLIP,
	TURN_TRANSPOSE, /* from here on, rows become columns */
	TURN_RIGHT,
	TURN_TRANSVERSE,
	TURN_LEFT,
};

struct turn_rectangle {
	uint32_t x, y, width, height;
};

static inline bool turn_exchanges_sides(uint32_t orientation)
{
	return orientation >= TURN_TRANSPOSE;
}

/* Where a rectangle of the upright picture is in one that is stored, of this size. */
struct turn_rectangle turn_stored(uint32_t orientation, uint32_t width, uint32_t height,
                                  const struct turn_rectangle *upright);

/* Zero at first. */
struct turn {
	uint32_t orientation;
	uint32_t width, height; /* as it is stored */
	size_t pixel_bytes;
	uint8_t *rows; /* that were put: all of them, or one */
	uint8_t *band; /* of the upright picture: several rows, which are made at once */
	uint32_t rows_in, rows_out;
};

/* Returns false if there is no memory; turn_close() is next in either case. */
bool turn_open(struct turn *turn, uint32_t orientation, uint32_t width, uint32_t height, size_t pixel_bytes);
void turn_close(struct turn *turn);

/* Bytes that it takes. */
uint64_t turn_memory(uint32_t orientation, uint32_t width, uint32_t height, size_t pixel_bytes);

/* A picture begins. */
void turn_begin(struct turn *turn);

/* The next row.  All rows that there are have to be taken before the next one. */
void turn_put(struct turn *turn, const uint8_t *row);

/* No more rows come: those that are missing are zeroes. */
void turn_end(struct turn *turn);

/* Gives the next row of the upright picture, if it is known yet, else NULL.  It is valid until the next call. */
const uint8_t *turn_take(struct turn *turn);

#endif
