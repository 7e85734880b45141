/* SPDX-License-Identifier: MIT */
/* IEEE floats and half floats, and their bits. */
#ifndef SAFE_DECODE_HALVES_H
#define SAFE_DECODE_HALVES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The float that has these bits. */
static inline float float_of_bits(uint32_t bits)
{
	float value = 0;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

float half_to_float(uint16_t half);

/* The nearest half; of two that are as near, the one whose last bit is 0.  What is too large becomes infinite. */
uint16_t half_from_float(float value);

/* Loads the four samples of a pixel: halves, or, of 4 bytes, singles. */
void halves_load_pixel(float samples[4], const uint8_t *from, size_t sample_bytes);

#endif
