/* SPDX-License-Identifier: MIT */
#include "decode.h"

#include <limits.h>
#include <time.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "broker/base/fds.h"

#define CHECK_LEAST (CLOCK_SECOND / 100)

uint64_t decode_clock(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

/* ---- start ---- */

static struct outcome verify(struct decode *decode)
{
	struct child *child = &decode->child;

	decode->said_hello = true;
	struct outcome outcome = child->owner->verify(child, &decode->posture);
	decode->library = child->library;
	return outcome;
}

struct outcome decode_hello(struct decode *decode)
{
	struct outcome outcome = decode->child.verified ? outcome_ok() : verify(decode);

	if (outcome.status == SDEC_OK)
		pump_release(&decode->pump);
	return outcome;
}

/* One that was verified before it was handed over need not be waited for. */
static struct outcome send_at_once(struct decode *decode)
{
	struct outcome outcome = verify(decode);

	if (outcome.status != SDEC_OK)
		return outcome;
	pump_release(&decode->pump);
	if (pump_send(&decode->pump) == PUMP_OVER)
		outcome = decode->pump.outcome;
	if (decode->pump.input_closed)
		child_close_input(&decode->child);
	return outcome;
}

struct outcome decode_start(struct decode *decode, struct child *child, const struct wire_request *request,
                            const struct wire_consumer *consumer, const struct decode_input *input,
                            const struct sdec_limits *limits)
{
	struct pump_plan plan = {
		.request = request,
		.consumer = consumer,
		.to_child = child->input,
		.from_child = child->output,
		.source = input->source,
		.start = input->start,
		.start_size = input->start_size,
		.random_start = input->random_start,
		.max_input = limits->max_input,
		.stall_seconds = limits->stall_seconds,
	};

	*decode = (struct decode){
		.child = *child,
		.pump_open = true,
		.cpu_limit = limits->cpu_seconds * CLOCK_SECOND,
		.cpu_check = decode_clock() + limits->cpu_seconds * CLOCK_SECOND,
		.work_limit = limits->work_seconds * CLOCK_SECOND,
	};
	*child = CHILD_NONE;
	decode->outcome = pump_init(&decode->pump, &plan);
	if (decode->outcome.status == SDEC_OK && decode->child.verified)
		decode->outcome = send_at_once(decode);
	return decode->outcome;
}

/* ---- limits ---- */

struct outcome decode_too_late(void)
{
	return outcome_of_limit(SDEC_LIMIT_DEADLINE, "took longer than the limit allows");
}

static int milliseconds_until(uint64_t when)
{
	uint64_t now = decode_clock();
	uint64_t left = when <= now ? 0 : (when - now) / CLOCK_MILLISECOND + 1;

	return left < INT_MAX ? (int)left : INT_MAX;
}

int decode_wants(const struct decode *decode, struct pollfd fds[PUMP_FDS])
{
	int timeout = pump_wants(&decode->pump, fds);

	fds_lower_timeout(&timeout, milliseconds_until(decode->cpu_check));
	return timeout;
}

/* The child has one thread: it cannot have used more processor time than has passed. */
static struct outcome check_cpu(struct decode *decode)
{
	uint64_t now = decode_clock();

	if (now < decode->cpu_check)
		return outcome_ok();
	uint64_t used = child_cpu_time(&decode->child);
	if (used >= decode->cpu_limit) {
		/* Nobody asks for its fate then. */
		decode->child.cpu_microseconds = used / CLOCK_MICROSECOND;
		return outcome_of_limit(SDEC_LIMIT_CPU, "more processor time than the limit allows");
	}
	uint64_t left = decode->cpu_limit - used;
	decode->cpu_check = now + (left > CHECK_LEAST ? left : CHECK_LEAST);
	return outcome_ok();
}

uint64_t decode_work_begin(void)
{
	return clock_read(CLOCK_THREAD_CPUTIME_ID);
}

struct outcome decode_work_charge(struct decode *decode, uint64_t begun)
{
	decode->work += clock_read(CLOCK_THREAD_CPUTIME_ID) - begun;
	if (decode->work < decode->work_limit)
		return outcome_ok();
	return outcome_of_limit(SDEC_LIMIT_WORK, "more work to check and write it than the limit allows");
}

/* ---- on the way ---- */

/* The child closed its output without a last word: ask the kernel how it ended. */
static void find_cause_of_death(struct decode *decode, int milliseconds)
{
	struct child *child = &decode->child;

	decode->outcome = child->owner->fate(child, decode->said_hello, milliseconds);
	if (milliseconds == 0 && decode->outcome.status == SDEC_KILLED)
		decode->outcome = decode_too_late();
}

bool decode_step(struct decode *decode, const struct pollfd fds[PUMP_FDS], uint64_t waited, int milliseconds)
{
	uint64_t begun = decode_work_begin();
	enum pump_progress progress = pump_step(&decode->pump, fds, waited);
	struct outcome limit = decode_work_charge(decode, begun);

	if (progress == PUMP_OVER) {
		decode->outcome = decode->pump.outcome;
		return false;
	}
	if (progress == PUMP_GONE) {
		find_cause_of_death(decode, milliseconds);
		return false;
	}
	if (decode->pump.input_closed)
		child_close_input(&decode->child);
	if (limit.status == SDEC_OK)
		limit = check_cpu(decode);
	if (limit.status == SDEC_OK && milliseconds == 0)
		limit = decode_too_late();
	decode->outcome = limit;
	return limit.status == SDEC_OK;
}

void decode_let_gather(const struct decode *decode)
{
	const struct timespec moment = { .tv_nsec = decode->pump_open ? (long)pump_gathering(&decode->pump) : 0 };

	if (moment.tv_nsec > 0)
		(void)nanosleep(&moment, NULL);
}

void decode_end(struct decode *decode)
{
	struct child *child = &decode->child;

	if (child->owner)
		child->owner->end(child, decode->outcome.status == SDEC_KILLED);
	child->owner = NULL;
	if (decode->pump_open)
		pump_free(&decode->pump);
	decode->pump_open = false;
}
