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

#include "decoders/runtime/stream.h"

/* As in broker/recognise/registry.c. */
enum variant {
	GZIP,
	ZLIB,
	DEFLATE,
	VARIANTS,
};

/* What inflateInit2() makes of a variant. */
static const int window_bits[VARIANTS] = { [GZIP] = 16 + MAX_WBITS, [ZLIB] = MAX_WBITS, [DEFLATE] = -MAX_WBITS };

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

static bool starts_gzip(const uint8_t *start, size_t size)
{
	return memcmp(start, "\x1f\x8b", size) == 0;
}

/* The header of a zlib stream has no magic, but it is a multiple of 31. */
static bool starts_zlib(const uint8_t *start, size_t size)
{
	return size < 2 || (start[0] << 8 | start[1]) % 31 == 0;
}

/* zlib has only a text to tell these apart; the texts have not changed since 1995. */
static enum wire_failure name_failure(const z_stream *codec, int result)
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
	for (size_t i = 0; codec->msg && i < sizeof(named) / sizeof(named[0]); i++)
		if (strcmp(codec->msg, named[i].message) == 0)
			return named[i].failure;
	return WIRE_FAIL_DATA;
}

static session_result begin(void *codec, struct stream *stream)
{
	(void)stream;
	return inflateReset(codec) == Z_OK ? WIRE_OK : WIRE_FAIL_DATA;
}

static session_result step(void *context, struct stream *stream)
{
	z_stream *codec = context;

	/* A session's buffers are far smaller than 4 GiB. */
	codec->next_in = stream->input;
	codec->avail_in = (uInt)stream->input_size;
	codec->next_out = stream->output;
	codec->avail_out = (uInt)stream->output_size;
	int result = inflate(codec, Z_NO_FLUSH);
	stream->input = codec->next_in;
	stream->input_size = codec->avail_in;
	stream->output = codec->next_out;
	stream->output_size = codec->avail_out;
	stream->member_ended = result == Z_STREAM_END;
	/* It is Z_BUF_ERROR when there was nothing to do. */
	return stream->member_ended || result == Z_OK || result == Z_BUF_ERROR ? WIRE_OK : name_failure(codec, result);
}

static session_result decode(struct session *session)
{
	/* gzip itself ignores what follows the last member, and says nothing of zeros, which fill a tape's block.  It
	 * goes on with no member behind these. */
	static const struct stream_format formats[VARIANTS] = {
		[GZIP] = { 2, starts_gzip, true, STREAM_PADDED, begin, step },
		[ZLIB] = { 2, starts_zlib, false, STREAM_NOTED, begin, step },
		[DEFLATE] = { 0, NULL, false, STREAM_NOTED, begin, step },
	};
	z_stream codec = { .zalloc = allocate, .zfree = release };
	uint32_t variant = session_request(session)->variant;

	if (variant >= VARIANTS)
		return WIRE_FAIL_UNSUPPORTED;
	if (inflateInit2(&codec, window_bits[variant]) != Z_OK)
		return WIRE_FAIL_LIMIT_MEMORY;
	session_result result = stream_decode(session, &formats[variant], &codec);
	(void)inflateEnd(&codec);
	return result;
}

static const char *version(void)
{
	return zlibVersion();
}

const struct decoder decoder = { .name = "zlib", .library = "zlib", .version = version, .decode = decode };
