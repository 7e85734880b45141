/* SPDX-License-Identifier: MIT */
/* From sRGB to linear light. */
#ifndef SAFE_DECODE_LIGHT_H
#define SAFE_DECODE_LIGHT_H

#include <stdint.h>

/* What a sample of sRGB is in linear light, 0 to 1: the nearest float.  It remembers what it has worked out. */
float light_of(uint16_t sample);

/* The same of a float, in which 1 is white; beyond, the curve goes on, and below zero it is turned about. */
float light_of_float(float sample);

#endif
