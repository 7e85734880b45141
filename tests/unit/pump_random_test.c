/* SPDX-License-Identifier: MIT */
/* The pump with children that ask for the parts of their input, and with those that ask too much. */
#include "tests/support/pump_child.h"

enum { TOTAL = 3000000, PAGE = 4096, OFFSET = 12345 };

/* The input: all bytes differ from their neighbours. */
static uint8_t byte_at(uint64_t offset)
{
	return (uint8_t)(offset * 7 + (offset >> 8));
}

/* A file that has the input from `start` on. */
static int make_input(uint64_t start)
{
	int file = memfd_create("input", MFD_CLOEXEC);
	uint8_t piece[PAGE];

	cr_assert(file >= 0);
	for (uint64_t offset = 0; offset < TOTAL; offset += sizeof(piece)) {
		size_t size = TOTAL - offset < sizeof(piece) ? (size_t)(TOTAL - offset) : sizeof(piece);
		for (size_t i = 0; i < size; i++)
			piece[i] = byte_at(offset + i);
		cr_assert_eq(pwrite(file, piece, size, (off_t)(start + offset)), (ssize_t)size);
	}
	return file;
}

/* ---- the children ---- */

static void take(void *to, size_t size)
{
	for (size_t taken = 0; taken < size;) {
		ssize_t got = read(STDIN_FILENO, (uint8_t *)to + taken, size - taken);
		if (got <= 0)
			_exit(1);
		taken += (size_t)got;
	}
}

static void begin(void)
{
	struct wire_request request;

	say_hello();
	take(&request, sizeof(request));
	if (!(request.flags & WIRE_RANDOM) || request.input_total != TOTAL)
		_exit(1);
	say(WIRE_BYTES, NULL, 0);
}

static void ask(uint64_t offset, uint32_t length)
{
	const struct wire_read read = { .offset = offset, .length = length };

	say(WIRE_READ, &read, sizeof(read));
}

/* Takes the answer, which must be right.  Returns its length. */
static uint32_t take_part(uint64_t offset)
{
	static uint8_t bytes[WIRE_READ_MAX];
	struct wire_part part;

	take(&part, sizeof(part));
	if (part.length > sizeof(bytes))
		_exit(1);
	take(bytes, part.length);
	for (uint32_t i = 0; i < part.length; i++)
		if (bytes[i] != byte_at(offset + i))
			_exit(1);
	return part.length;
}

static void expect_part(uint64_t offset, uint32_t length, uint32_t expected)
{
	ask(offset, length);
	if (take_part(offset) != expected)
		_exit(1);
}

/* From the end to the start, and where nothing is. */
static void read_backwards(void)
{
	enum { SIZE = 200000 };

	begin();
	for (uint64_t offset = TOTAL; offset > 0; offset -= SIZE)
		expect_part(offset - SIZE, SIZE, SIZE);
	expect_part(TOTAL - 1, 1, 1);
	expect_part(TOTAL - 10, WIRE_READ_MAX, 10);
	expect_part(TOTAL, 1, 0);
	expect_part(UINT64_MAX, WIRE_READ_MAX, 0);
	expect_part(0, 1, 1);
	say_end();
}

/* Of a file that has become shorter. */
static void read_what_is_left(void)
{
	begin();
	expect_part(0, 200, 100);
	expect_part(100, 200, 0);
	expect_part(TOTAL - 1, 1, 0);
	expect_part(99, 1, 1);
	say_end();
}

/* Asks for more than its pipe holds, and says more than the other one holds before it takes it. */
static void talk_before_taking(void)
{
	static const uint8_t data[65536];

	begin();
	ask(5, WIRE_READ_MAX);
	for (int i = 0; i < 64; i++)
		say(WIRE_DATA, data, sizeof(data));
	if (take_part(5) != WIRE_READ_MAX)
		_exit(1);
	say_end();
}

static void ask_twice(void)
{
	begin();
	ask(0, WIRE_READ_MAX);
	ask(0, WIRE_READ_MAX);
	say_end();
}

static void ask_and_sleep(void)
{
	begin();
	ask(0, WIRE_READ_MAX);
	for (;;)
		pause();
}

static void ask_and_leave(void)
{
	begin();
	ask(0, WIRE_READ_MAX);
	(void)close(STDIN_FILENO);
	say_end();
}

static void read_without_end(void)
{
	begin();
	for (;;)
		expect_part(1, WIRE_READ_MAX, WIRE_READ_MAX);
}

static void read_nothing_without_end(void)
{
	begin();
	for (;;)
		expect_part(TOTAL, 1, 0);
}

/* ---- tests ---- */

static struct child child;

static void begin_child(void (*what)(void), uint64_t start_of_input)
{
	start(&child, what);
	child.input_total = TOTAL;
	child.random_start = start_of_input;
}

static void expect_end(int source, enum sdec_status status, enum sdec_limit limit)
{
	cr_expect_eq(run(&child, source, TOTAL, 20), PUMP_OVER);
	cr_expect_eq(child.pump.outcome.status, status, "%s", child.pump.outcome.reason);
	cr_expect_eq(child.pump.outcome.limit, limit);
	finish(&child);
}

Test(pump_random, parts_of_a_file, .timeout = 30)
{
	static const uint64_t starts[] = { 0, OFFSET, UINT64_C(5) << 30 };

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		begin_child(read_backwards, starts[i]);
		int input = make_input(starts[i]);
		cr_assert_eq(lseek(input, 77, SEEK_SET), 77); /* which does not matter, and is left alone */
		expect_end(input, SDEC_OK, SDEC_LIMIT_NONE);
		cr_expect_eq(lseek(input, 0, SEEK_CUR), 77);
		cr_expect_eq(child.pump.input, TOTAL);
		(void)close(input);
	}
}

Test(pump_random, parts_of_memory, .timeout = 30)
{
	static uint8_t memory[TOTAL];

	for (size_t i = 0; i < TOTAL; i++)
		memory[i] = byte_at(i);
	begin_child(read_backwards, OFFSET); /* of a file, if there were one */
	child.memory = memory;
	expect_end(-1, SDEC_OK, SDEC_LIMIT_NONE);
}

Test(pump_random, a_file_that_has_become_shorter, .timeout = 30)
{
	int input = make_input(OFFSET);

	begin_child(read_what_is_left, OFFSET);
	cr_assert_eq(ftruncate(input, OFFSET + 100), 0);
	expect_end(input, SDEC_OK, SDEC_LIMIT_NONE);
}

Test(pump_random, a_file_that_cannot_be_read, .timeout = 30)
{
	begin_child(read_backwards, 0);
	expect_end(open("/", O_RDONLY | O_CLOEXEC), SDEC_IO, SDEC_LIMIT_NONE);
	cr_expect_eq(child.pump.outcome.error_number, EISDIR);
}

Test(pump_random, a_child_that_talks_first_is_no_deadlock, .timeout = 30)
{
	begin_child(talk_before_taking, 0);
	expect_end(make_input(0), SDEC_OK, SDEC_LIMIT_NONE);
	cr_expect_eq(child.received, (uint64_t)64 * 65536);
}

Test(pump_random, a_second_part_must_wait, .timeout = 30)
{
	begin_child(ask_twice, 0);
	expect_end(make_input(0), SDEC_KILLED, SDEC_LIMIT_NONE);
}

Test(pump_random, a_child_that_does_not_take_its_answer, .timeout = 30)
{
	begin_child(ask_and_sleep, 0);
	cr_expect_eq(run(&child, make_input(0), TOTAL, 1), PUMP_OVER);
	cr_expect_eq(child.pump.outcome.limit, SDEC_LIMIT_STALL, "%s", child.pump.outcome.reason);
	finish(&child);
	begin_child(ask_and_leave, 0);
	expect_end(make_input(0), SDEC_OK, SDEC_LIMIT_NONE);
}

Test(pump_random, reading_without_end, .timeout = 60)
{
	begin_child(read_without_end, 0);
	expect_end(make_input(0), SDEC_LIMIT, SDEC_LIMIT_READS);
}

/* What gives nothing does not count as input, so that the number of messages is limited. */
Test(pump_random, reading_nothing_without_end, .timeout = 30)
{
	begin_child(read_nothing_without_end, 0);
	init(&child, make_input(0), TOTAL, 20);
	child.pump.reader.messages = (1 << 18) - 100;
	cr_expect_eq(run_on(&child), PUMP_OVER);
	cr_expect_eq(child.pump.outcome.status, SDEC_KILLED);
	cr_expect_str_eq(child.pump.outcome.reason, "the decoder lied: it sent too many messages");
	finish(&child);
}

/* What gives much does. */
Test(pump_random, reading_much_is_no_matter_of_messages, .timeout = 30)
{
	begin_child(read_backwards, 0);
	init(&child, make_input(0), TOTAL, 20);
	child.pump.reader.messages = (1 << 18) - 10;
	cr_expect_eq(run_on(&child), PUMP_OVER);
	cr_expect_eq(child.pump.outcome.status, SDEC_OK, "%s", child.pump.outcome.reason);
	finish(&child);
}

/* Of a longer input than the limit allows, less may be read. */
Test(pump_random, input_limit, .timeout = 30)
{
	begin_child(read_backwards, 0);
	cr_expect_eq(run(&child, make_input(0), TOTAL - 1, 20), PUMP_OVER);
	cr_expect_eq(child.pump.outcome.limit, SDEC_LIMIT_INPUT, "%s", child.pump.outcome.reason);
	finish(&child);
}

/* Nothing leaves that nobody asked for, and the child's input does not end. */
Test(pump_random, nothing_else_leaves, .timeout = 30)
{
	struct pollfd fds[PUMP_FDS];

	begin_child(ask_and_sleep, 0);
	init(&child, make_input(0), TOTAL, 20);
	pump_release(&child.pump);
	cr_expect_eq(pump_send(&child.pump), PUMP_MORE);
	cr_expect(!child.pump.input_closed);
	(void)pump_wants(&child.pump, fds);
	cr_expect(fds[0].fd < 0 && fds[1].fd < 0 && fds[2].fd == child.output);
	cr_expect_eq(child.pump.input, 0);
	pump_free(&child.pump);
	finish(&child);
}
