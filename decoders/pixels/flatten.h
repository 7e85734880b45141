/* SPDX-License-Identifier: MIT */
/* Puts transparent pixels on a background, as browsers do: in what is encoded, but floats in linear light. */
#ifndef SAFE_DECODE_FLATTEN_H
#define SAFE_DECODE_FLATTEN_H

#include <stddef.h>
#include <stdint.h>

#include "broker/wire/wire.h"

/* The format that flattened pixels come in: the given one with alpha.  Where there is none, the given one. */
enum wire_pixel_format flatten_source(enum wire_pixel_format format);

/* Puts `width` pixels of flatten_source(format) on a color, 0xRRGGBB of sRGB, and stores them in the format. */
void flatten_row(enum wire_pixel_format format, uint8_t *to, const uint8_t *from, size_t width, uint32_t color);

#endif
