/* SPDX-License-Identifier: MIT */
/*
 * xz, lzma and lzip, by liblzma in one thread.
 *
 * pkg-config: liblzma
 */
#include <string.h>

#include <lzma.h>

#include "decoders/runtime/stream.h"

/* As in broker/recognise/registry.c. */
enum variant {
	XZ,
	LZMA,
	LZIP,
	VARIANTS,
};

enum { LZIP_HEADER_SIZE = 6, MAGIC_SIZE = 4 };

struct codec {
	lzma_stream stream;
	uint32_t variant;
};

static bool starts_xz(const uint8_t *start, size_t size)
{
	return memcmp(start, "\3757zXZ\0", size) == 0;
}

/* There is no magic: only what three numbers are packed to. */
static bool starts_lzma(const uint8_t *start, size_t size)
{
	return size > 0 && start[0] < 9 * 5 * 5;
}

/* As lzip itself judges: what resembles its magic by two bytes or three is a damaged member and no garbage, unless the
 * input ends before a header could. */
static bool starts_lzip(const uint8_t *start, size_t size)
{
	static const char magic[] = "LZIP";
	size_t equal = 0;

	for (size_t i = 0; i < MAGIC_SIZE && i < size; i++)
		equal += start[i] == (uint8_t)magic[i];
	return size >= LZIP_HEADER_SIZE ? equal >= 2 : equal == (size < MAGIC_SIZE ? size : MAGIC_SIZE);
}

static session_result name_failure(lzma_ret result)
{
	switch (result) {
	case LZMA_MEM_ERROR:
	case LZMA_MEMLIMIT_ERROR:
		return WIRE_FAIL_LIMIT_MEMORY;
	case LZMA_FORMAT_ERROR:
		return WIRE_FAIL_HEADER; /* the magic was right, or nearly */
	case LZMA_OPTIONS_ERROR:
		return WIRE_FAIL_UNSUPPORTED;
	default:
		/* A wrong checksum is no error of its own. */
		return WIRE_FAIL_DATA;
	}
}

/* The arena is the limit of memory: the library needs none of its own. */
static session_result begin(void *context, struct stream *stream)
{
	struct codec *codec = context;
	lzma_ret result = LZMA_OPTIONS_ERROR;

	(void)stream;
	if (codec->variant == XZ)
		result = lzma_stream_decoder(&codec->stream, UINT64_MAX,
		                             LZMA_CONCATENATED | LZMA_TELL_UNSUPPORTED_CHECK);
	else if (codec->variant == LZMA)
		result = lzma_alone_decoder(&codec->stream, UINT64_MAX);
	else if (codec->variant == LZIP)
		result = lzma_lzip_decoder(&codec->stream, UINT64_MAX, 0);
	return result == LZMA_OK ? WIRE_OK : name_failure(result);
}

static session_result step(void *context, struct stream *stream)
{
	struct codec *codec = context;
	bool finish = codec->variant == XZ && stream->input_ended;

	codec->stream.next_in = stream->input;
	codec->stream.avail_in = stream->input_size;
	codec->stream.next_out = stream->output;
	codec->stream.avail_out = stream->output_size;
	lzma_ret result = lzma_code(&codec->stream, finish ? LZMA_FINISH : LZMA_RUN);
	if (result == LZMA_MEM_ERROR)
		session_needs(stream->session, lzma_memusage(&codec->stream));
	stream->input = codec->stream.next_in;
	stream->input_size = codec->stream.avail_in;
	stream->output = codec->stream.next_out;
	stream->output_size = codec->stream.avail_out;
	stream->member_ended = result == LZMA_STREAM_END;
	/* A check that is newer than the library is passed over, as xz does. */
	if (result == LZMA_UNSUPPORTED_CHECK)
		session_note(stream->session, WIRE_NOTE_WARNINGS);
	/* It is LZMA_BUF_ERROR when there was nothing to do. */
	if (stream->member_ended || result == LZMA_OK || result == LZMA_BUF_ERROR || result == LZMA_UNSUPPORTED_CHECK)
		return WIRE_OK;
	return name_failure(result);
}

static session_result decode(struct session *session)
{
	/* Of xz, the library takes all streams and the padding between them as one member. */
	static const struct stream_format formats[VARIANTS] = {
		[XZ] = { 6, starts_xz, false, STREAM_REFUSED, begin, step },
		[LZMA] = { 1, starts_lzma, false, STREAM_REFUSED, begin, step },
		[LZIP] = { LZIP_HEADER_SIZE, starts_lzip, true, STREAM_NOTED, begin, step },
	};
	struct codec codec = { .stream = LZMA_STREAM_INIT, .variant = session_request(session)->variant };

	if (codec.variant >= VARIANTS)
		return WIRE_FAIL_UNSUPPORTED;
	session_result result = stream_decode(session, &formats[codec.variant], &codec);
	lzma_end(&codec.stream);
	return result;
}

static const char *version(void)
{
	return lzma_version_string();
}

const struct decoder decoder = { .name = "lzma", .library = "liblzma", .version = version, .decode = decode };
