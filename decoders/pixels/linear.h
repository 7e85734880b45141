/* SPDX-License-Identifier: MIT */
/* Pixels that can be added up: linear light, as floats, times alpha. */
#ifndef SAFE_DECODE_LINEAR_H
#define SAFE_DECODE_LINEAR_H

#include <stddef.h>
#include <stdint.h>

#include "broker/wire/wire.h"

/* Red, green, blue, alpha; of gray, all colours are the same. */
typedef float linear_pixel __attribute__((vector_size(16)));

/* Loads `width` pixels of a format.  Integers are taken for sRGB. */
void linear_load(enum wire_pixel_format format, linear_pixel *to, const uint8_t *from, size_t width);

/* Stores `width` pixels, rounded, and cut to what the format can hold.  The row is changed on the way. */
void linear_store(enum wire_pixel_format format, uint8_t *to, linear_pixel *row, size_t width);

#endif
