/* SPDX-License-Identifier: MIT */
/* Pictures on screens that are memory with a described layout: where each pixel goes, and that nothing else changes. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/devices/device.h"
#include "broker/devices/painter.h"
#include "broker/wire/wire.h"
#include "tests/support/overlap.h"

enum { UNTOUCHED = 0xa5 };

/* Layouts of pixels as real framebuffers have them. */
static const struct layout {
	uint32_t bits;
	struct screen_field red, green, blue, alpha;
} layouts[] = {
	{ 16, { 11, 5 }, { 5, 6 }, { 0, 5 }, { 0, 0 } },     { 16, { 10, 5 }, { 5, 5 }, { 0, 5 }, { 15, 1 } },
	{ 16, { 0, 5 }, { 5, 6 }, { 11, 5 }, { 0, 0 } },     { 24, { 16, 8 }, { 8, 8 }, { 0, 8 }, { 0, 0 } },
	{ 24, { 0, 8 }, { 8, 8 }, { 16, 8 }, { 0, 0 } },     { 32, { 16, 8 }, { 8, 8 }, { 0, 8 }, { 0, 0 } },
	{ 32, { 16, 8 }, { 8, 8 }, { 0, 8 }, { 24, 8 } },    { 32, { 24, 8 }, { 16, 8 }, { 8, 8 }, { 0, 8 } },
	{ 32, { 20, 10 }, { 10, 10 }, { 0, 10 }, { 0, 0 } },
};

enum { LAYOUTS = sizeof(layouts) / sizeof(layouts[0]) };

/* A screen of this size in memory that ends with the last visible pixel.  `spare` bytes follow each row. */
static struct screen make_screen(const struct layout *layout, uint32_t width, uint32_t height, uint32_t x_offset,
                                 uint32_t y_offset, size_t spare)
{
	size_t bytes = layout->bits / 8;
	size_t stride = (x_offset + width) * bytes + spare;
	struct screen screen = {
		.size = (y_offset + height - 1) * stride + (x_offset + width) * bytes,
		.stride = stride,
		.width = width,
		.height = height,
		.x_offset = x_offset,
		.y_offset = y_offset,
		.bits = layout->bits,
		.red = layout->red,
		.green = layout->green,
		.blue = layout->blue,
		.alpha = layout->alpha,
	};
	screen.memory = malloc(screen.size);
	cr_assert(screen.memory);
	memset(screen.memory, UNTOUCHED, screen.size);
	cr_assert(screen_is_sound(&screen));
	return screen;
}

/* The sample of 8 bits as a field of the pixel has it: its highest bits, and below the 8th its highest ones again. */
static uint64_t expected_field(unsigned sample, const struct screen_field *field)
{
	uint64_t value = 0;

	for (uint32_t bit = 0; bit < field->length; bit++)
		value = value << 1 | (sample >> (7 - bit % 8) & 1);
	return value << field->offset;
}

static uint64_t expected_pixel(const struct screen *screen, const uint8_t rgb[3])
{
	uint64_t pixel = expected_field(rgb[0], &screen->red) | expected_field(rgb[1], &screen->green) |
	                 expected_field(rgb[2], &screen->blue);

	return pixel | expected_field(255, &screen->alpha);
}

/* Compares the whole memory with a picture of RGB pixels, as large as the screen. */
static void expect_screen(const struct screen *screen, const uint8_t *rgb, const char *what)
{
	size_t bytes = screen->bits / 8;

	for (size_t at = 0; at < screen->size; at++) {
		size_t row = at / screen->stride;
		size_t column = at % screen->stride / bytes;
		bool visible = row >= screen->y_offset && column >= screen->x_offset &&
		               column - screen->x_offset < screen->width;
		uint8_t expected = UNTOUCHED;
		if (visible) {
			const uint8_t *pixel =
			        rgb + 3 * ((row - screen->y_offset) * screen->width + column - screen->x_offset);
			expected = (uint8_t)(expected_pixel(screen, pixel) >> (8 * (at % screen->stride % bytes)));
		}
		cr_assert_eq(screen->memory[at], expected, "%s: byte %zu of %zu bits", what, at, 8 * bytes);
	}
}

static uint8_t *make_picture(uint32_t width, uint32_t height, bool opaque)
{
	uint8_t *bgra = malloc((size_t)width * height * 4);

	cr_assert(bgra);
	for (size_t i = 0; i < (size_t)width * height * 4; i++)
		bgra[i] = opaque && i % 4 == 3 ? 255 : (uint8_t)rand();
	return bgra;
}

static void paint(const struct screen *screen, const uint8_t *bgra, uint32_t width, uint32_t height)
{
	struct painter painter;

	cr_assert(painter_begin(&painter, screen, width, height));
	for (uint32_t y = 0; y < height; y++)
		painter_row(&painter, bgra + (size_t)y * width * 4);
	cr_assert_eq(painter.row, painter.height);
	painter_row(&painter, bgra); /* one too many is left out */
	painter_release(&painter);
}

/* One sample of the picture at a pixel of the screen: the average of all that it covers. */
static uint8_t average(const struct painter *fit, const uint8_t *bgra, uint32_t x, uint32_t y, size_t sample)
{
	uint64_t sum = 0;
	uint64_t total = (uint64_t)fit->box.source_width * fit->box.source_height;

	for (uint32_t source_y = 0; source_y < fit->box.source_height; source_y++) {
		uint64_t down = overlap(source_y, fit->box.source_height, y, fit->height);
		for (uint32_t source_x = 0; down > 0 && source_x < fit->box.source_width; source_x++) {
			const uint8_t *pixel = bgra + 4 * ((size_t)source_y * fit->box.source_width + source_x);
			uint64_t shown = (pixel[2 - sample] * 2U * pixel[3] + 255) / 510;
			sum += shown * down * overlap(source_x, fit->box.source_width, x, fit->width);
		}
	}
	return (uint8_t)((2 * sum + total) / (2 * total));
}

static void expect_painted(const struct screen *screen, const uint8_t *bgra, uint32_t width, uint32_t height,
                           const char *what)
{
	uint8_t *rgb = calloc((size_t)screen->width * screen->height, 3);
	struct painter fit;

	cr_assert(rgb);
	painter_fit(&fit, screen, width, height);
	fit.box = (struct box){ .source_width = width, .source_height = height };
	for (uint32_t y = 0; y < fit.height; y++)
		for (uint32_t x = 0; x < fit.width; x++)
			for (size_t sample = 0; sample < 3; sample++)
				rgb[3 * ((size_t)(fit.y + y) * screen->width + fit.x + x) + sample] =
				        average(&fit, bgra, x, y, sample);
	expect_screen(screen, rgb, what);
	free(rgb);
}

static void try_picture(const struct layout *layout, const uint32_t screen_size[2], const uint32_t offsets[2],
                        size_t spare, uint32_t width, uint32_t height)
{
	struct screen screen = make_screen(layout, screen_size[0], screen_size[1], offsets[0], offsets[1], spare);
	uint8_t *bgra = make_picture(width, height, false);
	char what[96];

	(void)snprintf(what, sizeof(what), "%ux%u on %ux%u at %u,%u", width, height, screen_size[0], screen_size[1],
	               offsets[0], offsets[1]);
	paint(&screen, bgra, width, height);
	expect_painted(&screen, bgra, width, height, what);
	free(bgra);
	free(screen.memory);
}

Test(screen, every_layout_at_every_place)
{
	static const uint32_t sizes[][2] = { { 17, 11 }, { 1, 1 }, { 64, 3 }, { 2, 31 } };
	static const uint32_t offsets[][2] = { { 0, 0 }, { 3, 0 }, { 0, 5 }, { 7, 2 } };
	static const size_t spares[] = { 0, 1, 7, 64 };

	for (size_t i = 0; i < LAYOUTS; i++)
		for (size_t size = 0; size < 4; size++)
			for (size_t j = 0; j < 4; j++)
				try_picture(&layouts[i], sizes[size], offsets[j], spares[j], 13, 9);
}

Test(screen, pictures_of_every_size)
{
	static const uint32_t screen[2] = { 12, 10 }, offsets[2] = { 1, 2 };

	for (uint32_t width = 1; width < 30; width++)
		for (uint32_t height = 1; height < 30; height += 3)
			try_picture(&layouts[3], screen, offsets, 5, width, height);
	try_picture(&layouts[5], screen, offsets, 0, 4000, 1);
	try_picture(&layouts[5], screen, offsets, 0, 1, 4000);
	try_picture(&layouts[5], (const uint32_t[]){ 1, 1 }, offsets, 0, 300, 200);
	try_picture(&layouts[5], (const uint32_t[]){ 1500, 900 }, offsets, 3, 2, 1);
}

Test(screen, a_picture_that_fits_is_not_changed)
{
	struct screen screen = make_screen(&layouts[5], 40, 30, 0, 0, 8);
	uint8_t *bgra = make_picture(40, 30, true);

	paint(&screen, bgra, 40, 30);
	for (size_t y = 0; y < 30; y++)
		for (size_t x = 0; x < 40; x++)
			cr_assert_arr_eq(screen.memory + y * screen.stride + 4 * x, bgra + 4 * (40 * y + x), 3);
	free(bgra);
	free(screen.memory);
}

Test(screen, half_the_size_is_the_mean_of_four)
{
	struct screen screen = make_screen(&layouts[5], 20, 10, 0, 0, 0);
	uint8_t *bgra = make_picture(40, 20, true);

	paint(&screen, bgra, 40, 20);
	for (size_t i = 0; i < (size_t)20 * 10; i++) {
		const uint8_t *corner = bgra + 4 * (i / 20 * 80 + i % 20 * 2);
		for (size_t sample = 0; sample < 3; sample++)
			cr_assert_eq(screen.memory[4 * i + sample], (corner[sample] + corner[sample + 4] +
			                                             corner[sample + 160] + corner[sample + 164] + 2) /
			                                                    4);
	}
	free(bgra);
	free(screen.memory);
}

/* The sizes of the largest pictures: sums must not overflow, and places must be right.  Two rows are enough. */
Test(screen, the_largest_sides)
{
	struct screen screen = make_screen(&layouts[5], 16, 16, 0, 0, 0);
	uint8_t *white = malloc((size_t)WIRE_SIDE_MAX * 4);
	struct painter painter;

	cr_assert(white);
	memset(white, 255, (size_t)WIRE_SIDE_MAX * 4);
	cr_assert(painter_begin(&painter, &screen, WIRE_SIDE_MAX, WIRE_SIDE_MAX));
	cr_assert(painter.width == 16 && painter.height == 16 && painter.x == 0 && painter.y == 0);
	painter_row(&painter, white);
	/* As if all other rows of this row of the screen had come. */
	for (size_t i = 0; i < (size_t)16 * 3; i++)
		painter.box.sums[i] *= WIRE_SIDE_MAX / 16 - 1;
	painter.box.filled = WIRE_SIDE_MAX - 16;
	painter_row(&painter, white);
	cr_expect_eq(painter.row, 1);
	for (size_t i = 0; i < (size_t)16 * 4; i++)
		cr_expect_eq(screen.memory[i], i % 4 == 3 ? 0 : 255);
	painter_release(&painter);
	free(white);
	free(screen.memory);
}

Test(screen, the_shape_is_kept)
{
	struct screen screen = { .width = 1024, .height = 768 };
	static const uint32_t sizes[][4] = {
		{ 1165, 859, 1024, 755 },
		{ 1024, 768, 1024, 768 },
		{ 1025, 768, 1024, 767 },
		{ 768, 1024, 576, 768 },
		{ 3, 2, 3, 2 },
		{ 524288, 1, 1024, 1 },
		{ 1, 524288, 1, 768 },
		{ 524288, 524288, 768, 768 },
		{ 4000, 3000, 1024, 768 },
	};
	struct painter fit;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		painter_fit(&fit, &screen, sizes[i][0], sizes[i][1]);
		cr_expect(fit.width == sizes[i][2] && fit.height == sizes[i][3], "%ux%u becomes %ux%u", sizes[i][0],
		          sizes[i][1], fit.width, fit.height);
		cr_expect(fit.x == (1024 - fit.width) / 2 && fit.y == (768 - fit.height) / 2);
	}
}

/* Whatever the sizes: inside the screen, and no larger than the picture. */
Test(screen, a_picture_is_never_outside)
{
	for (int i = 0; i < 200000; i++) {
		struct screen screen = { .width = 1 + (uint32_t)rand() % (1U << rand() % 20),
			                 .height = 1 + (uint32_t)rand() % (1U << rand() % 20) };
		uint32_t width = 1 + (uint32_t)rand() % (1U << rand() % 20);
		uint32_t height = 1 + (uint32_t)rand() % (1U << rand() % 20);
		struct painter fit;
		painter_fit(&fit, &screen, width, height);
		cr_assert(fit.width >= 1 && fit.height >= 1 && fit.width <= width && fit.height <= height);
		cr_assert(fit.x + fit.width <= screen.width && fit.y + fit.height <= screen.height);
	}
}

Test(screen, writes_are_cut_at_the_edges)
{
	struct screen screen = make_screen(&layouts[0], 5, 4, 2, 1, 3);
	uint8_t rgb[20 * 3], expected[5 * 4 * 3] = { 0 };

	memset(rgb, 255, sizeof(rgb));
	screen_clear(&screen);
	screen_write(&screen, 3, 1, rgb, 20);
	screen_write(&screen, 5, 1, rgb, 1);
	screen_write(&screen, 0, 4, rgb, 20);
	screen_write(&screen, UINT32_MAX, UINT32_MAX, rgb, 20);
	memset(expected + 3 * (5 + 3), 255, 6);
	expect_screen(&screen, expected, "cut");
	free(screen.memory);
}

/* What a device says of itself may be nonsense. */
Test(screen, nonsense_is_refused)
{
	struct screen good = make_screen(&layouts[5], 8, 6, 1, 2, 4);
	const struct screen bad[] = {
		{ .bits = 8 },
		{ .bits = 15 },
		{ .bits = 64 },
		{ .width = UINT32_MAX },
		{ .height = UINT32_MAX },
		{ .x_offset = UINT32_MAX },
		{ .y_offset = UINT32_MAX },
		{ .x_offset = 3 },
		{ .y_offset = 3 },
		{ .stride = 35 },
		{ .stride = SIZE_MAX },
		{ .stride = SIZE_MAX / 7 + 2 },
		{ .size = good.size - 1 },
		{ .red = { 25, 8 } },
		{ .green = { 0, 17 } },
		{ .blue = { UINT32_MAX, 8 } },
		{ .alpha = { 31, UINT32_MAX } },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		/* What is not zero replaces what is good. */
		struct screen screen = good;
		const uint8_t *from = (const uint8_t *)&bad[i];
		for (size_t at = 0; at < sizeof(screen); at += sizeof(uint32_t))
			if (memcmp(from + at, "\0\0\0\0", sizeof(uint32_t)) != 0)
				memcpy((uint8_t *)&screen + at, from + at, sizeof(uint32_t));
		cr_expect(!screen_is_sound(&screen), "%zu", i);
	}
	struct screen screen = good;
	screen.width = 0;
	cr_expect(!screen_is_sound(&screen));
	screen = good;
	screen.height = 0;
	cr_expect(!screen_is_sound(&screen));
	screen = good;
	screen.red.length = 0;
	cr_expect(!screen_is_sound(&screen));
	screen = good;
	screen.size = 0;
	cr_expect(!screen_is_sound(&screen));
	free(good.memory);
}

/* ---- the output format that draws on a screen ---- */

/* What a driver was asked to do; it has a screen that was panned since it was opened. */
static struct {
	struct screen now;
	struct outcome outcome; /* of the beginning */
	int begun, flushed;
} asked;

static struct outcome begin(void *context, struct screen *screen)
{
	cr_assert_eq(context, &asked);
	*screen = asked.now;
	asked.begun++;
	return asked.outcome;
}

static struct outcome flush(void *context)
{
	cr_assert_eq(context, &asked);
	asked.flushed++;
	return outcome_ok();
}

static const struct screen_driver driver = { .begin = begin, .flush = flush };

/* Draws the first `size` bytes of an opaque picture, which come without alpha, in pieces. */
static struct outcome draw(const uint8_t *rgb, size_t size, size_t piece)
{
	const struct wire_image image = { .width = 5, .height = 4, .pixel_format = WIRE_RGB, .frames = 1 };
	struct device device = { .kind = DEVICE_FRAMEBUFFER, .driver = &driver, .context = &asked, .console.fd = -1 };
	struct sink sink;

	sink_init(&sink, device_sink_format(DEVICE_FRAMEBUFFER), WIRE_FORMAT_BIT(WIRE_BGRA), -1);
	sink.device = &device;
	struct outcome outcome = sink_image(&sink, &image);
	for (size_t at = 0; at < size && outcome.status == SDEC_OK; at += piece) {
		size_t room = 0;
		uint8_t *place = sink_reserve(&sink, &room);
		size_t part = size - at < piece ? size - at : piece;
		cr_assert(place && room >= part);
		memcpy(place, rgb + at, part);
		outcome = sink_commit(&sink, part);
	}
	if (outcome.status == SDEC_OK)
		outcome = sink_end(&sink, true);
	sink_release(&sink);
	return outcome;
}

Test(screen, a_picture_comes_in_pieces_and_perhaps_not_whole)
{
	uint8_t rgb[5 * 4 * 3], expected[5 * 4 * 3];

	for (size_t size = 0; size <= sizeof(rgb); size += 15) {
		for (size_t piece = 1; piece < 40; piece++) {
			memset(&asked, 0, sizeof(asked));
			asked.now = make_screen(&layouts[0], 5, 4, 1, 3, 2);
			for (size_t i = 0; i < sizeof(rgb); i++)
				rgb[i] = (uint8_t)(i * 37 + 11);
			memset(expected, 0, sizeof(expected));
			memcpy(expected, rgb, size);
			cr_assert_eq(draw(rgb, size, piece).status, SDEC_OK);
			expect_screen(&asked.now, expected, "in pieces");
			cr_assert(asked.begun == 1 && asked.flushed == 1);
			free(asked.now.memory);
		}
	}
}

Test(screen, a_device_that_fails_is_not_drawn_on)
{
	uint8_t rgb[5 * 4 * 3] = { 0 };

	memset(&asked, 0, sizeof(asked));
	asked.outcome = outcome_of(SDEC_IO, "the screen is gone");
	cr_expect_eq(draw(rgb, sizeof(rgb), 7).status, SDEC_IO);
	cr_expect(asked.begun == 1 && asked.flushed == 0);
}
