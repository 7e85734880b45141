/* SPDX-License-Identifier: MIT */
/*
 * gzip, zlib and raw deflate, by zlib.
 *
 * pkg-config: zlib
 */
#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#include "decoder.h"

/* As in broker/registry.c. */
enum variant {
	GZIP,
	ZLIB,
	DEFLATE,
	VARIANTS,
};

/* What inflateInit2() makes of a variant. */
static const int window_bits[VARIANTS] = { [GZIP] = 16 + MAX_WBITS, [ZLIB] = MAX_WBITS, [DEFLATE] = -MAX_WBITS };

enum { START_SIZE = 2 };

static const uint8_t gzip_magic[START_SIZE] = { 0x1f, 0x8b };

struct decode {
	struct session *session;
	uint32_t variant;
	z_stream stream;
	uint8_t start[START_SIZE]; /* of a member or stream: looked at before inflate() gets it */
	size_t start_size;         /* how much of it there is */
	bool ended;                /* there is no more input */
};

/* The allocator that zlib asks for, so that a count times a size is checked. */
static voidpf allocate(voidpf opaque, uInt count, uInt size)
{
	(void)opaque;
	return calloc(count, size);
}

static void release(voidpf opaque, voidpf memory)
{
	(void)opaque;
	free(memory);
}

/* Makes input available, if there is any left. */
static void refill(struct decode *decode)
{
	const uint8_t *data = NULL;

	if (decode->stream.avail_in > 0 || decode->ended)
		return;
	size_t size = session_read(decode->session, &data);
	decode->ended = size == 0;
	decode->stream.next_in = data;
	decode->stream.avail_in = (uInt)size; /* a session's buffer is far smaller than 4 GiB */
}

/* zlib has only a text to tell these apart; the texts have not changed since 1995. */
static enum wire_failure name_failure(const z_stream *stream, int result)
{
	static const struct {
		const char *message;
		enum wire_failure failure;
	} named[] = {
		{ "incorrect header check", WIRE_FAIL_SIGNATURE }, { "unknown compression method", WIRE_FAIL_HEADER },
		{ "unknown header flags set", WIRE_FAIL_HEADER },  { "invalid window size", WIRE_FAIL_HEADER },
		{ "header crc mismatch", WIRE_FAIL_HEADER },       { "incorrect data check", WIRE_FAIL_CHECKSUM },
		{ "incorrect length check", WIRE_FAIL_LENGTH },
	};
	if (result == Z_MEM_ERROR)
		return WIRE_FAIL_LIMIT_MEMORY;
	if (result == Z_NEED_DICT)
		return WIRE_FAIL_UNSUPPORTED;
	for (size_t i = 0; stream->msg && i < sizeof(named) / sizeof(named[0]); i++)
		if (strcmp(stream->msg, named[i].message) == 0)
			return named[i].failure;
	return WIRE_FAIL_DATA;
}

/* Inflates to the end of one member or stream. */
static session_result inflate_member(struct decode *decode)
{
	z_stream *stream = &decode->stream;

	for (;;) {
		uint8_t *room = NULL;
		size_t size = 0;
		session_result result = session_data(decode->session, &room, &size);
		if (result != WIRE_OK)
			return result;
		refill(decode);
		stream->next_out = room;
		stream->avail_out = (uInt)size;
		int inflated = inflate(stream, Z_NO_FLUSH);
		size -= stream->avail_out;
		result = session_commit_data(decode->session, size);
		if (result != WIRE_OK)
			return result;
		if (inflated == Z_STREAM_END)
			return WIRE_OK;
		if (inflated != Z_OK && inflated != Z_BUF_ERROR)
			return session_damage(decode->session, name_failure(stream, inflated));
		if (decode->ended && size == 0)
			return session_damage(decode->session, WIRE_FAIL_TRUNCATED);
	}
}

/* Takes what a gzip member or a zlib stream starts with off the input. */
static void take_start(struct decode *decode)
{
	for (decode->start_size = 0; decode->start_size < START_SIZE; decode->start_size++) {
		refill(decode);
		if (decode->stream.avail_in == 0)
			break;
		/* One by one, since the next may lie in another buffer. */
		decode->start[decode->start_size] = *decode->stream.next_in++;
		decode->stream.avail_in--;
	}
}

/* Whether the input is what it is said to be, as far as the start tells: a raw deflate stream has none. */
static session_result check_start(struct decode *decode)
{
	if (decode->variant == DEFLATE)
		return WIRE_OK;
	take_start(decode);
	if (decode->variant == GZIP && memcmp(decode->start, gzip_magic, decode->start_size) != 0)
		return WIRE_FAIL_SIGNATURE;
	if (decode->start_size < START_SIZE)
		return WIRE_FAIL_TRUNCATED;
	/* The header of a zlib stream has no magic, but it is a multiple of 31. */
	if (decode->variant == ZLIB && (decode->start[0] << 8 | decode->start[1]) % 31 != 0)
		return WIRE_FAIL_SIGNATURE;
	return WIRE_OK;
}

/* Begins a member or stream with the start that was taken. */
static session_result inflate_start(struct decode *decode)
{
	z_stream *stream = &decode->stream;
	const uint8_t *next = stream->next_in;
	uInt left = stream->avail_in;
	uint8_t nothing = 0;

	if (decode->variant == DEFLATE)
		return WIRE_OK;
	if (inflateReset(stream) != Z_OK)
		return WIRE_FAIL_DATA;
	stream->next_in = decode->start;
	stream->avail_in = (uInt)decode->start_size;
	stream->next_out = &nothing;
	stream->avail_out = sizeof(nothing);
	int inflated = inflate(stream, Z_NO_FLUSH);
	stream->next_in = next;
	stream->avail_in = left;
	return inflated == Z_OK ? WIRE_OK : session_damage(decode->session, name_failure(stream, inflated));
}

/* After a complete member, anything but the start of another is padding or garbage, which gzip ignores, too. */
static bool another_member_follows(struct decode *decode)
{
	if (decode->variant != GZIP)
		return false;
	take_start(decode);
	if (decode->start_size == 0)
		return false;
	if (memcmp(decode->start, gzip_magic, decode->start_size) == 0)
		return true;
	session_note(decode->session, WIRE_NOTE_TRAILING);
	return false;
}

static session_result inflate_all(struct decode *decode)
{
	do {
		session_result result = inflate_start(decode);
		if (result == WIRE_OK)
			result = inflate_member(decode);
		if (result != WIRE_OK)
			return result;
	} while (another_member_follows(decode));
	if (decode->stream.avail_in > 0 || session_has_more(decode->session))
		session_note(decode->session, WIRE_NOTE_TRAILING);
	return WIRE_OK;
}

static session_result decode_stream(struct session *session)
{
	struct decode decode = { .session = session,
		                 .variant = session_request(session)->variant,
		                 .stream = { .zalloc = allocate, .zfree = release } };

	if (decode.variant >= VARIANTS)
		return WIRE_FAIL_UNSUPPORTED;
	if (inflateInit2(&decode.stream, window_bits[decode.variant]) != Z_OK)
		return WIRE_FAIL_LIMIT_MEMORY;
	session_result result = check_start(&decode);
	if (result == WIRE_OK)
		result = session_bytes(session);
	if (result == WIRE_OK)
		result = inflate_all(&decode);
	(void)inflateEnd(&decode.stream);
	return result;
}

const struct decoder decoder = { .name = "zlib", .decode = decode_stream };
