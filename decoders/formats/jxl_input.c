/* SPDX-License-Identifier: MIT */
/* libjxl wants what it has not taken again, with more behind it. */
#include <stdlib.h>
#include <string.h>

#include "jxl_decode.h"

enum {
	PIECE = 32 << 10,
	FIRST_ROOM = 3 * PIECE, /* a piece of the session's, and what was left of the one before */
};

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
	size_t left = JxlDecoderReleaseInput(decode->jxl), taken = decode->input_given - left;

	/* Until it is known whether this is an animation, all stays. */
	if (decode->info.xsize > 0 && !decode->whole) {
		memmove(decode->input, decode->input + taken, decode->input_size - taken);
		decode->input_size -= taken;
		taken = 0;
	}
	/* Whole pieces only: what libjxl makes of a damaged input hangs on them, and must not on how they arrive. */
	size_t before = taken + left;
	while (decode->input_size - before < PIECE && read_more(decode)) {
	}
	size_t more = decode->input_size - before;
	decode->input_given = before + (more < PIECE ? more : PIECE);
	return more > 0 &&
	       JxlDecoderSetInput(decode->jxl, decode->input + taken, decode->input_given - taken) == JXL_DEC_SUCCESS;
}

uint32_t jxl_count_frames(struct decode *decode)
{
	const struct wire_request *request = session_request(decode->session);
	uint32_t count = 0;

	/* Only where somebody wants to know, and need not wait for it. */
	if (request->operation != WIRE_INFO || !(request->flags & WIRE_FINITE))
		return 0;
	size_t taken = decode->input_given - JxlDecoderReleaseInput(decode->jxl);
	decode->whole = true;
	while (read_more(decode)) {
	}
	decode->input_given = decode->input_size;
	JxlDecoder *counter = JxlDecoderCreate(NULL);
	if (counter && JxlDecoderSubscribeEvents(counter, JXL_DEC_FRAME) == JXL_DEC_SUCCESS &&
	    JxlDecoderSetInput(counter, decode->input, decode->input_size) == JXL_DEC_SUCCESS)
		while (JxlDecoderProcessInput(counter) == JXL_DEC_FRAME && count < UINT32_MAX)
			count++;
	if (counter)
		JxlDecoderDestroy(counter);
	if (JxlDecoderSetInput(decode->jxl, decode->input + taken, decode->input_size - taken) != JXL_DEC_SUCCESS)
		decode->rows_result = WIRE_FAIL_STRUCTURE;
	return count;
}
