/* SPDX-License-Identifier: MIT */
#include "stream.h"

#include <string.h>

/* What follows a member, or what an input starts with. */
enum following {
	FOLLOWS_NOTHING,
	FOLLOWS_MEMBER,
	FOLLOWS_PIECE, /* the start of a member, at the end of the input */
	FOLLOWS_OTHER,
};

/* ---- input ---- */

static void read_next(struct stream *stream)
{
	if (stream->next_size == 0 && !stream->input_ended)
		stream->next_size = session_read(stream->session, &stream->next);
	stream->input_ended = stream->next_size == 0;
}

/* Makes input available, if there is any left. */
static void refill(struct stream *stream)
{
	if (stream->input_size > 0)
		return;
	read_next(stream);
	stream->input = stream->next;
	stream->input_size = stream->next_size;
	stream->next_size = 0;
}

/* Makes `size` bytes available in one piece, or all that there are. */
static void gather(struct stream *stream, size_t size)
{
	size_t filled = stream->input_size;

	if (filled > 0)
		memmove(stream->start, stream->input, filled);
	while (filled < size) {
		read_next(stream);
		size_t part = stream->next_size < size - filled ? stream->next_size : size - filled;
		if (part == 0)
			break;
		memcpy(stream->start + filled, stream->next, part);
		stream->next += part;
		stream->next_size -= part;
		filled += part;
	}
	stream->input = stream->start;
	stream->input_size = filled;
}

const uint8_t *stream_peek(struct stream *stream, size_t *size)
{
	if (*size > STREAM_START_MAX)
		*size = STREAM_START_MAX;
	refill(stream);
	if (stream->input_size < *size)
		gather(stream, *size);
	if (stream->input_size < *size)
		*size = stream->input_size;
	return stream->input;
}

size_t stream_piece(const struct stream *stream, size_t expected)
{
	/* What is expected may end with a checksum and the header of the next block. */
	enum { SLOWLY = 8 };
	size_t piece = expected > SLOWLY ? expected - SLOWLY : 1;

	return piece < stream->input_size ? piece : stream->input_size;
}

static enum following look_ahead(struct stream *stream, const struct stream_format *format)
{
	size_t size = format->start_size > 0 ? format->start_size : 1;
	const uint8_t *start = stream_peek(stream, &size);

	if (size == 0)
		return FOLLOWS_NOTHING;
	if (format->starts && !format->starts(start, size))
		return FOLLOWS_OTHER;
	return size < format->start_size ? FOLLOWS_PIECE : FOLLOWS_MEMBER;
}

/* ---- output ---- */

size_t stream_give(struct stream *stream, const uint8_t *data, size_t size)
{
	if (size > stream->output_size)
		size = stream->output_size;
	if (size > 0)
		memcpy(stream->output, data, size);
	stream->output += size;
	stream->output_size -= size;
	return size;
}

/* ---- members ---- */

/* A limit is no damage: what was decoded so far is no part of what could be had.  Nor is a variant of which nothing was
 * decoded. */
static session_result fail(struct stream *stream, session_result failure)
{
	bool unsupported = failure == WIRE_FAIL_UNSUPPORTED || failure == WIRE_FAIL_WINDOW;

	if (failure == WIRE_FAIL_LIMIT_MEMORY || (unsupported && !stream->given))
		return failure;
	return session_damage(stream->session, (enum wire_failure)failure);
}

static session_result decode_member(struct stream *stream, const struct stream_format *format, void *codec)
{
	session_result result = format->begin ? format->begin(codec, stream) : WIRE_OK;

	if (result != WIRE_OK)
		return fail(stream, result);
	for (stream->member_ended = false; !stream->member_ended;) {
		size_t room = 0;
		result = session_data(stream->session, &stream->output, &room);
		if (result != WIRE_OK)
			return result;
		stream->output_size = room;
		refill(stream);
		bool starved = stream->input_size == 0;
		session_result stepped = format->step(codec, stream);
		size_t given = room - stream->output_size;
		stream->given = stream->given || given > 0;
		result = session_commit_data(stream->session, given);
		if (result != WIRE_OK)
			return result;
		if (stepped == WIRE_OK && starved && given == 0 && !stream->member_ended)
			stepped = WIRE_FAIL_TRUNCATED;
		if (stepped != WIRE_OK)
			return fail(stream, stepped);
	}
	return WIRE_OK;
}

/* Takes the rest of the input.  Returns whether it is all zeros, and no more than fill a tape's largest block: who
 * sends zeros without end is not waited for. */
static bool is_padding(struct stream *stream)
{
	size_t left = 1 << 20;

	for (refill(stream); stream->input_size > 0; refill(stream)) {
		if (*stream->input != 0 || left-- == 0)
			return false;
		stream->input++;
		stream->input_size--;
	}
	return true;
}

/* After a whole member: sets *another, or says how the decode ends. */
static session_result end_member(struct stream *stream, const struct stream_format *format, bool *another)
{
	enum following following = look_ahead(stream, format);

	*another = following == FOLLOWS_MEMBER && format->several;
	if (following == FOLLOWS_NOTHING || *another)
		return WIRE_OK;
	if (following == FOLLOWS_PIECE && format->several)
		return fail(stream, WIRE_FAIL_TRUNCATED);
	if (format->trailing == STREAM_REFUSED)
		return fail(stream, WIRE_FAIL_TRAILING);
	if (format->trailing == STREAM_PADDED && is_padding(stream))
		return WIRE_OK;
	return session_flaw(stream->session, WIRE_NOTE_TRAILING, WIRE_FAIL_TRAILING);
}

session_result stream_decode(struct session *session, const struct stream_format *format, void *codec)
{
	struct stream stream = { .session = session };
	enum following start = look_ahead(&stream, format);
	bool another = true;

	if (start == FOLLOWS_OTHER)
		return WIRE_FAIL_SIGNATURE;
	if (start != FOLLOWS_MEMBER)
		return WIRE_FAIL_TRUNCATED;
	session_result result = session_bytes(session);
	while (result == WIRE_OK && another) {
		result = decode_member(&stream, format, codec);
		if (result == WIRE_OK)
			result = end_member(&stream, format, &another);
	}
	return result;
}
