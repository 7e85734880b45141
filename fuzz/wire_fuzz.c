/* SPDX-License-Identifier: MIT */
/* Lets the wire reader read anything at all: the first bytes say what was asked for and how the pipe is cut. */
#include <errno.h>
#include <string.h>

#include "consumer.h"
#include "wire_options.h"

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

/* As who sends the part, now and then before the next thing comes. */
static void check_part(struct wire_reader *reader, bool sent)
{
	const struct wire_request *request = &reader->request;

	if (!reader->part_wanted)
		return;
	REQUIRE((request->flags & WIRE_RANDOM) && reader->part_length <= WIRE_READ_MAX);
	REQUIRE(reader->part_offset <= request->input_total);
	REQUIRE(reader->part_length <= request->input_total - reader->part_offset);
	if (sent)
		reader->part_wanted = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < WIRE_OPTIONS)
		return 0;
	struct checked checked = { .request = wire_options_request(data) };
	struct stream stream = { .data = data + WIRE_OPTIONS,
		                 .left = size - WIRE_OPTIONS,
		                 .piece = 1 + (size_t)(data[0] >> 2) % 16 * 97 };
	const struct wire_consumer consumer = checked_consumer(&checked);
	struct wire_reader reader;
	enum wire_progress progress = WIRE_PROGRESS_MORE;
	size_t steps = 0;

	wire_reader_init(&reader, &checked.request, &consumer);
	while (progress == WIRE_PROGRESS_MORE || progress == WIRE_PROGRESS_WAIT) {
		progress = wire_reader_step(&reader, give, &stream);
		check_part(&reader, steps % 3 == 0);
		/* Every second step moves a byte at least, and the rest only ends the stream. */
		REQUIRE(++steps <= 4 * size + 16);
	}
	REQUIRE(progress != WIRE_PROGRESS_OVER || reader.outcome.status != SDEC_OK || checked.ended);
	return 0;
}
