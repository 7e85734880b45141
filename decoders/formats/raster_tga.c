/* SPDX-License-Identifier: MIT */
/* TGA: plain and with run lengths, palettes, 15 to 32 bits, gray, any corner first. */
#include <string.h>

#include "raster.h"

enum {
	HEADER_SIZE = 18,
	KIND_PALETTE = 1,
	KIND_RGB = 2,
	KIND_GRAY = 3,
	RUN_LENGTHS = 8,
	RIGHT_TO_LEFT = 16,
	TOP_DOWN = 32,
	INTERLEAVED = 0xc0,
};

/* A colour of 15 to 32 bits as RGBA. */
static void expand(const uint8_t *from, unsigned depth, bool alpha, uint8_t *to)
{
	to[3] = UINT8_MAX;
	if (depth >= 24) {
		to[0] = from[2];
		to[1] = from[1];
		to[2] = from[0];
		if (alpha)
			to[3] = from[3];
		return;
	}
	uint32_t pixel = input_le16(from);
	for (unsigned i = 0; i < 3; i++)
		to[i] = (uint8_t)(((pixel >> (10 - 5 * i) & 31) * UINT8_MAX + 15) / 31);
}

static session_result read_palette(struct raster *raster, const uint8_t *header)
{
	uint32_t first = input_le16(header + 3), count = input_le16(header + 5);
	unsigned depth = header[7];
	size_t bytes = (depth + 7) / 8;
	bool used = (header[2] & 3) == KIND_PALETTE, opaque = true;
	uint8_t color[4];

	if (header[1] == 0)
		return WIRE_OK;
	if (depth != 15 && depth != 16 && depth != 24 && depth != 32)
		return used || depth > 32                                          ? WIRE_FAIL_HEADER
		       : input_skip(&raster->input, count * bytes) < count * bytes ? WIRE_FAIL_TRUNCATED
		                                                                   : WIRE_OK;
	for (uint32_t i = first; i < first + count; i++) {
		if (input_take(&raster->input, color, bytes) < bytes)
			return WIRE_FAIL_TRUNCATED;
		if (used && i < DIB_COLORS)
			expand(color, depth, depth == 32, raster->dib.palette[i]);
		opaque = opaque && (depth < 32 || color[3] == 0);
	}
	/* An alpha of nothing but zeros is none. */
	for (size_t i = 0; i < DIB_COLORS && opaque; i++)
		raster->dib.palette[i][3] = UINT8_MAX;
	raster->dib.palette_alpha = used && depth == 32 && !opaque;
	return WIRE_OK;
}

static void set_masks(struct dib *dib, uint32_t red, uint32_t green, uint32_t blue, uint32_t alpha)
{
	dib->masks[DIB_RED] = red;
	dib->masks[DIB_GREEN] = green;
	dib->masks[DIB_BLUE] = blue;
	dib->masks[DIB_ALPHA] = alpha;
}

static session_result set_rgb(struct raster *raster, unsigned depth, unsigned alpha_bits)
{
	struct dib *dib = &raster->dib;

	dib->bits = depth == 15 ? 16 : depth;
	if (dib->bits == 24)
		return WIRE_OK;
	if (dib->bits == 32)
		set_masks(dib, 0xff0000, 0xff00, 0xff,
		          0xff000000); /* few writers say how many bits of alpha there are */
	else if (dib->bits == 16)
		set_masks(dib, 0x7c00, 0x3e0, 0x1f, depth == 16 && alpha_bits == 1 ? 0x8000 : 0);
	else
		return WIRE_FAIL_HEADER;
	session_result result = dib_prepare_masks(dib);
	raster->depth = dib->depth;
	return result;
}

static session_result set_gray(struct raster *raster, unsigned depth)
{
	struct dib *dib = &raster->dib;

	raster->color = WIRE_COLOR_GRAY;
	dib->bits = depth;
	if (depth == 8) {
		for (size_t i = 0; i < DIB_COLORS; i++)
			memset(dib->palette[i], (int)i, 3);
		return WIRE_OK;
	}
	if (depth != 16)
		return WIRE_FAIL_HEADER;
	set_masks(dib, 0xff, 0, 0, 0xff00);
	session_result result = dib_prepare_masks(dib);
	for (unsigned i = DIB_GREEN; i <= DIB_BLUE; i++) {
		dib->masks[i] = dib->masks[DIB_RED];
		memcpy(dib->levels[i], dib->levels[DIB_RED], sizeof(dib->levels[i]));
	}
	return result;
}

static session_result read_header(struct raster *raster)
{
	struct dib *dib = &raster->dib;
	uint8_t header[HEADER_SIZE];
	session_result result = WIRE_OK;

	if (input_take(&raster->input, header, sizeof(header)) < sizeof(header))
		return WIRE_FAIL_TRUNCATED;
	unsigned kind = header[2] & ~(unsigned)RUN_LENGTHS, depth = header[16];
	if (header[1] > 1 || kind < KIND_PALETTE || (kind == KIND_PALETTE && header[1] == 0))
		return WIRE_FAIL_HEADER;
	if (kind > KIND_GRAY || (header[17] & INTERLEAVED) != 0 || (kind == KIND_PALETTE && depth != 8))
		return WIRE_FAIL_UNSUPPORTED;
	raster->coded = (header[2] & RUN_LENGTHS) != 0;
	raster->color = kind == KIND_PALETTE ? WIRE_COLOR_PALETTE : WIRE_COLOR_RGB;
	raster->right_to_left = (header[17] & RIGHT_TO_LEFT) != 0;
	raster->anything_follows = true; /* areas for developers, and a footer */
	dib->top_down = (header[17] & TOP_DOWN) != 0;
	dib->width = input_le16(header + 12);
	dib->height = input_le16(header + 14);
	if (input_skip(&raster->input, header[0]) < header[0])
		return WIRE_FAIL_TRUNCATED;
	if (kind == KIND_RGB)
		result = set_rgb(raster, depth, header[17] & 15);
	else if (kind == KIND_GRAY)
		result = set_gray(raster, depth);
	else
		dib->bits = 8;
	if (result == WIRE_OK)
		result = read_palette(raster, header);
	raster->channels = (kind == KIND_GRAY ? 1U : 3U) + (dib_has_alpha(dib) ? 1U : 0U);
	dib->stride = dib->least = (size_t)dib->width * (dib->bits / 8);
	return result;
}

/* Packets of up to 128 pixels, which may go on in the next row. */
static session_result read_packets(struct raster *raster)
{
	struct dib *dib = &raster->dib;
	size_t bytes = dib->bits / 8, size = dib->stride * dib->height, filled = 0;
	session_result result = WIRE_OK;

	while (filled < size && result == WIRE_OK) {
		uint8_t head = 0;
		if (input_take(&raster->input, &head, 1) < 1)
			return WIRE_FAIL_TRUNCATED;
		size_t count = ((size_t)(head & 127) + 1) * bytes;
		if (count > size - filled)
			count = size - filled;
		uint8_t *to = dib->data + filled;
		bool run = head > 127;
		size_t got = input_take(&raster->input, to, run ? bytes : count);
		if (got < (run ? bytes : count))
			result = WIRE_FAIL_TRUNCATED;
		for (size_t i = bytes; run && got == bytes && i < count; i++)
			to[i] = to[i - bytes];
		filled += run && got == bytes ? count : got / bytes * bytes;
		dib->rows_known = (uint32_t)(filled / dib->stride);
	}
	return result;
}

static session_result read_pixels(struct raster *raster)
{
	return raster->coded ? read_packets(raster) : raster_read_plain(raster);
}

const struct raster_format raster_tga = { read_header, read_pixels };
