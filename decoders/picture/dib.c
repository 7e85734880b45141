/* SPDX-License-Identifier: MIT */
/* What is in front of the pixels: a header of one of many ages, masks or a palette. */
#include "dib.h"

#include <string.h>

enum {
	OS2_1_SIZE = 12,
	OS2_2_LEAST = 16,
	OS2_2_MOST = 64,
	WINDOWS_SIZE = 40,
	WITH_MASKS_SIZE = 52,      /* red, green, blue */
	WITH_ALPHA_MASK_SIZE = 56, /* and alpha */
	V4_SIZE = 108,
	V5_SIZE = 124,
	MASKS_PLACE = 40,
	MASK_BYTES = 4,
	LARGEST_SHIFTED = 8, /* bits of a channel that are looked at */
};

enum compression {
	BI_RGB,
	BI_RLE8,
	BI_RLE4,
	BI_BITFIELDS,
	BI_JPEG,
	BI_PNG,
	BI_ALPHABITFIELDS,
	HUFFMAN_1D, /* what OS/2 has for 3 */
	RLE24,      /* and for 4 */
};

struct header {
	uint8_t bytes[V5_SIZE]; /* zero where the file's is shorter */
	uint32_t size;
	bool os2_1, os2_2;
	uint32_t bits, compression, colors;
	uint64_t place, end; /* in the input */
};

static session_result take(struct input *input, void *to, size_t size)
{
	return input_take(input, to, size) == size ? WIRE_OK : WIRE_FAIL_TRUNCATED;
}

/* ---- the header ---- */

static session_result read_size(struct header *header, struct input *input)
{
	header->place = input->position;
	session_result result = take(input, header->bytes, 4);
	if (result != WIRE_OK)
		return result;
	uint32_t size = header->size = input_le32(header->bytes);
	bool windows = size == WINDOWS_SIZE || size == WITH_MASKS_SIZE || size == WITH_ALPHA_MASK_SIZE ||
	               size == V4_SIZE || size == V5_SIZE;
	header->os2_1 = size == OS2_1_SIZE;
	header->os2_2 = !windows && size >= OS2_2_LEAST && size <= OS2_2_MOST &&
	                (size % 4 == 0 || size == WINDOWS_SIZE + 2 || size == WINDOWS_SIZE + 6);
	if (!windows && !header->os2_1 && !header->os2_2)
		return WIRE_FAIL_HEADER;
	return take(input, header->bytes + 4, size - 4);
}

/* OS/2 has other meanings for two of the numbers, and may have them in a header that looks like that of Windows. */
static void translate_compression(struct header *header)
{
	uint32_t compression = input_le32(header->bytes + 16);
	bool huffman = compression == 3 && header->bits == 1;
	bool triples = compression == 4 && header->bits == 24;

	if ((huffman || triples) && header->size == WINDOWS_SIZE)
		header->os2_2 = true;
	header->compression = compression > BI_ALPHABITFIELDS                ? HUFFMAN_1D + compression
	                      : header->os2_2 && compression == BI_BITFIELDS ? HUFFMAN_1D
	                      : header->os2_2 && compression == BI_JPEG      ? RLE24
	                                                                     : compression;
}

static session_result read_geometry(struct dib *dib, struct header *header)
{
	const uint8_t *bytes = header->bytes;

	if (header->os2_1) {
		dib->width = input_le16(bytes + 4);
		dib->height = input_le16(bytes + 6);
		header->bits = input_le16(bytes + 10);
	} else {
		dib->width = input_le32(bytes + 4);
		dib->height = input_le32(bytes + 8);
		header->bits = input_le16(bytes + 14);
		header->colors = input_le32(bytes + 32);
		translate_compression(header);
		dib->top_down = dib->height > INT32_MAX;
	}
	if (dib->top_down && (header->os2_2 || dib->height == (uint32_t)INT32_MIN))
		return WIRE_FAIL_HEADER;
	if (dib->top_down)
		dib->height = -dib->height;
	if (dib->icon)
		dib->height /= 2;
	return dib->width > 0 && dib->width <= INT32_MAX && dib->height > 0 ? WIRE_OK : WIRE_FAIL_HEADER;
}

/* Whether pixels may have so many bits with that compression. */
static session_result check_coding(struct dib *dib, const struct header *header)
{
	uint32_t bits = header->bits;
	bool modern = !header->os2_1 && !header->os2_2;
	bool known = bits == 1 || bits == 4 || bits == 8 || bits == 24;

	known = known || (modern && (bits == 2 || bits == 16 || bits == 32));
	dib->bits = bits;
	switch (header->compression) {
	case BI_RGB:
		return known ? WIRE_OK : bits == 64 ? WIRE_FAIL_UNSUPPORTED : WIRE_FAIL_HEADER;
	case BI_BITFIELDS:
	case BI_ALPHABITFIELDS:
		return modern && (bits == 16 || bits == 32) ? WIRE_OK : WIRE_FAIL_HEADER;
	case BI_RLE8: /* there are such with fewer bits, and so a smaller palette */
		dib->coding = DIB_RLE8;
		dib->bits = 8;
		return known && bits <= 8 ? WIRE_OK : WIRE_FAIL_HEADER;
	case BI_RLE4:
		dib->coding = DIB_RLE4;
		dib->bits = 4;
		return known && bits <= 4 ? WIRE_OK : WIRE_FAIL_HEADER;
	case RLE24:
		dib->coding = DIB_RLE24;
		return bits == 24 ? WIRE_OK : WIRE_FAIL_HEADER;
	default: /* JPEG, PNG, fax, CMYK */
		return WIRE_FAIL_UNSUPPORTED;
	}
}

/* ---- masks ---- */

static unsigned count_bits(uint32_t mask)
{
	return (unsigned)__builtin_popcount(mask);
}

/* What of a channel's bits is too much for 8 is cut off; fewer are spread over 0 to 255. */
static session_result prepare_channel(struct dib *dib, unsigned channel)
{
	uint32_t mask = dib->masks[channel];

	memset(dib->levels[channel], channel == DIB_ALPHA ? UINT8_MAX : 0, sizeof(dib->levels[channel]));
	if (mask == 0)
		return WIRE_OK;
	for (unsigned i = 0; i < channel; i++)
		if (mask & dib->masks[i])
			return WIRE_FAIL_HEADER;
	unsigned shift = (unsigned)__builtin_ctz(mask), bits = count_bits(mask);
	if (((uint64_t)mask >> shift) + 1 != UINT64_C(1) << bits)
		return WIRE_FAIL_HEADER; /* it has gaps */
	if (bits > LARGEST_SHIFTED) {
		shift += bits - LARGEST_SHIFTED;
		bits = LARGEST_SHIFTED;
	}
	uint32_t most = (1U << bits) - 1;
	for (uint32_t i = 0; i <= most; i++)
		dib->levels[channel][i] = (uint8_t)((i * UINT8_MAX + most / 2) / most);
	dib->shifts[channel] = shift;
	dib->depth = bits > dib->depth ? bits : dib->depth;
	return WIRE_OK;
}

session_result dib_prepare_masks(struct dib *dib)
{
	session_result result = WIRE_OK;

	dib->depth = 1;
	for (unsigned i = 0; i < DIB_CHANNELS && result == WIRE_OK; i++) {
		/* Some have an alpha mask outside of their pixels. */
		if (dib->bits == 16)
			dib->masks[i] &= UINT16_MAX;
		result = prepare_channel(dib, i);
	}
	return result;
}

/* Alpha counts where a header has a mask for it, however pixels are stored, and in icons.  Plain pixels of 32 bits have
 * anything there. */
static session_result read_masks(struct dib *dib, const struct header *header, struct input *input)
{
	static const uint32_t of_16[] = { 0x7c00, 0x3e0, 0x1f }, of_32[] = { 0xff0000, 0xff00, 0xff };
	bool given = header->compression == BI_BITFIELDS || header->compression == BI_ALPHABITFIELDS;
	size_t count = header->compression == BI_ALPHABITFIELDS ? 4 : 3;
	uint8_t bytes[DIB_CHANNELS * MASK_BYTES] = { 0 };

	if (dib->bits != 16 && dib->bits != 32)
		return WIRE_OK;
	if (header->size > WINDOWS_SIZE) {
		memcpy(bytes, header->bytes + MASKS_PLACE, sizeof(bytes));
		if (header->size == WITH_MASKS_SIZE)
			memset(bytes + DIB_ALPHA * (size_t)MASK_BYTES, 0, MASK_BYTES);
	} else if (given && input_take(input, bytes, count * MASK_BYTES) < count * MASK_BYTES) {
		return WIRE_FAIL_TRUNCATED;
	}
	for (unsigned i = 0; i < DIB_CHANNELS; i++)
		dib->masks[i] = input_le32(bytes + (size_t)i * MASK_BYTES);
	if (!given)
		memcpy(dib->masks, dib->bits == 16 ? of_16 : of_32, sizeof(of_16));
	if (!given && header->size == WINDOWS_SIZE && dib->icon && dib->bits == 32)
		dib->masks[DIB_ALPHA] = 0xff000000;
	return dib_prepare_masks(dib);
}

/* ---- the palette ---- */

void dib_clear_palette(struct dib *dib)
{
	memset(dib->palette, 0, sizeof(dib->palette));
	for (size_t i = 0; i < DIB_COLORS; i++)
		dib->palette[i][3] = UINT8_MAX;
}

static session_result read_palette(struct dib *dib, const struct header *header, struct input *input, uint64_t start)
{
	size_t entry = header->os2_1 ? 3 : 4;
	uint64_t most = UINT64_C(1) << header->bits, count = header->colors;
	uint64_t room = start > 0 ? (start - input->position) / entry : UINT64_MAX;

	if (count > most && count > room && start > 0)
		return WIRE_FAIL_HEADER;
	if (count == 0 || count > most)
		count = most;
	if (count > room)
		count = room; /* there are writers that leave out what they do not use */
	for (size_t i = 0; i < count; i++) {
		uint8_t color[4];
		if (input_take(input, color, entry) < entry)
			return WIRE_FAIL_TRUNCATED;
		dib->palette[i][0] = color[2];
		dib->palette[i][1] = color[1];
		dib->palette[i][2] = color[0];
	}
	return WIRE_OK;
}

/* ---- all ---- */

static void find_profile(struct dib *dib, const struct header *header)
{
	enum { TYPE = 56, OFFSET = 112, SIZE = 116 };
	const uint8_t *bytes = header->bytes;
	uint32_t size = input_le32(bytes + SIZE);

	if (header->size < V5_SIZE || memcmp(bytes + TYPE, "DEBM", 4) != 0 || size == 0)
		return;
	dib->has_profile = true;
	dib->profile_end = header->place + input_le32(bytes + OFFSET) + size;
}

static session_result prepare_rows(struct dib *dib)
{
	bool coded = dib->coding != DIB_PLAIN;
	uint64_t bits = (uint64_t)dib->width * (!coded ? dib->bits : dib->coding == DIB_RLE24 ? 24 : 8);
	uint64_t padded = coded ? bits / 8 : (bits + 31) / 32 * 4;

	if (padded > SIZE_MAX / 2)
		return WIRE_FAIL_LIMIT_MEMORY;
	dib->least = (size_t)((bits + 7) / 8);
	dib->stride = (size_t)padded;
	dib->mask_stride = ((size_t)dib->width + 31) / 32 * 4;
	return WIRE_OK;
}

session_result dib_read_header(struct dib *dib, struct input *input, uint64_t start, bool icon)
{
	struct header header = { 0 };

	*dib = (struct dib){ .icon = icon, .depth = 8 };
	dib_clear_palette(dib);
	session_result result = read_size(&header, input);
	if (result == WIRE_OK)
		result = read_geometry(dib, &header);
	if (result == WIRE_OK)
		result = check_coding(dib, &header);
	if (result == WIRE_OK)
		result = read_masks(dib, &header, input);
	if (result == WIRE_OK && start > 0 && start < input->position)
		result = WIRE_FAIL_HEADER;
	if (result == WIRE_OK && header.bits <= 8)
		result = read_palette(dib, &header, input, start);
	if (result != WIRE_OK)
		return result;
	find_profile(dib, &header);
	/* Behind the masks of deep pixels there may be a palette for screens that cannot show them. */
	uint64_t skip = start > 0 ? start - input->position : header.bits > 8 ? (uint64_t)header.colors * 4 : 0;
	if (input_skip(input, skip) < skip)
		return WIRE_FAIL_TRUNCATED;
	return prepare_rows(dib);
}
