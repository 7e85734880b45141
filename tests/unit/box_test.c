/* SPDX-License-Identifier: MIT */
/* The box filter: every pixel of the smaller picture is the exact mean of what it covers. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "broker/output/box.h"
#include "broker/wire/wire.h"
#include "tests/support/overlap.h"

static uint8_t *make_picture(uint32_t width, uint32_t height)
{
	uint8_t *rgb = malloc((size_t)width * height * BOX_CHANNELS);

	cr_assert(rgb);
	for (size_t i = 0; i < (size_t)width * height * BOX_CHANNELS; i++)
		rgb[i] = (uint8_t)rand();
	return rgb;
}

/* By the definition, from the whole picture. */
static uint8_t mean(const struct box *box, const uint8_t *rgb, uint32_t x, uint32_t y, size_t channel)
{
	uint64_t sum = 0;
	uint64_t total = (uint64_t)box->source_width * box->source_height;

	for (uint32_t source_y = 0; source_y < box->source_height; source_y++)
		for (uint32_t source_x = 0; source_x < box->source_width; source_x++)
			sum += rgb[((size_t)source_y * box->source_width + source_x) * BOX_CHANNELS + channel] *
			       overlap(source_y, box->source_height, y, box->height) *
			       overlap(source_x, box->source_width, x, box->width);
	return (uint8_t)((2 * sum + total) / (2 * total));
}

static void try_sizes(uint32_t source_width, uint32_t source_height, uint32_t width, uint32_t height)
{
	uint8_t *rgb = make_picture(source_width, source_height);
	size_t stride = (size_t)source_width * BOX_CHANNELS;
	struct box box;
	uint32_t rows = 0;

	cr_assert(box_open(&box, source_width, source_height, width, height));
	for (uint32_t y = 0; y < source_height; y++) {
		memcpy(box.source, rgb + y * stride, stride);
		if (!box_add_row(&box))
			continue;
		for (uint32_t x = 0; x < width; x++)
			for (size_t channel = 0; channel < BOX_CHANNELS; channel++)
				cr_assert_eq(box.row[x * BOX_CHANNELS + channel], mean(&box, rgb, x, rows, channel),
				             "%ux%u to %ux%u at %u, %u", source_width, source_height, width, height, x,
				             rows);
		rows++;
	}
	cr_assert_eq(rows, height, "%u of %u rows", rows, height);
	box_release(&box);
	cr_assert(!box.source && !box.row);
	box_release(&box);
	free(rgb);
}

Test(box, every_pixel_is_the_mean_of_what_it_covers)
{
	for (uint32_t source = 1; source <= 9; source++)
		for (uint32_t target = 1; target <= source; target++) {
			try_sizes(source, 7, target, 5);
			try_sizes(7, source, 3, target);
		}
	try_sizes(64, 48, 16, 12);
	try_sizes(101, 37, 80, 29);
	try_sizes(50, 60, 1, 1);
}

Test(box, the_same_size_changes_nothing)
{
	uint8_t *rgb = make_picture(13, 4);
	struct box box;

	cr_assert(box_open(&box, 13, 4, 13, 4));
	for (size_t y = 0; y < 4; y++) {
		memcpy(box.source, rgb + y * 39, 39);
		cr_assert(box_add_row(&box));
		cr_assert_arr_eq(box.row, rgb + y * 39, 39);
	}
	box_release(&box);
	free(rgb);
}

Test(box, the_shape_is_kept)
{
	static const uint32_t sizes[][6] = {
		/* picture, most, what it becomes */
		{ 1165, 859, 1024, 768, 1024, 755 }, { 1024, 768, 1024, 768, 1024, 768 },
		{ 1025, 768, 1024, 768, 1024, 767 }, { 768, 1024, 1024, 768, 576, 768 },
		{ 3, 2, 1024, 768, 3, 2 },           { WIRE_SIDE_MAX, 1, 80, 46, 80, 1 },
		{ 1, WIRE_SIDE_MAX, 80, 46, 1, 46 }, { WIRE_SIDE_MAX, WIRE_SIDE_MAX, 80, 46, 46, 46 },
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint32_t width = 0, height = 0;
		box_fit(sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3], &width, &height);
		cr_expect(width == sizes[i][4] && height == sizes[i][5], "%ux%u becomes %ux%u", sizes[i][0],
		          sizes[i][1], width, height);
	}
}

/* Whatever the sizes: no larger than the picture, nor than what there is room for. */
Test(box, nothing_is_enlarged)
{
	for (int i = 0; i < 100000; i++) {
		uint32_t sides[4], width = 0, height = 0;
		for (int side = 0; side < 4; side++)
			sides[side] = 1 + (uint32_t)rand() % (1U << rand() % 20);
		box_fit(sides[0], sides[1], sides[2], sides[3], &width, &height);
		cr_assert(width >= 1 && height >= 1 && width <= sides[0] && height <= sides[1]);
		cr_assert(width <= sides[2] && height <= sides[3]);
	}
}

/* White stays white in the largest pictures: no sum overflows. */
Test(box, the_largest_sides)
{
	struct box box;

	cr_assert(box_open(&box, WIRE_SIDE_MAX, WIRE_SIDE_MAX, 1, 1));
	memset(box.source, 255, (size_t)WIRE_SIDE_MAX * BOX_CHANNELS);
	cr_assert(!box_add_row(&box));
	/* As if all rows but the last had come. */
	for (size_t i = 0; i < BOX_CHANNELS; i++)
		box.sums[i] *= WIRE_SIDE_MAX - 1;
	box.filled = WIRE_SIDE_MAX - 1;
	cr_assert(box_add_row(&box));
	for (size_t i = 0; i < BOX_CHANNELS; i++)
		cr_expect_eq(box.row[i], 255);
	box_release(&box);
}
