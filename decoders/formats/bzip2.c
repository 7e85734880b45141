/* SPDX-License-Identifier: MIT */
/*
 * bzip2, by libbz2.
 *
 * pkg-config: bz2
 */
#include <string.h>

#include <bzlib.h>

#include "decoders/runtime/stream.h"

enum { HEADER_SIZE = 4 };

struct codec {
	bz_stream stream;
	bool open;
};

/* "BZh" and the block size, from 1 to 9. */
static bool starts(const uint8_t *start, size_t size)
{
	return memcmp(start, "BZh", size < 3 ? size : 3) == 0 && (size < 4 || (start[3] >= '1' && start[3] <= '9'));
}

static void end(struct codec *codec)
{
	if (codec->open)
		(void)BZ2_bzDecompressEnd(&codec->stream);
	codec->open = false;
}

/* The library cannot start over: each stream needs a codec of its own. */
static session_result begin(void *context, struct stream *stream)
{
	struct codec *codec = context;
	size_t size = HEADER_SIZE;
	const uint8_t *header = stream_peek(stream, &size);

	/* By the library's manual: four bytes for each of a block, and 100 KB. */
	if (size == HEADER_SIZE)
		session_needs(stream->session, UINT64_C(100000) * (4 * (uint64_t)(header[3] - '0') + 1));
	end(codec);
	codec->stream = (bz_stream){ 0 };
	codec->open = BZ2_bzDecompressInit(&codec->stream, 0, 0) == BZ_OK;
	return codec->open ? WIRE_OK : WIRE_FAIL_LIMIT_MEMORY;
}

static session_result name_failure(int result)
{
	switch (result) {
	case BZ_MEM_ERROR:
		return WIRE_FAIL_LIMIT_MEMORY;
	case BZ_DATA_ERROR_MAGIC:
		return WIRE_FAIL_SIGNATURE;
	default:
		/* A wrong checksum is no error of its own. */
		return WIRE_FAIL_DATA;
	}
}

static session_result step(void *context, struct stream *stream)
{
	bz_stream *codec = &((struct codec *)context)->stream;

	/* It takes nothing from there, but is not said to.  A session's buffers are far smaller than 4 GiB. */
	codec->next_in = (char *)(uintptr_t)stream->input;
	codec->avail_in = (unsigned)stream->input_size;
	codec->next_out = (char *)stream->output;
	codec->avail_out = (unsigned)stream->output_size;
	int result = BZ2_bzDecompress(codec);
	stream->input = (const uint8_t *)codec->next_in;
	stream->input_size = codec->avail_in;
	stream->output = (uint8_t *)codec->next_out;
	stream->output_size = codec->avail_out;
	stream->member_ended = result == BZ_STREAM_END;
	return stream->member_ended || result == BZ_OK ? WIRE_OK : name_failure(result);
}

static session_result decode(struct session *session)
{
	static const struct stream_format format = { HEADER_SIZE, starts, true, STREAM_NOTED, begin, step };
	struct codec codec = { .open = false };
	session_result result = stream_decode(session, &format, &codec);

	end(&codec);
	return result;
}

static const char *version(void)
{
	return BZ2_bzlibVersion();
}

const struct decoder decoder = { .name = "bzip2", .library = "libbz2", .version = version, .decode = decode };
