/* SPDX-License-Identifier: MIT */
/* What the parts of the DDS decoder share. */
#ifndef SAFE_DECODE_DDS_DECODE_H
#define SAFE_DECODE_DDS_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoders/pixels/pixels.h"
#include "decoders/runtime/input.h"

enum {
	DDS_BLOCK_PIXELS = 16, /* four rows of four */
	DDS_BLOCK_BYTES = 16,  /* at most */
	DDS_PIXEL_BYTES = 12,  /* of a pixel of a block, at most */
	DDS_BC6_MODES = 14,
	DDS_BC6_BITS = 75,  /* of the end points of a block, at most */
	DDS_BC6_PARTS = 12, /* of them: red, green and blue of four */
	DDS_CHANNELS = 4,   /* red, green, blue, alpha; gray is red */
};

/* Where each bit of a block's end points belongs: part and bit, for each mode. */
struct dds_bc6 {
	uint8_t part[DDS_BC6_MODES][DDS_BC6_BITS], bit[DDS_BC6_MODES][DDS_BC6_BITS];
	uint8_t bits[DDS_BC6_MODES];
};

/* Makes the 16 pixels of a block, packed, in the layout of the format. */
typedef void dds_block_function(const struct dds_bc6 *bc6, const uint8_t *block, uint8_t *pixels);

/* One way of storing pixels: as blocks, or as numbers with masks. */
struct dds_format {
	dds_block_function *decode; /* NULL: masks */
	size_t block_bytes;
	enum pixels_layout layout;
	bool needs_bc6;
	bool premultiplied;

	size_t pixel_bytes; /* 1 to 8 */
	uint64_t masks[DDS_CHANNELS];
};

/* By what the header says, and by the number of a DXGI format.  Return WIRE_OK or a failure. */
session_result dds_choose_legacy(const uint8_t *pixel_format, struct dds_format *format);
session_result dds_choose_dxgi(uint32_t number, struct dds_format *format);

dds_block_function dds_block_bc1, dds_block_bc2, dds_block_bc3, dds_block_bc4, dds_block_bc4_signed, dds_block_bc5,
        dds_block_bc5_signed, dds_block_bc6, dds_block_bc6_signed, dds_block_bc7;

void dds_bc6_prepare(struct dds_bc6 *bc6);

/* The bits of a block of 16 bytes, lowest first. */
struct dds_bits {
	uint64_t low, high;
};

static inline uint32_t dds_take_bits(struct dds_bits *bits, unsigned count)
{
	if (count == 0 || count >= 32)
		return 0;
	uint32_t value = (uint32_t)(bits->low & ((UINT64_C(1) << count) - 1));
	bits->low = bits->low >> count | bits->high << (64 - count);
	bits->high >>= count;
	return value;
}

/* Which subset of 2 or 3 a pixel belongs to, and whether its index is a bit shorter. */
unsigned dds_subset(unsigned subsets, unsigned partition, unsigned pixel);
bool dds_is_anchor(unsigned subsets, unsigned partition, unsigned pixel);

/* How much of the second end point an index of 2, 3 or 4 bits takes, of 64. */
uint32_t dds_weight(unsigned bits, uint32_t index);

#endif
