/* SPDX-License-Identifier: MIT */
/*
 * lz4 frames, by liblz4.
 *
 * pkg-config: liblz4
 */
#include <string.h>

#include <lz4.h>
#include <lz4frame.h>

#include "lz4_legacy.h"

enum {
	MAGIC_SIZE = 4,
	DESCRIPTION_SIZE = 6,     /* the magic, flags, and the size of blocks */
	CONTEXT_SIZE = 256 << 10, /* more than what the library has besides its two blocks */
};

struct codec {
	LZ4F_dctx *frames;
	struct lz4_legacy legacy;
	bool is_legacy;  /* the member at hand */
	bool is_based;   /* on a dictionary, which is not there */
	size_t expected; /* bytes that the library has asked for */
};

/* A frame, one that is skipped, of which there are 16 magics, or a legacy frame. */
static bool starts(const uint8_t *start, size_t size)
{
	uint8_t skipped[MAGIC_SIZE] = { start[0], 0x2a, 0x4d, 0x18 };

	return memcmp(start, "\x04\x22\x4d\x18", size) == 0 || memcmp(start, LZ4_LEGACY_MAGIC, size) == 0 ||
	       ((start[0] & 0xf0) == 0x50 && memcmp(start, skipped, size) == 0);
}

static session_result begin(void *context, struct stream *stream)
{
	struct codec *codec = context;
	size_t size = DESCRIPTION_SIZE;
	const uint8_t *start = stream_peek(stream, &size);

	codec->is_legacy = memcmp(start, LZ4_LEGACY_MAGIC, size < MAGIC_SIZE ? size : MAGIC_SIZE) == 0;
	codec->is_based = size == DESCRIPTION_SIZE && start[0] == 0x04 && (start[MAGIC_SIZE] & 1) != 0;
	codec->expected = 0;
	/* Blocks of 64 or 256 KiB, 1 or 4 MiB. */
	if (!codec->is_legacy && size == DESCRIPTION_SIZE)
		session_needs(stream->session,
		              CONTEXT_SIZE + (UINT64_C(2) << (8 + 2 * (start[MAGIC_SIZE + 1] >> 4 & 7))));
	return codec->is_legacy ? lz4_legacy_begin(&codec->legacy, stream->session) : WIRE_OK;
}

/* The numbers of its errors are for those who link it statically; their names are for all. */
static session_result name_failure(LZ4F_errorCode_t error)
{
	static const struct {
		const char *name;
		enum wire_failure failure;
	} named[] = {
		{ "ERROR_allocation_failed", WIRE_FAIL_LIMIT_MEMORY },
		{ "ERROR_frameType_unknown", WIRE_FAIL_SIGNATURE },
		{ "ERROR_headerVersion_wrong", WIRE_FAIL_UNSUPPORTED },
		{ "ERROR_reservedFlag_set", WIRE_FAIL_UNSUPPORTED },
		{ "ERROR_maxBlockSize_invalid", WIRE_FAIL_HEADER },
		{ "ERROR_headerChecksum_invalid", WIRE_FAIL_HEADER },
		{ "ERROR_blockChecksum_invalid", WIRE_FAIL_CHECKSUM },
		{ "ERROR_contentChecksum_invalid", WIRE_FAIL_CHECKSUM },
		{ "ERROR_frameSize_wrong", WIRE_FAIL_LENGTH },
	};
	const char *name = LZ4F_getErrorName(error);

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (strcmp(name, named[i].name) == 0)
			return named[i].failure;
	return WIRE_FAIL_DATA;
}

/* A call that fails gives nothing, whatever it had decoded before: the input goes there in pieces that lose nothing. */
static session_result step(void *context, struct stream *stream)
{
	struct codec *codec = context;
	size_t taken = stream_piece(stream, codec->expected);
	size_t given = stream->output_size;

	if (codec->is_legacy)
		return lz4_legacy_step(&codec->legacy, stream);
	size_t result = LZ4F_decompress(codec->frames, stream->output, &given, stream->input, &taken, NULL);
	stream->input += taken;
	stream->input_size -= taken;
	stream->output += given;
	stream->output_size -= given;
	stream->member_ended = result == 0;
	codec->expected = LZ4F_isError(result) ? 0 : result;
	if (!LZ4F_isError(result))
		return WIRE_OK;
	session_result failure = name_failure(result);
	return failure == WIRE_FAIL_DATA && codec->is_based ? (session_result)WIRE_FAIL_UNSUPPORTED : failure;
}

static session_result decode(struct session *session)
{
	static const struct stream_format format = { MAGIC_SIZE, starts, true, STREAM_REFUSED, begin, step };
	struct codec codec = { .frames = NULL };

	if (LZ4F_isError(LZ4F_createDecompressionContext(&codec.frames, LZ4F_VERSION)))
		return WIRE_FAIL_LIMIT_MEMORY;
	session_result result = stream_decode(session, &format, &codec);
	lz4_legacy_free(&codec.legacy);
	(void)LZ4F_freeDecompressionContext(codec.frames);
	return result;
}

static const char *version(void)
{
	return LZ4_versionString();
}

const struct decoder decoder = { .name = "lz4", .library = "liblz4", .version = version, .decode = decode };
