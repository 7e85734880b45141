/* SPDX-License-Identifier: MIT */
/* BC6H: three halves a pixel, which are linear light. */
#include <string.h>

#include "dds_decode.h"
#include "decoders/pixels/halves.h"

enum { COLORS = 3, LAST_TWO_SUBSETS = 9 };

struct mode {
	bool is_delta;     /* all end points but the first are differences from it */
	uint8_t precision; /* bits of an end point */
	uint8_t delta[COLORS];
	/* The bits of the end points in their order, as the specification names them: colour, end point, first and last
	 * bit. */
	const char *layout;
};

static const struct mode modes[DDS_BC6_MODES] = {
	{ true,
	  10,
	  { 5, 5, 5 },
	  "gy4 by4 bz4 rw0-9 gw0-9 bw0-9 rx0-4 gz4 gy0-3 gx0-4 bz0 gz0-3 bx0-4 bz1 by0-3 ry0-4 bz2 "
	  "rz0-4 bz3" },
	{ true,
	  7,
	  { 6, 6, 6 },
	  "gy5 gz4 gz5 rw0-6 bz0 bz1 by4 gw0-6 by5 bz2 gy4 bw0-6 bz3 bz5 bz4 rx0-5 gy0-3 gx0-5 gz0-3 "
	  "bx0-5 by0-3 ry0-5 rz0-5" },
	{ true,
	  11,
	  { 5, 4, 4 },
	  "rw0-9 gw0-9 bw0-9 rx0-4 rw10 gy0-3 gx0-3 gw10 bz0 gz0-3 bx0-3 bw10 bz1 by0-3 ry0-4 bz2 "
	  "rz0-4 bz3" },
	{ true,
	  11,
	  { 4, 5, 4 },
	  "rw0-9 gw0-9 bw0-9 rx0-3 rw10 gz4 gy0-3 gx0-4 gw10 gz0-3 bx0-3 bw10 bz1 by0-3 ry0-3 bz0 "
	  "bz2 rz0-3 gy4 bz3" },
	{ true,
	  11,
	  { 4, 4, 5 },
	  "rw0-9 gw0-9 bw0-9 rx0-3 rw10 by4 gy0-3 gx0-3 gw10 bz0 gz0-3 bx0-4 bw10 by0-3 ry0-3 bz1 "
	  "bz2 rz0-3 bz4 bz3" },
	{ true,
	  9,
	  { 5, 5, 5 },
	  "rw0-8 by4 gw0-8 gy4 bw0-8 bz4 rx0-4 gz4 gy0-3 gx0-4 bz0 gz0-3 bx0-4 bz1 by0-3 ry0-4 bz2 "
	  "rz0-4 bz3" },
	{ true,
	  8,
	  { 6, 5, 5 },
	  "rw0-7 gz4 by4 gw0-7 bz2 gy4 bw0-7 bz3 bz4 rx0-5 gy0-3 gx0-4 bz0 gz0-3 bx0-4 bz1 by0-3 "
	  "ry0-5 rz0-5" },
	{ true,
	  8,
	  { 5, 6, 5 },
	  "rw0-7 bz0 by4 gw0-7 gy5 gy4 bw0-7 gz5 bz4 rx0-4 gz4 gy0-3 gx0-5 gz0-3 bx0-4 bz1 by0-3 "
	  "ry0-4 bz2 rz0-4 bz3" },
	{ true,
	  8,
	  { 5, 5, 6 },
	  "rw0-7 bz1 by4 gw0-7 by5 gy4 bw0-7 bz5 bz4 rx0-4 gz4 gy0-3 gx0-4 bz0 gz0-3 bx0-5 by0-3 "
	  "ry0-4 bz2 rz0-4 bz3" },
	{ false,
	  6,
	  { 6, 6, 6 },
	  "rw0-5 gz4 bz0 bz1 by4 gw0-5 gy5 by5 bz2 gy4 bw0-5 gz5 bz3 bz5 bz4 rx0-5 gy0-3 gx0-5 "
	  "gz0-3 bx0-5 by0-3 ry0-5 rz0-5" },
	{ false, 10, { 10, 10, 10 }, "rw0-9 gw0-9 bw0-9 rx0-9 gx0-9 bx0-9" },
	{ true, 11, { 9, 9, 9 }, "rw0-9 gw0-9 bw0-9 rx0-8 rw10 gx0-8 gw10 bx0-8 bw10" },
	{ true, 12, { 8, 8, 8 }, "rw0-9 gw0-9 bw0-9 rx0-7 rw11-10 gx0-7 gw11-10 bx0-7 bw11-10" },
	{ true, 16, { 4, 4, 4 }, "rw0-9 gw0-9 bw0-9 rx0-3 rw15-10 gx0-3 gw15-10 bx0-3 bw15-10" },
};

static const char *parse_number(const char *text, unsigned *number)
{
	for (*number = 0; *text >= '0' && *text <= '9'; text++)
		*number = *number * 10 + (unsigned)(*text - '0');
	return text;
}

static void prepare_mode(struct dds_bc6 *bc6, size_t mode)
{
	size_t count = 0;

	for (const char *text = modes[mode].layout; *text != '\0';) {
		unsigned color = *text == 'r' ? 0 : *text == 'g' ? 1 : 2, end = (unsigned)(text[1] - 'w');
		unsigned from = 0, to = 0;
		text = parse_number(text + 2, &from);
		to = from;
		if (*text == '-')
			text = parse_number(text + 1, &to);
		for (unsigned bit = from;; bit = from < to ? bit + 1 : bit - 1) {
			bc6->part[mode][count] = (uint8_t)(end * COLORS + color);
			bc6->bit[mode][count++] = (uint8_t)bit;
			if (bit == to)
				break;
		}
		text += *text == ' ';
	}
	bc6->bits[mode] = (uint8_t)count;
}

void dds_bc6_prepare(struct dds_bc6 *bc6)
{
	for (size_t i = 0; i < DDS_BC6_MODES; i++)
		prepare_mode(bc6, i);
}

static int32_t extend_sign(uint32_t value, unsigned bits)
{
	uint32_t sign = 1U << (bits - 1);

	return (int32_t)((value & (2 * sign - 1)) ^ sign) - (int32_t)sign;
}

static int32_t unquantize(int32_t value, unsigned precision, bool is_signed)
{
	if (!is_signed) {
		if (precision >= 15 || value == 0)
			return value;
		return value == (1 << precision) - 1 ? 0xffff : ((value << 15) + 0x4000) >> (precision - 1);
	}
	int32_t size = value < 0 ? -value : value;
	if (precision >= 16 || size == 0)
		return value;
	size = size >= (1 << (precision - 1)) - 1 ? 0x7fff : ((size << 15) + 0x4000) >> (precision - 1);
	return value < 0 ? -size : size;
}

static void read_ends(const struct dds_bc6 *bc6, size_t number, bool is_signed, struct dds_bits *bits,
                      int32_t ends[DDS_BC6_PARTS])
{
	const struct mode *mode = &modes[number];
	uint32_t raw[DDS_BC6_PARTS] = { 0 };

	for (size_t i = 0; i < bc6->bits[number]; i++)
		raw[bc6->part[number][i]] |= dds_take_bits(bits, 1) << bc6->bit[number][i];
	for (size_t i = 0; i < DDS_BC6_PARTS; i++) {
		uint32_t value = raw[i];
		if (i >= COLORS && mode->is_delta)
			value = raw[i % COLORS] + (uint32_t)extend_sign(value, mode->delta[i % COLORS]);
		value &= (1U << mode->precision) - 1;
		ends[i] = is_signed ? extend_sign(value, mode->precision) : (int32_t)value;
		ends[i] = unquantize(ends[i], mode->precision, is_signed);
	}
}

/* To a half, which is a little less than the range. */
static float finish(int32_t value, bool is_signed)
{
	if (!is_signed)
		return half_to_float((uint16_t)(value * 31 / 64));
	float size = half_to_float((uint16_t)((value < 0 ? -value : value) * 31 / 32));
	return value < 0 ? -size : size;
}

/* The number of the mode, whose bits are taken; DDS_BC6_MODES: none. */
static size_t read_mode(struct dds_bits *bits)
{
	uint32_t low = dds_take_bits(bits, 2);

	if (low < 2)
		return low;
	size_t number = dds_take_bits(bits, 3) + (low == 2 ? 2U : 10U);
	return number < DDS_BC6_MODES ? number : DDS_BC6_MODES;
}

static void decode(const struct dds_bc6 *bc6, const uint8_t *block, bool is_signed, uint8_t *pixels)
{
	struct dds_bits bits = { input_le64(block), input_le64(block + 8) };
	int32_t ends[DDS_BC6_PARTS];
	size_t mode = read_mode(&bits);

	memset(pixels, 0, (size_t)DDS_BLOCK_PIXELS * DDS_PIXEL_BYTES);
	if (mode == DDS_BC6_MODES)
		return; /* black, as the specification has it */
	read_ends(bc6, mode, is_signed, &bits, ends);
	unsigned subsets = mode <= LAST_TWO_SUBSETS ? 2 : 1, width = subsets == 2 ? 3 : 4;
	unsigned partition = subsets == 2 ? dds_take_bits(&bits, 5) : 0;
	for (unsigned i = 0; i < DDS_BLOCK_PIXELS; i++) {
		const int32_t *from = ends + (size_t)2 * COLORS * dds_subset(subsets, partition, i);
		uint32_t index = dds_take_bits(&bits, width - dds_is_anchor(subsets, partition, i));
		int32_t weight = (int32_t)dds_weight(width, index);
		for (size_t color = 0; color < COLORS; color++) {
			int32_t value = (from[color] * (64 - weight) + from[COLORS + color] * weight) >> 6;
			float sample = finish(value, is_signed);
			memcpy(pixels + ((size_t)i * COLORS + color) * sizeof(sample), &sample, sizeof(sample));
		}
	}
}

void dds_block_bc6(const struct dds_bc6 *bc6, const uint8_t *block, uint8_t *pixels)
{
	decode(bc6, block, false, pixels);
}

void dds_block_bc6_signed(const struct dds_bc6 *bc6, const uint8_t *block, uint8_t *pixels)
{
	decode(bc6, block, true, pixels);
}
