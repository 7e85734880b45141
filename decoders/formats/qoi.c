/* SPDX-License-Identifier: MIT */
/*
 * QOI: pixels as differences from those before, row by row.
 *
 * pkg-config: none
 */
#include <stdlib.h>
#include <string.h>

#include "decoders/picture/rows.h"
#include "decoders/runtime/input.h"

enum {
	HEADER_SIZE = 14,
	END_SIZE = 8,
	SEEN = 64,
	PIXEL_BYTES = 4, /* of a row here, with alpha or without */
	CHUNK_MAX = 5,
	MEMORY_BESIDES = 4 << 10,
};

/* What a chunk is: two bits, or a whole byte. */
enum { INDEX, DIFFERENCE, LUMA, RUN, COLOR = 0xfe, COLOR_ALPHA = 0xff };

struct pixel {
	uint8_t red, green, blue, alpha;
};

struct qoi {
	struct input input;
	struct wire_image image;
	struct pixel seen[SEEN];
	struct pixel pixel; /* the last one */
	uint32_t run;       /* how often it comes again */
	uint8_t *row;       /* owned */
};

/* ---- header ---- */

static session_result read_header(struct qoi *qoi)
{
	static const uint8_t mark[] = { 'q', 'o', 'i', 'f' };
	struct wire_image *image = &qoi->image;
	uint8_t header[HEADER_SIZE];
	size_t size = input_take(&qoi->input, header, sizeof(header));

	if (size == 0)
		return WIRE_FAIL_EMPTY;
	if (memcmp(header, mark, size < sizeof(mark) ? size : sizeof(mark)) != 0)
		return WIRE_FAIL_SIGNATURE;
	if (size < sizeof(header))
		return WIRE_FAIL_TRUNCATED;
	uint8_t channels = header[12], color_space = header[13];
	if (channels < 3 || channels > 4 || color_space > 1)
		return WIRE_FAIL_HEADER;
	image->width = input_be32(header + 4);
	image->height = input_be32(header + 8);
	image->frames = 1;
	image->color = WIRE_COLOR_RGB;
	image->channels = channels;
	image->depth = 8;
	image->flags = channels == 4 ? WIRE_IMAGE_ALPHA : 0;
	return WIRE_OK;
}

static session_result announce(struct qoi *qoi)
{
	struct session *session = qoi->input.session;
	struct wire_image *image = &qoi->image;
	session_result result = session_check_size(session, image->width, image->height, 1);

	if (result != WIRE_OK)
		return result;
	image->pixel_format = session_choose_format(session, image);
	session_needs(session, MEMORY_BESIDES + (uint64_t)image->width * PIXEL_BYTES);
	result = session_image(session, image);
	if (result == WIRE_OK)
		result = session_frame(session, 0);
	if (result != WIRE_OK)
		return result;
	qoi->row = malloc((size_t)image->width * PIXEL_BYTES);
	return qoi->row ? WIRE_OK : WIRE_FAIL_LIMIT_MEMORY;
}

/* ---- pixels ---- */

static size_t chunk_size(uint8_t first)
{
	return first == COLOR_ALPHA ? 5 : first == COLOR ? 4 : first >> 6 == LUMA ? 2 : 1;
}

static void add(struct pixel *pixel, int red, int green, int blue)
{
	pixel->red = (uint8_t)(pixel->red + red);
	pixel->green = (uint8_t)(pixel->green + green);
	pixel->blue = (uint8_t)(pixel->blue + blue);
}

/* A whole chunk. */
static void take_chunk(struct qoi *qoi, const uint8_t *chunk)
{
	struct pixel *pixel = &qoi->pixel;
	int low = chunk[0] & 0x3f;

	if (chunk[0] >= COLOR) {
		*pixel = (struct pixel){ chunk[1], chunk[2], chunk[3],
			                 chunk[0] == COLOR_ALPHA ? chunk[4] : pixel->alpha };
	} else if (chunk[0] >> 6 == INDEX) {
		*pixel = qoi->seen[low];
	} else if (chunk[0] >> 6 == DIFFERENCE) {
		add(pixel, (low >> 4) - 2, (low >> 2 & 3) - 2, (low & 3) - 2);
	} else if (chunk[0] >> 6 == LUMA) {
		int green = low - 32;
		add(pixel, green + (chunk[1] >> 4) - 8, green, green + (chunk[1] & 15) - 8);
	} else {
		qoi->run = (uint32_t)low;
	}
	qoi->seen[(pixel->red * 3 + pixel->green * 5 + pixel->blue * 7 + pixel->alpha * 11) % SEEN] = *pixel;
}

static session_result next_chunk(struct qoi *qoi)
{
	const uint8_t *data = NULL;
	uint8_t chunk[CHUNK_MAX];
	size_t size = input_look(&qoi->input, &data);

	if (size == 0)
		return WIRE_FAIL_TRUNCATED;
	size_t wanted = chunk_size(data[0]);
	if (size >= wanted) {
		take_chunk(qoi, data);
		input_used(&qoi->input, wanted);
		return WIRE_OK;
	}
	if (input_take(&qoi->input, chunk, wanted) < wanted)
		return WIRE_FAIL_TRUNCATED;
	take_chunk(qoi, chunk);
	return WIRE_OK;
}

static session_result read_row(struct qoi *qoi)
{
	uint8_t *to = qoi->row;

	for (uint32_t x = 0; x < qoi->image.width; x++, to += PIXEL_BYTES) {
		session_result result = WIRE_OK;
		if (qoi->run > 0)
			qoi->run--;
		else
			result = next_chunk(qoi);
		if (result != WIRE_OK)
			return result;
		memcpy(to, &qoi->pixel, sizeof(qoi->pixel));
	}
	return WIRE_OK;
}

/* Without a channel for it, there is no alpha, whatever chunks say. */
static void make_opaque(struct qoi *qoi)
{
	for (size_t x = 0; x < qoi->image.width; x++)
		qoi->row[x * PIXEL_BYTES + 3] = UINT8_MAX;
}

static session_result decode_rows(struct qoi *qoi)
{
	struct session *session = qoi->input.session;

	for (uint32_t y = 0; y < qoi->image.height; y++) {
		session_result result = read_row(qoi);
		if (result != WIRE_OK)
			return session_damage(session, (enum wire_failure)result);
		if ((qoi->image.flags & WIRE_IMAGE_ALPHA) == 0)
			make_opaque(qoi);
		result = rows_send(session, &qoi->image, PIXELS_RGBA, qoi->row, 0, 1);
		if (result != WIRE_OK)
			return result;
	}
	return WIRE_OK;
}

static session_result check_end(struct qoi *qoi)
{
	static const uint8_t end[END_SIZE] = { [END_SIZE - 1] = 1 };
	struct session *session = qoi->input.session;
	uint8_t bytes[END_SIZE];
	const uint8_t *data = NULL;
	size_t size = input_take(&qoi->input, bytes, sizeof(bytes));

	if (size < sizeof(end))
		return session_flaw(session, WIRE_NOTE_END, WIRE_FAIL_TRUNCATED);
	if (memcmp(bytes, end, sizeof(end)) != 0)
		return session_flaw(session, WIRE_NOTE_END, WIRE_FAIL_STRUCTURE);
	if (input_look(&qoi->input, &data) > 0)
		return session_flaw(session, WIRE_NOTE_TRAILING, WIRE_FAIL_TRAILING);
	return WIRE_OK;
}

static session_result decode(struct session *session)
{
	struct qoi qoi = { .input.session = session, .pixel.alpha = UINT8_MAX };
	session_result result = read_header(&qoi);

	if (result == WIRE_OK)
		result = announce(&qoi);
	if (result == WIRE_OK)
		result = decode_rows(&qoi);
	if (result == WIRE_OK)
		result = check_end(&qoi);
	free(qoi.row);
	return result;
}

const struct decoder decoder = {
	.name = "qoi",
	.decode = decode,
};
