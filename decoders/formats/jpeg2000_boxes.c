/* SPDX-License-Identifier: MIT */
/* The boxes of a JP2 file: where the codestream is, and what its components mean. */
#include <string.h>

#include "decoders/runtime/input.h"
#include "jpeg2000_decode.h"

enum {
	BOX_HEADER = 8,
	BOX_HEADER_LARGE = 16,
	SPACE_CMYK = 12,
	SPACE_SRGB = 16,
	SPACE_GRAY = 17,
	SPACE_SYCC = 18,
	SPACE_LAB = 14,
	SPACE_E_SYCC = 24,
};

struct span {
	const uint8_t *data;
	uint64_t size;
};

struct box {
	char kind[4];
	struct span body;
	uint64_t left_out; /* bytes of the body that are behind the end */
};

static uint64_t read_be64(const uint8_t *bytes)
{
	return (uint64_t)input_be32(bytes) << 32 | input_be32(bytes + 4);
}

static void pass(struct span *span, uint64_t size)
{
	span->data += size;
	span->size -= size;
}

/* Takes the next box off.  One of size 0 goes to the end; of one that is cut short, there is what there is. */
static bool next_box(struct span *span, struct box *box)
{
	uint64_t header = BOX_HEADER, size = 0;

	if (span->size < BOX_HEADER)
		return false;
	size = input_be32(span->data);
	memcpy(box->kind, span->data + 4, sizeof(box->kind));
	if (size == 1) {
		if (span->size < BOX_HEADER_LARGE)
			return false;
		header = BOX_HEADER_LARGE;
		size = read_be64(span->data + BOX_HEADER);
	} else if (size == 0) {
		size = span->size;
	}
	if (size < header)
		return false;
	pass(span, header);
	size -= header;
	box->left_out = size > span->size ? size - span->size : 0;
	box->body = (struct span){ span->data, size - box->left_out };
	pass(span, box->body.size);
	return true;
}

static session_result read_color(struct j2k_boxes *boxes, const struct span *body)
{
	enum { METHOD_LISTED = 1, METHOD_ICC = 2, METHOD_ICC_ANY = 3 };

	if (body->size < 3)
		return WIRE_FAIL_HEADER;
	if (body->data[0] == METHOD_ICC || body->data[0] == METHOD_ICC_ANY)
		boxes->icc = true;
	if (body->data[0] != METHOD_LISTED || boxes->space != J2K_UNKNOWN)
		return WIRE_OK;
	if (body->size < 7)
		return WIRE_FAIL_HEADER;
	switch (input_be32(body->data + 3)) {
	case SPACE_CMYK:
		boxes->space = J2K_CMYK;
		return WIRE_OK;
	case SPACE_SRGB:
		boxes->space = J2K_RGB;
		return WIRE_OK;
	case SPACE_GRAY:
		boxes->space = J2K_GRAY;
		return WIRE_OK;
	case SPACE_SYCC:
		boxes->space = J2K_SYCC;
		return WIRE_OK;
	case SPACE_LAB:
	case SPACE_E_SYCC:
		return WIRE_FAIL_UNSUPPORTED;
	default:
		return WIRE_OK; /* as if nobody said: their number tells */
	}
}

static session_result read_palette(struct j2k_boxes *boxes, struct span body)
{
	if (body.size < 3)
		return WIRE_FAIL_HEADER;
	boxes->entries = input_be16(body.data);
	boxes->columns = body.data[2];
	pass(&body, 3);
	if (boxes->entries == 0 || boxes->entries > J2K_PALETTE_MAX || boxes->columns == 0)
		return WIRE_FAIL_HEADER;
	if (boxes->columns > J2K_CHANNELS_MAX)
		return WIRE_FAIL_UNSUPPORTED;
	if (body.size < boxes->columns)
		return WIRE_FAIL_HEADER;
	for (unsigned i = 0; i < boxes->columns; i++) {
		boxes->column_bits[i] = (uint8_t)((body.data[i] & 0x7f) + 1);
		if ((body.data[i] & 0x80) != 0 || boxes->column_bits[i] > 16)
			return WIRE_FAIL_UNSUPPORTED;
	}
	pass(&body, boxes->columns);
	for (unsigned entry = 0; entry < boxes->entries; entry++)
		for (unsigned i = 0; i < boxes->columns; i++) {
			unsigned bytes = boxes->column_bits[i] > 8 ? 2 : 1;
			if (body.size < bytes)
				return WIRE_FAIL_HEADER;
			boxes->palette[entry][i] = bytes == 2 ? input_be16(body.data) : body.data[0];
			pass(&body, bytes);
		}
	return WIRE_OK;
}

static session_result read_map(struct j2k_boxes *boxes, struct span body)
{
	enum { ENTRY = 4, MAPPED = 1 };

	for (; body.size >= ENTRY && boxes->channels < J2K_CHANNELS_MAX; pass(&body, ENTRY)) {
		struct j2k_channel *channel = &boxes->map[boxes->channels++];
		*channel = (struct j2k_channel){ .component = input_be16(body.data),
			                         .mapped = body.data[2] == MAPPED,
			                         .column = body.data[3] };
		if (body.data[2] > MAPPED)
			return WIRE_FAIL_HEADER;
	}
	return boxes->channels > 0 ? WIRE_OK : WIRE_FAIL_HEADER;
}

static session_result read_meanings(struct j2k_boxes *boxes, struct span body)
{
	enum { ENTRY = 6 };

	if (body.size < 2)
		return WIRE_FAIL_HEADER;
	unsigned count = input_be16(body.data);
	pass(&body, 2);
	for (; count > 0 && body.size >= ENTRY && boxes->meanings < J2K_CHANNELS_MAX; count--, pass(&body, ENTRY))
		boxes->meaning[boxes->meanings++] = (struct j2k_meaning){ .channel = input_be16(body.data),
			                                                  .kind = input_be16(body.data + 2),
			                                                  .color = input_be16(body.data + 4) };
	return WIRE_OK;
}

static bool is_kind(const struct box *box, const char *kind)
{
	return memcmp(box->kind, kind, sizeof(box->kind)) == 0;
}

static session_result read_header(struct j2k_boxes *boxes, struct span body)
{
	struct box box;
	session_result result = WIRE_OK;

	while (result == WIRE_OK && next_box(&body, &box)) {
		if (box.left_out > 0)
			return WIRE_FAIL_STRUCTURE;
		if (is_kind(&box, "colr"))
			result = read_color(boxes, &box.body);
		else if (is_kind(&box, "pclr") && boxes->entries == 0)
			result = read_palette(boxes, box.body);
		else if (is_kind(&box, "cmap") && boxes->channels == 0)
			result = read_map(boxes, box.body);
		else if (is_kind(&box, "cdef") && boxes->meanings == 0)
			result = read_meanings(boxes, box.body);
	}
	return result;
}

/* A palette without a map, and the other way round, is nothing; and a map goes to columns that there are. */
static session_result check_map(struct j2k_boxes *boxes)
{
	if (boxes->entries == 0 || boxes->channels == 0)
		boxes->entries = boxes->channels = 0;
	for (unsigned i = 0; i < boxes->channels; i++)
		if (boxes->map[i].mapped && boxes->map[i].column >= boxes->columns)
			return WIRE_FAIL_HEADER;
	return WIRE_OK;
}

session_result j2k_read_boxes(struct decode *decode)
{
	static const uint8_t codestream[] = { 0xff, 0x4f, 0xff, 0x51 };
	struct j2k_boxes *boxes = decode->boxes;
	struct span span = { decode->input.data, decode->input.size };
	struct box box = { .left_out = 0 };
	session_result result = WIRE_OK;

	if (span.size >= sizeof(codestream) && memcmp(span.data, codestream, sizeof(codestream)) == 0) {
		boxes->size = span.size;
		return WIRE_OK;
	}
	bool seen = false;
	while (next_box(&span, &box)) {
		if (is_kind(&box, "jp2h")) {
			if (box.left_out > 0)
				return WIRE_FAIL_TRUNCATED;
			if (!seen)
				result = read_header(boxes, box.body);
			seen = true;
			if (result != WIRE_OK)
				return result;
		} else if (is_kind(&box, "jp2c")) {
			boxes->start = (uint64_t)(box.body.data - decode->input.data);
			boxes->size = box.body.size;
			return seen ? check_map(boxes) : WIRE_FAIL_STRUCTURE;
		}
	}
	return box.left_out > 0 || span.size < BOX_HEADER ? WIRE_FAIL_TRUNCATED : WIRE_FAIL_STRUCTURE;
}
