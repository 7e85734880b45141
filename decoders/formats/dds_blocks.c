/* SPDX-License-Identifier: MIT */
/* BC1 to BC5.  Divisions cut, as other decoders have it. */
#include <string.h>

#include "dds_decode.h"

enum { PALETTE = 4, RAMP = 8 };

static void expand_565(uint32_t color, uint8_t rgba[4])
{
	uint32_t red = color >> 11, green = color >> 5 & 63, blue = color & 31;

	rgba[0] = (uint8_t)(red << 3 | red >> 2);
	rgba[1] = (uint8_t)(green << 2 | green >> 4);
	rgba[2] = (uint8_t)(blue << 3 | blue >> 2);
	rgba[3] = UINT8_MAX;
}

/* Where alpha is elsewhere, there are always four colours; else the order of the first two says whether the last one is
 * transparent black. */
static void decode_colors(const uint8_t *block, bool four, uint8_t *pixels)
{
	uint32_t first = input_le16(block), second = input_le16(block + 2), indices = input_le32(block + 4);
	uint8_t colors[PALETTE][4] = { { 0 } };

	expand_565(first, colors[0]);
	expand_565(second, colors[1]);
	four = four || first > second;
	for (int i = 0; i < 3; i++) {
		int from = colors[0][i], to = colors[1][i];
		colors[2][i] = (uint8_t)(four ? (2 * from + to) / 3 : (from + to) / 2);
		colors[3][i] = (uint8_t)(four ? (from + 2 * to) / 3 : 0);
	}
	colors[2][3] = UINT8_MAX;
	colors[3][3] = four ? UINT8_MAX : 0;
	for (size_t i = 0; i < DDS_BLOCK_PIXELS; i++)
		memcpy(pixels + 4 * i, colors[indices >> 2 * i & 3], 4);
}

/* One channel: two ends and a ramp between them.  Signed samples come with 128 added, as others do it. */
static void decode_channel(const uint8_t *block, bool is_signed, uint8_t *to, size_t step)
{
	int first = is_signed ? (int8_t)block[0] + 128 : block[0],
	    second = is_signed ? (int8_t)block[1] + 128 : block[1];
	uint64_t indices = input_le16(block + 2) | (uint64_t)input_le32(block + 4) << 16;
	uint8_t ramp[RAMP] = { (uint8_t)first, (uint8_t)second };

	for (int i = 1; i < 7; i++)
		ramp[i + 1] = (uint8_t)(first > second ? ((7 - i) * first + i * second) / 7
		                        : i < 5        ? ((5 - i) * first + i * second) / 5
		                        : i == 5       ? 0
		                                       : UINT8_MAX);
	for (size_t i = 0; i < DDS_BLOCK_PIXELS; i++)
		to[step * i] = ramp[indices >> 3 * i & 7];
}

void dds_block_bc1(const struct dds_bc6 *bc6, const uint8_t *block, uint8_t *pixels)
{
	(void)bc6;
	decode_colors(block, false, pixels);
}

void dds_block_bc2(const struct dds_bc6 *bc6, const uint8_t *block, uint8_t *pixels)
{
	(void)bc6;
	decode_colors(block + 8, true, pixels);
	for (size_t i = 0; i < DDS_BLOCK_PIXELS; i++)
		pixels[4 * i + 3] = (uint8_t)((block[i / 2] >> (4 * (i % 2)) & 15) * 17);
}

void dds_block_bc3(const struct dds_bc6 *bc6, const uint8_t *block, uint8_t *pixels)
{
	(void)bc6;
	decode_colors(block + 8, true, pixels);
	decode_channel(block, false, pixels + 3, 4);
}

void dds_block_bc4(const struct dds_bc6 *bc6, const uint8_t *block, uint8_t *pixels)
{
	(void)bc6;
	decode_channel(block, false, pixels, 1);
}

void dds_block_bc4_signed(const struct dds_bc6 *bc6, const uint8_t *block, uint8_t *pixels)
{
	(void)bc6;
	decode_channel(block, true, pixels, 1);
}

static void decode_two(const uint8_t *block, bool is_signed, uint8_t *pixels)
{
	for (size_t i = 0; i < DDS_BLOCK_PIXELS; i++)
		pixels[3 * i + 2] = is_signed ? 128 : 0;
	decode_channel(block, is_signed, pixels, 3);
	decode_channel(block + 8, is_signed, pixels + 1, 3);
}

void dds_block_bc5(const struct dds_bc6 *bc6, const uint8_t *block, uint8_t *pixels)
{
	(void)bc6;
	decode_two(block, false, pixels);
}

void dds_block_bc5_signed(const struct dds_bc6 *bc6, const uint8_t *block, uint8_t *pixels)
{
	(void)bc6;
	decode_two(block, true, pixels);
}
