/* SPDX-License-Identifier: MIT */
/*
 * Gives a picture another size, by Lanczos' filter with three lobes, in linear light.  Rows go in and come out one by
 * one.  Where the picture becomes much smaller, blocks of pixels are averaged first.
 */
#ifndef SAFE_DECODE_RESAMPLE_H
#define SAFE_DECODE_RESAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "linear.h"

/* Along one side: what of the input makes up each pixel of the output. */
struct resample_axis {
	uint32_t from, to; /* pixels */
	uint32_t block;    /* how many pixels of the input are averaged; 1: none */
	uint32_t blocks;   /* that there are then */
	double start;      /* in blocks, where the output begins */
	double step;       /* in blocks, from one pixel of the output to the next */
	double radius;     /* in blocks, that the filter reaches */
	uint32_t taps;     /* blocks that make up a pixel of the output */
};

/* Zero at first. */
struct resample {
	enum wire_pixel_format format;
	struct resample_axis across, down;
	uint32_t *firsts;    /* across, for each pixel of the output: the first block */
	float *weights;      /* across, `taps` for each pixel of the output */
	float *row_weights;  /* down, of one row of the output */
	linear_pixel *row;   /* of the input */
	linear_pixel *means; /* of the rows of the input that are there of a row of blocks */
	linear_pixel *ring;  /* the last rows of blocks, as wide as those of the output */
	linear_pixel *made;  /* a row of the output */
	uint32_t rows_in, rows_averaged, rows_out;
};

/* One side: of `from` pixels, `extent` from `start` on, which need not be whole ones, become `to`. */
struct resample_side {
	uint32_t from, to;
	double start, extent;
};

/* Returns false if there is no memory; resample_close() is next in either case. */
bool resample_open(struct resample *resample, enum wire_pixel_format format, const struct resample_side *across,
                   const struct resample_side *down);
void resample_close(struct resample *resample);

/* Bytes that it takes. */
uint64_t resample_memory(const struct resample_side *across, const struct resample_side *down);

/* A picture begins. */
void resample_begin(struct resample *resample);

/* The next row of the input.  All rows that can be made have to be taken before the next one. */
void resample_put(struct resample *resample, const uint8_t *row);

/* Makes the next row of the output, if that can be done yet. */
bool resample_take(struct resample *resample, uint8_t *row);

#endif
