/* SPDX-License-Identifier: MIT */
#include "lz4_legacy.h"

#include <stdlib.h>
#include <string.h>

#include <lz4.h>

enum {
	NUMBER_SIZE = 4, /* of the magic, and of a block's size */
	BLOCK_MAX = 8 << 20,
	PACKED_MAX = LZ4_COMPRESSBOUND(BLOCK_MAX),
};

session_result lz4_legacy_begin(struct lz4_legacy *legacy, struct session *session)
{
	session_needs(session, (uint64_t)PACKED_MAX + BLOCK_MAX);
	legacy->magic_taken = false;
	if (!legacy->packed)
		legacy->packed = malloc(PACKED_MAX);
	if (!legacy->block)
		legacy->block = malloc(BLOCK_MAX);
	return legacy->packed && legacy->block ? WIRE_OK : WIRE_FAIL_LIMIT_MEMORY;
}

void lz4_legacy_free(struct lz4_legacy *legacy)
{
	free(legacy->packed);
	free(legacy->block);
}

static void take(struct stream *stream, size_t size)
{
	stream->input += size;
	stream->input_size -= size;
}

/* A size that no block can have is the magic of the next frame, which is not taken. */
static session_result start_block(struct lz4_legacy *legacy, struct stream *stream)
{
	size_t size = NUMBER_SIZE;
	uint32_t number = 0;
	const uint8_t *bytes = stream_peek(stream, &size);

	if (size > 0 && size < NUMBER_SIZE)
		return WIRE_FAIL_TRUNCATED;
	if (size > 0)
		memcpy(&number, bytes, NUMBER_SIZE);
	stream->member_ended = size == 0 || number > PACKED_MAX;
	if (stream->member_ended)
		return WIRE_OK;
	take(stream, NUMBER_SIZE);
	legacy->packed_size = number;
	legacy->packed_filled = 0;
	return number > 0 ? WIRE_OK : WIRE_FAIL_DATA;
}

static session_result fill_block(struct lz4_legacy *legacy, struct stream *stream)
{
	size_t part = legacy->packed_size - legacy->packed_filled;

	if (part > stream->input_size)
		part = stream->input_size;
	if (part > 0)
		memcpy(legacy->packed + legacy->packed_filled, stream->input, part);
	take(stream, part);
	legacy->packed_filled += part;
	if (legacy->packed_filled < legacy->packed_size)
		return WIRE_OK;
	int size = LZ4_decompress_safe((const char *)legacy->packed, (char *)legacy->block, (int)legacy->packed_size,
	                               BLOCK_MAX);
	if (size < 0)
		return WIRE_FAIL_DATA;
	legacy->packed_size = 0;
	legacy->block_size = (size_t)size;
	legacy->block_given = 0;
	return WIRE_OK;
}

session_result lz4_legacy_step(struct lz4_legacy *legacy, struct stream *stream)
{
	session_result result = WIRE_OK;

	if (!legacy->magic_taken) {
		size_t size = NUMBER_SIZE;
		(void)stream_peek(stream, &size); /* in one piece */
		take(stream, size);
		legacy->magic_taken = true;
	}
	if (legacy->block_given == legacy->block_size && legacy->packed_size == 0)
		result = start_block(legacy, stream);
	if (result == WIRE_OK && legacy->packed_size > 0)
		result = fill_block(legacy, stream);
	legacy->block_given +=
	        stream_give(stream, legacy->block + legacy->block_given, legacy->block_size - legacy->block_given);
	return result;
}
