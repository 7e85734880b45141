/* SPDX-License-Identifier: MIT */
#include "cmyk.h"

enum { INKS = 4, COLORS = 3 };

/* x / 255, rounded, for the product of two bytes. */
static uint32_t divide_by_255(uint32_t x)
{
	return (x + 128 + ((x + 128) >> 8)) >> 8;
}

/* x / 65535, rounded, for the product of two samples of 16 bits. */
static uint64_t divide_by_65535(uint64_t x)
{
	return (x + 32768 + ((x + 32768) >> 16)) >> 16;
}

void cmyk_to_rgb(uint8_t *rgb, const uint8_t *cmyk, size_t width)
{
	for (; width > 0; width--, cmyk += INKS, rgb += COLORS) {
		uint32_t light = cmyk[3];
		for (int i = 0; i < COLORS; i++)
			rgb[i] = (uint8_t)(light - divide_by_255((255U - cmyk[i]) * light));
	}
}

void cmyk_to_rgb16(uint16_t *rgb, const uint16_t *cmyk, size_t width)
{
	for (; width > 0; width--, cmyk += INKS, rgb += COLORS) {
		uint64_t light = cmyk[3];
		for (int i = 0; i < COLORS; i++)
			rgb[i] = (uint16_t)(light - divide_by_65535((65535U - cmyk[i]) * light));
	}
}
