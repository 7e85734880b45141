/* SPDX-License-Identifier: MIT */
/*
 * Memory that is shown, as its device describes it: a framebuffer of the kernel's, a buffer of DRM's, or an array in a
 * test.  Nothing here asks a device.
 */
#ifndef SAFE_DECODE_SCREEN_H
#define SAFE_DECODE_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Some bits of a pixel, which is a little-endian number. */
struct screen_field {
	uint32_t offset; /* of the lowest bit */
	uint32_t length; /* bits; 0: the pixel has none of it */
};

struct screen {
	uint8_t *memory;   /* borrowed */
	size_t size;       /* bytes of it */
	size_t stride;     /* bytes from one row to the next */
	uint32_t width;    /* visible pixels */
	uint32_t height;   /* visible rows */
	uint32_t x_offset; /* of the visible part in the memory, pixels: panning */
	uint32_t y_offset; /* rows */
	uint32_t bits;     /* a pixel: 16, 24 or 32 */
	struct screen_field red, green, blue;
	struct screen_field alpha; /* is set to all ones */
};

/* Whether the visible part lies within the memory and the fields within a pixel.  Nothing else may be drawn on. */
bool screen_is_sound(const struct screen *screen);

/* Writes `count` pixels, three bytes each (red, green, blue), at a place of the visible part; what would lie outside of
 * it is left out. */
void screen_write(const struct screen *screen, uint32_t x, uint32_t y, const uint8_t *rgb, size_t count);

/* Copies the visible part of a screen of the same size and layout of pixels. */
void screen_copy(const struct screen *to, const struct screen *from);

/* Makes the visible part black. */
void screen_clear(const struct screen *screen);

#endif
