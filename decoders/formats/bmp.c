/* SPDX-License-Identifier: MIT */
/*
 * BMP, of Windows and OS/2, and such bitmaps without the header of a file.
 *
 * pkg-config: none
 */
#include <stdlib.h>
#include <string.h>

#include "decoders/picture/dib.h"
#include "decoders/picture/rows.h"
#include "decoders/runtime/decoder.h"

/* In the order of broker/recognise/registry.c. */
enum variant { VARIANT_BMP, VARIANT_DIB };

enum { FILE_HEADER_SIZE = 14 };

struct decode {
	struct session *session;
	struct input input;
	struct dib dib;
	uint64_t start, end; /* of the pixels and of the file, as its header says; 0: it does not */
	struct wire_image image;
	uint8_t *row; /* owned: one converted, and behind it one as it is in the file */
};

static session_result read_file_header(struct decode *decode)
{
	uint8_t header[FILE_HEADER_SIZE];

	/* An array of OS/2 begins with its first picture, which has offsets as if it stood alone. */
	for (unsigned i = 0; i < 2; i++) {
		size_t got = input_take(&decode->input, header, sizeof(header));
		bool array = i == 0 && got >= 2 && memcmp(header, "BA", 2) == 0;
		if (got >= 2 && !array && memcmp(header, "BM", 2) != 0)
			return i == 0 ? WIRE_FAIL_SIGNATURE : WIRE_FAIL_UNSUPPORTED;
		if (got < sizeof(header))
			return WIRE_FAIL_TRUNCATED;
		if (array)
			continue;
		decode->end = input_le32(header + 2);
		decode->start = input_le32(header + 10);
		break;
	}
	return WIRE_OK;
}

static void describe(struct decode *decode)
{
	const struct dib *dib = &decode->dib;
	struct wire_image *image = &decode->image;

	image->width = dib->width;
	image->height = dib->height;
	image->frames = 1;
	image->color = dib->bits <= 8 ? WIRE_COLOR_PALETTE : WIRE_COLOR_RGB;
	image->channels = dib_has_alpha(dib) ? 4 : 3;
	image->depth = dib->depth;
	image->flags = (dib_has_alpha(dib) ? WIRE_IMAGE_ALPHA : 0) | (dib->has_profile ? WIRE_IMAGE_ICC : 0);
	image->pixel_format = session_choose_format(decode->session, image);
}

static session_result announce(struct decode *decode)
{
	const struct dib *dib = &decode->dib;
	session_result result = session_check_size(decode->session, dib->width, dib->height, 1);

	if (result != WIRE_OK)
		return result;
	describe(decode);
	session_needs(decode->session, dib_needs(dib) + dib->stride + (uint64_t)dib->width * 4);
	result = session_image(decode->session, &decode->image);
	return result == WIRE_OK ? session_frame(decode->session, 0) : result;
}

static session_result send_row(struct decode *decode)
{
	return rows_send(decode->session, &decode->image, dib_layout(&decode->dib), decode->row, 0, 1);
}

static session_result stream_rows(struct decode *decode)
{
	struct dib *dib = &decode->dib;
	uint8_t *raw = decode->row + (size_t)dib->width * 4;
	session_result result = WIRE_OK;

	for (uint32_t y = 0; y < dib->height && result == WIRE_OK; y++) {
		result = dib_read_row(dib, &decode->input, raw);
		if (result != WIRE_OK)
			return session_damage(decode->session, (enum wire_failure)result);
		dib_convert(dib, raw, decode->row);
		result = send_row(decode);
	}
	return result;
}

static session_result send_whole(struct decode *decode)
{
	struct dib *dib = &decode->dib;
	session_result read = dib_read(dib, &decode->input), sent = WIRE_OK;

	if (read == WIRE_FAIL_LIMIT_MEMORY)
		return read;
	for (uint32_t y = 0; y < dib->rows_known && sent == WIRE_OK; y++) {
		dib_convert_at(dib, y, decode->row);
		sent = send_row(decode);
	}
	if (sent != WIRE_OK || read == WIRE_OK)
		return sent;
	return session_damage(decode->session, (enum wire_failure)read);
}

/* What may follow the pixels: a profile, and whatever belongs to the file by its header. */
static session_result check_end(struct decode *decode)
{
	struct input *input = &decode->input;
	const uint8_t *data = NULL;
	uint64_t end = decode->end > decode->dib.profile_end ? decode->end : decode->dib.profile_end;
	session_result result = WIRE_OK;

	if (decode->dib.flaw != WIRE_OK)
		result = session_flaw(decode->session, WIRE_NOTE_END, decode->dib.flaw);
	if (end > input->position)
		(void)input_skip(input, end - input->position);
	if (result == WIRE_OK && input_look(input, &data) > 0)
		result = session_flaw(decode->session, WIRE_NOTE_TRAILING, WIRE_FAIL_TRAILING);
	return result;
}

static session_result decode_file(struct decode *decode)
{
	session_result result = WIRE_OK;

	if (session_request(decode->session)->variant == VARIANT_BMP)
		result = read_file_header(decode);
	if (result == WIRE_OK)
		result = dib_read_header(&decode->dib, &decode->input, decode->start, false);
	if (result == WIRE_OK)
		result = announce(decode);
	if (result != WIRE_OK)
		return result;
	size_t size = 0;
	if (__builtin_add_overflow((size_t)decode->dib.width * 4, decode->dib.stride, &size))
		return WIRE_FAIL_LIMIT_MEMORY;
	decode->row = malloc(size);
	if (!decode->row)
		return WIRE_FAIL_LIMIT_MEMORY;
	result = dib_streams(&decode->dib) ? stream_rows(decode) : send_whole(decode);
	return result == WIRE_OK ? check_end(decode) : result;
}

static session_result decode_bmp(struct session *session)
{
	struct decode decode = { .session = session, .input = { .session = session } };
	session_result result = decode_file(&decode);

	dib_release(&decode.dib);
	free(decode.row);
	return result;
}

const struct decoder decoder = {
	.name = "bmp",
	.decode = decode_bmp,
};
