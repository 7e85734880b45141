/* SPDX-License-Identifier: MIT */
#include "pump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "broker/base/fds.h"

enum {
	SOURCE,
	TO_CHILD,
	FROM_CHILD,
	PIPE_SIZE = 64 << 10,      /* bytes that a pipe holds at first */
	LARGE_PIPE_SIZE = 1 << 20, /* bytes */
	STEPS_AT_ONCE = 64,        /* of the reader, before others that share the poll loop have their turn, */
	TIME_AT_ONCE = 5000000,    /* and nanoseconds */
	WAIT_AT_ONCE = 1000,       /* milliseconds: a longer wait is not charged, for this process did not run */
	GATHER_LEAST = 100000,     /* nanoseconds; far less than it takes to fill the pipe */
	GATHER_MOST = 1600000,     /* no more than a decode of many MiB can end later */
	GATHER_AFTER = 16 << 20,   /* bytes that come before more than the least is waited for */
};

/* The start of what comes from a source is in its buffer already. */
static struct outcome make_buffer(struct pump *pump)
{
	pump->buffer = malloc(PUMP_BUFFER_SIZE);
	if (!pump->buffer || pump->next_size > PUMP_BUFFER_SIZE)
		return outcome_of_errno(SDEC_IO, "no memory for the input", ENOMEM);
	if (pump->next_size > 0)
		memcpy(pump->buffer, pump->next, pump->next_size);
	pump->next = pump->buffer;
	return outcome_ok();
}

/* What a file or a pipe has can go to the child's pipe without a copy. */
static void try_splicing(struct pump *pump)
{
	struct stat status;

	if (fstat(pump->source, &status) != 0)
		return;
	pump->source_is_file = S_ISREG(status.st_mode);
	pump->source_ready = pump->source_is_file;
	pump->splices = pump->source_is_file || S_ISFIFO(status.st_mode);
}

static struct outcome check_input(const struct pump *pump)
{
	if (pump->input > pump->max_input)
		return outcome_of_limit(SDEC_LIMIT_INPUT, "more input than the limit allows");
	return outcome_ok();
}

/* Nothing leaves but what is asked for. */
static struct outcome init_random(struct pump *pump, const struct pump_plan *plan)
{
	pump->is_random = pump->source_ended = true;
	pump->next_size = 0;
	pump->input = 0;
	return random_init(&pump->random, plan->source < 0 ? plan->start : NULL, plan->source, plan->random_start,
	                   plan->request->input_total);
}

static wire_move_function move_on;

struct outcome pump_init(struct pump *pump, const struct pump_plan *plan)
{
	*pump = (struct pump){
		.source = plan->source,
		.source_ended = plan->source < 0,
		.to_child = plan->to_child,
		.from_child = plan->from_child,
		.relay = { -1, -1 },
		.next = plan->start,
		.next_size = plan->start_size,
		.input = plan->start_size,
		.max_input = plan->max_input,
		.stall_limit = plan->stall_seconds * CLOCK_SECOND,
	};
	wire_reader_init(&pump->reader, plan->request, plan->consumer);
	pump->reader.move = move_on;
	if (plan->request->flags & WIRE_RANDOM)
		return init_random(pump, plan);
	if (plan->source >= 0)
		try_splicing(pump);
	struct outcome outcome = check_input(pump);
	return outcome.status == SDEC_OK && plan->source >= 0 ? make_buffer(pump) : outcome;
}

static void close_relay(struct pump *pump)
{
	fds_close(&pump->relay[0]);
	fds_close(&pump->relay[1]);
	pump->no_relay = true;
}

void pump_free(struct pump *pump)
{
	free(pump->buffer);
	pump->buffer = NULL;
	random_free(&pump->random);
	close_relay(pump);
}

void pump_release(struct pump *pump)
{
	pump->released = true;
}

void pump_pause(struct pump *pump)
{
	pump->paused = true;
}

static size_t request_left(const struct pump *pump)
{
	return sizeof(pump->reader.request) - pump->request_sent;
}

static bool nothing_to_send(const struct pump *pump)
{
	return request_left(pump) == 0 && pump->part_left == 0 && pump->next_size == 0;
}

static bool feeds(const struct pump *pump)
{
	return pump->released && !pump->input_closed;
}

/* Whether the next compressed bytes must come from the caller's source before anything else can happen to the input. */
static bool wants_source(const struct pump *pump)
{
	return feeds(pump) && nothing_to_send(pump) && !pump->source_ended && !pump->source_ready;
}

static bool wants_splice(const struct pump *pump)
{
	return feeds(pump) && nothing_to_send(pump) && !pump->source_ended && pump->source_ready;
}

static bool wants_to_child(const struct pump *pump)
{
	return feeds(pump) && !nothing_to_send(pump);
}

static size_t stashed(const struct pump *pump)
{
	return pump->stash_end - pump->stash_start;
}

/* Whether there is something to read that poll() does not know of. */
static bool has_pending(const struct pump *pump)
{
	return pump->relayed > 0 || stashed(pump) > 0;
}

int pump_wants(const struct pump *pump, struct pollfd fds[PUMP_FDS])
{
	fds[SOURCE] = (struct pollfd){ .fd = wants_source(pump) ? pump->source : -1, .events = POLLIN };
	bool to_child = wants_to_child(pump) || wants_splice(pump);
	fds[TO_CHILD] = (struct pollfd){ .fd = to_child ? pump->to_child : -1, .events = POLLOUT };
	fds[FROM_CHILD] = (struct pollfd){ .fd = pump->from_child, .events = POLLIN };
	if (has_pending(pump))
		return 0;
	if (wants_source(pump))
		return -1;
	uint64_t left = pump->stall_limit > pump->stalled ? (pump->stall_limit - pump->stalled) / CLOCK_MILLISECOND : 0;
	return left < WAIT_AT_ONCE ? (int)left + 1 : WAIT_AT_ONCE;
}

/* ---- from the child ---- */

/* There is much to come: a relay, and room for the child to decode on while the caller writes, and not to wait for
 * input.  Only a matter of speed: there may be no descriptors left, or an unprivileged user may have used up what the
 * system allows. */
static void open_relay(struct pump *pump)
{
	if (pipe2(pump->relay, O_CLOEXEC) != 0) {
		pump->relay[0] = pump->relay[1] = -1;
		pump->no_relay = true;
		return;
	}
	pump->gather = GATHER_LEAST;
	(void)fcntl(pump->from_child, F_SETPIPE_SZ, LARGE_PIPE_SIZE);
	(void)fcntl(pump->relay[1], F_SETPIPE_SZ, LARGE_PIPE_SIZE);
	(void)fcntl(pump->to_child, F_SETPIPE_SZ, LARGE_PIPE_SIZE);
}

/* Where little comes at a time, the owner waits for more of it: it would only wake up for nothing. */
static void adapt_gathering(struct pump *pump)
{
	if (pump->relayed > LARGE_PIPE_SIZE / 2)
		pump->gather /= 2;
	else if (pump->relayed < LARGE_PIPE_SIZE / 4 && pump->reader.output > GATHER_AFTER)
		pump->gather *= 2;
	if (pump->gather < GATHER_LEAST)
		pump->gather = GATHER_LEAST;
	if (pump->gather > GATHER_MOST)
		pump->gather = GATHER_MOST;
}

/* Moves what the child has written into the relay, without a copy.  Returns as read(2). */
static ssize_t fill_relay(struct pump *pump)
{
	ssize_t moved = 0;

	do
		moved = splice(pump->from_child, NULL, pump->relay[1], NULL, LARGE_PIPE_SIZE, SPLICE_F_NONBLOCK);
	while (moved < 0 && errno == EINTR);
	if (moved > 0) {
		pump->relayed = (size_t)moved;
		adapt_gathering(pump);
	}
	return moved;
}

uint64_t pump_gathering(const struct pump *pump)
{
	/* Who asks for a part of the input waits for it. */
	return pump->relay[0] >= 0 && !pump->is_random ? pump->gather : 0;
}

static ssize_t read_directly(struct pump *pump, void *data, size_t size)
{
	ssize_t got = read(pump->from_child, data, size);

	if (got > 0 && !pump->no_relay) {
		pump->received += (size_t)got;
		if (pump->received >= PIPE_SIZE)
			open_relay(pump);
	}
	return got;
}

static ssize_t read_pipe(struct pump *pump, void *data, size_t size)
{
	if (pump->relay[0] < 0)
		return read_directly(pump, data, size);
	if (pump->relayed == 0) {
		ssize_t moved = fill_relay(pump);
		if (moved == 0 || (moved < 0 && errno == EAGAIN))
			return moved;
		if (moved < 0) {
			/* Where the system does not move it, or not now, it can be read. */
			close_relay(pump);
			return read_directly(pump, data, size);
		}
	}
	ssize_t got = read(pump->relay[0], data, size < pump->relayed ? size : pump->relayed);
	if (got > 0)
		pump->relayed -= (size_t)got;
	return got;
}

static ssize_t read_child(void *context, void *data, size_t size)
{
	struct pump *pump = context;

	if (stashed(pump) == 0) {
		if (size >= PUMP_STASH)
			return read_pipe(pump, data, size);
		ssize_t got = read_pipe(pump, pump->stash, PUMP_STASH);
		if (got <= 0)
			return got;
		pump->stash_start = 0;
		pump->stash_end = (size_t)got;
	}
	if (size > stashed(pump))
		size = stashed(pump);
	memcpy(data, pump->stash + pump->stash_start, size);
	pump->stash_start += size;
	return (ssize_t)size;
}

/* What is in the relay can go on as it came; it is never empty, so that only the descriptor is waited for. */
static ssize_t move_on(void *context, int to, size_t size)
{
	struct pump *pump = context;
	ssize_t moved = 0;

	if (pump->relay[0] < 0 || stashed(pump) > 0 || (pump->relayed == 0 && fill_relay(pump) <= 0))
		return 0;
	if (size > pump->relayed)
		size = pump->relayed;
	do
		moved = splice(pump->relay[0], NULL, to, NULL, size, 0);
	while (moved < 0 && errno == EINTR);
	if (moved > 0)
		pump->relayed -= (size_t)moved;
	return moved;
}

static enum pump_progress end(struct pump *pump, struct outcome outcome)
{
	pump->outcome = outcome;
	return PUMP_OVER;
}

/* Gets a part of the input ready.  What of the input is passed over counts as little as what is read twice. */
static enum pump_progress answer(struct pump *pump)
{
	const struct wire_reader *reader = &pump->reader;
	struct outcome outcome =
	        random_find(&pump->random, reader->part_offset, reader->part_length, &pump->next, &pump->next_size);

	pump->input += pump->next_size;
	if (pump->input > reader->request.input_total)
		pump->input = reader->request.input_total;
	if (outcome.status == SDEC_OK)
		outcome = check_input(pump);
	pump->part.length = (uint32_t)pump->next_size;
	pump->part_left = sizeof(pump->part);
	pump->answers = true;
	return outcome.status == SDEC_OK ? PUMP_MORE : end(pump, outcome);
}

static enum pump_progress step_from_child(struct pump *pump)
{
	uint64_t begun = clock_read(CLOCK_MONOTONIC);

	for (int i = 0; i < STEPS_AT_ONCE && !pump->paused && clock_read(CLOCK_MONOTONIC) - begun < TIME_AT_ONCE; i++) {
		enum wire_progress progress = wire_reader_step(&pump->reader, read_child, pump);

		if (progress == WIRE_PROGRESS_OVER)
			return end(pump, pump->reader.outcome);
		if (progress == WIRE_PROGRESS_EOF)
			return PUMP_GONE;
		if (pump->reader.part_wanted && !pump->answers)
			return answer(pump);
		if (progress == WIRE_PROGRESS_WAIT)
			break;
	}
	return PUMP_MORE;
}

/* ---- to the child ---- */

/* `got` bytes came from the source; 0: it ended. */
static enum pump_progress count_input(struct pump *pump, size_t got)
{
	pump->source_ended = got == 0;
	pump->input += got;
	struct outcome outcome = check_input(pump);
	return outcome.status == SDEC_OK ? PUMP_MORE : end(pump, outcome);
}

static enum pump_progress read_source(struct pump *pump)
{
	ssize_t got = read(pump->source, pump->buffer, PUMP_BUFFER_SIZE);

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return PUMP_MORE;
	if (got < 0)
		return end(pump, outcome_of_errno(SDEC_IO, "cannot read the input", errno));
	pump->next = pump->buffer;
	pump->next_size = (size_t)got;
	return count_input(pump, (size_t)got);
}

static enum pump_progress step_source(struct pump *pump)
{
	pump->source_ready = pump->splices;
	return pump->splices ? PUMP_MORE : read_source(pump);
}

static enum pump_progress splice_once(struct pump *pump, bool has_room)
{
	ssize_t moved = splice(pump->source, NULL, pump->to_child, NULL, LARGE_PIPE_SIZE, SPLICE_F_NONBLOCK);

	if (moved >= 0) {
		pump->reader.input_pieces++;
		pump->source_ready = pump->source_is_file;
		return count_input(pump, (size_t)moved);
	}
	if (errno == EPIPE) {
		pump->input_closed = true;
	} else if (errno == EAGAIN) {
		/* No room; or if there is some, somebody else was faster to read from the source. */
		pump->source_ready = pump->source_is_file || !has_room;
	} else if (errno != EINTR) {
		/* A file system that cannot; or a failure that reading will name. */
		pump->splices = pump->source_ready = false;
	}
	return PUMP_MORE;
}

/* Twice, so that the end of a small file is found at once. */
static enum pump_progress step_splice(struct pump *pump, bool has_room)
{
	enum pump_progress progress = splice_once(pump, has_room);

	return progress == PUMP_MORE && wants_splice(pump) ? splice_once(pump, false) : progress;
}

static size_t least(size_t one, size_t other)
{
	return one < other ? one : other;
}

static void note_sent(struct pump *pump, size_t size)
{
	enum { PIECE = 4 << 10 }; /* bytes: less that is asked for is no reason to send a message */
	size_t of_request = least(size, request_left(pump));
	size_t of_part = least(size - of_request, pump->part_left);
	size_t of_input = size - of_request - of_part;

	pump->reader.input_pieces += pump->is_random ? size / PIECE : 1;
	pump->request_sent += of_request;
	pump->part_left -= of_part;
	if (of_input > 0) /* before there is a part, there is no place that it is at */
		pump->next += of_input;
	pump->next_size -= of_input;
	if (pump->answers && nothing_to_send(pump))
		pump->answers = pump->reader.part_wanted = false;
}

/* A child that takes no more input may still have an answer, so that is no failure by itself. */
static enum pump_progress step_to_child(struct pump *pump)
{
	struct iovec pieces[] = {
		{ .iov_base = (uint8_t *)&pump->reader.request + pump->request_sent, .iov_len = request_left(pump) },
		{ .iov_base = (uint8_t *)(&pump->part + 1) - pump->part_left, .iov_len = pump->part_left },
		{ .iov_base = (void *)(uintptr_t)pump->next, .iov_len = pump->next_size },
	};
	ssize_t put = writev(pump->to_child, pieces, sizeof(pieces) / sizeof(pieces[0]));

	if (put > 0)
		note_sent(pump, (size_t)put);
	else if (errno == EPIPE)
		pump->input_closed = true;
	else if (errno != EINTR && errno != EAGAIN)
		return end(pump, outcome_of_errno(SDEC_IO, "cannot write to the decoder", errno));
	return PUMP_MORE;
}

static void close_input_at_its_end(struct pump *pump)
{
	if (pump->released && pump->source_ended && !pump->is_random && nothing_to_send(pump))
		pump->input_closed = true;
}

static enum pump_progress feed(struct pump *pump, bool has_room)
{
	enum pump_progress progress = wants_to_child(pump) ? step_to_child(pump) : PUMP_MORE;

	if (progress == PUMP_MORE && wants_splice(pump))
		progress = step_splice(pump, has_room);
	close_input_at_its_end(pump);
	return progress;
}

enum pump_progress pump_send(struct pump *pump)
{
	return feed(pump, false);
}

enum pump_progress pump_step(struct pump *pump, const struct pollfd fds[PUMP_FDS], uint64_t waited)
{
	enum pump_progress progress = PUMP_MORE;
	bool from_child = fds[FROM_CHILD].revents != 0 || has_pending(pump);

	if (from_child || fds[TO_CHILD].revents != 0 || fds[SOURCE].fd >= 0)
		pump->stalled = 0;
	else
		pump->stalled += waited < CLOCK_MILLISECOND * 2 * WAIT_AT_ONCE ? waited : 0;
	pump->paused = false;
	if (pump->stalled >= pump->stall_limit)
		return end(pump,
		           outcome_of_limit(SDEC_LIMIT_STALL, "the decoder stalled for longer than the limit allows"));
	if (from_child)
		progress = step_from_child(pump);
	if (progress == PUMP_MORE && fds[SOURCE].revents != 0)
		progress = step_source(pump);
	return progress == PUMP_MORE ? feed(pump, (fds[TO_CHILD].revents & POLLOUT) != 0) : progress;
}
