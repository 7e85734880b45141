/* SPDX-License-Identifier: MIT */
/* How the pixels of a DDS are stored: masks or a code of four letters, or a number of DXGI's list. */
#include <string.h>

#include "dds_decode.h"

enum {
	FLAG_ALPHA_PIXELS = 1,
	FLAG_ALPHA = 2,
	FLAG_FOUR_CODE = 4,
	FLAG_RGB = 0x40,
	FLAG_LUMINANCE = 0x20000,
};

struct block_row {
	dds_block_function *decode;
	size_t bytes;
	enum pixels_layout layout;
};

enum block {
	BC1,
	BC2,
	BC3,
	BC4,
	BC4_SIGNED,
	BC5,
	BC5_SIGNED,
	BC6,
	BC6_SIGNED,
	BC7,
};

static void set_block(struct dds_format *format, enum block block)
{
	static const struct block_row blocks[] = {
		[BC1] = { dds_block_bc1, 8, PIXELS_RGBA },
		[BC2] = { dds_block_bc2, 16, PIXELS_RGBA },
		[BC3] = { dds_block_bc3, 16, PIXELS_RGBA },
		[BC4] = { dds_block_bc4, 8, PIXELS_GRAY },
		[BC4_SIGNED] = { dds_block_bc4_signed, 8, PIXELS_GRAY },
		[BC5] = { dds_block_bc5, 16, PIXELS_RGB },
		[BC5_SIGNED] = { dds_block_bc5_signed, 16, PIXELS_RGB },
		[BC6] = { dds_block_bc6, 16, PIXELS_RGB_F32 },
		[BC6_SIGNED] = { dds_block_bc6_signed, 16, PIXELS_RGB_F32 },
		[BC7] = { dds_block_bc7, 16, PIXELS_RGBA },
	};

	format->decode = blocks[block].decode;
	format->block_bytes = blocks[block].bytes;
	format->layout = blocks[block].layout;
	format->needs_bc6 = block == BC6 || block == BC6_SIGNED;
}

/* Whether the bits of a mask stand together. */
static bool is_run(uint64_t mask)
{
	uint64_t lowest = mask & -mask;

	return (mask & (mask + lowest)) == 0;
}

/* The layout by the masks that there are.  Returns whether they make sense. */
static bool set_masks(struct dds_format *format, size_t pixel_bytes, const uint64_t masks[DDS_CHANNELS])
{
	uint64_t all = pixel_bytes == 8 ? UINT64_MAX : (UINT64_C(1) << (8 * pixel_bytes)) - 1;
	bool deep = false;

	format->pixel_bytes = pixel_bytes;
	for (size_t i = 0; i < DDS_CHANNELS; i++) {
		format->masks[i] = masks[i] & all;
		deep = deep || __builtin_popcountll(format->masks[i]) > 8;
		if (!is_run(format->masks[i]))
			return false;
	}
	bool color = format->masks[1] != 0 || format->masks[2] != 0, alpha = format->masks[3] != 0;
	if (!color && format->masks[0] == 0)
		return false;
	format->layout = pixels_layout_of(deep ? 2 : 1, color, alpha);
	return true;
}

static session_result choose_code(const uint8_t *code, struct dds_format *format)
{
	static const struct {
		char code[5];
		enum block block;
		bool premultiplied;
	} codes[] = {
		{ "DXT1", BC1, false }, { "DXT2", BC2, true },         { "DXT3", BC2, false },
		{ "DXT4", BC3, true },  { "DXT5", BC3, false },        { "ATI1", BC4, false },
		{ "BC4U", BC4, false }, { "BC4S", BC4_SIGNED, false }, { "ATI2", BC5, false },
		{ "BC5U", BC5, false }, { "BC5S", BC5_SIGNED, false },
	};
	static const uint64_t four_words[] = { 0xffff, 0xffff0000, UINT64_C(0xffff) << 32, UINT64_C(0xffff) << 48 };
	enum { A16B16G16R16 = 36 };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (memcmp(code, codes[i].code, 4) == 0) {
			set_block(format, codes[i].block);
			format->premultiplied = codes[i].premultiplied;
			return WIRE_OK;
		}
	if (input_le32(code) == A16B16G16R16 && set_masks(format, 8, four_words))
		return WIRE_OK;
	return WIRE_FAIL_UNSUPPORTED;
}

/* What is alpha alone is shown as gray. */
session_result dds_choose_legacy(const uint8_t *pixel_format, struct dds_format *format)
{
	uint32_t flags = input_le32(pixel_format + 4), bits = input_le32(pixel_format + 12);
	uint64_t masks[DDS_CHANNELS];

	if (flags & FLAG_FOUR_CODE)
		return choose_code(pixel_format + 8, format);
	for (size_t i = 0; i < DDS_CHANNELS; i++)
		masks[i] = input_le32(pixel_format + 16 + 4 * i);
	if ((flags & (FLAG_RGB | FLAG_LUMINANCE | FLAG_ALPHA)) == 0)
		return WIRE_FAIL_UNSUPPORTED;
	if ((flags & (FLAG_RGB | FLAG_LUMINANCE)) == 0) {
		masks[0] = masks[3];
		masks[1] = masks[2] = masks[3] = 0;
	}
	/* The masks of green and blue are those of red, or nothing. */
	if (flags & FLAG_LUMINANCE)
		masks[1] = masks[2] = 0;
	if ((flags & FLAG_ALPHA_PIXELS) == 0)
		masks[3] = 0;
	if (bits != 8 && bits != 16 && bits != 24 && bits != 32)
		return WIRE_FAIL_HEADER;
	return set_masks(format, bits / 8, masks) ? WIRE_OK : WIRE_FAIL_UNSUPPORTED;
}

session_result dds_choose_dxgi(uint32_t number, struct dds_format *format)
{
	/* Ranges of DXGI_FORMAT that differ in what does not matter here. */
	static const struct {
		uint32_t first, last;
		enum block block;
	} blocks[] = {
		{ 70, 72, BC1 },        { 73, 75, BC2 }, { 76, 78, BC3 },        { 79, 80, BC4 },
		{ 81, 81, BC4_SIGNED }, { 82, 83, BC5 }, { 84, 84, BC5_SIGNED }, { 94, 95, BC6 },
		{ 96, 96, BC6_SIGNED }, { 97, 99, BC7 },
	};
	static const struct {
		uint32_t first, last;
		size_t bytes;
		uint64_t masks[DDS_CHANNELS];
	} plain[] = {
		{ 11, 11, 8, { 0xffff, 0xffff0000, UINT64_C(0xffff) << 32, UINT64_C(0xffff) << 48 } },
		{ 23, 24, 4, { 0x3ff, 0xffc00, 0x3ff00000, 0xc0000000 } },
		{ 27, 29, 4, { 0xff, 0xff00, 0xff0000, 0xff000000 } },
		{ 35, 35, 4, { 0xffff, 0xffff0000 } },
		{ 49, 49, 2, { 0xff, 0xff00 } },
		{ 56, 56, 2, { 0xffff } },
		{ 61, 61, 1, { 0xff } },
		{ 65, 65, 1, { 0xff } },
		{ 85, 85, 2, { 0xf800, 0x7e0, 0x1f } },
		{ 86, 86, 2, { 0x7c00, 0x3e0, 0x1f, 0x8000 } },
		{ 87, 87, 4, { 0xff0000, 0xff00, 0xff, 0xff000000 } },
		{ 88, 88, 4, { 0xff0000, 0xff00, 0xff } },
		{ 90, 91, 4, { 0xff0000, 0xff00, 0xff, 0xff000000 } },
		{ 92, 93, 4, { 0xff0000, 0xff00, 0xff } },
		{ 115, 115, 2, { 0xf00, 0xf0, 0xf, 0xf000 } },
	};

	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		if (number >= blocks[i].first && number <= blocks[i].last) {
			set_block(format, blocks[i].block);
			return WIRE_OK;
		}
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (number >= plain[i].first && number <= plain[i].last)
			return set_masks(format, plain[i].bytes, plain[i].masks) ? WIRE_OK : WIRE_FAIL_UNSUPPORTED;
	return WIRE_FAIL_UNSUPPORTED;
}
