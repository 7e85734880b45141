/* SPDX-License-Identifier: MIT */
/* Streams: what they give, that a poll() loop on their descriptor neither hangs nor spins, and that they end anywhere.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/library_support.h"

/* What a loop saw. */
struct seen {
	enum sdec_status status;
	unsigned steps, nothings, infos, frames, row_events, byte_events, ends;
	uint32_t rows, height;
	uint8_t *data; /* owned: all rows packed, or all bytes */
	size_t size, row_bytes;
	struct sdec_result result;
	struct sdec_posture posture;
};

enum {
	PATIENCE = 20000, /* milliseconds for poll(): a loop that gets there hangs */
	ALL = -1,
};

static void collect(struct seen *seen, const void *data, size_t size)
{
	seen->data = realloc(seen->data, seen->size + size);
	cr_assert_not_null(seen->data);
	memcpy(seen->data + seen->size, data, size);
	seen->size += size;
}

static void take(struct seen *seen, const struct sdec_event *event)
{
	switch (event->kind) {
	case SDEC_EVENT_INFO:
		cr_assert_eq(seen->infos++ + seen->frames + seen->row_events, 0);
		seen->height = event->info->height;
		break;
	case SDEC_EVENT_FRAME:
		cr_assert_eq(seen->infos, 1);
		cr_assert_eq(event->frame, seen->frames++);
		break;
	case SDEC_EVENT_ROWS:
		cr_assert_eq(seen->frames, 1);
		cr_assert_eq(event->first_row, seen->rows);
		cr_assert_gt(event->rows, 0);
		cr_assert_leq(event->rows, seen->height - seen->rows);
		cr_assert_eq(event->data_size, (event->rows - 1) * event->stride + seen->row_bytes);
		for (uint32_t row = 0; row < event->rows; row++)
			collect(seen, (const uint8_t *)event->data + row * event->stride, seen->row_bytes);
		seen->rows += event->rows;
		seen->row_events++;
		break;
	case SDEC_EVENT_BYTES:
		cr_assert_gt(event->data_size, 0);
		collect(seen, event->data, event->data_size);
		seen->byte_events++;
		break;
	case SDEC_EVENT_END:
		seen->ends++;
		break;
	default:
		seen->nothings++;
		break;
	}
}

static void wait_for(const struct sdec_stream *stream)
{
	struct pollfd ready = { .fd = sdec_stream_fd(stream), .events = POLLIN };

	cr_assert_eq(poll(&ready, 1, PATIENCE), 1, "the stream's descriptor does not become readable");
	cr_assert_eq(ready.revents, POLLIN);
}

/* Polls before each step, until the end, or until `events` events were seen. */
static void loop(struct seen *seen, struct sdec_stream *stream, int events)
{
	struct sdec_event event = { .size = sizeof(event) };

	while (seen->status == SDEC_OK && seen->ends == 0 && (events == ALL || events > 0)) {
		wait_for(stream);
		seen->status = sdec_stream_step(stream, &event);
		seen->steps++;
		if (seen->status == SDEC_OK && event.kind == SDEC_EVENT_INFO)
			seen->row_bytes = event.info->width * (size_t)4;
		if (seen->status == SDEC_OK)
			take(seen, &event);
		events -= events > 0 && event.kind != SDEC_EVENT_NONE;
	}
	seen->result.size = sizeof(seen->result);
	sdec_stream_result(stream, &seen->result);
	cr_assert_eq(seen->result.status, seen->status);
	seen->posture.size = sizeof(seen->posture);
	sdec_stream_posture(stream, &seen->posture);
}

static struct seen run(struct sdec_pool *decoder, const struct sdec_input *input, const struct sdec_request *request)
{
	struct seen seen = { .status = SDEC_OK };
	struct sdec_stream *stream = NULL;
	struct sdec_event event = { .size = sizeof(event) };

	cr_assert_eq(sdec_stream_open(decoder, input, request, &stream), SDEC_OK);
	loop(&seen, stream, ALL);
	/* The same again, for ever. */
	for (int i = 0; i < 3; i++) {
		wait_for(stream);
		cr_assert_eq(sdec_stream_step(stream, &event), seen.status);
		cr_assert_eq(event.kind, seen.status == SDEC_OK ? SDEC_EVENT_END : SDEC_EVENT_NONE);
	}
	sdec_stream_close(&stream);
	cr_assert_null(stream);
	return seen;
}

static void expect_same(struct seen *seen, const char *arguments)
{
	struct blob wanted = command_line(arguments);

	cr_assert_eq(seen->status, SDEC_OK, "%s: %s", arguments, seen->result.reason);
	cr_assert_eq(seen->size, wanted.size);
	cr_assert(memcmp(seen->data, wanted.data, wanted.size) == 0);
	free(seen->data);
	free_blob(&wanted);
}

/* ---- what they give ---- */

Test(library_streams, rows_in_order_each_once)
{
	static const char *const pictures[] = { PHOTOGRAPH,
		                                SCREENSHOT,
		                                "samples/png/with-alpha.png",
		                                "samples/png/ibasn3p04.png",
		                                "samples/png/palette-8.png",
		                                "samples/jpeg/peacock.grayscale.jpeg" };
	struct sdec_pool *decoder = open_decoder(NULL);

	for (size_t i = 0; i < sizeof(pictures) / sizeof(pictures[0]); i++) {
		struct blob file = read_blob(pictures[i]);
		struct sdec_input input = memory_input(file.data, file.size);
		struct seen seen = run(decoder, &input, NULL);
		char arguments[256];
		(void)snprintf(arguments, sizeof(arguments), "-t raw -p bgra %s", pictures[i]);
		cr_assert_eq(seen.rows, seen.height);
		cr_assert_eq(seen.infos + seen.frames, 2);
		cr_assert_neq(seen.posture.verified, 0);
		expect_same(&seen, arguments);
		free_blob(&file);
	}
	sdec_pool_close(&decoder);
}

Test(library_streams, bytes)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	int fd = open("samples/gzip/midsummer.txt.gz", O_RDONLY | O_CLOEXEC);
	struct sdec_input input = fd_input(fd);
	struct seen seen = run(decoder, &input, NULL);

	cr_assert_eq(seen.frames + seen.row_events, 0);
	expect_same(&seen, "samples/gzip/midsummer.txt.gz");
	(void)close(fd);
	sdec_pool_close(&decoder);
}

Test(library_streams, into_the_callers_memory)
{
	enum { STRIDE = PHOTOGRAPH_WIDTH * 4 + 20, SIZE = STRIDE * PHOTOGRAPH_HEIGHT - 20 };
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob(PHOTOGRAPH);
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_stream *stream = NULL;
	struct seen seen = { .status = SDEC_OK };
	uint8_t *pixels = calloc(1, SIZE);

	cr_assert_not_null(pixels);
	cr_assert_eq(sdec_stream_open(decoder, &input, NULL, &stream), SDEC_OK);
	cr_assert_eq(sdec_stream_into(stream, pixels, SIZE, STRIDE), SDEC_USAGE); /* too early */
	loop(&seen, stream, 1);
	cr_assert_eq(seen.infos, 1);
	cr_assert_eq(sdec_stream_into(stream, NULL, SIZE, STRIDE), SDEC_USAGE);
	cr_assert_eq(sdec_stream_into(stream, pixels, SIZE - 1, STRIDE), SDEC_TOO_SMALL);
	cr_assert_eq(sdec_stream_into(stream, pixels, SIZE, PHOTOGRAPH_WIDTH * 4 - 1), SDEC_TOO_SMALL);
	cr_assert_eq(sdec_stream_into(stream, pixels, SIZE, STRIDE), SDEC_OK);
	cr_assert_eq(sdec_stream_into(stream, pixels, SIZE, STRIDE), SDEC_USAGE); /* once is enough */

	struct sdec_event event = { .size = sizeof(event) };
	uint32_t rows = 0;
	while (event.kind != SDEC_EVENT_END) {
		wait_for(stream);
		cr_assert_eq(sdec_stream_step(stream, &event), SDEC_OK);
		if (event.kind != SDEC_EVENT_ROWS)
			continue;
		cr_assert_eq(event.first_row, rows);
		cr_assert_eq(event.data, pixels + (size_t)rows * STRIDE);
		rows += event.rows;
	}
	cr_assert_eq(rows, PHOTOGRAPH_HEIGHT);
	struct blob wanted = command_line("-t raw -p bgra " PHOTOGRAPH);
	for (size_t y = 0; y < PHOTOGRAPH_HEIGHT; y++)
		cr_assert(memcmp(pixels + y * STRIDE, wanted.data + y * PHOTOGRAPH_WIDTH * 4, PHOTOGRAPH_WIDTH * 4) ==
		          0);
	cr_assert_eq(sdec_stream_into(stream, pixels, SIZE, STRIDE), SDEC_USAGE); /* too late */
	sdec_stream_close(&stream);
	free(pixels);
	free_blob(&wanted);
	free_blob(&file);
	sdec_pool_close(&decoder);
}

Test(library_streams, of_a_damaged_picture_all_rows_come)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob(PHOTOGRAPH);
	struct sdec_input input = memory_input(file.data, file.size / 2);
	struct sdec_request request = { .size = sizeof(request), .flags = SDEC_PARTIAL };
	struct seen seen = run(decoder, &input, &request);

	cr_assert_eq(seen.status, SDEC_OK);
	cr_assert_eq(seen.rows, PHOTOGRAPH_HEIGHT);
	cr_assert_neq(seen.result.damage, 0);
	cr_assert_gt(seen.result.rows_missing, 100);
	size_t there = (size_t)(seen.rows - seen.result.rows_missing) * PHOTOGRAPH_WIDTH * 4;
	for (size_t i = there; i < seen.size; i++)
		cr_assert_eq(seen.data[i], 0);
	free(seen.data);
	request.flags = 0;
	seen = run(decoder, &input, &request);
	cr_assert_eq(seen.status, SDEC_MALFORMED);
	cr_assert_gt(seen.rows, 100);
	free(seen.data);
	free_blob(&file);
	sdec_pool_close(&decoder);
}

/* ---- loops ---- */

/* A writer that takes its time. */
static pid_t write_slowly(const char *path, int ends[2], size_t piece, unsigned pause)
{
	struct blob file = read_blob(path);

	cr_assert_eq(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		(void)close(ends[0]);
		for (size_t at = 0; at < file.size; at += piece) {
			size_t size = file.size - at < piece ? file.size - at : piece;
			if (write(ends[1], file.data + at, size) != (ssize_t)size)
				_exit(1);
			sleep_milliseconds(pause);
		}
		_exit(0);
	}
	(void)close(ends[1]);
	free_blob(&file);
	return pid;
}

Test(library_loops, a_slow_source_costs_few_steps)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct sdec_limits limits = { .size = sizeof(limits), .stall_seconds = 1 };
	struct sdec_request request = { .size = sizeof(request), .limits = &limits };
	int ends[2];
	/* 2 seconds altogether: longer than the stall limit, which is not about the source. */
	(void)write_slowly(PHOTOGRAPH, ends, 8000, 80);
	struct sdec_input input = fd_input(ends[0]);
	struct seen seen = run(decoder, &input, &request);

	/* Each piece of input wakes it up once or twice, each piece of output twice. */
	cr_assert_lt(seen.nothings, 200, "%u steps did nothing", seen.nothings);
	expect_same(&seen, "-t raw -p bgra " PHOTOGRAPH);
	(void)close(ends[0]);
	sdec_pool_close(&decoder);
}

Test(library_loops, nothing_to_do_costs_no_steps)
{
	struct sdec_pool *decoder = open_hostile(NULL);
	struct sdec_limits limits = { .size = sizeof(limits), .stall_seconds = 1 };
	struct sdec_request request = { .size = sizeof(request), .limits = &limits };
	struct sdec_input input = text_input("HOSTILE spin");
	struct seen seen = run(decoder, &input, &request);

	cr_assert_eq(seen.status, SDEC_LIMIT);
	cr_assert_eq(seen.result.limit, SDEC_LIMIT_STALL);
	cr_assert_lt(seen.steps, 20, "%u steps", seen.steps);
	sdec_pool_close(&decoder);
}

/* A caller that steps for reasons of its own must not put the stall limit off. */
Test(library_loops, a_stall_ends_however_often_it_steps)
{
	struct sdec_pool *decoder = open_hostile(NULL);
	struct sdec_limits limits = { .size = sizeof(limits), .stall_seconds = 1 };
	struct sdec_request request = { .size = sizeof(request), .limits = &limits };
	struct sdec_input input = text_input("HOSTILE spin");
	struct sdec_stream *stream = NULL;
	struct sdec_event event = { .size = sizeof(event) };
	uint64_t before = now_milliseconds();
	enum sdec_status status = SDEC_OK;

	cr_assert_eq(sdec_stream_open(decoder, &input, &request, &stream), SDEC_OK);
	while ((status = sdec_stream_step(stream, &event)) == SDEC_OK) {
		cr_assert_lt(now_milliseconds() - before, 15000);
		sleep_milliseconds(20);
	}
	cr_assert_eq(status, SDEC_LIMIT);
	sdec_stream_close(&stream);
	sdec_pool_close(&decoder);
}

/* Time in which the caller does not step does not count as the decoder's. */
Test(library_loops, a_slow_caller_is_no_stall)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob(PHOTOGRAPH);
	struct sdec_limits limits = { .size = sizeof(limits), .stall_seconds = 1 };
	struct sdec_request request = { .size = sizeof(request), .limits = &limits };
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_stream *stream = NULL;
	struct seen seen = { .status = SDEC_OK };

	cr_assert_eq(sdec_stream_open(decoder, &input, &request, &stream), SDEC_OK);
	loop(&seen, stream, 3);
	sleep_milliseconds(1500);
	loop(&seen, stream, ALL);
	cr_assert_eq(seen.status, SDEC_OK, "%s", seen.result.reason);
	free(seen.data);
	sdec_stream_close(&stream);
	free_blob(&file);
	sdec_pool_close(&decoder);
}

Test(library_loops, a_deadline_before_the_first_byte)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct sdec_limits limits = { .size = sizeof(limits), .deadline_milliseconds = 200 };
	struct sdec_request request = { .size = sizeof(request), .limits = &limits };
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	struct sdec_input input = fd_input(ends[0]);
	struct seen seen = run(decoder, &input, &request);
	cr_assert_eq(seen.result.limit, SDEC_LIMIT_DEADLINE);
	cr_assert_lt(seen.steps, 10);
	(void)close(ends[0]);
	(void)close(ends[1]);
	sdec_pool_close(&decoder);
}

Test(library_loops, many_at_once)
{
	enum { STREAMS = 20 };
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob(PHOTOGRAPH);
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_stream *streams[STREAMS];
	uint32_t rows[STREAMS] = { 0 };
	struct pollfd fds[STREAMS];
	size_t left = STREAMS;

	for (int i = 0; i < STREAMS; i++) {
		cr_assert_eq(sdec_stream_open(decoder, &input, NULL, &streams[i]), SDEC_OK);
		fds[i] = (struct pollfd){ .fd = sdec_stream_fd(streams[i]), .events = POLLIN };
	}
	while (left > 0) {
		cr_assert_gt(poll(fds, STREAMS, PATIENCE), 0);
		for (int i = 0; i < STREAMS; i++) {
			struct sdec_event event = { .size = sizeof(event) };
			if (fds[i].revents == 0)
				continue;
			cr_assert_eq(sdec_stream_step(streams[i], &event), SDEC_OK);
			if (event.kind == SDEC_EVENT_ROWS)
				rows[i] += event.rows;
			if (event.kind != SDEC_EVENT_END)
				continue;
			cr_assert_eq(rows[i], PHOTOGRAPH_HEIGHT);
			sdec_stream_close(&streams[i]);
			fds[i].fd = -1;
			left--;
		}
	}
	free_blob(&file);
	sdec_pool_close(&decoder);
}

/* ---- endings ---- */

static void cancel_everywhere(struct sdec_pool *decoder, const struct sdec_input *input)
{
	for (int events = 0;; events++) {
		struct sdec_stream *stream = NULL;
		struct seen seen = { .status = SDEC_OK };
		cr_assert_eq(sdec_stream_open(decoder, input, NULL, &stream), SDEC_OK);
		loop(&seen, stream, events);
		cr_assert_eq(seen.status, SDEC_OK);
		free(seen.data);
		uint64_t before = now_milliseconds();
		sdec_stream_close(&stream);
		cr_assert_lt(now_milliseconds() - before, 15000);
		if (seen.ends > 0)
			break;
	}
}

Test(library_streams, cancelled_at_every_event)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob(PHOTOGRAPH);
	struct blob text = read_blob(ROMEO);
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_input text_file = memory_input(text.data, text.size);
	struct sdec_event event = { .size = sizeof(event) };

	expect_works(decoder);
	cancel_everywhere(decoder, &text_file);
	size_t descriptors = count_descriptors();
	cancel_everywhere(decoder, &input);
	/* And between events, while it waits for a child. */
	for (int steps = 1; steps < 5; steps++) {
		for (int i = 0; i < 5; i++) {
			struct sdec_stream *stream = NULL;
			cr_assert_eq(sdec_stream_open(decoder, &input, NULL, &stream), SDEC_OK);
			for (int step = 0; step < steps; step++)
				cr_assert_eq(sdec_stream_step(stream, &event), SDEC_OK);
			sdec_stream_close(&stream);
		}
	}
	expect_works(decoder);
	/* A child that was asked for and not used may wait as one more spare. */
	sleep_milliseconds(200);
	expect_works(decoder);
	cr_assert_leq(count_descriptors(), descriptors + (2 + 8) * 4, "%zu, %zu before", count_descriptors(),
	              descriptors);
	free_blob(&file);
	free_blob(&text);
	sdec_pool_close(&decoder);
}

Test(library_streams, a_crash_after_rows)
{
	struct sdec_pool *decoder = open_hostile(NULL);
	struct sdec_input input = text_input("HOSTILE long 16 16");
	struct seen seen = run(decoder, &input, NULL);

	cr_assert_eq(seen.status, SDEC_KILLED);
	cr_assert_eq(seen.ends, 0);
	free(seen.data);
	input = text_input("HOSTILE flood");
	seen = run(decoder, &input, NULL);
	cr_assert_eq(seen.status, SDEC_KILLED); /* a format of pictures gives no bytes */
	sdec_pool_close(&decoder);
}
