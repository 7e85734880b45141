/* SPDX-License-Identifier: MIT */
/* The writer of PNG, by libpng, as a module: loading libpng is a good part of what a small decode costs.  Only pixels
 * that the wire reader has counted come here: nothing is parsed. */
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>

#include "broker/wire/pixel_forms.h"
#include "sink.h"

extern const struct sink_writer safe_decode_sink;

/* Much faster than the default level, and not much larger with the Sub filter, which suits photographs. */
enum { COMPRESSION_LEVEL = 2, WRITE_BUFFER = 64 << 10 };

struct writer {
	png_structp png;
	png_infop info;
	struct outcome outcome; /* what went wrong, once it did */
};

static void put_bytes(png_structp png, png_bytep data, size_t size)
{
	struct sink *sink = png_get_io_ptr(png);
	struct writer *writer = sink->state;
	struct outcome outcome = sink_write(sink, data, size);

	if (outcome.status != SDEC_OK) {
		writer->outcome = outcome;
		png_error(png, "");
	}
}

static void flush(png_structp png)
{
	(void)png; /* nothing is held back */
}

static void complain(png_structp png, png_const_charp message)
{
	(void)message; /* libpng would print it */
	png_longjmp(png, 1);
}

static void ignore(png_structp png, png_const_charp message)
{
	(void)png;
	(void)message;
}

static struct outcome begin(struct sink *sink)
{
	static const int color_types[] = { 0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
		                           PNG_COLOR_TYPE_RGB_ALPHA };
	struct writer *writer = calloc(1, sizeof(*writer));
	const struct wire_pixel_form *form = &wire_pixel_forms[sink->image.pixel_format];

	sink->state = writer;
	if (!writer)
		return outcome_of(SDEC_IO, "no memory for the output");
	writer->outcome = outcome_of(SDEC_IO, "cannot write a png file of this picture");
	writer->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, complain, ignore);
	writer->info = writer->png ? png_create_info_struct(writer->png) : NULL;
	if (!writer->info)
		return outcome_of(SDEC_IO, "no memory for the output");
	if (setjmp(png_jmpbuf(writer->png)))
		return writer->outcome;
	png_set_write_fn(writer->png, sink, put_bytes, flush);
	png_set_user_limits(writer->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
	png_set_compression_level(writer->png, COMPRESSION_LEVEL);
	png_set_compression_buffer_size(writer->png, WRITE_BUFFER);
	png_set_filter(writer->png, 0, PNG_FILTER_SUB);
	png_set_IHDR(writer->png, writer->info, sink->image.width, sink->image.height, form->sample_bytes * 8,
	             color_types[form->channels], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
	             PNG_FILTER_TYPE_DEFAULT);
	png_write_info(writer->png, writer->info);
	if (form->sample_bytes > 1)
		png_set_swap(writer->png);
	return outcome_ok();
}

static struct outcome write_row(struct sink *sink, const uint8_t *row)
{
	struct writer *writer = sink->state;

	if (setjmp(png_jmpbuf(writer->png)))
		return writer->outcome;
	png_write_row(writer->png, row);
	return outcome_ok();
}

static struct outcome end(struct sink *sink)
{
	struct writer *writer = sink->state;

	if (setjmp(png_jmpbuf(writer->png)))
		return writer->outcome;
	png_write_end(writer->png, NULL);
	return outcome_ok();
}

static void release(struct sink *sink)
{
	struct writer *writer = sink->state;

	if (writer)
		png_destroy_write_struct(&writer->png, &writer->info);
	free(writer);
}

__attribute__((visibility("default"))) const struct sink_writer safe_decode_sink = {
	.begin = begin,
	.row = write_row,
	.end = end,
	.release = release,
};
