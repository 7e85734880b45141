/* SPDX-License-Identifier: MIT */
#include "pump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	SOURCE,
	TO_CHILD,
	FROM_CHILD,
	PIPE_SIZE = 64 << 10,      /* bytes that a pipe holds at first */
	LARGE_PIPE_SIZE = 1 << 20, /* bytes */
	STEPS_AT_ONCE = 64,        /* of the reader, before others that share the poll loop have their turn */
};

#define NANOSECONDS UINT64_C(1000000000)

struct safe_outcome pump_init(struct pump *pump, const struct pump_plan *plan)
{
	*pump = (struct pump){
		.source = plan->source,
		.to_child = plan->to_child,
		.from_child = plan->from_child,
		.input = plan->start_size,
		.max_input = plan->max_input,
		.stall_limit = plan->stall_seconds * NANOSECONDS,
	};
	pump->relay[0] = pump->relay[1] = -1;
	wire_reader_init(&pump->reader, plan->request, plan->consumer);
	if (pipe2(pump->relay, O_CLOEXEC) != 0)
		return outcome_of_errno(SAFE_IO, "cannot make a pipe", errno);
	pump->buffer = malloc(PUMP_BUFFER_SIZE);
	if (!pump->buffer || plan->start_size > PUMP_BUFFER_SIZE - sizeof(*plan->request))
		return outcome_of_errno(SAFE_IO, "no memory for the input", ENOMEM);
	memcpy(pump->buffer, plan->request, sizeof(*plan->request));
	pump->end = sizeof(*plan->request);
	if (plan->start_size > 0)
		memcpy(pump->buffer + pump->end, plan->start, plan->start_size);
	pump->end += plan->start_size;
	return outcome_ok();
}

void pump_free(struct pump *pump)
{
	free(pump->buffer);
	pump->buffer = NULL;
	for (int end = 0; end < 2; end++) {
		if (pump->relay[end] >= 0)
			(void)close(pump->relay[end]);
		pump->relay[end] = -1;
	}
}

void pump_release(struct pump *pump)
{
	pump->released = true;
}

static bool buffer_is_empty(const struct pump *pump)
{
	return pump->start == pump->end;
}

/* Whether the next compressed bytes must come from the caller's source before anything else can happen to the input. */
static bool wants_source(const struct pump *pump)
{
	return pump->released && !pump->input_closed && buffer_is_empty(pump) && !pump->source_ended;
}

static bool wants_to_child(const struct pump *pump)
{
	return pump->released && !pump->input_closed && !buffer_is_empty(pump);
}

int pump_wants(const struct pump *pump, struct pollfd fds[PUMP_FDS])
{
	fds[SOURCE] = (struct pollfd){ .fd = wants_source(pump) ? pump->source : -1, .events = POLLIN };
	fds[TO_CHILD] = (struct pollfd){ .fd = wants_to_child(pump) ? pump->to_child : -1, .events = POLLOUT };
	fds[FROM_CHILD] = (struct pollfd){ .fd = pump->from_child, .events = POLLIN };
	if (wants_source(pump))
		return -1;
	uint64_t left = pump->stall_limit > pump->stalled ? pump->stall_limit - pump->stalled : 0;
	return (int)(left / 1000000 + 1); /* at most a day: see options */
}

/* There is much to come: room for the child to decode on while the caller writes.  Only a matter of speed: an
 * unprivileged user may have used up what the system allows. */
static void enlarge_pipes(struct pump *pump)
{
	(void)fcntl(pump->from_child, F_SETPIPE_SZ, LARGE_PIPE_SIZE);
	(void)fcntl(pump->relay[1], F_SETPIPE_SZ, LARGE_PIPE_SIZE);
	pump->enlarged = true;
}

/* Moves what the child has written into the relay, without a copy.  Returns as read(2). */
static ssize_t fill_relay(struct pump *pump)
{
	ssize_t moved = 0;

	do
		moved = splice(pump->from_child, NULL, pump->relay[1], NULL, LARGE_PIPE_SIZE, SPLICE_F_NONBLOCK);
	while (moved < 0 && errno == EINTR);
	if (moved > 0)
		pump->relayed = (size_t)moved;
	if (moved >= PIPE_SIZE && !pump->enlarged)
		enlarge_pipes(pump);
	return moved;
}

bool pump_is_streaming(const struct pump *pump)
{
	return pump->enlarged;
}

static ssize_t read_child(void *context, void *data, size_t size)
{
	struct pump *pump = context;

	if (pump->relayed == 0) {
		ssize_t moved = fill_relay(pump);
		if (moved <= 0)
			return moved;
	}
	ssize_t got = read(pump->relay[0], data, size < pump->relayed ? size : pump->relayed);
	if (got > 0)
		pump->relayed -= (size_t)got;
	return got;
}

static enum pump_progress end(struct pump *pump, struct safe_outcome outcome)
{
	pump->outcome = outcome;
	return PUMP_OVER;
}

static enum pump_progress step_from_child(struct pump *pump)
{
	for (int i = 0; i < STEPS_AT_ONCE; i++) {
		enum wire_progress progress = wire_reader_step(&pump->reader, read_child, pump);

		if (progress == WIRE_PROGRESS_OVER)
			return end(pump, pump->reader.outcome);
		if (progress == WIRE_PROGRESS_EOF)
			return PUMP_GONE;
		if (progress == WIRE_PROGRESS_WAIT)
			break;
	}
	return PUMP_MORE;
}

static enum pump_progress step_source(struct pump *pump)
{
	ssize_t got = read(pump->source, pump->buffer, PUMP_BUFFER_SIZE);

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return PUMP_MORE;
	if (got < 0)
		return end(pump, outcome_of_errno(SAFE_IO, "cannot read the input", errno));
	if (got == 0) {
		pump->source_ended = true;
		return PUMP_MORE;
	}
	pump->start = 0;
	pump->end = (size_t)got;
	pump->input += (uint64_t)got;
	if (pump->input > pump->max_input)
		return end(pump, outcome_of(SAFE_LIMIT, "more input than the limit allows (--max-input)"));
	return PUMP_MORE;
}

/* A child that takes no more input may still have an answer, so that is no failure by itself. */
static enum pump_progress step_to_child(struct pump *pump)
{
	ssize_t put = write(pump->to_child, pump->buffer + pump->start, pump->end - pump->start);

	if (put > 0)
		pump->start += (size_t)put;
	else if (errno == EPIPE)
		pump->input_closed = true;
	else if (errno != EINTR && errno != EAGAIN)
		return end(pump, outcome_of_errno(SAFE_IO, "cannot write to the decoder", errno));
	return PUMP_MORE;
}

enum pump_progress pump_step(struct pump *pump, const struct pollfd fds[PUMP_FDS], uint64_t waited)
{
	enum pump_progress progress = PUMP_MORE;
	bool moved = fds[FROM_CHILD].revents != 0 || fds[TO_CHILD].revents != 0;

	if (moved || fds[SOURCE].fd >= 0)
		pump->stalled = 0;
	else
		pump->stalled += waited;
	if (pump->stalled >= pump->stall_limit)
		return end(pump,
		           outcome_of(SAFE_LIMIT, "the decoder stalled for longer than the limit allows (--stall)"));
	if (fds[FROM_CHILD].revents != 0)
		progress = step_from_child(pump);
	if (progress == PUMP_MORE && fds[SOURCE].revents != 0)
		progress = step_source(pump);
	if (progress == PUMP_MORE && wants_to_child(pump))
		progress = step_to_child(pump);
	if (pump->released && pump->source_ended && buffer_is_empty(pump))
		pump->input_closed = true;
	return progress;
}
