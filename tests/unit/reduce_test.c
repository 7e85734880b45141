/* SPDX-License-Identifier: MIT */
/* Reduced pictures: the mean of squares, by hand and against a plain implementation. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/runtime/reduce.h"

Test(reduce, the_mean_of_a_square_is_rounded)
{
	const uint8_t gray[] = { 0, 1, 10, 10, 1, 1, 10, 11 }; /* two rows of 4 */
	uint8_t reduced[2];

	reduce_rows(WIRE_GRAY, 2, 4, gray, 2, reduced);
	cr_expect_eq(reduced[0], 1);  /* 0.75 */
	cr_expect_eq(reduced[1], 10); /* 10.25 */
}

Test(reduce, the_last_squares_are_what_is_left)
{
	const uint8_t gray[] = { 10, 20, 30, 40, 50 }; /* one row of 5 */
	uint8_t reduced[3];

	reduce_rows(WIRE_GRAY, 2, 5, gray, 1, reduced);
	cr_expect_eq(reduced[0], 15);
	cr_expect_eq(reduced[1], 35);
	cr_expect_eq(reduced[2], 50);
}

Test(reduce, transparent_pixels_lend_no_colour)
{
	const uint8_t rgba[] = { 200, 100, 50, 255, 1, 2, 3, 0, 200, 100, 50, 255, 9, 9, 9, 0 };
	uint8_t reduced[4];

	reduce_rows(WIRE_RGBA, 2, 2, rgba, 2, reduced);
	cr_expect_arr_eq(reduced, ((uint8_t[]){ 200, 100, 50, 128 }), 4);
	reduce_rows(WIRE_RGBA_PREMULTIPLIED, 2, 2, rgba, 2, reduced);
	cr_expect_arr_eq(reduced, ((uint8_t[]){ 103, 53, 28, 128 }), 4);
	memset(reduced, 7, sizeof(reduced));
	reduce_rows(WIRE_RGBA, 2, 1, (uint8_t[]){ 5, 6, 7, 0 }, 1, reduced);
	cr_expect_arr_eq(reduced, ((uint8_t[]){ 0, 0, 0, 0 }), 4);
}

Test(reduce, sixteen_bits_are_big_endian)
{
	const uint8_t pixels[] = { 0x01, 0x00, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0, 2, 0xff, 0xff, 0xff, 0xff };
	uint8_t reduced[8];

	reduce_rows(WIRE_RGBA16, 2, 2, pixels, 1, reduced);
	cr_expect_arr_eq(reduced, ((uint8_t[]){ 0x01, 0x80, 0, 1, 0xff, 0xff, 0xff, 0xff }), 8);
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
			reduce_rows(WIRE_RGB, factor, width, rows, factor, reduced);
			for (size_t i = 0; i < out * 3; i++)
				cr_expect_eq(reduced[i], 77);
			free(rows);
			free(reduced);
		}
	}
}
