/* SPDX-License-Identifier: MIT */
/* Sun raster: 1, 8, 24 and 32 bits, with run lengths or without. */
#include <string.h>

#include "raster.h"

enum {
	HEADER_SIZE = 32,
	TYPE_OLD = 0,
	TYPE_STANDARD = 1,
	TYPE_RUN_LENGTHS = 2,
	TYPE_RGB = 3, /* instead of BGR */
	MAP_NONE = 0,
	MAP_RGB = 1,
	ESCAPE = 0x80,
};

static session_result read_map(struct raster *raster, uint32_t type, uint32_t size)
{
	struct dib *dib = &raster->dib;
	uint8_t map[3 * DIB_COLORS] = { 0 };
	size_t colors = size / 3;

	if (type == MAP_NONE || dib->bits > 8 || size == 0) {
		raster->color = dib->bits > 8 ? WIRE_COLOR_RGB : WIRE_COLOR_GRAY;
		for (size_t i = 0; dib->bits == 8 && i < DIB_COLORS; i++)
			memset(dib->palette[i], (int)i, 3);
		if (dib->bits == 1)
			memset(dib->palette[0], UINT8_MAX, 3); /* 1 is black */
		return input_skip(&raster->input, size) < size ? WIRE_FAIL_TRUNCATED : WIRE_OK;
	}
	if (type != MAP_RGB || size > sizeof(map))
		return WIRE_FAIL_HEADER;
	raster->color = WIRE_COLOR_PALETTE;
	if (input_take(&raster->input, map, size) < size)
		return WIRE_FAIL_TRUNCATED;
	for (size_t i = 0; i < colors; i++)
		for (size_t channel = 0; channel < 3; channel++)
			dib->palette[i][channel] = map[channel * colors + i];
	return WIRE_OK;
}

static session_result read_header(struct raster *raster)
{
	struct dib *dib = &raster->dib;
	uint8_t header[HEADER_SIZE];

	if (input_take(&raster->input, header, sizeof(header)) < sizeof(header))
		return WIRE_FAIL_TRUNCATED;
	if (input_be32(header) != 0x59a66a95)
		return WIRE_FAIL_SIGNATURE;
	uint32_t type = input_be32(header + 20);
	dib->top_down = true;
	dib->width = input_be32(header + 4);
	dib->height = input_be32(header + 8);
	dib->bits = input_be32(header + 12);
	if (dib->width > INT32_MAX || dib->height > INT32_MAX)
		return WIRE_FAIL_HEADER;
	if (type > TYPE_RGB)
		return WIRE_FAIL_UNSUPPORTED;
	if (dib->bits != 1 && dib->bits != 8 && dib->bits != 24 && dib->bits != 32)
		return WIRE_FAIL_HEADER;
	raster->coded = type == TYPE_RUN_LENGTHS;
	if (dib->bits == 32) { /* the first byte is nothing */
		dib->masks[DIB_RED] = type == TYPE_RGB ? 0xff00 : 0xff000000;
		dib->masks[DIB_GREEN] = 0xff0000;
		dib->masks[DIB_BLUE] = type == TYPE_RGB ? 0xff000000 : 0xff00;
		session_result result = dib_prepare_masks(dib);
		if (result != WIRE_OK)
			return result;
	}
	raster->planes = type == TYPE_RGB && dib->bits == 24 ? 3 : 1;
	raster->depth = dib->bits == 1 ? 1 : 8;
	session_result result = read_map(raster, input_be32(header + 24), input_be32(header + 28));
	raster->channels = raster->color == WIRE_COLOR_GRAY ? 1 : 3;
	raster->depth = raster->color == WIRE_COLOR_GRAY ? raster->depth : 8;
	/* Rows are of 16-bit words. */
	dib->least = (size_t)(((uint64_t)dib->width * dib->bits + 7) / 8);
	dib->stride = dib->least + dib->least % 2;
	return result;
}

static session_result read_runs(struct raster *raster)
{
	struct dib *dib = &raster->dib;
	size_t size = dib->stride * dib->height;
	uint8_t bytes[2];

	for (size_t filled = 0; filled < size;) {
		size_t count = 1;
		dib->rows_known = (uint32_t)(filled / dib->stride);
		if (input_take(&raster->input, bytes, 1) < 1)
			return WIRE_FAIL_TRUNCATED;
		if (bytes[0] == ESCAPE) {
			if (input_take(&raster->input, bytes, 1) < 1)
				return WIRE_FAIL_TRUNCATED;
			count = (size_t)bytes[0] + 1;
			bytes[0] = ESCAPE;
			if (count > 1 && input_take(&raster->input, bytes, 1) < 1)
				return WIRE_FAIL_TRUNCATED;
		}
		if (count > size - filled)
			count = size - filled;
		memset(dib->data + filled, bytes[0], count);
		filled += count;
	}
	dib->rows_known = dib->height;
	return WIRE_OK;
}

static session_result read_pixels(struct raster *raster)
{
	struct dib *dib = &raster->dib;
	session_result result = raster->coded ? read_runs(raster) : raster_read_plain(raster);

	for (uint32_t y = 0; raster->planes == 3 && y < dib->rows_known; y++) {
		uint8_t *pixel = dib->data + y * dib->stride;
		for (uint32_t x = 0; x < dib->width; x++, pixel += 3) {
			uint8_t red = pixel[0];
			pixel[0] = pixel[2];
			pixel[2] = red;
		}
	}
	return result;
}

const struct raster_format raster_sun = { read_header, read_pixels };
