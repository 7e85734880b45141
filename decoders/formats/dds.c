/* SPDX-License-Identifier: MIT */
/*
 * DDS: pixels by masks, and the blocks of BC1 to BC7.  Of mip levels, faces, layers and slices, the first, which comes
 * first in the file.
 *
 * BC6H is linear light.  Colours that are multiplied by alpha are divided by it.
 *
 * pkg-config: none
 */
#include <stdlib.h>
#include <string.h>

#include "dds_decode.h"
#include "decoders/picture/rows.h"

enum {
	MARK_SIZE = 4,
	HEADER_SIZE = 128,
	HEADER_REST = 124,
	PIXEL_FORMAT_AT = 76,
	PIXEL_FORMAT_SIZE = 32,
	DX10_SIZE = 20,
	ALPHA_PREMULTIPLIED = 2, /* in the last word of the DX10 header */
	ALPHA_OPAQUE = 3,
	BLOCK_SIDE = 4,
	RGBA_BYTES = 4,
	MEMORY_BESIDES = 16 << 10,
};

struct dds {
	struct input input;
	struct wire_image image;
	struct dds_format format;
	bool opaque; /* whatever its alpha says */
	uint16_t scaled[DDS_CHANNELS][256];
	struct dds_bc6 *bc6; /* owned */
	uint8_t *raw;        /* owned: a row, or a row of blocks, as it is in the file */
	uint8_t *rows;       /* owned: one, or those of a row of blocks */
	size_t raw_size, stride, row_count;
};

/* ---- header ---- */

static session_result read_dx10(struct dds *dds)
{
	uint8_t header[DX10_SIZE];

	if (input_take(&dds->input, header, sizeof(header)) < sizeof(header))
		return WIRE_FAIL_TRUNCATED;
	session_result result = dds_choose_dxgi(input_le32(header), &dds->format);
	uint32_t alpha = input_le32(header + 16) & 7;
	if (alpha == ALPHA_PREMULTIPLIED && dds->format.layout == PIXELS_RGBA)
		dds->format.premultiplied = true;
	dds->opaque = alpha == ALPHA_OPAQUE && dds->format.layout == PIXELS_RGBA;
	return result;
}

static session_result read_header(struct dds *dds)
{
	struct wire_image *image = &dds->image;
	uint8_t header[HEADER_SIZE];
	size_t size = input_take(&dds->input, header, sizeof(header));

	if (size == 0)
		return WIRE_FAIL_EMPTY;
	if (memcmp(header, "DDS ", size < MARK_SIZE ? size : MARK_SIZE) != 0)
		return WIRE_FAIL_SIGNATURE;
	if (size < sizeof(header))
		return WIRE_FAIL_TRUNCATED;
	const uint8_t *pixel_format = header + PIXEL_FORMAT_AT;
	if (input_le32(header + 4) != HEADER_REST || input_le32(pixel_format) != PIXEL_FORMAT_SIZE)
		return WIRE_FAIL_HEADER;
	image->height = input_le32(header + 12);
	image->width = input_le32(header + 16);
	if ((input_le32(pixel_format + 4) & 4) != 0 && memcmp(pixel_format + 8, "DX10", 4) == 0)
		return read_dx10(dds);
	return dds_choose_legacy(pixel_format, &dds->format);
}

static uint32_t widest_mask(const struct dds_format *format)
{
	int most = 1;

	for (size_t i = 0; i < DDS_CHANNELS; i++) {
		int bits = __builtin_popcountll(format->masks[i]);
		most = bits > most ? bits : most;
	}
	return most < 16 ? (uint32_t)most : 16;
}

static void describe(struct dds *dds)
{
	static const uint8_t channels[PIXELS_LAYOUTS] = { 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4 };
	struct wire_image *image = &dds->image;

	image->frames = 1;
	image->channels = channels[dds->format.layout];
	image->color = image->channels <= 2 ? WIRE_COLOR_GRAY : WIRE_COLOR_RGB;
	image->flags = (image->channels % 2 == 0 && !dds->opaque ? WIRE_IMAGE_ALPHA : 0) |
	               (dds->format.needs_bc6 ? WIRE_IMAGE_FLOAT : 0);
	image->depth = dds->format.decode ? dds->format.needs_bc6 ? 16 : 8 : widest_mask(&dds->format);
	image->pixel_format = session_choose_format(dds->input.session, image);
}

/* Sizes that follow from the header; the width is within the limits, so that nothing overflows. */
static void measure(struct dds *dds)
{
	size_t width = dds->image.width, pixel = pixels_layout_bytes[dds->format.layout];
	size_t blocks = (width + BLOCK_SIDE - 1) / BLOCK_SIDE;
	bool is_block = dds->format.decode != NULL;

	dds->row_count = is_block ? BLOCK_SIDE : 1;
	dds->raw_size = is_block ? blocks * dds->format.block_bytes : width * dds->format.pixel_bytes;
	dds->stride = is_block ? blocks * BLOCK_SIDE * pixel : width * pixel;
}

static bool allocate(struct dds *dds)
{
	dds->raw = malloc(dds->raw_size);
	dds->rows = calloc(dds->row_count, dds->stride);
	if (!dds->raw || !dds->rows || !dds->format.needs_bc6)
		return dds->raw && dds->rows;
	dds->bc6 = malloc(sizeof(*dds->bc6));
	if (dds->bc6)
		dds_bc6_prepare(dds->bc6);
	return dds->bc6 != NULL;
}

static session_result announce(struct dds *dds)
{
	struct session *session = dds->input.session;
	session_result result = session_check_size(session, dds->image.width, dds->image.height, 1);

	if (result != WIRE_OK)
		return result;
	describe(dds);
	measure(dds);
	session_needs(session, MEMORY_BESIDES + dds->raw_size + (uint64_t)dds->stride * dds->row_count);
	result = session_image(session, &dds->image);
	if (result == WIRE_OK)
		result = session_frame(session, 0);
	if (result == WIRE_OK && !allocate(dds))
		result = WIRE_FAIL_LIMIT_MEMORY;
	return result;
}

/* ---- masks ---- */

static uint32_t scale(uint64_t sample, uint64_t most, uint32_t white)
{
	return (uint32_t)((sample * white + most / 2) / most);
}

/* The channels of the layout, in their order: the first one or three, and alpha. */
static size_t list_channels(const struct dds *dds, size_t list[DDS_CHANNELS])
{
	bool color = dds->image.channels > 2;
	size_t count = 0;

	for (size_t i = 0; i < (color ? 3U : 1U); i++)
		list[count++] = i;
	if (dds->image.channels % 2 == 0)
		list[count++] = 3;
	return count;
}

static void prepare_scales(struct dds *dds)
{
	for (size_t i = 0; i < DDS_CHANNELS; i++) {
		uint64_t mask = dds->format.masks[i], most = mask ? mask >> __builtin_ctzll(mask) : 0;
		bool deep = dds->format.layout >= PIXELS_GRAY16;
		for (uint32_t sample = 0; most > 0 && most < 256 && sample <= most; sample++)
			dds->scaled[i][sample] = (uint16_t)scale(sample, most, deep ? UINT16_MAX : UINT8_MAX);
	}
}

static uint16_t extract(const struct dds *dds, uint64_t pixel, size_t channel)
{
	uint64_t mask = dds->format.masks[channel];

	if (mask == 0)
		return 0;
	int shift = __builtin_ctzll(mask);
	uint64_t sample = (pixel & mask) >> shift, most = mask >> shift;
	return most < 256 ? dds->scaled[channel][sample] : (uint16_t)scale(sample, most, UINT16_MAX);
}

static void convert_masks(struct dds *dds)
{
	size_t list[DDS_CHANNELS] = { 0 }, count = list_channels(dds, list);
	bool deep = dds->format.layout >= PIXELS_GRAY16;
	uint8_t *to = dds->rows;

	for (size_t x = 0; x < dds->image.width; x++) {
		const uint8_t *from = dds->raw + x * dds->format.pixel_bytes;
		uint64_t pixel = 0;
		for (size_t i = 0; i < dds->format.pixel_bytes; i++)
			pixel |= (uint64_t)from[i] << (8 * i);
		for (size_t i = 0; i < count; i++) {
			uint16_t sample = extract(dds, pixel, list[i]);
			if (deep)
				memcpy(to, &sample, sizeof(sample));
			else
				*to = (uint8_t)sample;
			to += deep ? 2 : 1;
		}
	}
}

/* ---- blocks ---- */

static void convert_blocks(struct dds *dds)
{
	size_t pixel = pixels_layout_bytes[dds->format.layout], part = BLOCK_SIDE * pixel;
	uint8_t pixels[DDS_BLOCK_PIXELS * DDS_PIXEL_BYTES];
	uint8_t *to = dds->rows;

	for (size_t at = 0; at < dds->raw_size; at += dds->format.block_bytes, to += part) {
		dds->format.decode(dds->bc6, dds->raw + at, pixels);
		for (size_t y = 0; y < BLOCK_SIDE; y++)
			memcpy(to + y * dds->stride, pixels + y * part, part);
	}
}

static uint8_t divide(uint8_t color, uint8_t alpha)
{
	unsigned straight = (color * 255U + alpha / 2U) / alpha;

	return color >= alpha ? UINT8_MAX : (uint8_t)straight;
}

/* Of colours with alpha alone. */
static void correct_alpha(struct dds *dds)
{
	uint8_t *end = dds->rows + dds->row_count * dds->stride;

	for (uint8_t *pixel = dds->rows; pixel < end; pixel += RGBA_BYTES) {
		for (size_t i = 0; i < 3 && dds->format.premultiplied && pixel[3] > 0; i++)
			pixel[i] = divide(pixel[i], pixel[3]);
		if (dds->opaque)
			pixel[3] = UINT8_MAX;
	}
}

/* ---- the whole ---- */

static session_result decode_rows(struct dds *dds)
{
	struct session *session = dds->input.session;

	prepare_scales(dds);
	for (size_t left = dds->image.height; left > 0;) {
		size_t count = left < dds->row_count ? left : dds->row_count;
		if (input_take(&dds->input, dds->raw, dds->raw_size) < dds->raw_size)
			return session_damage(session, WIRE_FAIL_TRUNCATED);
		if (dds->format.decode)
			convert_blocks(dds);
		else
			convert_masks(dds);
		if (dds->format.premultiplied || dds->opaque)
			correct_alpha(dds);
		session_result result =
		        rows_send(session, &dds->image, dds->format.layout, dds->rows, dds->stride, count);
		if (result != WIRE_OK)
			return result;
		left -= count;
	}
	return WIRE_OK;
}

static session_result decode(struct session *session)
{
	struct dds dds = { .input.session = session };
	session_result result = read_header(&dds);

	if (result == WIRE_OK)
		result = announce(&dds);
	if (result == WIRE_OK)
		result = decode_rows(&dds);
	free(dds.bc6);
	free(dds.raw);
	free(dds.rows);
	return result;
}

const struct decoder decoder = {
	.name = "dds",
	.decode = decode,
};
