/* SPDX-License-Identifier: MIT */
/*
 * Frames that are drawn on a canvas, on their way out.  Where one frame is wanted there is no canvas: its rows go out
 * as they come, with transparent pixels around them.
 */
#ifndef SAFE_DECODE_ANIMATION_H
#define SAFE_DECODE_ANIMATION_H

#include <stdbool.h>
#include <stdint.h>

#include "compositor.h"

/* Zero at first. */
struct animation {
	struct session *session;
	const struct wire_image *image;
	bool single;
	struct compositor compositor;          /* unless single */
	uint8_t *row;                          /* of the picture, if single; owned */
	struct compositor_frame place, before; /* of the last frame; of the one before, as far as it is disposed of */
	uint32_t rows; /* of the frame that were drawn, or of the picture that were sent, if single */
};

/* Whether more than the first frame is wanted, so that it takes a canvas. */
bool animation_wanted(const struct session *session);

/* What it takes besides the image's rows, for session_needs(). */
uint64_t animation_memory(const struct session *session, const struct wire_image *image);

/* After session_image().  A single frame must lie inside of the picture.  Returns WIRE_OK or WIRE_FAIL_LIMIT_MEMORY;
 * animation_close() is next in either case. */
session_result animation_open(struct animation *animation, struct session *session, const struct wire_image *image);
void animation_close(struct animation *animation);

/* Begins a frame, which asks to be shown for `delay` milliseconds.  Returns WIRE_OK, a failure, or SESSION_STOP. */
session_result animation_begin(struct animation *animation, const struct compositor_frame *place, uint32_t delay);

/* The next rows of the frame, RGBA. */
session_result animation_rows(struct animation *animation, const uint8_t *pixels, size_t stride, uint32_t count);

/* No more rows come: all were given, or, if there is damage, as many as are whole. */
session_result animation_end(struct animation *animation, enum wire_failure damage);

#endif
