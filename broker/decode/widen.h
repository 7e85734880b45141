/* SPDX-License-Identifier: MIT */
/*
 * Opaque pixels cross the wire as RGB or gray where the caller wants alpha: the pipe is what a fast decode waits for,
 * and the trusted side has time to add it.
 */
#ifndef SAFE_DECODE_WIDEN_H
#define SAFE_DECODE_WIDEN_H

#include <stddef.h>
#include <stdint.h>

#include "broker/wire/wire.h"

/* WIRE_FORMAT_BIT()s of the formats that can be widened to those asked for; 0 unless that is one format of integers
 * with alpha. */
uint32_t widen_sources(uint32_t pixel_formats);

/* Widens `count` pixels of format `from` to format `to`, of which it is a source.  Up to one byte past the last source
 * pixel is read. */
void widen_pixels(enum wire_pixel_format from, enum wire_pixel_format to, uint8_t *wide, const uint8_t *narrow,
                  size_t count);

#endif
