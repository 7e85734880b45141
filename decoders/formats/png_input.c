/* SPDX-License-Identifier: MIT */
/* How input reaches libpng, and what is looked at on the way. */
#include <string.h>

#include "png_decode.h"

/* ---- a second look at the image data ---- */

enum {
	LARGEST_WINDOW = 7, /* as the header says it */
	ROOM_FOR_WINDOW = 32,
	ROOM = 8 << 10,
};

/* libpng is told to take the largest window whatever the header says, for there are encoders that are wrong about it.
 * Where it says less than that, the data is inflated once more, to find out if this is such a picture.  The same tells
 * those who take partial results what is wrong behind the last row, for which libpng does not look if it gets single
 * bytes. */
static void begin_check(struct data_check *check, bool partial, uint8_t first)
{
	bool window = first >> 4 < LARGEST_WINDOW;

	check->begun = true;
	check->open = (window || partial) && inflateInit2(&check->stream, 0) == Z_OK;
	check->complete = partial && check->open;
	/* What zlib has just given counts as window, too. */
	check->room = window ? ROOM_FOR_WINDOW : ROOM;
}

static void check_data(struct data_check *check, const uint8_t *data, size_t size)
{
	uint8_t room[ROOM];
	z_stream *stream = &check->stream;
	int result = Z_OK;

	stream->next_in = data;
	stream->avail_in = (uInt)size;
	while (check->open && result == Z_OK && (stream->avail_in > 0 || stream->avail_out == 0)) {
		stream->next_out = room;
		stream->avail_out = (uInt)check->room;
		result = inflate(stream, Z_NO_FLUSH);
	}
	if (result == Z_OK || result == Z_BUF_ERROR)
		return;
	const char *message = result == Z_DATA_ERROR && stream->msg ? stream->msg : "";
	check->exceeded = strcmp(message, "invalid distance too far back") == 0;
	if (result == Z_STREAM_END || check->exceeded || !check->complete)
		check->failure = WIRE_OK;
	else
		check->failure = strcmp(message, "incorrect data check") == 0 ? WIRE_FAIL_CHECKSUM : WIRE_FAIL_DATA;
	(void)inflateEnd(stream);
	check->open = false;
}

enum wire_failure png_end_check(struct decode *decode)
{
	struct data_check *check = &decode->check;

	if (!check->open)
		return check->failure;
	(void)inflateEnd(&check->stream);
	check->open = false;
	return check->complete ? WIRE_FAIL_TRUNCATED : WIRE_OK;
}

/* ---- chunks ---- */

bool png_at_chunk(const struct decode *decode, const char *name)
{
	return memcmp(decode->header + CHUNK_HEADER_SIZE - CHUNK_NAME_SIZE, name, CHUNK_NAME_SIZE) == 0;
}

void png_read_input(png_structp png, png_bytep data, size_t size)
{
	struct decode *decode = png_get_io_ptr(png);
	uint32_t state = png_get_io_state(png) & PNG_IO_MASK_LOC;

	size_t taken = decode->framed ? png_take_frame(decode->file, data, size)
	                              : input_take(&decode->file->input, data, size);
	if (taken < size) {
		decode->input_ended = true;
		decode->failure = decode->framed ? decode->file->part.failure : WIRE_FAIL_TRUNCATED;
		png_error(png, "");
	}
	if (state == PNG_IO_CHUNK_HDR && size == sizeof(decode->header))
		memcpy(decode->header, data, sizeof(decode->header));
	if (state != PNG_IO_CHUNK_DATA || size == 0 || !png_at_chunk(decode, "IDAT"))
		return;
	if (!decode->check.begun)
		begin_check(&decode->check, session_partial(decode->session), data[0]);
	check_data(&decode->check, data, size);
}

/* libpng gave up at a chunk for which it saw no use: passes over it and those that follow, to the end of the picture or
 * of the input.  Returns false and stops early at more image data. */
static bool skip_chunks(struct decode *decode)
{
	for (;;) {
		if (png_at_chunk(decode, "IDAT"))
			return false;
		(void)input_skip(&decode->file->input, (uint64_t)png_get_uint_32(decode->header) + CHUNK_CRC_SIZE);
		if (png_at_chunk(decode, "IEND") ||
		    input_take(&decode->file->input, decode->header, sizeof(decode->header)) < sizeof(decode->header))
			return true;
	}
}

void png_look_behind_data(struct decode *decode, enum wire_failure *between)
{
	static const struct {
		char name[CHUNK_NAME_SIZE + 1];
		enum wire_failure failure;
	} named[] = {
		{ "tEXt", WIRE_FAIL_PNG_TEXT_IN_DATA },
		{ "zTXt", WIRE_FAIL_PNG_ZTXT_IN_DATA },
		{ "iTXt", WIRE_FAIL_PNG_ITXT_IN_DATA },
	};
	enum wire_failure failure = WIRE_FAIL_PNG_CHUNK_IN_DATA;

	/* The data itself ends early. */
	if (png_at_chunk(decode, "IDAT"))
		return;
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (png_at_chunk(decode, named[i].name))
			failure = named[i].failure;
	if (!skip_chunks(decode))
		*between = failure;
}
