/* SPDX-License-Identifier: MIT */
/* Windows bitmaps: 32 bits with alpha and a version 4 header, or 24 bits.  Rows from top to bottom, so that they
 * stream. */
#include <stdlib.h>
#include <string.h>

#include "formats.h"

#define SRGB UINT32_C(0x73524742) /* LCS_sRGB */

enum { FILE_HEADER = 14, V4_HEADER = 108, HEADERS = FILE_HEADER + V4_HEADER };

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value);
	put16(at + 2, value >> 16);
}

/* Rows of a bitmap are multiples of 4 bytes. */
static size_t padded_stride(const struct sink *sink)
{
	return (sink->stride + 3) & ~(size_t)3;
}

static struct outcome begin(struct sink *sink)
{
	uint8_t header[HEADERS] = { 'B', 'M' };
	uint8_t *info = header + FILE_HEADER;
	bool alpha = sink->image.pixel_format == WIRE_BGRA;
	uint64_t pixels = (uint64_t)padded_stride(sink) * sink->image.height;

	if (pixels > UINT32_MAX - HEADERS || sink->image.width > INT32_MAX || sink->image.height > INT32_MAX)
		return outcome_of(SDEC_USAGE, "the picture is too large for a bmp file");
	put32(header + 2, (uint32_t)pixels + HEADERS);
	put32(header + 10, HEADERS);
	put32(info, V4_HEADER);
	put32(info + 4, sink->image.width);
	put32(info + 8, 0U - sink->image.height); /* negative: the first row is the top one */
	put16(info + 12, 1);                      /* planes */
	put16(info + 14, alpha ? 32 : 24);
	put32(info + 16, alpha ? 3 : 0); /* BI_BITFIELDS or BI_RGB */
	put32(info + 20, (uint32_t)pixels);
	put32(info + 24, 2835); /* pixels a metre: 72 an inch */
	put32(info + 28, 2835);
	if (alpha) {
		put32(info + 40, 0x00ff0000);
		put32(info + 44, 0x0000ff00);
		put32(info + 48, 0x000000ff);
		put32(info + 52, 0xff000000);
	}
	put32(info + 56, SRGB);
	sink->state = calloc(1, padded_stride(sink));
	if (!sink->state)
		return outcome_of(SDEC_IO, "no memory for the output");
	return sink_write(sink, header, sizeof(header));
}

static struct outcome write_row(struct sink *sink, const uint8_t *row)
{
	memcpy(sink->state, row, sink->stride);
	return sink_write(sink, sink->state, padded_stride(sink));
}

static void release(struct sink *sink)
{
	free(sink->state);
}

#define BMP_FORMATS (WIRE_FORMAT_BIT(WIRE_BGRA) | WIRE_FORMAT_BIT(WIRE_BGR))

const struct sink_format sink_bmp = {
	.name = "bmp",
	.extensions = "bmp dib",
	.description = "Windows bitmap: 24 bits, or 32 with alpha",
	.accepted = BMP_FORMATS,
	.preferred = BMP_FORMATS,
	.writer.begin = begin,
	.writer.row = write_row,
	.writer.release = release,
};
