/* SPDX-License-Identifier: MIT */
/* Parts of the input that a child asks for: when it may, which, and what is behind the input's end. */
#include "tests/support/wire_stream.h"

enum { TOTAL = 1000 };

static struct wire_request make_random_request(void)
{
	struct wire_request request = make_request();

	request.flags |= WIRE_RANDOM;
	request.input_total = TOTAL;
	return request;
}

static void put_read(struct stream *stream, uint64_t offset, uint32_t length)
{
	const struct wire_read read = { .offset = offset, .length = length, .reserved = UINT32_MAX };

	put(stream, WIRE_READ, sizeof(read), &read, sizeof(read));
}

Test(wire_random, in_every_state)
{
	static const struct {
		enum wire_state state;
		bool allowed;
	} rows[] = {
		{ WIRE_STATE_START, false },   { WIRE_STATE_READY, true }, { WIRE_STATE_IMAGE, true },
		{ WIRE_STATE_FRAME, true },    { WIRE_STATE_BYTES, true }, { WIRE_STATE_AUDIO, true },
		{ WIRE_STATE_DAMAGED, false },
	};
	static struct stream stream;
	const struct wire_request offered = make_random_request(), not_offered = make_request();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		stream.size = 0;
		reach(&stream, rows[i].state);
		put_read(&stream, 0, 1);
		cr_expect_eq(status_of(&stream, &offered), rows[i].allowed ? SDEC_OK : SDEC_KILLED, "row %zu", i);
		cr_expect_eq(status_of(&stream, &not_offered), SDEC_KILLED, "row %zu", i);
	}
}

/* What a READ makes of offset and length. */
static struct wire_reader read_part(uint64_t offset, uint32_t length)
{
	static struct stream stream;
	const struct wire_request request = make_random_request();
	struct counts counts = { .hello = 0 };
	struct wire_reader reader;

	stream.size = stream.taken = 0;
	reach(&stream, WIRE_STATE_READY);
	put_read(&stream, offset, length);
	(void)read_all(&reader, &stream, &counts, &request);
	return reader;
}

Test(wire_random, what_is_behind_the_end_is_cut_off)
{
	static const struct {
		uint64_t offset;
		uint32_t length;
		uint64_t found_offset;
		uint32_t found_length;
	} rows[] = {
		{ 0, 1, 0, 1 },
		{ 0, TOTAL, 0, TOTAL },
		{ 0, TOTAL + 1, 0, TOTAL },
		{ 0, WIRE_READ_MAX, 0, TOTAL },
		{ 1, TOTAL, 1, TOTAL - 1 },
		{ TOTAL - 1, 1, TOTAL - 1, 1 },
		{ TOTAL - 1, 2, TOTAL - 1, 1 },
		{ TOTAL, 1, TOTAL, 0 },
		{ TOTAL + 1, 5, TOTAL, 0 },
		{ UINT64_MAX, 1, TOTAL, 0 }, /* the sum would be 0 */
		{ UINT64_MAX, WIRE_READ_MAX, TOTAL, 0 },
		{ UINT64_C(1) << 32, 8, TOTAL, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wire_reader reader = read_part(rows[i].offset, rows[i].length);
		cr_expect(reader.part_wanted && reader.state == WIRE_STATE_READY, "row %zu", i);
		cr_expect_eq(reader.part_offset, rows[i].found_offset, "row %zu", i);
		cr_expect_eq(reader.part_length, rows[i].found_length, "row %zu", i);
	}
}

Test(wire_random, lengths_that_no_part_has)
{
	static const uint32_t lengths[] = { 0, WIRE_READ_MAX + 1, UINT32_MAX };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct wire_reader reader = read_part(0, lengths[i]);
		cr_expect(!reader.part_wanted && reader.state == WIRE_STATE_OVER, "row %zu", i);
		cr_expect_eq(reader.outcome.status, SDEC_KILLED, "row %zu", i);
	}
}

/* The answer to the last one must have left: else a child could have any number of them on their way. */
Test(wire_random, one_at_a_time)
{
	static struct stream stream;
	const struct wire_request request = make_random_request();

	for (int answered = 0; answered < 2; answered++) {
		struct counts counts = { .hello = 0 };
		struct wire_consumer consumer = counting_consumer(&counts);
		struct wire_reader reader;
		stream.size = stream.taken = 0;
		reach(&stream, WIRE_STATE_FRAME);
		put_read(&stream, 0, 1);
		wire_reader_init(&reader, &request, &consumer);
		cr_expect_eq(read_on(&reader, &stream), WIRE_PROGRESS_EOF);
		cr_expect(reader.part_wanted);
		reader.part_wanted = !answered;
		put_read(&stream, 0, 1);
		cr_expect_eq(read_on(&reader, &stream), answered ? WIRE_PROGRESS_EOF : WIRE_PROGRESS_OVER);
		cr_expect_eq(reader.outcome.status, answered ? SDEC_OK : SDEC_KILLED);
	}
}

/* A part that is asked for changes nothing in what may come next, and what is sent meanwhile is taken. */
Test(wire_random, between_pixels)
{
	static struct stream stream;
	const struct wire_request request = make_random_request();
	struct counts counts = { .hello = 0 };
	struct wire_reader reader;

	stream.size = stream.taken = 0;
	reach(&stream, WIRE_STATE_FRAME);
	put_good(&stream, WIRE_PIXELS, 4);
	put_read(&stream, 7, 9);
	put_good(&stream, WIRE_PIXELS, PIXELS - 4);
	put_good(&stream, WIRE_END, 0);
	cr_expect_eq(read_all(&reader, &stream, &counts, &request), WIRE_PROGRESS_OVER);
	cr_expect_eq(reader.outcome.status, SDEC_OK);
	cr_expect_eq(counts.committed, PIXELS);
	cr_expect_eq(counts.end, 1);
}
