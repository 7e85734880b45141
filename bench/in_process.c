/* SPDX-License-Identifier: MIT */
#include "in_process.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libjpeg's header wants stdio.h first. */
#include <jpeglib.h>

static void *fresh(size_t size)
{
	void *memory = malloc(size);

	if (!memory)
		abort();
	return memory;
}

static void decode_jpeg(const void *data, size_t size)
{
	struct jpeg_decompress_struct info;
	struct jpeg_error_mgr errors;

	info.err = jpeg_std_error(&errors);
	jpeg_create_decompress(&info);
	jpeg_mem_src(&info, data, size);
	if (jpeg_read_header(&info, TRUE) != JPEG_HEADER_OK)
		abort();
	info.out_color_space = JCS_EXT_BGRA;
	if (!jpeg_start_decompress(&info))
		abort();
	size_t stride = (size_t)info.output_width * 4;
	JSAMPLE *pixels = fresh(stride * info.output_height);
	while (info.output_scanline < info.output_height) {
		JSAMPROW rows[8];
		for (size_t i = 0; i < 8; i++)
			rows[i] = pixels + (info.output_scanline + i) * stride;
		(void)jpeg_read_scanlines(&info, rows, 8);
	}
	(void)jpeg_finish_decompress(&info);
	jpeg_destroy_decompress(&info);
	free(pixels);
}

struct memory {
	const char *next;
	size_t left;
};

static void read_memory(png_structp png, png_bytep data, size_t size)
{
	struct memory *memory = png_get_io_ptr(png);

	if (size > memory->left)
		png_error(png, "ends early");
	memcpy(data, memory->next, size);
	memory->next += size;
	memory->left -= size;
}

static void decode_png(const void *data, size_t size)
{
	struct memory memory = { data, size };
	png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png ? png_create_info_struct(png) : NULL;

	if (!info || setjmp(png_jmpbuf(png)))
		abort();
	png_set_read_fn(png, &memory, read_memory);
	png_read_info(png, info);
	png_set_expand(png);
	png_set_scale_16(png);
	png_set_gray_to_rgb(png);
	png_set_bgr(png);
	png_set_add_alpha(png, 0xff, PNG_FILLER_AFTER);
	int passes = png_set_interlace_handling(png);
	png_read_update_info(png, info);
	size_t height = png_get_image_height(png, info);
	size_t stride = png_get_rowbytes(png, info);
	png_bytep pixels = fresh(stride * height);
	for (int pass = 0; pass < passes; pass++)
		for (size_t y = 0; y < height; y++)
			png_read_row(png, pixels + y * stride, NULL);
	png_read_end(png, NULL);
	png_destroy_read_struct(&png, &info, NULL);
	free(pixels);
}

void in_process_decode(const void *data, size_t size)
{
	if (size > 4 && memcmp(data, "\x89PNG", 4) == 0)
		decode_png(data, size);
	else
		decode_jpeg(data, size);
}
