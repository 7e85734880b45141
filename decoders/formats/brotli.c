/* SPDX-License-Identifier: MIT */
/*
 * Brotli, by libbrotlidec.
 *
 * pkg-config: libbrotlidec
 */
#include <brotli/decode.h>
#include <stdio.h>

#include "decoders/runtime/stream.h"

static session_result name_failure(BrotliDecoderErrorCode error)
{
	/* Of its codes only these are not about the data: a range of them, for each allocation one. */
	if (error <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES && error >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES)
		return WIRE_FAIL_LIMIT_MEMORY;
	return WIRE_FAIL_DATA;
}

/* A call that fails keeps what it had decoded before to itself.  One that wants more input does not; so a caller who
 * takes partial results gets all that there is if the input goes there byte by byte. */
static session_result step(void *codec, struct stream *stream)
{
	size_t taken = session_partial(stream->session) && stream->input_size > 1 ? 1 : stream->input_size;
	size_t left = stream->input_size - taken;
	BrotliDecoderResult result = BrotliDecoderDecompressStream(codec, &taken, &stream->input, &stream->output_size,
	                                                           &stream->output, NULL);

	stream->input_size = left + taken;
	stream->member_ended = result == BROTLI_DECODER_RESULT_SUCCESS;
	return result == BROTLI_DECODER_RESULT_ERROR ? name_failure(BrotliDecoderGetErrorCode(codec)) : WIRE_OK;
}

static session_result decode(struct session *session)
{
	/* Nothing tells a brotli stream from any other bytes. */
	static const struct stream_format format = { 0, NULL, false, STREAM_REFUSED, NULL, step };
	BrotliDecoderState *codec = BrotliDecoderCreateInstance(NULL, NULL, NULL);

	if (!codec)
		return WIRE_FAIL_LIMIT_MEMORY;
	/* As its own tool does. */
	(void)BrotliDecoderSetParameter(codec, BROTLI_DECODER_PARAM_LARGE_WINDOW, 1);
	session_result result = stream_decode(session, &format, codec);
	BrotliDecoderDestroyInstance(codec);
	return result;
}

static const char *version(void)
{
	static char text[16];
	uint32_t number = BrotliDecoderVersion();

	(void)snprintf(text, sizeof(text), "%u.%u.%u", number >> 24, number >> 12 & 0xfff, number & 0xfff);
	return text;
}

const struct decoder decoder = { .name = "brotli", .library = "libbrotlidec", .version = version, .decode = decode };
