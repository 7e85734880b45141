/* SPDX-License-Identifier: MIT */
/* Lets the wire reader read anything at all: the first bytes say what was asked for and how the pipe is cut. */
#include <errno.h>
#include <string.h>

#include "consumer.h"

struct stream {
	const uint8_t *data;
	size_t left;
	size_t piece; /* bytes a read gives at most */
	bool wait;    /* the next read has nothing yet */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static ssize_t give(void *context, void *data, size_t size)
{
	struct stream *stream = context;
	size_t part = size < stream->piece ? size : stream->piece;

	stream->wait = !stream->wait;
	if (!stream->wait) {
		errno = EAGAIN;
		return -1;
	}
	if (part > stream->left)
		part = stream->left;
	if (part > 0)
		memcpy(data, stream->data, part);
	stream->data += part;
	stream->left -= part;
	return (ssize_t)part;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { OPTIONS = 5 };
	static const uint32_t operations[] = { WIRE_DECODE, WIRE_INFO, WIRE_COVER, WIRE_DECODE };

	if (size < OPTIONS)
		return 0;
	struct checked checked = {
		.request = { .version = WIRE_VERSION,
		             .operation = operations[data[4] >> 6],
		             .pixel_formats = data[1],
		             .flags = data[0] & (WIRE_PARTIAL | WIRE_STRICT),
		             .max_side = 65535,
		             .max_frames = 1 + (data[0] >> 6),
		             .max_metadata = UINT32_C(1) << (data[4] >> 2 & 12),
		             .max_pixels = UINT64_C(1) << (data[2] % 64),
		             .max_output = UINT64_C(1) << (data[3] % 64),
		             .sample_formats = data[4] & 15U },
	};
	struct stream stream = { .data = data + OPTIONS,
		                 .left = size - OPTIONS,
		                 .piece = 1 + (size_t)(data[0] >> 2) % 16 * 97 };
	const struct wire_consumer consumer = checked_consumer(&checked);
	struct wire_reader reader;
	enum wire_progress progress = WIRE_PROGRESS_MORE;
	size_t steps = 0;

	wire_reader_init(&reader, &checked.request, &consumer);
	while (progress == WIRE_PROGRESS_MORE || progress == WIRE_PROGRESS_WAIT) {
		progress = wire_reader_step(&reader, give, &stream);
		/* Every second step moves a byte at least, and the rest only ends the stream. */
		REQUIRE(++steps <= 4 * size + 16);
	}
	REQUIRE(progress != WIRE_PROGRESS_OVER || reader.outcome.status != SAFE_OK || checked.ended);
	return 0;
}
