/* SPDX-License-Identifier: MIT */
/* libjxl wants what it has not taken again, with more behind it. */
#include <stdlib.h>
#include <string.h>

#include "jxl_decode.h"

enum { FIRST_ROOM = 72 << 10 }; /* a piece of the session's, and what was left of the one before */

/* Appends what the session gives next.  Returns whether there was something. */
static bool read_more(struct decode *decode)
{
	const uint8_t *data = NULL;
	size_t size = session_read(decode->session, &data), least = 0;

	if (size == 0 || __builtin_add_overflow(decode->input_size, size, &least))
		return false;
	if (least > decode->input_room) {
		size_t room = least < FIRST_ROOM ? FIRST_ROOM : least + least / 2;
		uint8_t *larger = realloc(decode->input, room);
		if (!larger) {
			decode->rows_result = WIRE_FAIL_LIMIT_MEMORY;
			return false;
		}
		decode->input = larger;
		decode->input_room = room;
	}
	memcpy(decode->input + decode->input_size, data, size);
	decode->input_size = least;
	return true;
}

bool jxl_feed(struct decode *decode)
{
	size_t left = JxlDecoderReleaseInput(decode->jxl);

	/* Until it is known whether this is an animation, all stays. */
	if (decode->info.xsize > 0 && !decode->whole) {
		memmove(decode->input, decode->input + decode->input_size - left, left);
		decode->input_size = left;
	}
	size_t before = decode->input_size - left;
	if (!read_more(decode))
		return false;
	return JxlDecoderSetInput(decode->jxl, decode->input + before, decode->input_size - before) == JXL_DEC_SUCCESS;
}

uint32_t jxl_count_frames(struct decode *decode)
{
	const struct wire_request *request = session_request(decode->session);
	JxlDecoderStatus status = JXL_DEC_ERROR;
	uint32_t count = 0;

	if (request->operation == WIRE_INFO && !(request->flags & WIRE_FINITE))
		return 1;
	size_t left = JxlDecoderReleaseInput(decode->jxl), before = decode->input_size - left;
	decode->whole = true;
	while (read_more(decode)) {
	}
	JxlDecoder *counter = JxlDecoderCreate(NULL);
	if (counter && JxlDecoderSubscribeEvents(counter, JXL_DEC_FRAME) == JXL_DEC_SUCCESS &&
	    JxlDecoderSetInput(counter, decode->input, decode->input_size) == JXL_DEC_SUCCESS)
		while ((status = JxlDecoderProcessInput(counter)) == JXL_DEC_FRAME && count < UINT32_MAX)
			count++;
	if (counter)
		JxlDecoderDestroy(counter);
	if (JxlDecoderSetInput(decode->jxl, decode->input + before, decode->input_size - before) != JXL_DEC_SUCCESS)
		decode->rows_result = WIRE_FAIL_STRUCTURE;
	return count > 0 ? count : 1;
}
