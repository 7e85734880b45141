/* SPDX-License-Identifier: MIT */
/* What a GIF is made of: a header, extensions, frames, and a trailer. */
#ifndef SAFE_DECODE_GIF_BLOCKS_H
#define SAFE_DECODE_GIF_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "decoders/picture/compositor.h"
#include "decoders/runtime/input.h"

enum { GIF_COLORS = 256, GIF_PIXEL_BYTES = 4 };

/* RGBA. */
typedef uint8_t gif_palette[GIF_COLORS][GIF_PIXEL_BYTES];

struct gif_file {
	struct input input;
	uint32_t width, height; /* of the screen */
	uint32_t loops;         /* how often an animation is to be shown; 0: without end */
	bool icc;
	gif_palette palette; /* what has no colour is black */
	/* What the next frame is to be like. */
	uint32_t delay; /* milliseconds */
	int transparent;
	enum compositor_dispose dispose;
};

struct gif_frame {
	struct compositor_frame place;
	uint32_t delay;
	bool interlaced, transparent;
	gif_palette palette;
};

/* What comes next. */
enum gif_next {
	GIF_FRAME,
	GIF_TRAILER,
	GIF_CUT,     /* the input ends */
	GIF_GARBAGE, /* no block starts like this */
};

/* Returns WIRE_OK or a failure. */
session_result gif_read_header(struct gif_file *gif);

/* Goes to the next frame, up to its data. */
enum gif_next gif_read_frame(struct gif_file *gif, struct gif_frame *frame);

/* How many frames there are from here on, the data of which is passed over. */
uint32_t gif_count_frames(struct gif_file *gif);

#endif
