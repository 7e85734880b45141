/* SPDX-License-Identifier: MIT */
/* The one way in: every message in every state, every length at its limits, truncation at every byte. */
#include "tests/support/wire_stream.h"

/* Written out by hand, so that a slip in the table does not repeat itself here. */
static bool may_come(uint32_t kind, enum wire_state state)
{
	switch (kind) {
	case WIRE_HELLO:
		return state == WIRE_STATE_START;
	case WIRE_IMAGE:
	case WIRE_BYTES:
	case WIRE_AUDIO:
		return state == WIRE_STATE_READY;
	case WIRE_METADATA:
		return state == WIRE_STATE_READY || state == WIRE_STATE_AUDIO;
	case WIRE_SAMPLES:
	case WIRE_LOSS:
		return state == WIRE_STATE_AUDIO;
	case WIRE_FRAME:
		return state == WIRE_STATE_IMAGE;
	case WIRE_PIXELS:
		return state == WIRE_STATE_FRAME;
	case WIRE_DATA:
		return state == WIRE_STATE_BYTES;
	case WIRE_DAMAGE:
		return state == WIRE_STATE_IMAGE || state == WIRE_STATE_FRAME || state == WIRE_STATE_BYTES ||
		       state == WIRE_STATE_AUDIO;
	case WIRE_END: /* after IMAGE alone its frame lacks */
		return state == WIRE_STATE_BYTES || state == WIRE_STATE_DAMAGED || state == WIRE_STATE_AUDIO;
	case WIRE_FAIL:
		return state != WIRE_STATE_START && state != WIRE_STATE_DAMAGED;
	default:
		return false;
	}
}

Test(wire_reader, every_message_in_every_state)
{
	static struct stream stream;
	const struct wire_request request = make_request();

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		for (uint32_t kind = WIRE_HELLO; kind < WIRE_KINDS; kind++) {
			stream.size = 0;
			reach(&stream, states[i]);
			put_good(&stream, kind, 4);
			enum sdec_status status = status_of(&stream, &request);
			enum sdec_status good = kind == WIRE_FAIL ? SDEC_MALFORMED : SDEC_OK;
			cr_expect_eq(status, may_come(kind, states[i]) ? good : SDEC_KILLED, "kind %u in state %d: %s",
			             kind, (int)states[i], status_name(status));
		}
	}
}

/* It ends the decode in either case: as an answer, or as a lie. */
Test(wire_reader, a_forbidden_call_is_told_only_where_that_was_asked_for)
{
	static struct stream stream;
	struct wire_request request = make_request();

	for (size_t i = 0; i < 2 * sizeof(states) / sizeof(states[0]); i++) {
		enum wire_state state = states[i / 2];
		bool asked = i % 2 != 0;
		struct counts counts = { .hello = 0 };
		struct wire_reader reader;
		request.flags = WIRE_PARTIAL | (asked ? WIRE_DIAGNOSE : 0);
		stream.size = stream.taken = 0;
		reach(&stream, state);
		put_good(&stream, WIRE_FORBIDDEN, 0);
		put_good(&stream, WIRE_END, 0);
		cr_expect_eq(read_all(&reader, &stream, &counts, &request), WIRE_PROGRESS_OVER);
		cr_expect_eq(reader.outcome.status, SDEC_KILLED);
		bool told = asked && state != WIRE_STATE_START;
		cr_expect_eq(counts.forbidden, told, "state %d", (int)state);
		cr_expect_eq(strcmp(reader.outcome.reason, "the decoder tried a forbidden system call") == 0, told,
		             "%s", reader.outcome.reason);
		cr_expect_eq(counts.end, 0);
	}
}

Test(wire_reader, nobody_has_to_care_for_a_forbidden_call)
{
	static struct stream stream;
	struct wire_request request = make_request();
	struct counts counts = { .hello = 0 };
	struct wire_consumer consumer = counting_consumer(&counts);
	struct wire_reader reader;

	stream.size = 0;
	reach(&stream, WIRE_STATE_READY);
	put_good(&stream, WIRE_FORBIDDEN, 0);
	consumer.forbidden = NULL;
	request.flags |= WIRE_DIAGNOSE;
	wire_reader_init(&reader, &request, &consumer);
	cr_expect_eq(read_on(&reader, &stream), WIRE_PROGRESS_OVER);
	cr_expect_eq(reader.outcome.status, SDEC_KILLED);
}

Test(wire_reader, unknown_kinds)
{
	static struct stream stream;
	const struct wire_request request = make_request();
	const uint32_t unknown[] = { 0, WIRE_KINDS, WIRE_KINDS + 1, 255, 65536, UINT32_MAX };

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		for (size_t j = 0; j < sizeof(unknown) / sizeof(unknown[0]); j++) {
			stream.size = 0;
			reach(&stream, states[i]);
			put(&stream, unknown[j], 0, "", 0);
			cr_expect_eq(status_of(&stream, &request), SDEC_KILLED);
		}
	}
}

/* Each kind's state, its shortest and its longest payload. */
static const struct {
	uint32_t kind;
	enum wire_state state;
	uint32_t shortest, longest;
} lengths[] = {
	{ WIRE_HELLO, WIRE_STATE_START, 4, 4 },
	{ WIRE_IMAGE, WIRE_STATE_READY, 40, 40 },
	{ WIRE_FRAME, WIRE_STATE_IMAGE, 24, 24 },
	{ WIRE_PIXELS, WIRE_STATE_FRAME, 1, PIXELS },
	{ WIRE_BYTES, WIRE_STATE_READY, 0, 0 },
	{ WIRE_DATA, WIRE_STATE_BYTES, 1, 4000 },
	{ WIRE_DAMAGE, WIRE_STATE_FRAME, 16, 16 },
	{ WIRE_END, WIRE_STATE_BYTES, 4, 4 },
	{ WIRE_FAIL, WIRE_STATE_BYTES, 16, 16 },
	{ WIRE_AUDIO, WIRE_STATE_READY, 32, 32 },
	{ WIRE_LOSS, WIRE_STATE_AUDIO, 8, 8 },
	{ WIRE_FORBIDDEN, WIRE_STATE_READY, 8, 8 },
	{ WIRE_READ, WIRE_STATE_READY, 16, 16 },
	{ WIRE_FORBIDDEN, WIRE_STATE_FRAME, 8, 8 },
	{ WIRE_SAMPLES, WIRE_STATE_AUDIO, SAMPLE_FRAME, 4000 },
	{ WIRE_METADATA, WIRE_STATE_READY, 5, 4 + WIRE_VALUE_MAX },
	{ WIRE_METADATA, WIRE_STATE_AUDIO, 5, 4 + WIRE_VALUE_MAX },
};

static enum sdec_status status_of_length(size_t row, uint32_t length)
{
	static struct stream stream;
	const struct wire_request request = make_request();

	stream.size = 0;
	reach(&stream, lengths[row].state);
	/* Only the header: the length alone must be judged, before any payload is waited for. */
	put(&stream, lengths[row].kind, length, "", 0);
	return status_of(&stream, &request);
}

Test(wire_reader, every_length)
{
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint32_t shortest = lengths[i].shortest, longest = lengths[i].longest;
		cr_expect_eq(status_of_length(i, shortest), SDEC_OK, "row %zu", i);
		cr_expect_eq(status_of_length(i, longest), SDEC_OK, "row %zu", i);
		cr_expect_eq(status_of_length(i, longest + 1), SDEC_KILLED, "row %zu", i);
		cr_expect_eq(status_of_length(i, UINT32_MAX), SDEC_KILLED, "row %zu", i);
		cr_expect_eq(status_of_length(i, UINT32_MAX - 7), SDEC_KILLED, "row %zu", i);
		if (shortest > 0)
			cr_expect_eq(status_of_length(i, shortest - 1), SDEC_KILLED, "row %zu", i);
	}
}

/* A whole decode, and where each of its messages ends. */
static void put_decode(struct stream *stream)
{
	stream->size = 0;
	put_good(stream, WIRE_HELLO, 0);
	put_good(stream, WIRE_IMAGE, 0);
	put_good(stream, WIRE_FRAME, 0);
	put_good(stream, WIRE_PIXELS, PIXELS / 3);
	put_good(stream, WIRE_PIXELS, PIXELS - PIXELS / 3);
	put_good(stream, WIRE_END, 0);
}

Test(wire_reader, truncation_at_every_byte)
{
	static struct stream stream;
	const struct wire_request request = make_request();

	put_decode(&stream);
	size_t whole = stream.size;
	for (stream.piece = 0; stream.piece < 12; stream.piece++) {
		for (stream.size = 0; stream.size <= whole; stream.size++) {
			struct counts counts = { .hello = 0 };
			struct wire_reader reader;
			stream.taken = 0;
			enum wire_progress progress = read_all(&reader, &stream, &counts, &request);
			cr_expect_eq(progress, stream.size == whole ? WIRE_PROGRESS_OVER : WIRE_PROGRESS_EOF);
			cr_expect_eq(counts.end, stream.size == whole);
		}
	}
}

Test(wire_reader, whole_decode_in_pieces_of_every_size)
{
	static struct stream stream;
	const struct wire_request request = make_request();

	put_decode(&stream);
	for (stream.piece = 1; stream.piece <= stream.size; stream.piece++) {
		struct counts counts = { .hello = 0 };
		struct wire_reader reader;
		stream.taken = 0;
		cr_expect_eq(read_all(&reader, &stream, &counts, &request), WIRE_PROGRESS_OVER);
		cr_expect_eq(reader.outcome.status, SDEC_OK);
		cr_expect(counts.hello == 1 && counts.image == 1 && counts.frame == 1 && counts.end == 1);
		cr_expect_eq(counts.committed, PIXELS);
	}
}

Test(wire_reader, nothing_is_read_after_the_end)
{
	static struct stream stream;
	const struct wire_request request = make_request();
	struct counts counts = { .hello = 0 };
	struct wire_reader reader;

	put_decode(&stream);
	size_t whole = stream.size;
	put_good(&stream, WIRE_HELLO, 0);
	cr_expect_eq(read_all(&reader, &stream, &counts, &request), WIRE_PROGRESS_OVER);
	cr_expect_eq(wire_reader_step(&reader, give, &stream), WIRE_PROGRESS_OVER);
	cr_expect_eq(stream.taken, whole);
	cr_expect_eq(reader.outcome.status, SDEC_OK);
}

Test(wire_reader, the_consumer_can_refuse)
{
	static struct stream stream;
	const struct wire_request request = make_request();
	struct counts counts = { .refuse_image = SDEC_IO };
	struct wire_reader reader;

	put_decode(&stream);
	cr_expect_eq(read_all(&reader, &stream, &counts, &request), WIRE_PROGRESS_OVER);
	cr_expect_eq(reader.outcome.status, SDEC_IO);
	for (int empty = 0; empty < 2; empty++) {
		counts = (struct counts){ .no_room = !empty, .empty_room = empty };
		stream.taken = 0;
		cr_expect_eq(read_all(&reader, &stream, &counts, &request), WIRE_PROGRESS_OVER);
		cr_expect_eq(reader.outcome.status, SDEC_IO);
		cr_expect_eq(counts.committed, 0);
	}
}

Test(wire_reader, nobody_has_to_care_for_losses)
{
	static struct stream stream;
	const struct wire_request request = make_request();
	struct counts counts = { .hello = 0 };
	struct wire_consumer consumer = counting_consumer(&counts);
	struct wire_reader reader;

	stream.size = 0;
	reach(&stream, WIRE_STATE_AUDIO);
	put_good(&stream, WIRE_LOSS, 0);
	put_good(&stream, WIRE_END, 0);
	consumer.loss = NULL;
	wire_reader_init(&reader, &request, &consumer);
	cr_expect_eq(read_on(&reader, &stream), WIRE_PROGRESS_OVER);
	cr_expect_eq(reader.outcome.status, SDEC_OK);
}

static ssize_t fail_to_read(void *context, void *data, size_t size)
{
	(void)data;
	(void)size;
	errno = *(int *)context;
	return -1;
}

static ssize_t interrupted_once(void *context, void *data, size_t size)
{
	struct stream *stream = context;

	if (stream->piece++ == 0) {
		errno = EINTR;
		return -1;
	}
	return give(context, data, size);
}

/* No kernel does this; what is counted must not go past what there is. */
static ssize_t read_too_much(void *context, void *data, size_t size)
{
	return give(context, data, size) + 1;
}

Test(wire_reader, odd_reads)
{
	static struct stream stream;
	const struct wire_request request = make_request();
	const struct wire_consumer consumer = { .context = NULL };
	struct wire_reader reader;

	put_decode(&stream);
	wire_reader_init(&reader, &request, &consumer);
	cr_expect_eq(wire_reader_step(&reader, interrupted_once, &stream), WIRE_PROGRESS_MORE);
	cr_expect_gt(stream.taken, 0);
	stream.piece = stream.taken = 0;
	wire_reader_init(&reader, &request, &consumer);
	cr_expect_eq(wire_reader_step(&reader, read_too_much, &stream), WIRE_PROGRESS_OVER);
	cr_expect_eq(reader.outcome.status, SDEC_IO);
}

Test(wire_reader, read_errors)
{
	const struct wire_request request = make_request();
	const struct wire_consumer consumer = { .context = NULL };
	struct wire_reader reader;
	int error = EAGAIN;

	wire_reader_init(&reader, &request, &consumer);
	cr_expect_eq(wire_reader_step(&reader, fail_to_read, &error), WIRE_PROGRESS_WAIT);
	error = EIO;
	cr_expect_eq(wire_reader_step(&reader, fail_to_read, &error), WIRE_PROGRESS_OVER);
	cr_expect_eq(reader.outcome.status, SDEC_IO);
	cr_expect_eq(reader.outcome.error_number, EIO);
}
