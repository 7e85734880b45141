/* SPDX-License-Identifier: MIT */
#include "halves.h"

#include <string.h>

float half_to_float(uint16_t half)
{
	uint32_t sign = (uint32_t)(half >> 15) << 31;
	uint32_t exponent = half >> 10 & 31, mantissa = half & 1023;

	if (exponent == 31)
		return float_of_bits(sign | 0x7f800000 | mantissa << 13);
	if (exponent > 0)
		return float_of_bits(sign | (exponent + 112) << 23 | mantissa << 13);
	float small = (float)mantissa / (float)(1 << 24);
	return sign ? -small : small;
}

uint16_t half_from_float(float value)
{
	enum {
		HALF_INFINITY = 0x7c00,
		QUIET = 0x0200, /* a number that is none, whatever it was */
		SHIFT = 13,     /* bits of a float's mantissa that a half lacks */
		REBIAS = 112,   /* between the exponents */
	};
	uint32_t bits = 0;

	memcpy(&bits, &value, sizeof(bits));
	uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
	uint32_t size = bits & 0x7fffffff, exponent = size >> 23;
	if (size > 0x7f800000)
		return sign | HALF_INFINITY | QUIET;
	if (exponent >= REBIAS + 31)
		return sign | HALF_INFINITY;
	/* What a half cannot have as 1.x is a number of steps of 2^-24. */
	uint32_t shift = exponent > REBIAS ? SHIFT : SHIFT + 1 + REBIAS - exponent;
	uint32_t mantissa = exponent > REBIAS ? size - ((uint32_t)REBIAS << 23) : (size & 0x7fffff) | 0x800000;
	if (shift > 24)
		return sign; /* less than half a step */
	uint32_t half = mantissa >> shift, rest = mantissa & ((UINT32_C(1) << shift) - 1);
	uint32_t middle = UINT32_C(1) << (shift - 1);
	/* A carry goes to the exponent, which is right. */
	half += rest > middle || (rest == middle && (half & 1));
	return (uint16_t)(sign | half);
}

void halves_load_pixel(float samples[4], const uint8_t *from, size_t sample_bytes)
{
	uint16_t halves[4];

	if (sample_bytes == sizeof(float)) {
		memcpy(samples, from, 4 * sizeof(float));
		return;
	}
	memcpy(halves, from, sizeof(halves));
	for (int i = 0; i < 4; i++)
		samples[i] = half_to_float(halves[i]);
}
