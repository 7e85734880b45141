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
	struct sdec_info info = { .size = sizeof(info) };
	cr_assert_eq(sdec_probe(decoder, &input, NULL, &info, NULL), SDEC_OK);
	cr_assert_str_eq(info.mime, "image/jpeg");
	cr_assert(info.orientation == 6 && !info.upright);
	sdec_image_free(&image);
	free_blob(&file);
	sdec_pool_close(&decoder);
}

/* ---- what is made of a picture ---- */

/* Decodes with a request, whose size is set here. */
static struct sdec_image view_of(struct sdec_pool *decoder, const char *path, struct sdec_request request)
{
	struct blob file = read_blob(path);
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_image image = { .size = sizeof(image) };
	struct sdec_result result = { .size = sizeof(result) };

	request.size = sizeof(request);
	cr_assert_eq(sdec_decode_image(decoder, &input, &request, &image, &result), SDEC_OK, "%s", result.reason);
	free_blob(&file);
	return image;
}

static const uint8_t *pixel_at(const struct sdec_image *image, size_t x, size_t y)
{
	return (const uint8_t *)image->pixels + y * image->stride + 4 * x;
}

Test(library_image, it_is_turned)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	const char path[] = "samples/jpeg/hopper_orientation_6.jpg";
	struct sdec_image stored = view_of(decoder, path, (struct sdec_request){ .pixel_format = SDEC_RGBA });
	struct sdec_image upright =
	        view_of(decoder, path,
	                (struct sdec_request){ .pixel_format = SDEC_RGBA, .orientation = SDEC_ORIENTATION_APPLY });

	cr_assert_eq(upright.orientation, 1, "nothing is left to do");
	cr_assert(upright.width == stored.height && upright.height == stored.width);
	for (size_t y = 0; y < stored.height; y++)
		for (size_t x = 0; x < stored.width; x++)
			cr_assert_arr_eq(pixel_at(&upright, stored.height - 1 - y, x), pixel_at(&stored, x, y), 4);
	sdec_image_free(&upright);
	sdec_image_free(&stored);
	sdec_pool_close(&decoder);
}

Test(library_image, a_region_of_it)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	const char path[] = "samples/photograph.jpg";
	struct sdec_image whole = view_of(decoder, path, (struct sdec_request){ .pixel_format = SDEC_RGBA });
	struct sdec_image part = view_of(decoder, path,
	                                 (struct sdec_request){ .pixel_format = SDEC_RGBA,
	                                                        .crop_x = 1000,
	                                                        .crop_y = 300,
	                                                        .crop_width = 1000,
	                                                        .crop_height = 77 });

	cr_assert(part.width == whole.width - 1000 && part.height == 77);
	for (size_t y = 0; y < part.height; y++)
		cr_assert_arr_eq(pixel_at(&part, 0, y), pixel_at(&whole, 1000, 300 + y), 4 * part.width);
	sdec_image_free(&part);
	sdec_image_free(&whole);
	sdec_pool_close(&decoder);
}

Test(library_image, it_fits_a_box)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	const char path[] = "samples/photograph.jpg"; /* 1165 x 859 */
	static const struct {
		struct sdec_request request;
		uint32_t width, height;
	} boxes[] = {
		{ { .fit_width = 256, .fit_height = 256 }, 256, 189 },
		{ { .fit_width = 256, .fit_height = 256, .fit = SDEC_FIT_EXACT }, 256, 256 },
		{ { .fit_width = 256, .fit_height = 256, .fit = SDEC_FIT_COVER }, 256, 256 },
		{ { .fit_height = 100 }, 136, 100 },
		{ { .fit_width = 2330, .fit_height = 5000 }, 1165, 859 },
		{ { .fit_width = 2330, .fit_height = 5000, .flags = SDEC_ENLARGE }, 2330, 1718 },
	};

	for (size_t i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++) {
		struct sdec_image image = view_of(decoder, path, boxes[i].request);
		cr_expect(image.width == boxes[i].width && image.height == boxes[i].height, "%zu: %u x %u", i,
		          image.width, image.height);
		sdec_image_free(&image);
	}
	sdec_pool_close(&decoder);
}

Test(library_image, it_is_put_on_a_background)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	const char path[] = "samples/png/with-alpha.png";
	struct sdec_image plain = view_of(decoder, path, (struct sdec_request){ .pixel_format = SDEC_RGBA });
	struct sdec_image flat = view_of(
	        decoder, path,
	        (struct sdec_request){ .pixel_format = SDEC_RGBA, .flags = SDEC_FLATTEN, .background = 0x4080ff });
	const uint8_t background[] = { 0x40, 0x80, 0xff };
	size_t transparent = 0;

	for (size_t y = 0; y < plain.height; y++)
		for (size_t x = 0; x < plain.width; x++) {
			const uint8_t *from = pixel_at(&plain, x, y), *to = pixel_at(&flat, x, y);
			transparent += from[3] < 255;
			cr_assert_eq(to[3], 255);
			for (size_t i = 0; i < 3; i++)
				cr_assert_eq(to[i], (from[i] * from[3] + background[i] * (255 - from[3]) + 127) / 255);
		}
	cr_assert_gt(transparent, 0);
	sdec_image_free(&flat);
	sdec_image_free(&plain);
	sdec_pool_close(&decoder);
}

/* What cannot be done yet is refused by name, and what the picture does not have is not the caller's mistake. */
Test(library_image, views_that_cannot_be_had)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob("samples/photograph.jpg");
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_image image = { .size = sizeof(image) };
	struct sdec_result result = { .size = sizeof(result) };
	struct sdec_request request = { .size = sizeof(request), .colors = SDEC_COLORS_SRGB };

	cr_assert_eq(sdec_decode_image(decoder, &input, &request, &image, &result), SDEC_UNSUPPORTED);
	cr_assert_not_null(strstr(result.reason, "colours"), "%s", result.reason);
	request = (struct sdec_request){ .size = sizeof(request), .crop_x = 1165, .crop_width = 10, .crop_height = 10 };
	cr_assert_eq(sdec_decode_image(decoder, &input, &request, &image, &result), SDEC_UNSUPPORTED);
	cr_assert_not_null(strstr(result.reason, "region"), "%s", result.reason);
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
