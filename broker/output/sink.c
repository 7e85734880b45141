/* SPDX-License-Identifier: MIT */
#include "sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/words.h"
#include "broker/decode/widen.h"
#include "formats.h"
#include "loader.h"

enum {
	BUFFER_SIZE = 256 << 10,
	/* A small picture goes through a small buffer: touching new memory takes longer than a few calls more. */
	SMALL_PICTURE = 1 << 20,
	SMALL_BUFFER = 16 << 10,
};

static const struct sink_format *const formats[] = {
	&sink_raw, &sink_pam, &sink_ppm, &sink_png, &sink_bmp, &sink_wav, &sink_preview,
};

const struct sink_format *sink_format_at(size_t index)
{
	return index < sizeof(formats) / sizeof(formats[0]) ? formats[index] : NULL;
}

const struct sink_format *sink_format_by_name(const char *name)
{
	const struct sink_format *format = NULL;

	for (size_t i = 0; (format = sink_format_at(i)) != NULL; i++)
		if (strcmp(format->name, name) == 0)
			return format;
	return NULL;
}

const struct sink_format *sink_format_by_file_name(const char *file_name)
{
	const char *slash = strrchr(file_name, '/');
	const char *dot = strrchr(slash ? slash : file_name, '.');
	const struct sink_format *format = NULL;

	for (size_t i = 0; dot && dot[1] && (format = sink_format_at(i)) != NULL; i++)
		if (words_have(format->extensions, dot + 1))
			return format;
	return NULL;
}

uint32_t sink_request(uint32_t pixel_formats)
{
	return pixel_formats | widen_sources(pixel_formats);
}

void sink_init(struct sink *sink, const struct sink_format *format, uint32_t pixel_formats, int fd)
{
	*sink = (struct sink){
		.format = format, .writer = format->writer, .pixel_formats = pixel_formats, .fd = fd, .most = UINT64_MAX
	};
}

void sink_release(struct sink *sink)
{
	if (sink->state && sink->writer.release)
		sink->writer.release(sink);
	free(sink->buffer);
	free(sink->narrow);
	sink->buffer = sink->narrow = NULL;
	sink->state = NULL;
}

static struct outcome allocate(struct sink *sink, size_t size)
{
	sink->buffer = malloc(size);
	sink->buffer_size = size;
	return sink->buffer ? outcome_ok() : outcome_of_errno(SDEC_IO, "no memory for the output", errno);
}

/* What comes is not what is written, but can be made into it. */
static void start_widening(struct sink *sink)
{
	sink->narrow_format = (enum wire_pixel_format)sink->image.pixel_format;
	sink->image.pixel_format = (uint32_t)__builtin_ctz(sink->pixel_formats);
}

/* As many pixels as the other buffer has room for, once they are wide. */
static struct outcome allocate_narrow(struct sink *sink)
{
	sink->narrow_size =
	        sink->buffer_size / wire_pixel_bytes[sink->image.pixel_format] * wire_pixel_bytes[sink->narrow_format];
	sink->narrow = malloc(sink->narrow_size + 1); /* the last pixel is read with a byte more */
	return sink->narrow ? outcome_ok() : outcome_of_errno(SDEC_IO, "no memory for the output", errno);
}

void sink_prepare(const struct sink_format *format)
{
	void *writer = NULL;

	if (format->module)
		(void)loader_find(format->module, SINK_MODULE_SYMBOL, &writer);
}

/* The writer may be in a module, which only pictures need. */
static struct outcome load_writer(struct sink *sink)
{
	void *writer = NULL;
	struct outcome outcome = outcome_ok();

	if (sink->format->module)
		outcome = loader_find(sink->format->module, SINK_MODULE_SYMBOL, &writer);
	if (writer)
		sink->writer = *(const struct sink_writer *)writer;
	return outcome;
}

struct outcome sink_image(struct sink *sink, const struct wire_image *image)
{
	if (sink->format->accepted == 0)
		return outcome_of(SDEC_UNSUPPORTED, "the output format is for sound, and this is a picture");
	struct outcome outcome = load_writer(sink);
	if (outcome.status != SDEC_OK)
		return outcome;
	sink->image = *image;
	bool widens = (sink->pixel_formats & WIRE_FORMAT_BIT(image->pixel_format)) == 0;
	if (widens)
		start_widening(sink);
	uint8_t pixel_bytes = wire_pixel_bytes[sink->image.pixel_format];
	if (__builtin_mul_overflow((size_t)image->width, pixel_bytes, &sink->stride))
		return outcome_of_errno(SDEC_IO, "no memory for the output", EOVERFLOW);
	sink->is_image = true;
	sink->rows_left = image->height;
	sink->before = sink->written;
	if (sink->writer.begin)
		outcome = sink->writer.begin(sink);
	if (outcome.status != SDEC_OK)
		return outcome;
	size_t size = sink_image_size(sink) <= SMALL_PICTURE ? SMALL_BUFFER : BUFFER_SIZE;
	/* Whole rows, so that a format that takes rows finds them in one piece. */
	if (sink->writer.row)
		size = sink->stride < size ? size / sink->stride * sink->stride : sink->stride;
	outcome = allocate(sink, size);
	if (outcome.status == SDEC_OK && widens)
		outcome = allocate_narrow(sink);
	return outcome;
}

struct outcome sink_next(struct sink *sink, const struct wire_image *image)
{
	if (!sink->format->takes_frames)
		return outcome_of(SDEC_USAGE, "the output format holds one picture only");
	sink_release(sink);
	sink->buffer_filled = sink->narrow_filled = 0;
	return sink_image(sink, image);
}

uint64_t sink_image_size(const struct sink *sink)
{
	uint64_t size = 0;

	/* Only before the first row does rows_left stand for all. */
	return __builtin_mul_overflow(sink->rows_left, sink->stride, &size) ? UINT64_MAX : size;
}

struct outcome sink_audio(struct sink *sink, const struct wire_audio *audio)
{
	if ((sink->format->samples & WIRE_FORMAT_BIT(audio->sample_format)) == 0)
		return outcome_of(SDEC_UNSUPPORTED, "the output format is for pictures, and this is sound");
	sink->audio = *audio;
	sink->is_audio = true;
	sink->stride = (size_t)audio->channels * wire_sample_bytes[audio->sample_format];
	struct outcome outcome = allocate(sink, BUFFER_SIZE);
	if (outcome.status == SDEC_OK && sink->writer.begin)
		outcome = sink->writer.begin(sink);
	return outcome;
}

struct outcome sink_bytes(struct sink *sink)
{
	if (!sink->format->takes_bytes)
		return outcome_of(SDEC_UNSUPPORTED,
		                  sink->format->accepted
		                          ? "the output format is for pictures, and this is compressed data"
		                          : "the output format is for sound, and this is compressed data");
	return allocate(sink, BUFFER_SIZE);
}

static uint8_t *reserve_wide(struct sink *sink, size_t *size)
{
	*size = sink->buffer_size - sink->buffer_filled;
	return sink->buffer + sink->buffer_filled;
}

void *sink_reserve(struct sink *sink, size_t *size)
{
	if (!sink->narrow)
		return reserve_wide(sink, size);
	*size = sink->narrow_size - sink->narrow_filled;
	return sink->narrow + sink->narrow_filled;
}

/* Hands whole rows on and keeps the rest for later. */
static struct outcome commit_rows(struct sink *sink)
{
	struct outcome outcome = outcome_ok();
	const uint8_t *row = sink->buffer;

	for (; sink->buffer_filled >= sink->stride && outcome.status == SDEC_OK; row += sink->stride) {
		outcome = sink->writer.row(sink, row);
		sink->buffer_filled -= sink->stride;
		sink->rows_left--;
	}
	memmove(sink->buffer, row, sink->buffer_filled);
	return outcome;
}

/* The bytes go out as they came in; only the count of rows wants to know about pieces of rows. */
static void count_rows(struct sink *sink, size_t size)
{
	uint64_t written = sink->written - sink->before;

	if (sink->is_image)
		sink->rows_left -= written / sink->stride - (written - size) / sink->stride;
}

static struct outcome commit_bytes(struct sink *sink, size_t size)
{
	count_rows(sink, size);
	if (sink->writer.bytes && !sink->is_audio)
		return sink->writer.bytes(sink, sink->buffer, size);
	return sink_write(sink, sink->buffer, size);
}

/* Hands whole sample frames on and keeps the rest of one for later. */
static struct outcome commit_samples(struct sink *sink)
{
	size_t whole = sink->buffer_filled - sink->buffer_filled % sink->stride;
	struct outcome outcome = outcome_ok();

	if (whole > 0)
		outcome = sink->writer.samples(sink, sink->buffer, whole);
	sink->buffer_filled -= whole;
	memmove(sink->buffer, sink->buffer + whole, sink->buffer_filled);
	return outcome;
}

static struct outcome commit_wide(struct sink *sink, size_t size)
{
	bool samples = sink->is_audio && sink->writer.samples;

	sink->written += size;
	if (!samples && (!sink->is_image || !sink->writer.row))
		return commit_bytes(sink, size);
	sink->buffer_filled += size;
	return samples ? commit_samples(sink) : commit_rows(sink);
}

/* Widens whole pixels and keeps the rest of one for later. */
static struct outcome commit_narrow(struct sink *sink)
{
	struct outcome outcome = outcome_ok();
	size_t pixel_bytes = wire_pixel_bytes[sink->narrow_format];
	size_t wide_bytes = wire_pixel_bytes[sink->image.pixel_format];
	const uint8_t *pixels = sink->narrow;

	while (sink->narrow_filled >= pixel_bytes && outcome.status == SDEC_OK) {
		size_t room = 0;
		size_t count = sink->narrow_filled / pixel_bytes;
		uint8_t *wide = reserve_wide(sink, &room);
		if (count > room / wide_bytes)
			count = room / wide_bytes;
		widen_pixels(sink->narrow_format, (enum wire_pixel_format)sink->image.pixel_format, wide, pixels,
		             count);
		pixels += count * pixel_bytes;
		sink->narrow_filled -= count * pixel_bytes;
		outcome = commit_wide(sink, count * wide_bytes);
	}
	memmove(sink->narrow, pixels, sink->narrow_filled);
	return outcome;
}

struct outcome sink_commit(struct sink *sink, size_t size)
{
	if (!sink->narrow)
		return commit_wide(sink, size);
	sink->narrow_filled += size;
	return commit_narrow(sink);
}

int sink_outlet(const struct sink *sink)
{
	const struct sink_writer *writer = &sink->writer;
	bool changes = sink->is_image   ? sink->narrow || writer->row
	               : sink->is_audio ? writer->samples != NULL
	                                : writer->bytes != NULL;

	return changes || sink->buffer_filled > 0 ? -1 : sink->fd;
}

void sink_moved(struct sink *sink, size_t size)
{
	sink->written += size;
	sink->put += size;
	count_rows(sink, size);
}

enum { FILL_AT_ONCE = 4 << 20 }; /* bytes */

/* What is missing of a damaged picture: transparent black, or black. */
struct outcome sink_fill(struct sink *sink, bool *more)
{
	struct outcome outcome = outcome_ok();

	for (size_t filled = 0; sink->rows_left > 0 && filled < FILL_AT_ONCE && outcome.status == SDEC_OK;) {
		/* To the end of the row that was begun; only a format that takes rows buffers pieces. */
		size_t size = sink->stride - (sink->written - sink->before) % sink->stride;
		size_t room = 0;
		uint8_t *rest = reserve_wide(sink, &room);
		if (size > room)
			size = room;
		memset(rest, 0, size);
		outcome = commit_wide(sink, size);
		filled += size;
	}
	*more = sink->rows_left > 0;
	return outcome;
}

struct outcome sink_end(struct sink *sink, bool fill)
{
	struct outcome outcome = outcome_ok();

	for (bool more = fill && sink->is_image; more && outcome.status == SDEC_OK;)
		outcome = sink_fill(sink, &more);
	if (outcome.status == SDEC_OK && sink->writer.end)
		outcome = sink->writer.end(sink);
	return outcome;
}
