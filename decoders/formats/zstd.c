/* SPDX-License-Identifier: MIT */
/*
 * Zstandard, by libzstd.
 *
 * pkg-config: libzstd
 */
#include <string.h>

#include <zstd.h>
#include <zstd_errors.h>

#include "decoders/runtime/stream.h"

enum {
	MAGIC_SIZE = 4,
	HEADER_SIZE_MAX = 18,
	BLOCK_SIZE_MAX = 128 << 10,
	CONTEXT_SIZE = 192 << 10, /* more than what the library has besides its buffers */
};

struct codec {
	ZSTD_DCtx *context;
	bool at_start;   /* of a frame */
	size_t expected; /* bytes that the library has asked for */
};

/* A frame, or one that is skipped: 16 magics, of which the first byte's low half is free. */
static bool starts(const uint8_t *start, size_t size)
{
	uint8_t skipped[MAGIC_SIZE] = { start[0], 0x2a, 0x4d, 0x18 };

	return memcmp(start, "\x28\xb5\x2f\xfd", size) == 0 ||
	       ((start[0] & 0xf0) == 0x50 && memcmp(start, skipped, size) == 0);
}

static session_result name_failure(size_t result)
{
	switch (ZSTD_getErrorCode(result)) {
	case ZSTD_error_memory_allocation:
		return WIRE_FAIL_LIMIT_MEMORY;
	case ZSTD_error_frameParameter_windowTooLarge:
		return WIRE_FAIL_WINDOW;
	case ZSTD_error_frameParameter_unsupported:
	case ZSTD_error_version_unsupported:
	case ZSTD_error_dictionary_wrong:
		return WIRE_FAIL_UNSUPPORTED;
	case ZSTD_error_prefix_unknown:
		return WIRE_FAIL_SIGNATURE;
	case ZSTD_error_checksum_wrong:
		return WIRE_FAIL_CHECKSUM;
	default:
		return WIRE_FAIL_DATA;
	}
}

static uint64_t little_endian(const uint8_t *bytes, size_t size)
{
	uint64_t number = 0;

	for (size_t i = 0; i < size; i++)
		number |= (uint64_t)bytes[i] << (8 * i);
	return number;
}

/* What the buffers for a frame take, by its header (RFC 8878, 3.1.1.1); 0 if there is nothing to know. */
static uint64_t frame_memory(const uint8_t *header, size_t size)
{
	static const uint8_t dictionary_sizes[] = { 0, 1, 2, 4 };
	static const uint8_t content_sizes[] = { 0, 2, 4, 8 };

	if (size <= MAGIC_SIZE + 1 || (header[0] & 0xf0) == 0x50)
		return 0;
	bool single_segment = (header[MAGIC_SIZE] & 0x20) != 0;
	size_t place = (single_segment ? MAGIC_SIZE + 1U : MAGIC_SIZE + 2U) + dictionary_sizes[header[MAGIC_SIZE] & 3];
	size_t content_size = content_sizes[header[MAGIC_SIZE] >> 6];
	if (single_segment && content_size == 0)
		content_size = 1;
	if (place + content_size > size)
		return 0;
	uint64_t content = content_size > 0 ? little_endian(header + place, content_size) : UINT64_MAX;
	uint64_t base = UINT64_C(1) << (10 + (header[MAGIC_SIZE + 1] >> 3));
	uint64_t buffer = base + base / 8 * (header[MAGIC_SIZE + 1] & 7) + BLOCK_SIZE_MAX;
	if (single_segment || content < buffer)
		buffer = content;
	return buffer < UINT64_MAX / 2 ? buffer + BLOCK_SIZE_MAX + CONTEXT_SIZE : UINT64_MAX;
}

static session_result begin(void *context, struct stream *stream)
{
	struct codec *codec = context;
	size_t size = HEADER_SIZE_MAX;
	const uint8_t *header = stream_peek(stream, &size);

	session_needs(stream->session, frame_memory(header, size));
	codec->at_start = true;
	codec->expected = 0;
	return WIRE_OK;
}

/* At the start of a frame the library gets all that there is.  A frame that it has whole it decodes in another way,
 * which passes what some encoders make.  But a call that fails gives nothing, whatever it had decoded before; so if the
 * first one does, the frame is begun anew, and then and ever after the input goes there in pieces that lose nothing. */
static session_result step(void *context, struct stream *stream)
{
	struct codec *codec = context;
	bool at_start = codec->at_start;
	ZSTD_inBuffer input = { .src = stream->input, .size = stream->input_size };
	ZSTD_outBuffer output = { .dst = stream->output, .size = stream->output_size };

	if (!at_start)
		input.size = stream_piece(stream, codec->expected);
	size_t result = ZSTD_decompressStream(codec->context, &output, &input);
	codec->at_start = false;
	codec->expected = ZSTD_isError(result) ? 0 : result;
	if (ZSTD_isError(result) && at_start) {
		(void)ZSTD_DCtx_reset(codec->context, ZSTD_reset_session_only);
		return WIRE_OK;
	}
	stream->input += input.pos;
	stream->input_size -= input.pos;
	stream->output += output.pos;
	stream->output_size -= output.pos;
	stream->member_ended = result == 0;
	return ZSTD_isError(result) ? name_failure(result) : WIRE_OK;
}

static session_result decode(struct session *session)
{
	static const struct stream_format format = { MAGIC_SIZE, starts, true, STREAM_REFUSED, begin, step };
	struct codec codec = { .context = ZSTD_createDCtx() };
	/* The longest window that the library knows: the arena is the limit. */
	ZSTD_bounds window = ZSTD_dParam_getBounds(ZSTD_d_windowLogMax);

	if (!codec.context)
		return WIRE_FAIL_LIMIT_MEMORY;
	(void)ZSTD_DCtx_setParameter(codec.context, ZSTD_d_windowLogMax, window.upperBound);
	session_result result = stream_decode(session, &format, &codec);
	(void)ZSTD_freeDCtx(codec.context);
	return result;
}

static const char *version(void)
{
	return ZSTD_versionString();
}

const struct decoder decoder = { .name = "zstd", .library = "libzstd", .version = version, .decode = decode };
