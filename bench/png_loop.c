/* SPDX-License-Identifier: MIT */
/* What an application does that calls libpng itself: reads a PNG row by row to BGRA, and writes the rows to a
 * descriptor. The yardstick of bench/run, without a sandbox. */
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static png_bytep make_rows(png_structp png, png_infop info, size_t count)
{
	size_t row_bytes = png_get_rowbytes(png, info);
	png_bytep rows = calloc(count, row_bytes);

	if (!rows)
		png_error(png, "no memory");
	return rows;
}

/* One row at a time, or for an interlaced picture all of them in several passes. */
static void read_rows(png_structp png, png_infop info, int passes)
{
	size_t height = png_get_image_height(png, info);
	size_t row_bytes = png_get_rowbytes(png, info);
	png_bytep rows = make_rows(png, info, passes > 1 ? height : 1);

	for (int pass = 0; pass < passes; pass++) {
		for (size_t y = 0; y < height; y++) {
			png_bytep row = passes > 1 ? rows + y * row_bytes : rows;
			png_read_row(png, row, NULL);
			if (pass == passes - 1 && write(STDOUT_FILENO, row, row_bytes) < 0)
				png_error(png, "cannot write");
		}
	}
	free(rows);
}

int main(int argc, char **argv)
{
	FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
	png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png ? png_create_info_struct(png) : NULL;

	if (!file || !info || setjmp(png_jmpbuf(png)))
		return EXIT_FAILURE;
	png_init_io(png, file);
	png_read_info(png, info);
	png_set_expand(png);
	png_set_scale_16(png);
	png_set_gray_to_rgb(png);
	png_set_bgr(png);
	png_set_add_alpha(png, 0xff, PNG_FILLER_AFTER);
	int passes = png_set_interlace_handling(png);
	png_read_update_info(png, info);
	read_rows(png, info, passes);
	png_read_end(png, NULL);
	png_destroy_read_struct(&png, &info, NULL);
	return fclose(file) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
