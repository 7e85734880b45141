/* SPDX-License-Identifier: MIT */
/*
 * Zstandard, by libzstd.
 *
 * pkg-config: libzstd
 */
#include <string.h>

#include <zstd.h>
#include <zstd_errors.h>

#include "stream.h"

enum { MAGIC_SIZE = 4 };

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
	case ZSTD_error_frameParameter_windowTooLarge:
		return WIRE_FAIL_LIMIT_MEMORY;
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

static session_result step(void *codec, struct stream *stream)
{
	ZSTD_inBuffer input = { .src = stream->input, .size = stream->input_size };
	ZSTD_outBuffer output = { .dst = stream->output, .size = stream->output_size };
	size_t result = ZSTD_decompressStream(codec, &output, &input);

	stream->input += input.pos;
	stream->input_size -= input.pos;
	stream->output += output.pos;
	stream->output_size -= output.pos;
	stream->member_ended = result == 0;
	return ZSTD_isError(result) ? name_failure(result) : WIRE_OK;
}

static session_result decode(struct session *session)
{
	static const struct stream_format format = { MAGIC_SIZE, starts, true, false, NULL, step };
	ZSTD_DCtx *codec = ZSTD_createDCtx();
	/* The longest window that the library knows: the arena is the limit. */
	ZSTD_bounds window = ZSTD_dParam_getBounds(ZSTD_d_windowLogMax);

	if (!codec)
		return WIRE_FAIL_LIMIT_MEMORY;
	(void)ZSTD_DCtx_setParameter(codec, ZSTD_d_windowLogMax, window.upperBound);
	session_result result = stream_decode(session, &format, codec);
	(void)ZSTD_freeDCtx(codec);
	return result;
}

static const char *version(void)
{
	return ZSTD_versionString();
}

const struct decoder decoder = { .name = "zstd", .library = "libzstd", .version = version, .decode = decode };
