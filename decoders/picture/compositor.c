/* SPDX-License-Identifier: MIT */
#include "compositor.h"

#include <stdlib.h>
#include <string.h>

enum {
	PIXEL_BYTES = 4,
	OPAQUE = 255,
	SHORTEST_DELAY = 10, /* up to it, a delay is none */
	USUAL_DELAY = 100,
};

session_result compositor_open(struct compositor *compositor, uint32_t width, uint32_t height)
{
	size_t size = 0;

	*compositor = (struct compositor){ .width = width, .height = height };
	if (__builtin_mul_overflow((size_t)width * PIXEL_BYTES, height, &size))
		return WIRE_FAIL_LIMIT_MEMORY;
	compositor->pixels = calloc(1, size);
	return compositor->pixels ? WIRE_OK : WIRE_FAIL_LIMIT_MEMORY;
}

void compositor_close(struct compositor *compositor)
{
	free(compositor->pixels);
	free(compositor->saved);
	*compositor = (struct compositor){ 0 };
}

static uint32_t visible(uint32_t start, uint32_t length, uint32_t end)
{
	if (start >= end)
		return 0;
	return length < end - start ? length : end - start;
}

/* The row of the canvas at which a row of the frame begins. */
static uint8_t *place_of(const struct compositor *compositor, uint32_t row)
{
	const struct compositor_frame *frame = &compositor->frame;

	return compositor->pixels + ((size_t)(frame->y + row) * compositor->width + frame->x) * PIXEL_BYTES;
}

static void dispose(struct compositor *compositor)
{
	struct compositor_frame *frame = &compositor->frame;
	size_t row_bytes = (size_t)frame->width * PIXEL_BYTES;
	const uint8_t *saved = compositor->saved;

	for (uint32_t row = 0; frame->dispose != COMPOSITOR_KEEP && row < frame->height; row++) {
		if (frame->dispose == COMPOSITOR_CLEAR)
			memset(place_of(compositor, row), 0, row_bytes);
		else
			memcpy(place_of(compositor, row), saved + row * row_bytes, row_bytes);
	}
	free(compositor->saved);
	compositor->saved = NULL;
	*frame = (struct compositor_frame){ 0 };
}

static session_result save(struct compositor *compositor)
{
	const struct compositor_frame *frame = &compositor->frame;
	size_t row_bytes = (size_t)frame->width * PIXEL_BYTES;

	/* No more than the canvas, so that the product fits. */
	compositor->saved = malloc(row_bytes * frame->height);
	if (!compositor->saved)
		return WIRE_FAIL_LIMIT_MEMORY;
	for (uint32_t row = 0; row < frame->height; row++)
		memcpy(compositor->saved + row * row_bytes, place_of(compositor, row), row_bytes);
	return WIRE_OK;
}

session_result compositor_begin(struct compositor *compositor, const struct compositor_frame *frame)
{
	session_result result = WIRE_OK;

	dispose(compositor);
	struct compositor_frame clipped = *frame;
	clipped.width = visible(frame->x, frame->width, compositor->width);
	clipped.height = visible(frame->y, frame->height, compositor->height);
	if (clipped.width == 0 || clipped.height == 0)
		clipped = (struct compositor_frame){ 0 };
	compositor->frame = clipped;
	if (clipped.dispose == COMPOSITOR_RESTORE)
		result = save(compositor);
	if (result != WIRE_OK)
		compositor->frame = (struct compositor_frame){ 0 };
	return result;
}

/* Neither is all there is, so that both alphas count: what is divided by is not zero. */
static void blend(uint8_t *to, const uint8_t *from)
{
	uint32_t above = from[3] * (uint32_t)OPAQUE;
	uint32_t below = to[3] * (uint32_t)(OPAQUE - from[3]);
	uint32_t alpha = above + below;

	for (size_t i = 0; i < 3; i++)
		to[i] = (uint8_t)((from[i] * above + to[i] * below + alpha / 2) / alpha);
	to[3] = (uint8_t)((alpha + OPAQUE / 2) / OPAQUE);
}

void compositor_draw(struct compositor *compositor, uint32_t row, const uint8_t *pixels)
{
	const struct compositor_frame *frame = &compositor->frame;

	if (row >= frame->height)
		return;
	uint8_t *to = place_of(compositor, row);
	if (!frame->over) {
		memcpy(to, pixels, (size_t)frame->width * PIXEL_BYTES);
		return;
	}
	for (uint32_t x = 0; x < frame->width; x++, to += PIXEL_BYTES, pixels += PIXEL_BYTES) {
		if (pixels[3] == OPAQUE || (pixels[3] > 0 && to[3] == 0))
			memcpy(to, pixels, PIXEL_BYTES);
		else if (pixels[3] > 0)
			blend(to, pixels);
	}
}

uint32_t compositor_delay(uint32_t delay)
{
	return delay <= SHORTEST_DELAY ? USUAL_DELAY : delay;
}
