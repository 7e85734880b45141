/* SPDX-License-Identifier: MIT */
/* BC7, and what BC6H has in common with it: partitions, anchors and weights, as the specification of BPTC lists them.
 */
#include <string.h>

#include "dds_decode.h"

enum { PARTITIONS = 64, ENDS_MAX = 6 };

/* One bit, and two bits a pixel. */
static const uint16_t partitions_of_2[PARTITIONS] = {
	0xcccc, 0x8888, 0xeeee, 0xecc8, 0xc880, 0xfeec, 0xfec8, 0xec80, 0xc800, 0xffec, 0xfe80, 0xe800, 0xffe8,
	0xff00, 0xfff0, 0xf000, 0xf710, 0x008e, 0x7100, 0x08ce, 0x008c, 0x7310, 0x3100, 0x8cce, 0x088c, 0x3110,
	0x6666, 0x366c, 0x17e8, 0x0ff0, 0x718e, 0x399c, 0xaaaa, 0xf0f0, 0x5a5a, 0x33cc, 0x3c3c, 0x55aa, 0x9696,
	0xa55a, 0x73ce, 0x13c8, 0x324c, 0x3bdc, 0x6996, 0xc33c, 0x9966, 0x0660, 0x0272, 0x04e4, 0x4e40, 0x2720,
	0xc936, 0x936c, 0x39c6, 0x639c, 0x9336, 0x9cc6, 0x817e, 0xe718, 0xccf0, 0x0fcc, 0x7744, 0xee22,
};
static const uint32_t partitions_of_3[PARTITIONS] = {
	0xaa685050, 0x6a5a5040, 0x5a5a4200, 0x5450a0a8, 0xa5a50000, 0xa0a05050, 0x5555a0a0, 0x5a5a5050,
	0xaa550000, 0xaa555500, 0xaaaa5500, 0x90909090, 0x94949494, 0xa4a4a4a4, 0xa9a59450, 0x2a0a4250,
	0xa5945040, 0x0a425054, 0xa5a5a500, 0x55a0a0a0, 0xa8a85454, 0x6a6a4040, 0xa4a45000, 0x1a1a0500,
	0x0050a4a4, 0xaaa59090, 0x14696914, 0x69691400, 0xa08585a0, 0xaa821414, 0x50a4a450, 0x6a5a0200,
	0xa9a58000, 0x5090a0a8, 0xa8a09050, 0x24242424, 0x00aa5500, 0x24924924, 0x24499224, 0x50a50a50,
	0x500aa550, 0xaaaa4444, 0x66660000, 0xa5a0a5a0, 0x50a050a0, 0x69286928, 0x44aaaa44, 0x66666600,
	0xaa444444, 0x54a854a8, 0x95809580, 0x96969600, 0xa85454a8, 0x80959580, 0xaa141414, 0x96960000,
	0xaaaa1414, 0xa05050a0, 0xa0a5a5a0, 0x96000000, 0x40804080, 0xa9a8a9a8, 0xaaaaaa44, 0x2a4a5254,
};

/* The pixels, in hexadecimal, whose index lacks its top bit: of the second of two subsets, and of the second and third
 * of three. */
static const char anchors_of_2[] = "fffffffffffffffff282288f28228822ff6828ff28222ff66268ff22fffff22f";
static const char anchors_of_3[][PARTITIONS + 1] = {
	"33ff83ff88666533338f336a588685ff8f356a8ff3f5ffff3f55585a5a8dfc33",
	"f883ff38fffffff8f8f3f8f83f6affa8f3faa89a6f8f3668f3ffffffffff3ff8",
};

unsigned dds_subset(unsigned subsets, unsigned partition, unsigned pixel)
{
	if (subsets == 2)
		return partitions_of_2[partition] >> pixel & 1;
	return subsets == 3 ? partitions_of_3[partition] >> 2 * pixel & 3 : 0;
}

static unsigned hexadecimal(char digit)
{
	return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

bool dds_is_anchor(unsigned subsets, unsigned partition, unsigned pixel)
{
	if (pixel == 0)
		return true;
	if (subsets == 2)
		return hexadecimal(anchors_of_2[partition]) == pixel;
	return subsets == 3 &&
	       (hexadecimal(anchors_of_3[0][partition]) == pixel || hexadecimal(anchors_of_3[1][partition]) == pixel);
}

uint32_t dds_weight(unsigned bits, uint32_t index)
{
	static const uint8_t weights[][16] = {
		{ 0, 21, 43, 64 },
		{ 0, 9, 18, 27, 37, 46, 55, 64 },
		{ 0, 4, 9, 13, 17, 21, 26, 30, 34, 38, 43, 47, 51, 55, 60, 64 },
	};

	return weights[bits - 2][index];
}

/* What a mode has: bits of each thing, and how many subsets. */
struct mode {
	uint8_t subsets, partition, rotation, selection, color, alpha;
	bool end_bits, subset_bits; /* a lowest bit for each end point, or for both of a subset */
	uint8_t index, second_index;
};

static const struct mode modes[] = {
	{ 3, 4, 0, 0, 4, 0, true, false, 3, 0 },  { 2, 6, 0, 0, 6, 0, false, true, 3, 0 },
	{ 3, 6, 0, 0, 5, 0, false, false, 2, 0 }, { 2, 6, 0, 0, 7, 0, true, false, 2, 0 },
	{ 1, 0, 2, 1, 5, 6, false, false, 2, 3 }, { 1, 0, 2, 0, 7, 8, false, false, 2, 2 },
	{ 1, 0, 0, 0, 7, 7, true, false, 4, 0 },  { 2, 6, 0, 0, 5, 5, true, false, 2, 0 },
};

/* To 8 bits, by repeating the top ones. */
static uint8_t widen(uint32_t value, unsigned bits)
{
	value <<= 8 - bits;
	return (uint8_t)(value | value >> bits);
}

static void read_ends(const struct mode *mode, struct dds_bits *bits, uint8_t ends[ENDS_MAX][DDS_CHANNELS])
{
	unsigned count = 2U * mode->subsets, extra = mode->end_bits || mode->subset_bits;
	uint32_t values[ENDS_MAX][DDS_CHANNELS], low = 0;

	for (unsigned channel = 0; channel < DDS_CHANNELS; channel++)
		for (unsigned i = 0; i < count; i++)
			values[i][channel] = dds_take_bits(bits, channel < 3 ? mode->color : mode->alpha);
	for (unsigned i = 0; i < count; i++) {
		if (mode->end_bits || (mode->subset_bits && i % 2 == 0))
			low = dds_take_bits(bits, 1);
		for (unsigned channel = 0; channel < DDS_CHANNELS; channel++) {
			unsigned width = (channel < 3 ? mode->color : mode->alpha) + extra;
			uint32_t value = extra ? values[i][channel] << 1 | low : values[i][channel];
			ends[i][channel] = channel == 3 && mode->alpha == 0 ? UINT8_MAX : widen(value, width);
		}
	}
}

static void read_indices(const struct mode *mode, unsigned partition, struct dds_bits *bits, unsigned width,
                         uint32_t indices[DDS_BLOCK_PIXELS])
{
	for (unsigned i = 0; i < DDS_BLOCK_PIXELS; i++)
		indices[i] = dds_take_bits(bits, width - dds_is_anchor(mode->subsets, partition, i));
}

static uint8_t mix(uint8_t from, uint8_t to, uint32_t weight)
{
	return (uint8_t)((from * (64 - weight) + to * weight + 32) >> 6);
}

void dds_block_bc7(const struct dds_bc6 *bc6, const uint8_t *block, uint8_t *pixels)
{
	struct dds_bits bits = { input_le64(block), input_le64(block + 8) };
	uint8_t ends[ENDS_MAX][DDS_CHANNELS];
	uint32_t first[DDS_BLOCK_PIXELS], second[DDS_BLOCK_PIXELS];

	(void)bc6;
	memset(pixels, 0, (size_t)DDS_BLOCK_PIXELS * DDS_CHANNELS);
	if (block[0] == 0)
		return; /* no mode: transparent black, as the specification of Direct3D has it */
	unsigned number = (unsigned)__builtin_ctz(block[0]);
	const struct mode *mode = &modes[number];
	(void)dds_take_bits(&bits, number + 1);
	unsigned partition = dds_take_bits(&bits, mode->partition);
	uint32_t rotation = dds_take_bits(&bits, mode->rotation), selection = dds_take_bits(&bits, mode->selection);
	read_ends(mode, &bits, ends);
	read_indices(mode, partition, &bits, mode->index, first);
	if (mode->second_index > 0)
		read_indices(mode, partition, &bits, mode->second_index, second);
	for (unsigned i = 0; i < DDS_BLOCK_PIXELS; i++, pixels += DDS_CHANNELS) {
		unsigned subset = 2 * dds_subset(mode->subsets, partition, i);
		uint32_t color = dds_weight(mode->index, first[i]), alpha = color;
		if (mode->second_index > 0)
			alpha = dds_weight(mode->second_index, second[i]);
		for (unsigned channel = 0; channel < DDS_CHANNELS; channel++)
			pixels[channel] = mix(ends[subset][channel], ends[subset + 1][channel],
			                      (channel == 3) != (selection == 1) ? alpha : color);
		if (rotation > 0) {
			uint8_t swapped = pixels[rotation - 1];
			pixels[rotation - 1] = pixels[3];
			pixels[3] = swapped;
		}
	}
}
