/* SPDX-License-Identifier: MIT */
#include "decode.h"

#include <time.h>
#include <unistd.h>

uint64_t decode_clock(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail: the clock exists */
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

struct safe_outcome decode_start(struct decode *decode, struct child *child, const struct wire_request *request,
                                 const struct wire_consumer *consumer, const struct decode_input *input,
                                 const struct safe_limits *limits)
{
	struct pump_plan plan = {
		.request = request,
		.consumer = consumer,
		.to_child = child->input,
		.from_child = child->output,
		.source = input->source,
		.start = input->start,
		.start_size = input->start_size,
		.max_input = limits->max_input,
		.stall_seconds = limits->stall_seconds,
	};

	decode->child = *child;
	*child = CHILD_NONE;
	decode->pump_open = true;
	decode->outcome = pump_init(&decode->pump, &plan);
	return decode->outcome;
}

struct safe_outcome decode_hello(struct decode *decode)
{
	struct child *child = &decode->child;
	struct safe_outcome outcome = child->owner->verify(child, &decode->posture);

	decode->said_hello = true;
	if (outcome.status == SAFE_OK)
		pump_release(&decode->pump);
	return outcome;
}

struct safe_outcome decode_send(struct decode *decode)
{
	struct safe_outcome outcome = decode_hello(decode);

	if (outcome.status == SAFE_OK && pump_send(&decode->pump) == PUMP_OVER)
		outcome = decode->pump.outcome;
	if (decode->pump.input_closed)
		child_close_input(&decode->child);
	return outcome;
}

int decode_wants(const struct decode *decode, struct pollfd fds[PUMP_FDS])
{
	return pump_wants(&decode->pump, fds);
}

/* The child closed its output without a last word: ask the kernel how it ended, and the report what it tried. */
static void find_cause_of_death(struct decode *decode)
{
	struct child *child = &decode->child;

	decode->outcome = child->owner->fate(child, decode->said_hello);
	if (child->report < 0)
		return;
	decode->reported = read(child->report, &decode->report, sizeof(decode->report)) == sizeof(decode->report);
	if (decode->reported)
		decode->outcome = outcome_of(SAFE_KILLED, "the decoder tried a forbidden system call");
}

bool decode_step(struct decode *decode, const struct pollfd fds[PUMP_FDS], uint64_t waited)
{
	enum pump_progress progress = pump_step(&decode->pump, fds, waited);

	if (progress == PUMP_OVER)
		decode->outcome = decode->pump.outcome;
	else if (progress == PUMP_GONE)
		find_cause_of_death(decode);
	else if (decode->pump.input_closed)
		child_close_input(&decode->child);
	return progress == PUMP_MORE;
}

void decode_let_gather(const struct decode *decode)
{
	const struct timespec moment = { .tv_nsec = (long)pump_gathering(&decode->pump) };

	if (moment.tv_nsec > 0)
		(void)nanosleep(&moment, NULL);
}

bool decode_run(struct decode *decode)
{
	struct pollfd fds[PUMP_FDS];
	bool more = true;

	do {
		int timeout = decode_wants(decode, fds);
		uint64_t before = decode_clock();
		decode_let_gather(decode);
		if (poll(fds, PUMP_FDS, timeout) < 0) {
			/* Only EINTR and ENOMEM are possible; either way nothing is known to be ready. */
			for (int i = 0; i < PUMP_FDS; i++)
				fds[i].revents = 0;
		}
		more = decode_step(decode, fds, decode_clock() - before);
	} while (more && !decode->pump.paused);
	return more;
}

void decode_end(struct decode *decode)
{
	struct child *child = &decode->child;

	if (child->owner)
		child->owner->end(child, decode->outcome.status == SAFE_KILLED);
	child->owner = NULL;
	if (decode->pump_open)
		pump_free(&decode->pump);
	decode->pump_open = false;
}
