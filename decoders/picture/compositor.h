/* SPDX-License-Identifier: MIT */
/* The canvas of an animation, on which its frames are drawn one after the other: of GIF, APNG and WebP alike. */
#ifndef SAFE_DECODE_COMPOSITOR_H
#define SAFE_DECODE_COMPOSITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoders/runtime/decoder.h"

/* What becomes of a frame's rectangle before the next frame is drawn. */
enum compositor_dispose {
	COMPOSITOR_KEEP,
	COMPOSITOR_CLEAR,   /* to transparent, as browsers do, whatever the file calls its background */
	COMPOSITOR_RESTORE, /* to what was there before */
};

/* Any rectangle will do: what is outside of the canvas is left out. */
struct compositor_frame {
	uint32_t x, y, width, height;
	bool over; /* transparent pixels let shine through what is below; else they take its place */
	enum compositor_dispose dispose;
};

/* Zero at first. */
struct compositor {
	uint32_t width, height;
	uint8_t *pixels; /* RGBA, packed, not premultiplied; owned */
	uint8_t *saved;  /* what the last frame covers, where it is to be restored; owned */
	struct compositor_frame frame;
};

/* A transparent canvas.  Returns WIRE_OK or WIRE_FAIL_LIMIT_MEMORY; compositor_close() is next in either case. */
session_result compositor_open(struct compositor *compositor, uint32_t width, uint32_t height);
void compositor_close(struct compositor *compositor);

/* Disposes of the last frame, and is ready for the rows of the next.  Returns WIRE_OK or WIRE_FAIL_LIMIT_MEMORY. */
session_result compositor_begin(struct compositor *compositor, const struct compositor_frame *frame);

/* Draws a row of the frame: `width` pixels of RGBA. */
void compositor_draw(struct compositor *compositor, uint32_t row, const uint8_t *pixels);

/* How long browsers show a frame that asks for so many milliseconds: what asks for next to nothing means nothing. */
uint32_t compositor_delay(uint32_t delay);

#endif
