/* SPDX-License-Identifier: MIT */
/* YCbCr that no JPEG codec has turned into RGB: by the coefficients of the file. */
#include <stdlib.h>
#include <string.h>

#include "tiff_decode.h"

/* What TIFFYCbCrToRGBInit() writes behind its struct: six tables of 256 entries, as libtiff allocates it. */
enum { TABLES_SIZE = 1024 * sizeof(TIFFRGBValue) + 512 * sizeof(int) + 768 * sizeof(int32_t) };

static bool are_numbers(const float *values, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!(values[i] > -1e6F && values[i] < 1e6F))
			return false;
	return true;
}

session_result tiff_prepare_ycbcr(struct decode *decode)
{
	float *luma = NULL, *range = NULL;

	if (!TIFFGetFieldDefaulted(decode->tiff, TIFFTAG_YCBCRCOEFFICIENTS, &luma) ||
	    !TIFFGetFieldDefaulted(decode->tiff, TIFFTAG_REFERENCEBLACKWHITE, &range) || !luma || !range)
		return tiff_failure(decode, WIRE_FAIL_HEADER);
	/* The green one is divided by. */
	if (!are_numbers(luma, 3) || !are_numbers(range, 6) || (luma[1] < 1e-6F && luma[1] > -1e-6F))
		return WIRE_FAIL_HEADER;
	size_t head = (sizeof(TIFFYCbCrToRGB) + sizeof(long) - 1) / sizeof(long) * sizeof(long);
	decode->ycbcr = malloc(head + TABLES_SIZE);
	if (!decode->ycbcr)
		return WIRE_FAIL_LIMIT_MEMORY;
	return TIFFYCbCrToRGBInit(decode->ycbcr, luma, range) < 0 ? WIRE_FAIL_HEADER : WIRE_OK;
}

static void to_rgb(const struct decode *decode, uint8_t luma, uint8_t blue, uint8_t red, uint8_t *to)
{
	uint32_t rgb[3] = { 0 };

	TIFFYCbCrtoRGB(decode->ycbcr, luma, blue, red, &rgb[0], &rgb[1], &rgb[2]);
	for (int i = 0; i < 3; i++)
		to[i] = (uint8_t)rgb[i];
}

void tiff_ycbcr_pixel(const struct decode *decode, const uint8_t *sample, uint8_t *to)
{
	to_rgb(decode, sample[0], sample[1], sample[2], to);
}

static size_t round_up(size_t value, size_t unit)
{
	return (value + unit - 1) / unit;
}

size_t tiff_clumps_size(const struct tiff_form *form, uint32_t height)
{
	size_t clumps = round_up(form->chunk_width, form->across) * round_up(height, form->down), size = 0;

	return __builtin_mul_overflow(clumps, form->across * form->down + 2, &size) ? SIZE_MAX : size;
}

void tiff_convert_clumps(const struct decode *decode, const uint8_t *from, size_t y, size_t count, uint8_t *to)
{
	const struct tiff_form *form = &decode->form;
	size_t lumas = (size_t)form->across * form->down, clump = lumas + 2;
	const uint8_t *clumps = from + y / form->down * (round_up(form->chunk_width, form->across) * clump);
	size_t line = y % form->down * form->across;

	for (size_t x = 0; x < count; x++) {
		const uint8_t *pixels = clumps + x / form->across * clump;
		to_rgb(decode, pixels[line + x % form->across], pixels[lumas], pixels[lumas + 1], to + 3 * x);
	}
}
