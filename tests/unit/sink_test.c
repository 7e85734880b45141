/* SPDX-License-Identifier: MIT */
/* Output formats, whatever the pieces in which pixels come. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "broker/decode/widen.h"
#include "broker/output/sink.h"

enum { WIDTH = 5, HEIGHT = 4 };

static struct wire_image make_image(enum wire_pixel_format format)
{
	return (struct wire_image){ .width = WIDTH,
		                    .height = HEIGHT,
		                    .pixel_format = format,
		                    .frames = 1,
		                    .color = WIRE_COLOR_RGB,
		                    .channels = 3,
		                    .depth = 8 };
}

static size_t image_size(enum wire_pixel_format format)
{
	return (size_t)WIDTH * HEIGHT * wire_pixel_bytes[format];
}

/* Feeds the first `size` bytes of a picture in pieces to a sink that writes `wanted`. */
static struct outcome feed(struct sink *sink, enum wire_pixel_format format, const uint8_t *pixels, size_t size,
                           size_t piece)
{
	const struct wire_image image = make_image(format);
	struct outcome outcome = sink_image(sink, &image);

	while (size > 0 && outcome.status == SDEC_OK) {
		size_t room = 0;
		uint8_t *place = sink_reserve(sink, &room);
		size_t part = piece < size ? piece : size;
		cr_assert(place && room > 0);
		if (part > room)
			part = room;
		memcpy(place, pixels, part);
		outcome = sink_commit(sink, part);
		pixels += part;
		size -= part;
	}
	return outcome;
}

static void fill(uint8_t *pixels, size_t size)
{
	for (size_t i = 0; i < size; i++)
		pixels[i] = (uint8_t)(i * 7 + 1);
}

/* What a sink of this format makes of the first `size` bytes, in pieces; returns how many bytes that are. */
static size_t write_picture(const char *name, enum wire_pixel_format format, size_t size, size_t piece, uint8_t *output,
                            size_t room)
{
	uint8_t pixels[WIDTH * HEIGHT * WIRE_PIXEL_BYTES_MAX];
	int fd = memfd_create("output", MFD_CLOEXEC);
	struct sink sink;
	bool partial = size < image_size(format);

	cr_assert(fd >= 0);
	fill(pixels, sizeof(pixels));
	sink_init(&sink, sink_format_by_name(name), WIRE_FORMAT_BIT(format), fd);
	struct outcome outcome = feed(&sink, format, pixels, size, piece);
	cr_assert_eq(outcome.status, SDEC_OK, "%s: %s", name, outcome.reason);
	cr_assert_eq(sink_end(&sink, partial).status, SDEC_OK);
	sink_release(&sink);
	sink_release(&sink); /* twice is allowed */
	ssize_t got = pread(fd, output, room, 0);
	cr_assert(got > 0 && (size_t)got < room);
	cr_assert_eq(close(fd), 0);
	return (size_t)got;
}

Test(sink, the_pieces_make_no_difference)
{
	static const struct {
		const char *name;
		enum wire_pixel_format format;
	} sinks[] = { { "raw", WIRE_BGRA },  { "pam", WIRE_RGBA16 },  { "ppm", WIRE_RGB },
		      { "ppm", WIRE_GRAY },  { "ppm", WIRE_RGB16 },   { "pam", WIRE_GRAY_ALPHA },
		      { "bmp", WIRE_BGR },   { "bmp", WIRE_BGRA },    { "preview", WIRE_RGBA },
		      { "raw", WIRE_RGB16 }, { "raw", WIRE_RGBA_F32 } };
	static uint8_t whole[4096], pieces[4096];

	for (size_t i = 0; i < sizeof(sinks) / sizeof(sinks[0]); i++) {
		size_t size = image_size(sinks[i].format);
		size_t written = write_picture(sinks[i].name, sinks[i].format, size, size, whole, sizeof(whole));
		for (size_t piece = 1; piece < size; piece++) {
			size_t again =
			        write_picture(sinks[i].name, sinks[i].format, size, piece, pieces, sizeof(pieces));
			cr_assert_eq(again, written);
			cr_assert_arr_eq(pieces, whole, written, "%s in pieces of %zu", sinks[i].name, piece);
		}
	}
}

Test(sink, headers)
{
	static uint8_t output[4096];

	size_t written = write_picture("ppm", WIRE_RGB, 60, 60, output, sizeof(output));
	cr_expect_eq(written, 11 + 60);
	cr_expect_arr_eq(output, "P6\n5 4\n255\n", 11);
	written = write_picture("ppm", WIRE_GRAY, 20, 20, output, sizeof(output));
	cr_expect_arr_eq(output, "P5\n5 4\n255\n", 11);
	/* Samples of 16 bits have the higher byte first. */
	written = write_picture("ppm", WIRE_GRAY16, 40, 40, output, sizeof(output));
	cr_expect_eq(written, 13 + 40);
	cr_expect_arr_eq(output, "P5\n5 4\n65535\n\x08\x01\x16\x0f", 17);
	written = write_picture("pam", WIRE_GRAY_ALPHA16, 80, 80, output, sizeof(output));
	cr_expect_arr_eq(
	        output, "P7\nWIDTH 5\nHEIGHT 4\nDEPTH 2\nMAXVAL 65535\nTUPLTYPE GRAYSCALE_ALPHA\nENDHDR\n\x08\x01", 75);
	cr_expect_eq(written, 73 + 80);
	written = write_picture("pam", WIRE_RGB16, 120, 120, output, sizeof(output));
	cr_expect_arr_eq(output, "P7\nWIDTH 5\nHEIGHT 4\nDEPTH 3\nMAXVAL 65535\nTUPLTYPE RGB\nENDHDR\n\x08\x01", 63);
	/* Rows of 15 bytes are padded to 16. */
	written = write_picture("bmp", WIRE_BGR, 60, 60, output, sizeof(output));
	cr_expect_eq(written, 122 + 4 * 16);
	cr_expect_arr_eq(output, "BM", 2);
	cr_expect_eq(output[2], written);
	cr_expect_eq((int8_t)output[22], -HEIGHT); /* from top to bottom */
}

Test(sink, what_lacks_is_filled)
{
	static uint8_t output[4096], pixels[256];

	fill(pixels, sizeof(pixels));
	for (size_t rows = 0; rows < HEIGHT; rows++) {
		size_t have = rows * WIDTH * 4;
		size_t written = write_picture("raw", WIRE_BGRA, have, 13, output, sizeof(output));
		cr_expect_eq(written, image_size(WIRE_BGRA));
		cr_expect_arr_eq(output, pixels, have);
		for (size_t i = have; i < written; i++)
			cr_assert_eq(output[i], 0);
	}
}

Test(sink, opaque_pixels_are_widened)
{
	static const enum wire_pixel_format wide[] = { WIRE_BGRA, WIRE_RGBA, WIRE_BGRA_PREMULTIPLIED,
		                                       WIRE_RGBA_PREMULTIPLIED };
	uint8_t narrow[3 * 100 + 1], out[4 * 100];

	fill(narrow, sizeof(narrow));
	for (size_t f = 0; f < 4; f++) {
		bool blue_first = wide[f] == WIRE_BGRA || wide[f] == WIRE_BGRA_PREMULTIPLIED;
		cr_expect_eq(widen_sources(WIRE_FORMAT_BIT(wide[f])),
		             WIRE_FORMAT_BIT(WIRE_RGB) | WIRE_FORMAT_BIT(WIRE_GRAY));
		for (size_t count = 0; count <= 100; count++) {
			memset(out, 0, sizeof(out));
			widen_pixels(WIRE_RGB, wide[f], out, narrow, count);
			for (size_t i = 0; i < 4 * count; i++) {
				size_t sample = i % 4;
				uint8_t color = narrow[i / 4 * 3 + (blue_first ? 2 - sample % 3 : sample % 3)];
				cr_assert_eq(out[i], sample == 3 ? 255 : color);
			}
			cr_assert(count == 100 || out[4 * count] == 0, "wrote too far");
			widen_pixels(WIRE_GRAY, wide[f], out, narrow, count);
			for (size_t i = 0; i < 4 * count; i++)
				cr_assert_eq(out[i], i % 4 == 3 ? 255 : narrow[i / 4]);
		}
	}
	cr_expect_eq(widen_sources(WIRE_FORMAT_BIT(WIRE_RGB)), 0);
	cr_expect_eq(widen_sources(WIRE_FORMAT_BIT(WIRE_RGB16)), 0);
	cr_expect_eq(widen_sources(WIRE_FORMAT_BIT(WIRE_RGBA_F32)), 0);
	cr_expect_eq(widen_sources(WIRE_FORMAT_BIT(WIRE_RGBA) | WIRE_FORMAT_BIT(WIRE_RGBA16)), 0);
}

/* Gray, and what has 16 bits: each pixel is its samples, gray three times for colour, and one that is white. */
Test(sink, opaque_samples_are_widened)
{
	static const struct {
		enum wire_pixel_format from, to;
	} pairs[] = { { WIRE_GRAY, WIRE_GRAY_ALPHA },
		      { WIRE_GRAY16, WIRE_GRAY_ALPHA16 },
		      { WIRE_GRAY16, WIRE_RGBA16 },
		      { WIRE_RGB16, WIRE_RGBA16 } };
	uint8_t narrow[6 * 100 + 1], out[8 * 100 + 1];

	fill(narrow, sizeof(narrow));
	for (size_t p = 0; p < sizeof(pairs) / sizeof(pairs[0]); p++) {
		size_t sample = pairs[p].to == WIRE_GRAY_ALPHA ? 1 : 2;
		size_t from = wire_pixel_bytes[pairs[p].from], to = wire_pixel_bytes[pairs[p].to];
		cr_expect(widen_sources(WIRE_FORMAT_BIT(pairs[p].to)) & WIRE_FORMAT_BIT(pairs[p].from));
		for (size_t count = 0; count <= 100; count++) {
			memset(out, 0, sizeof(out));
			widen_pixels(pairs[p].from, pairs[p].to, out, narrow, count);
			for (size_t i = 0; i < count * to; i++) {
				bool alpha = i % to >= to - sample;
				cr_assert_eq(out[i], alpha ? 255 : narrow[i / to * from + i % to % from], "pair %zu",
				             p);
			}
			cr_assert_eq(out[count * to], 0, "wrote too far");
		}
	}
}

/* A page of 16 bits, and then one of 8. */
Test(sink, pages_of_several_formats)
{
	static uint8_t output[4096], pixels[WIDTH * HEIGHT * 8];
	int fd = memfd_create("output", MFD_CLOEXEC);
	struct wire_image image = make_image(WIRE_RGB);
	struct sink sink;
	size_t room = 0;

	cr_assert(fd >= 0);
	fill(pixels, sizeof(pixels));
	sink_init(&sink, sink_format_by_name("pam"), WIRE_FORMAT_BIT(WIRE_RGB) | WIRE_FORMAT_BIT(WIRE_RGBA16), fd);
	cr_assert_eq(feed(&sink, WIRE_RGBA16, pixels, 160, 160).status, SDEC_OK);
	cr_assert_eq(sink_next(&sink, &image).status, SDEC_OK);
	memcpy(sink_reserve(&sink, &room), pixels, 60);
	cr_assert_eq(sink_commit(&sink, 60).status, SDEC_OK);
	cr_assert_eq(sink_end(&sink, false).status, SDEC_OK);
	sink_release(&sink);
	ssize_t got = pread(fd, output, sizeof(output), 0);
	cr_assert_eq(got, 67 + 160 + 59 + 60);
	cr_expect_arr_eq(output + got - 60, pixels, 60);
	cr_assert_eq(close(fd), 0);
}

Test(sink, a_full_disk_is_an_error)
{
	uint8_t pixels[WIDTH * HEIGHT * 4] = { 0 };
	static const char *const names[] = { "raw", "bmp", "preview" };
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	cr_assert(full >= 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		enum wire_pixel_format format = i == 2 ? WIRE_RGBA : WIRE_BGRA;
		struct sink sink;
		sink_init(&sink, sink_format_by_name(names[i]), WIRE_FORMAT_BIT(format), full);
		struct outcome outcome = feed(&sink, format, pixels, sizeof(pixels), sizeof(pixels));
		cr_expect_eq(outcome.status, SDEC_IO);
		cr_expect_eq(outcome.error_number, ENOSPC);
		sink_release(&sink);
	}
}

Test(sink, formats_by_name)
{
	cr_expect_eq(sink_format_by_file_name("a.b/c.PNG"), sink_format_by_name("png"));
	cr_expect_eq(sink_format_by_file_name("x.pgm"), sink_format_by_name("ppm"));
	cr_expect_null(sink_format_by_file_name("a.png/c"));
	cr_expect_null(sink_format_by_file_name("png"));
	cr_expect_null(sink_format_by_file_name("a."));
	cr_expect_null(sink_format_by_name(""));
}

Test(sink, what_cannot_be_held)
{
	struct wire_image image = make_image(WIRE_RGBA);
	struct sink sink;

	sink_init(&sink, sink_format_by_name("png"), WIRE_FORMAT_BIT(WIRE_RGBA), STDOUT_FILENO);
	cr_expect_eq(sink_next(&sink, &image).status, SDEC_USAGE); /* it has had one */
	sink_release(&sink);
	image = make_image(WIRE_BGRA);
	image.width = image.height = 40000; /* 6.4 GB: more than a bmp file's size field holds */
	sink_init(&sink, sink_format_by_name("bmp"), WIRE_FORMAT_BIT(WIRE_BGRA), STDOUT_FILENO);
	cr_expect_eq(sink_image(&sink, &image).status, SDEC_USAGE);
	sink_release(&sink);
	sink_init(&sink, sink_format_by_name("ppm"), WIRE_FORMAT_BIT(WIRE_RGB), STDOUT_FILENO);
	cr_expect_eq(sink_bytes(&sink).status, SDEC_UNSUPPORTED);
	sink_release(&sink);
}
