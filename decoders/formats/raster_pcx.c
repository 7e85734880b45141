/* SPDX-License-Identifier: MIT */
/* PCX: 1 to 8 bits in 1 to 4 planes, or three of 8 bits. */
#include <stdlib.h>
#include <string.h>

#include "raster.h"

enum {
	HEADER_SIZE = 128,
	PALETTE_PLACE = 16, /* of 16 colours, in the header */
	PALETTE_MARK = 12,  /* of 256 colours, behind the pixels */
	VERSION_WITHOUT_PALETTE = 3,
	VERSION_WITH_LATE_PALETTE = 5,
	RUN = 0xc0,
};

static void set_color(struct dib *dib, size_t index, const uint8_t *rgb)
{
	memcpy(dib->palette[index], rgb, 3);
}

static void set_colors(struct dib *dib, const uint8_t *header, bool mono)
{
	static const uint8_t usual[16][3] = {
		{ 0, 0, 0 },     { 0, 0, 170 },    { 0, 170, 0 },    { 0, 170, 170 },
		{ 170, 0, 0 },   { 170, 0, 170 },  { 170, 85, 0 },   { 170, 170, 170 },
		{ 85, 85, 85 },  { 85, 85, 255 },  { 85, 255, 85 },  { 85, 255, 255 },
		{ 255, 85, 85 }, { 255, 85, 255 }, { 255, 255, 85 }, { 255, 255, 255 },
	};
	const uint8_t *colors = header + PALETTE_PLACE;
	bool given = header[1] != VERSION_WITHOUT_PALETTE;

	if (mono) {
		static const uint8_t white[3] = { 255, 255, 255 };
		/* Most writers leave the palette empty. */
		bool used = given && memcmp(colors, colors + 3, 3) != 0;
		if (used)
			set_color(dib, 0, colors);
		set_color(dib, 1, used ? colors + 3 : white);
		return;
	}
	for (size_t i = 0; i < 16; i++)
		set_color(dib, i, given ? colors + i * 3 : usual[i]);
}

static session_result read_header(struct raster *raster)
{
	struct dib *dib = &raster->dib;
	uint8_t header[HEADER_SIZE];

	if (input_take(&raster->input, header, sizeof(header)) < sizeof(header))
		return WIRE_FAIL_TRUNCATED;
	uint32_t left = input_le16(header + 4), top = input_le16(header + 6);
	uint32_t right = input_le16(header + 8), bottom = input_le16(header + 10);
	unsigned bits = header[3], planes = header[65];
	if (header[0] != 10)
		return WIRE_FAIL_SIGNATURE;
	if (right < left || bottom < top || header[2] > 1)
		return WIRE_FAIL_HEADER;
	bool deep = bits == 8 && planes == 3;
	bool known = deep || (bits == 8 && planes == 1) || (bits == 1 && planes >= 1 && planes <= 4) ||
	             ((bits == 2 || bits == 4) && planes == 1);
	if (!known)
		return WIRE_FAIL_UNSUPPORTED;
	dib->top_down = true;
	dib->width = right - left + 1;
	dib->height = bottom - top + 1;
	dib->bits = deep ? 24 : 8;
	dib->stride = dib->least = (size_t)dib->width * (deep ? 3 : 1);
	raster->coded = header[2] == 1;
	raster->planes = planes;
	raster->plane_bits = bits;
	raster->file_row = input_le16(header + 66);
	if (raster->file_row < ((size_t)dib->width * bits + 7) / 8)
		return WIRE_FAIL_HEADER;
	raster->color = deep ? WIRE_COLOR_RGB : WIRE_COLOR_PALETTE;
	raster->late_palette = bits == 8 && !deep && header[1] >= VERSION_WITH_LATE_PALETTE;
	if (bits == 8 && !deep && !raster->late_palette) {
		raster->color = WIRE_COLOR_GRAY;
		raster->channels = 1;
		for (size_t i = 0; i < DIB_COLORS; i++)
			memset(dib->palette[i], (int)i, 3);
	} else if (bits < 8) {
		set_colors(dib, header, bits * planes == 1);
	}
	return WIRE_OK;
}

/* Fills a row of all planes; runs may go on in the next one. */
static bool read_row(struct raster *raster, uint8_t *row, size_t size)
{
	if (!raster->coded)
		return input_take(&raster->input, row, size) == size;
	for (size_t filled = 0; filled < size;) {
		if (raster->run_left == 0) {
			uint8_t byte = 0;
			if (input_take(&raster->input, &byte, 1) < 1)
				return false;
			raster->run_left = byte >= RUN ? byte - RUN : 1;
			if (byte >= RUN && input_take(&raster->input, &byte, 1) < 1)
				return false;
			raster->run = byte;
		}
		size_t count = raster->run_left < size - filled ? raster->run_left : size - filled;
		memset(row + filled, raster->run, count);
		filled += count;
		raster->run_left -= count;
	}
	return true;
}

static void spread(const struct raster *raster, const uint8_t *row, uint8_t *to)
{
	const struct dib *dib = &raster->dib;
	unsigned bits = raster->plane_bits, each = 8 / bits, mask = (1U << bits) - 1;

	for (size_t x = 0; x < dib->width; x++) {
		unsigned index = 0;
		for (size_t plane = 0; plane < raster->planes; plane++) {
			const uint8_t *from = row + plane * raster->file_row;
			if (dib->bits == 24)
				to[x * 3 + 2 - plane] = from[x];
			else
				index |= ((unsigned)from[x / each] >> (8 - bits - x % each * bits) & mask) << plane;
		}
		if (dib->bits == 8)
			to[x] = (uint8_t)index;
	}
}

static session_result read_late_palette(struct raster *raster)
{
	struct dib *dib = &raster->dib;
	uint8_t byte = 0, color[3];

	while (byte != PALETTE_MARK)
		if (input_take(&raster->input, &byte, 1) < 1)
			return WIRE_FAIL_TRUNCATED;
	for (size_t i = 0; i < DIB_COLORS; i++) {
		if (input_take(&raster->input, color, sizeof(color)) < sizeof(color))
			return WIRE_FAIL_TRUNCATED;
		set_color(dib, i, color);
	}
	return WIRE_OK;
}

static session_result read_pixels(struct raster *raster)
{
	struct dib *dib = &raster->dib;
	size_t size = raster->file_row * raster->planes;
	uint8_t *row = malloc(size);

	if (!row)
		return WIRE_FAIL_LIMIT_MEMORY;
	while (dib->rows_known < dib->height && read_row(raster, row, size)) {
		spread(raster, row, dib->data + dib->rows_known * dib->stride);
		dib->rows_known++;
	}
	free(row);
	if (dib->rows_known < dib->height)
		return WIRE_FAIL_TRUNCATED;
	return raster->late_palette ? read_late_palette(raster) : WIRE_OK;
}

const struct raster_format raster_pcx = { read_header, read_pixels };
