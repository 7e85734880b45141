/* SPDX-License-Identifier: MIT */
/* Reduced pictures: the mean of squares, by hand and against a plain implementation. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/pixels/halves.h"
#include "decoders/pixels/reduce.h"

static void reduce_packed(enum wire_pixel_format format, uint32_t factor, uint32_t width, const uint8_t *rows,
                          size_t count, uint8_t *reduced)
{
	reduce_rows(format, factor, width, rows, width * (size_t)wire_pixel_bytes[format], count, reduced);
}

Test(reduce, the_mean_of_a_square_is_rounded)
{
	const uint8_t gray[] = { 0, 1, 10, 10, 1, 1, 10, 11 }; /* two rows of 4 */
	uint8_t reduced[2];

	reduce_packed(WIRE_GRAY, 2, 4, gray, 2, reduced);
	cr_expect_eq(reduced[0], 1);  /* 0.75 */
	cr_expect_eq(reduced[1], 10); /* 10.25 */
}

Test(reduce, the_last_squares_are_what_is_left)
{
	const uint8_t gray[] = { 10, 20, 30, 40, 50 }; /* one row of 5 */
	uint8_t reduced[3];

	reduce_packed(WIRE_GRAY, 2, 5, gray, 1, reduced);
	cr_expect_eq(reduced[0], 15);
	cr_expect_eq(reduced[1], 35);
	cr_expect_eq(reduced[2], 50);
}

Test(reduce, transparent_pixels_lend_no_colour)
{
	const uint8_t rgba[] = { 200, 100, 50, 255, 1, 2, 3, 0, 200, 100, 50, 255, 9, 9, 9, 0 };
	uint8_t reduced[4];

	reduce_packed(WIRE_RGBA, 2, 2, rgba, 2, reduced);
	cr_expect_arr_eq(reduced, ((uint8_t[]){ 200, 100, 50, 128 }), 4);
	reduce_packed(WIRE_RGBA_PREMULTIPLIED, 2, 2, rgba, 2, reduced);
	cr_expect_arr_eq(reduced, ((uint8_t[]){ 103, 53, 28, 128 }), 4);
	memset(reduced, 7, sizeof(reduced));
	reduce_packed(WIRE_RGBA, 2, 1, (uint8_t[]){ 5, 6, 7, 0 }, 1, reduced);
	cr_expect_arr_eq(reduced, ((uint8_t[]){ 0, 0, 0, 0 }), 4);
}

Test(reduce, sixteen_bits)
{
	const uint16_t pixels[] = { 0x100, 0, 0xffff, 0xffff, 0x200, 2, 0xffff, 0xffff };
	uint16_t reduced[4];

	reduce_packed(WIRE_RGBA16, 2, 2, (const uint8_t *)pixels, 1, (uint8_t *)reduced);
	cr_expect_arr_eq(reduced, ((uint16_t[]){ 0x180, 1, 0xffff, 0xffff }), 8);
	reduce_packed(WIRE_GRAY16, 8, 8, (const uint8_t *)pixels, 1, (uint8_t *)reduced);
	cr_expect_eq(reduced[0], (0x300 + 2 + 4 * 0xffff + 4) / 8);
	/* The second pixel counts twice as much as the first. */
	reduce_packed(WIRE_GRAY_ALPHA16, 2, 2, (const uint8_t *)(uint16_t[]){ 300, 1000, 600, 2000 }, 1,
	              (uint8_t *)reduced);
	cr_expect_arr_eq(reduced, ((uint16_t[]){ 500, 1500 }), 4);
}

Test(reduce, gray_counts_by_its_alpha)
{
	const uint8_t pixels[] = { 200, 255, 7, 0, 100, 255, 9, 0 };
	uint8_t reduced[2];

	reduce_packed(WIRE_GRAY_ALPHA, 2, 2, pixels, 2, reduced);
	cr_expect_arr_eq(reduced, ((uint8_t[]){ 150, 128 }), 2);
}

Test(reduce, floats)
{
	const float pixels[] = { 2, -1, 0.5F, 1, 4, -3, 0.25F, 1, NAN, INFINITY, 7, 0, 0, 0, 0, 0 };
	float single[4];
	uint16_t halves[16], half[4];

	reduce_packed(WIRE_RGBA_F32, 2, 2, (const uint8_t *)pixels, 2, (uint8_t *)single);
	cr_expect_arr_eq(single, ((float[]){ 3, -2, 0.375F, 0.5F }), sizeof(single));
	for (int i = 0; i < 16; i++)
		halves[i] = half_from_float(pixels[i]);
	reduce_packed(WIRE_RGBA_F16, 2, 2, (const uint8_t *)halves, 2, (uint8_t *)half);
	for (int i = 0; i < 4; i++)
		cr_expect_eq(half_to_float(half[i]), single[i]);
	reduce_packed(WIRE_RGBA_F32, 2, 2, (const uint8_t *)(pixels + 8), 1, (uint8_t *)single);
	cr_expect_arr_eq(single, ((float[]){ 0, 0, 0, 0 }), sizeof(single), "nothing is seen");
}

Test(reduce, every_factor_and_width_stays_inside)
{
	for (uint32_t factor = 1; factor <= 8; factor *= 2) {
		for (uint32_t width = 1; width <= 20; width++) {
			size_t out = (width + factor - 1) / factor;
			/* Allocated to the byte, for sanitizers and valgrind. */
			uint8_t *rows = malloc((size_t)width * factor * 3);
			uint8_t *reduced = malloc(out * 3);
			cr_assert(rows && reduced);
			memset(rows, 77, (size_t)width * factor * 3);
			reduce_packed(WIRE_RGB, factor, width, rows, factor, reduced);
			for (size_t i = 0; i < out * 3; i++)
				cr_expect_eq(reduced[i], 77);
			free(rows);
			free(reduced);
		}
	}
}
