/* SPDX-License-Identifier: MIT */
/* Makes a picture smaller: each pixel is the mean of a square of pixels. */
#ifndef SAFE_DECODE_REDUCE_H
#define SAFE_DECODE_REDUCE_H

#include <stddef.h>
#include <stdint.h>

#include "broker/wire/wire.h"

/* Reduces up to `factor` rows of `width` pixels, `stride` bytes from one to the next, to one row of `width` / `factor`
 * pixels, rounded up.  The last square of a row may be narrower, and `count` less than `factor`: the mean is of what is
 * there.  Where alpha is not premultiplied, colours count by it. */
void reduce_rows(enum wire_pixel_format format, uint32_t factor, uint32_t width, const uint8_t *rows, size_t stride,
                 size_t count, uint8_t *reduced);

#endif
