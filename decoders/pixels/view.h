/* SPDX-License-Identifier: MIT */
/*
 * What is made of a picture on its way out: a region of it, smaller or larger, turned, on a background.  Rows of the
 * whole picture go in, and rows of what is wanted come out.
 */
#ifndef SAFE_DECODE_VIEW_H
#define SAFE_DECODE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resample.h"
#include "turn.h"

/* A picture as its decoder gives it. */
struct view_picture {
	uint32_t width, height;        /* pixels, as they are in the file */
	uint32_t reduced;              /* 1, 2, 4 or 8: the decoder has divided both by it, rounded up */
	bool corners;                  /* by taking the first pixel of each square, and not the mean */
	uint32_t orientation;          /* that it is to be turned by; 0 or 1: by none */
	bool flattened;                /* it has alpha, and is wanted without */
	enum wire_pixel_format format; /* that is wanted in the end */
};

/* Where rows go.  Both return WIRE_OK, or what becomes of the decode. */
struct view_sink {
	uint32_t (*room)(void *context, uint8_t **row); /* for one row of what is wanted */
	uint32_t (*sent)(void *context);                /* it is filled */
	void *context;
};

/* Zero at first. */
struct view {
	struct view_picture picture;
	uint32_t background;
	uint32_t scale;                     /* that is left to do */
	uint32_t given_width, given_height; /* of rows that go in */
	struct turn_rectangle region;       /* of these, what is wanted */
	struct resample_side across, down;  /* of this, what size it gets */
	uint32_t width, height;             /* of what is wanted, in the end */
	enum wire_pixel_format format;      /* of rows that go in */
	bool plain;                         /* all of it as it is: there is nothing to do */
	bool resamples, turns;
	uint8_t *stage; /* owned: rows that go in */
	uint8_t *sized; /* owned: a row that has its size */
	struct resample resample;
	struct turn turn;
	size_t stage_rows, staged; /* rows that it has room for; that wait for the rest of their squares */
	size_t place;              /* in it, of the next row that is filled */
	uint32_t rows_in;
};

/* Works out what is to be done.  Returns WIRE_OK, WIRE_FAIL_REGION, or a limit that what is wanted passes. */
enum wire_failure view_plan(struct view *view, const struct wire_request *request, const struct view_picture *picture);

/* By how much, 1, 2, 4 or 8, but not more than `most`, a decoder is to reduce a picture that it can reduce by itself.
 */
uint32_t view_reduction(const struct wire_request *request, uint32_t width, uint32_t height, uint32_t orientation,
                        uint32_t most);

/* Bytes that it takes, after view_plan(). */
uint64_t view_memory(const struct view *view);

/* After view_plan(), unless the view is plain.  Returns false if there is no memory; view_close() is next in either
 * case. */
bool view_open(struct view *view);
void view_close(struct view *view);

/* A frame begins. */
void view_begin(struct view *view);

/* Room for the next rows: 1 to *count of them. */
uint8_t *view_room(struct view *view, size_t *count);

/* The next `count` of them are filled.  Returns WIRE_OK, or what the sink returned. */
uint32_t view_commit(struct view *view, size_t count, const struct view_sink *sink);

/* Whether all that is wanted has gone out, though not all rows have come in. */
bool view_is_done(const struct view *view);

/* No more rows come.  What can be shown all the same goes out. */
uint32_t view_end(struct view *view, const struct view_sink *sink);

#endif
