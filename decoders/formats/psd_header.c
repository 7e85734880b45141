/* SPDX-License-Identifier: MIT */
/* What is before the merged picture: the header, a palette, resources, and the section of layers, of which only their
 * number matters. */
#include <string.h>

#include "psd_decode.h"

enum {
	HEADER_SIZE = 26,
	MARK_SIZE = 4,
	CHANNELS_MAX = 56,
	RESOURCE_NAMES = 1006,
	RESOURCE_ICC = 1039,
	RESOURCE_UNICODE_NAMES = 1045,
	RESOURCE_TRANSPARENT = 1047,
};

static session_result read_fixed(struct psd *psd)
{
	struct wire_image *image = &psd->image;
	uint8_t header[HEADER_SIZE];
	size_t size = input_take(&psd->input, header, sizeof(header));

	if (size == 0)
		return WIRE_FAIL_EMPTY;
	if (memcmp(header, "8BPS", size < MARK_SIZE ? size : MARK_SIZE) != 0)
		return WIRE_FAIL_SIGNATURE;
	if (size < sizeof(header))
		return WIRE_FAIL_TRUNCATED;
	uint16_t version = input_be16(header + 4);
	psd->large = version == 2;
	psd->channels = input_be16(header + 12);
	image->height = input_be32(header + 14);
	image->width = input_be32(header + 18);
	image->depth = input_be16(header + 22);
	psd->mode = input_be16(header + 24);
	if (version != 1 && version != 2)
		return WIRE_FAIL_UNSUPPORTED;
	return psd->channels == 0 || psd->channels > CHANNELS_MAX ? WIRE_FAIL_HEADER : WIRE_OK;
}

/* How many colours each mode has, and whether the depth is one that it can have here. */
static session_result choose_mode(struct psd *psd)
{
	static const struct {
		uint32_t colors, color;
	} modes[] = {
		[PSD_BITMAP] = { 1, WIRE_COLOR_GRAY },     [PSD_GRAY] = { 1, WIRE_COLOR_GRAY },
		[PSD_INDEXED] = { 1, WIRE_COLOR_PALETTE }, [PSD_RGB] = { 3, WIRE_COLOR_RGB },
		[PSD_CMYK] = { 4, WIRE_COLOR_CMYK },       [PSD_DUOTONE] = { 1, WIRE_COLOR_GRAY },
	};
	uint32_t depth = psd->image.depth;

	if (psd->mode >= sizeof(modes) / sizeof(modes[0]) || modes[psd->mode].colors == 0)
		return WIRE_FAIL_UNSUPPORTED;
	psd->colors = modes[psd->mode].colors;
	psd->image.color = modes[psd->mode].color;
	if (depth != 1 && depth != 8 && depth != 16 && depth != 32)
		return WIRE_FAIL_HEADER;
	if ((psd->mode == PSD_BITMAP) != (depth == 1) || (psd->mode == PSD_INDEXED && depth != 8))
		return WIRE_FAIL_HEADER;
	if (depth == 32)
		return WIRE_FAIL_UNSUPPORTED;
	return psd->channels < psd->colors ? WIRE_FAIL_HEADER : WIRE_OK;
}

static session_result read_u32(struct psd *psd, uint32_t *value)
{
	uint8_t bytes[4];

	if (input_take(&psd->input, bytes, sizeof(bytes)) < sizeof(bytes))
		return WIRE_FAIL_TRUNCATED;
	*value = input_be32(bytes);
	return WIRE_OK;
}

/* A length, which has twice the size in PSB. */
static session_result read_length(struct psd *psd, uint64_t *length)
{
	uint32_t high = 0, low = 0;
	session_result result = psd->large ? read_u32(psd, &high) : WIRE_OK;

	if (result == WIRE_OK)
		result = read_u32(psd, &low);
	*length = (uint64_t)high << 32 | low;
	return result;
}

/* Up to a place; what has gone beyond it already stays there. */
static session_result skip_to(struct psd *psd, uint64_t end)
{
	uint64_t left = end > psd->input.position ? end - psd->input.position : 0;

	return input_skip(&psd->input, left) < left ? WIRE_FAIL_TRUNCATED : WIRE_OK;
}

/* Whether so many bytes are left of a section. */
static bool has_left(const struct psd *psd, uint64_t end, uint64_t size)
{
	return psd->input.position <= end && end - psd->input.position >= size;
}

static session_result read_palette(struct psd *psd)
{
	uint32_t length = 0;
	session_result result = read_u32(psd, &length);

	if (result != WIRE_OK)
		return result;
	uint64_t end = psd->input.position + length;
	if (psd->mode == PSD_INDEXED) {
		if (length < sizeof(psd->palette))
			return WIRE_FAIL_HEADER;
		if (input_take(&psd->input, psd->palette, sizeof(psd->palette)) < sizeof(psd->palette))
			return WIRE_FAIL_TRUNCATED;
	}
	return skip_to(psd, end);
}

/* One resource: a mark, a number, a name and data, both of an even size.  Returns whether there was one. */
static bool read_resource(struct psd *psd, uint64_t end)
{
	enum { START = 7, SIZE = 4 };
	uint8_t start[START], bytes[SIZE];

	if (!has_left(psd, end, START + SIZE) || input_take(&psd->input, start, START) < START)
		return false;
	uint32_t name = start[6] | 1U; /* with the byte that is its length, even */
	if (!has_left(psd, end, name + SIZE) || input_skip(&psd->input, name) < name ||
	    input_take(&psd->input, bytes, SIZE) < SIZE)
		return false;
	uint64_t size = input_be32(bytes), next = psd->input.position + size + size % 2;
	uint16_t number = input_be16(start + 4);
	if ((number == RESOURCE_NAMES || number == RESOURCE_UNICODE_NAMES) && size > 0)
		psd->names_alpha = true;
	if (number == RESOURCE_ICC && size > 0)
		psd->image.flags |= WIRE_IMAGE_ICC;
	if (number == RESOURCE_TRANSPARENT && size == 2 && has_left(psd, end, size) &&
	    input_take(&psd->input, bytes, 2) == 2 && input_be16(bytes) < PSD_PALETTE)
		psd->transparent = input_be16(bytes);
	return next <= end && skip_to(psd, next) == WIRE_OK;
}

static session_result read_resources(struct psd *psd)
{
	uint32_t length = 0;
	session_result result = read_u32(psd, &length);

	if (result != WIRE_OK)
		return result;
	uint64_t end = psd->input.position + length;
	while (read_resource(psd, end))
		;
	return skip_to(psd, end);
}

/* Where the number of layers is negative, the merged picture has alpha. */
static session_result read_layer_count(struct psd *psd, uint64_t end)
{
	uint8_t bytes[2];

	if (!has_left(psd, end, sizeof(bytes)))
		return WIRE_OK;
	if (input_take(&psd->input, bytes, sizeof(bytes)) < sizeof(bytes))
		return WIRE_FAIL_TRUNCATED;
	psd->has_layers = true;
	if (bytes[0] >= 0x80)
		psd->merged_alpha = true;
	return WIRE_OK;
}

static bool is_one_of(const uint8_t *key, const char *keys)
{
	for (; *keys != '\0'; keys += 4)
		if (memcmp(key, keys, 4) == 0)
			return true;
	return false;
}

/* One block of those behind the layers, where pictures of 16 bits have theirs.  Returns whether there was one. */
static bool read_block(struct psd *psd, uint64_t end)
{
	enum { START = 8 };
	uint8_t start[START];
	uint64_t size = 0;
	uint32_t small = 0;

	if (!has_left(psd, end, START + 4) || input_take(&psd->input, start, START) < START ||
	    memcmp(start, "8B", 2) != 0)
		return false;
	bool wide = psd->large && is_one_of(start + 4, "LMskLr16Lr32LayrMt16Mt32MtrnAlphFMsklnk2FEidFXidPxSD");
	if (!has_left(psd, end, wide ? 8 : 4) || (wide ? read_length(psd, &size) : read_u32(psd, &small)) != WIRE_OK)
		return false;
	size = wide ? size : small;
	if (!has_left(psd, end, size))
		return false;
	uint64_t next = psd->input.position + size;
	if (is_one_of(start + 4, "Mt16Mt32Mtrn"))
		psd->merged_alpha = true;
	if (is_one_of(start + 4, "Lr16Lr32Layr") && read_layer_count(psd, next) != WIRE_OK)
		return false;
	next += (4 - size % 4) % 4;
	return next <= end && skip_to(psd, next) == WIRE_OK;
}

static session_result read_layers(struct psd *psd)
{
	uint64_t length = 0, layers = 0, end = 0;
	uint32_t mask = 0;
	session_result result = read_length(psd, &length);

	if (result != WIRE_OK || length == 0)
		return result;
	if (__builtin_add_overflow(psd->input.position, length, &end))
		return WIRE_FAIL_STRUCTURE;
	if (has_left(psd, end, psd->large ? 8 : 4))
		result = read_length(psd, &layers);
	if (result == WIRE_OK && layers > 0 && has_left(psd, end, layers)) {
		uint64_t next = psd->input.position + layers;
		result = read_layer_count(psd, next);
		if (result == WIRE_OK)
			result = skip_to(psd, next);
	} else if (layers > 0) {
		return result == WIRE_OK ? skip_to(psd, end) : result;
	}
	if (result == WIRE_OK && has_left(psd, end, 4))
		result = read_u32(psd, &mask);
	if (result != WIRE_OK)
		return result;
	if (has_left(psd, end, mask) && skip_to(psd, psd->input.position + mask) == WIRE_OK)
		while (read_block(psd, end))
			;
	return skip_to(psd, end);
}

session_result psd_read_header(struct psd *psd)
{
	session_result result = read_fixed(psd);

	psd->transparent = PSD_NO_INDEX;
	if (result == WIRE_OK)
		result = choose_mode(psd);
	/* The layers may be much, and nobody should wait for them in vain. */
	if (result == WIRE_OK)
		result = session_check_size(psd->input.session, psd->image.width, psd->image.height, 1);
	if (result == WIRE_OK)
		result = read_palette(psd);
	if (result == WIRE_OK)
		result = read_resources(psd);
	return result == WIRE_OK ? read_layers(psd) : result;
}
