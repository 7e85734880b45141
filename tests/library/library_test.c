/* SPDX-License-Identifier: MIT */
/* The library's one-call functions: what they give is what the command line gives. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/library_support.h"

static const struct {
	const char *name;
	size_t bytes;
} formats[] = {
	[SDEC_BGRA] = { "bgra", 4 },
	[SDEC_RGBA] = { "rgba", 4 },
	[SDEC_BGRA_PREMULTIPLIED] = { "bgra-premultiplied", 4 },
	[SDEC_RGBA_PREMULTIPLIED] = { "rgba-premultiplied", 4 },
	[SDEC_RGB] = { "rgb", 3 },
	[SDEC_BGR] = { "bgr", 3 },
	[SDEC_GRAY] = { "gray", 1 },
	[SDEC_RGBA16] = { "rgba16", 8 },
	[SDEC_GRAY_ALPHA] = { "gray-alpha", 2 },
	[SDEC_GRAY16] = { "gray16", 2 },
	[SDEC_GRAY_ALPHA16] = { "gray-alpha16", 4 },
	[SDEC_RGB16] = { "rgb16", 6 },
	[SDEC_RGBA_F16] = { "rgbaf16", 8 },
	[SDEC_RGBA_F32] = { "rgbaf32", 16 },
};

enum { FORMATS = sizeof(formats) / sizeof(formats[0]) };

/* Pictures of every kind: opaque, gray, transparent, 16 bits, interlaced, of one row. */
static const char *const pictures[] = {
	PHOTOGRAPH,
	"samples/jpeg/peacock.grayscale.jpeg",
	"samples/jpeg/progressive__test.jpg",
	SCREENSHOT,
	"samples/png/with-alpha.png",
	"samples/png/rgb-alpha-16.png",
	"samples/png/gray-1.png",
	"samples/png/palette-8.png",
	"samples/png/ibasn3p04.png",
};

enum { PICTURES = sizeof(pictures) / sizeof(pictures[0]) };

static struct blob reference(const char *path, uint32_t format)
{
	char arguments[512];

	(void)snprintf(arguments, sizeof(arguments), "-t raw -p %s %s", formats[format].name, path);
	return command_line(arguments);
}

static void expect_packed(const struct sdec_image *image, const struct blob *wanted, uint32_t format)
{
	cr_assert_eq(image->pixel_format, format);
	cr_assert_eq(image->stride, image->width * formats[format].bytes);
	cr_assert_eq(wanted->size, image->stride * image->height);
	cr_assert(memcmp(image->pixels, wanted->data, wanted->size) == 0);
}

Test(library_image, from_memory_in_every_pixel_format)
{
	struct sdec_pool *decoder = open_decoder(NULL);

	for (size_t i = 0; i < PICTURES; i++) {
		struct blob file = read_blob(pictures[i]);
		struct sdec_input input = memory_input(file.data, file.size);
		for (uint32_t format = 0; format < FORMATS; format++) {
			struct sdec_request request = { .size = sizeof(request), .pixel_format = format };
			struct sdec_image image = { .size = sizeof(image) };
			struct sdec_result result = { .size = sizeof(result) };
			struct blob wanted = reference(pictures[i], format);
			cr_assert_eq(sdec_decode_image(decoder, &input, &request, &image, &result), SDEC_OK, "%s %s",
			             pictures[i], formats[format].name);
			expect_packed(&image, &wanted, format);
			cr_assert_eq(result.status, SDEC_OK);
			cr_assert_null(result.reason);
			sdec_image_free(&image);
			cr_assert_null(image.pixels);
			free_blob(&wanted);
		}
		free_blob(&file);
	}
	sdec_pool_close(&decoder);
	cr_assert_null(decoder);
}

Test(library_image, from_a_file_and_from_a_pipe)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob wanted = reference(PHOTOGRAPH, SDEC_BGRA);
	FILE *pipe = popen("cat " PHOTOGRAPH, "r");
	int fds[] = { open(PHOTOGRAPH, O_RDONLY | O_CLOEXEC), fileno(pipe) };

	for (int i = 0; i < 2; i++) {
		struct sdec_input input = fd_input(fds[i]);
		struct sdec_image image = { .size = sizeof(image) };
		cr_assert_eq(sdec_decode_image(decoder, &input, NULL, &image, NULL), SDEC_OK);
		expect_packed(&image, &wanted, SDEC_BGRA);
		sdec_image_free(&image);
	}
	cr_assert_eq(pclose(pipe), 0);
	(void)close(fds[0]);
	free_blob(&wanted);
	sdec_pool_close(&decoder);
}

Test(library_image, orientation_is_told_and_not_applied)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob("samples/jpeg/hopper_orientation_6.jpg");
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_image image = { .size = sizeof(image) };

	cr_assert_eq(sdec_decode_image(decoder, &input, NULL, &image, NULL), SDEC_OK);
	cr_assert_eq(image.orientation, 6);
	sdec_image_free(&image);
	free_blob(&file);
	sdec_pool_close(&decoder);
}

/* ---- into the caller's memory ---- */

enum { PADDING = 13, MARK = 0xa5 };

static void decode_into(struct sdec_pool *decoder, const char *path, uint32_t format)
{
	struct blob file = read_blob(path);
	struct blob wanted = reference(path, format);
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_request request = { .size = sizeof(request), .pixel_format = format };
	struct sdec_info info = { .size = sizeof(info) };

	cr_assert_eq(sdec_probe(decoder, &input, &request, &info, NULL), SDEC_OK);
	size_t row = info.width * formats[format].bytes;
	size_t stride = row + PADDING;
	size_t size = stride * (info.height - 1) + row;
	uint8_t *pixels = malloc(size + PADDING);
	cr_assert_not_null(pixels);
	memset(pixels, MARK, size + PADDING);
	struct sdec_image image = { .size = sizeof(image) };
	cr_assert_eq(sdec_decode_image_into(decoder, &input, &request, pixels, size, stride, &image, NULL), SDEC_OK);
	cr_assert_eq(image.pixels, pixels);
	cr_assert_eq(image.stride, stride);
	cr_assert_eq(image.allocated, 0);
	for (size_t y = 0; y < info.height; y++) {
		cr_assert(memcmp(pixels + y * stride, wanted.data + y * row, row) == 0, "%s %zu", path, y);
		for (size_t x = row; x < stride; x++)
			cr_assert_eq(pixels[y * stride + x], MARK);
	}
	sdec_image_free(&image);
	pixels[0] ^= 1; /* still there */
	free(pixels);
	free_blob(&file);
	free_blob(&wanted);
}

Test(library_into, a_larger_stride_leaves_the_padding_alone)
{
	struct sdec_pool *decoder = open_decoder(NULL);

	for (uint32_t format = 0; format < FORMATS; format++) {
		decode_into(decoder, PHOTOGRAPH, format);
		decode_into(decoder, "samples/png/with-alpha.png", format);
		decode_into(decoder, "samples/png/gray-1.png", format);
	}
	sdec_pool_close(&decoder);
}

Test(library_into, what_does_not_fit_tells_the_size_and_touches_nothing)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob(THUMBNAIL);
	struct sdec_input input = memory_input(file.data, file.size);
	uint8_t pixels[32 * 32 * 4];
	const struct {
		size_t size, stride;
	} tries[] = {
		{ sizeof(pixels) - 1, 128 },     { sizeof(pixels), 127 }, { sizeof(pixels), 129 }, { 0, 128 },
		{ SIZE_MAX, SIZE_MAX }, /* the product overflows */
		{ SIZE_MAX, SIZE_MAX / 31 + 1 },
	};

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		struct sdec_image image = { .size = sizeof(image) };
		memset(pixels, MARK, sizeof(pixels));
		cr_assert_eq(sdec_decode_image_into(decoder, &input, NULL, pixels, tries[i].size, tries[i].stride,
		                                    &image, NULL),
		             SDEC_TOO_SMALL);
		cr_assert_eq(image.width, 32);
		cr_assert_eq(image.height, 32);
		cr_assert_null(image.pixels);
		for (size_t at = 0; at < sizeof(pixels); at++)
			cr_assert_eq(pixels[at], MARK);
	}
	free_blob(&file);
	sdec_pool_close(&decoder);
}

/* ---- bytes and probes ---- */

Test(library_bytes, all_of_a_stream)
{
	static const char *const streams[] = { ROMEO, "samples/gzip/midsummer.txt.gz", "samples/zlib/romeo.txt.zlib" };
	struct sdec_pool *decoder = open_decoder(NULL);

	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		struct blob file = read_blob(streams[i]);
		struct blob wanted = command_line(streams[i]);
		struct sdec_input input = memory_input(file.data, file.size);
		struct sdec_bytes bytes = { .size = sizeof(bytes) };
		cr_assert_eq(sdec_decode_bytes(decoder, &input, NULL, &bytes, NULL), SDEC_OK);
		cr_assert_eq(bytes.data_size, wanted.size);
		cr_assert(memcmp(bytes.data, wanted.data, wanted.size) == 0);
		sdec_bytes_free(&bytes);
		cr_assert_null(bytes.data);
		free_blob(&file);
		free_blob(&wanted);
	}
	sdec_pool_close(&decoder);
}

Test(library_bytes, a_format_by_its_name)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob("samples/deflate/romeo.txt.deflate");
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_request request = { .size = sizeof(request), .format = "deflate" };
	struct sdec_bytes bytes = { .size = sizeof(bytes) };

	cr_assert_eq(sdec_decode_bytes(decoder, &input, &request, &bytes, NULL), SDEC_OK);
	cr_assert_eq(bytes.data_size, ROMEO_SIZE);
	sdec_bytes_free(&bytes);
	/* A name that does not fit the content. */
	request.format = "bzip2";
	cr_assert_eq(sdec_decode_bytes(decoder, &input, &request, &bytes, NULL), SDEC_MALFORMED);
	/* Nor what was asked for. */
	request.format = "png";
	cr_assert_eq(sdec_decode_bytes(decoder, &input, &request, &bytes, NULL), SDEC_WRONG_KIND);
	request.format = "no such format";
	cr_assert_eq(sdec_decode_bytes(decoder, &input, &request, &bytes, NULL), SDEC_USAGE);
	free_blob(&file);
	sdec_pool_close(&decoder);
}

Test(library_probe, tells_what_the_header_says)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob("samples/png/rgb-alpha-16.png");
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_info info = { .size = sizeof(info) };
	struct sdec_result result = { .size = sizeof(result) };

	cr_assert_eq(sdec_probe(decoder, &input, NULL, &info, &result), SDEC_OK);
	cr_assert_eq(result.status, SDEC_OK);
	cr_assert_eq(info.kind, SDEC_KIND_IMAGE);
	cr_assert_eq(info.width, 256);
	cr_assert_eq(info.height, 256);
	cr_assert_eq(info.channels, 4);
	cr_assert_eq(info.depth, 16);
	cr_assert_eq(info.color, SDEC_COLOR_RGB);
	cr_assert_neq(info.has_alpha, 0);
	cr_assert_eq(info.frames, 1);
	cr_assert_str_eq(info.format, "png");
	cr_assert_eq(strncmp(info.library, "libpng ", 7), 0);
	free_blob(&file);

	file = read_blob(ROMEO);
	input = memory_input(file.data, file.size);
	cr_assert_eq(sdec_probe(decoder, &input, NULL, &info, NULL), SDEC_OK);
	cr_assert_eq(info.kind, SDEC_KIND_BYTES);
	cr_assert_eq(info.width, 0);
	cr_assert_str_eq(info.format, "gzip");
	free_blob(&file);
	sdec_pool_close(&decoder);
}

Test(library_about, names_and_version)
{
	size_t count = 0;

	for (const char *name = NULL; (name = sdec_format_name(count)) != NULL; count++)
		cr_assert_gt(strlen(name), 0);
	cr_assert_gt(count, 2);
	cr_assert_null(sdec_format_name(SIZE_MAX));
	cr_assert_str_eq(sdec_status_name(SDEC_OK), "ok");
	cr_assert_str_eq(sdec_status_name(SDEC_UNSUPPORTED), "unsupported");
	cr_assert_str_eq(sdec_status_name((enum sdec_status)(SDEC_WRONG_KIND + 1)), "unknown");
	cr_assert_str_eq(sdec_status_name((enum sdec_status) - 1), "unknown");
	cr_assert_str_eq(sdec_version(), SAFE_DECODE_VERSION);
}
