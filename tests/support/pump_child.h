/* SPDX-License-Identifier: MIT */
/* Children for the tests of the pump: plain forks, without a sandbox, and a consumer that counts. */
#ifndef SAFE_DECODE_PUMP_CHILD_H
#define SAFE_DECODE_PUMP_CHILD_H

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "broker/decode/pump.h"

struct child {
	pid_t pid;
	int input, output; /* the pump's ends */
	uint64_t received; /* bytes that the consumer got */
	int outlet;        /* where they can be moved; 0: nowhere */
	uint64_t moved;    /* bytes that were */
	bool damaged;
	bool release;   /* let the request go at HELLO */
	unsigned steps; /* that the pump took */
	/* Not 0: the child asks for the parts of its input: */
	uint64_t input_total, random_start;
	const uint8_t *memory; /* NULL: it is in the source */
	struct pump pump;
	uint8_t room[8192];
};

/* ---- what a child says ---- */

static inline void say(uint32_t kind, const void *payload, uint32_t size)
{
	struct wire_header header = { .kind = kind, .length = size };

	if (write(STDOUT_FILENO, &header, sizeof(header)) != sizeof(header) ||
	    write(STDOUT_FILENO, payload, size) != (ssize_t)size)
		_exit(1);
}

static inline void say_hello(void)
{
	struct wire_hello hello = { .version = WIRE_VERSION };

	say(WIRE_HELLO, &hello, sizeof(hello));
}

static inline void say_end(void)
{
	struct wire_end end = { .notes = 0 };

	say(WIRE_END, &end, sizeof(end));
}

/* ---- the consumer ---- */

static inline struct outcome take_hello(void *context)
{
	struct child *child = context;

	if (child->release)
		pump_release(&child->pump);
	return outcome_ok();
}

static inline struct outcome take_bytes(void *context)
{
	(void)context;
	return outcome_ok();
}

static inline void *reserve(void *context, size_t *size)
{
	struct child *child = context;

	*size = sizeof(child->room);
	return child->room;
}

static inline struct outcome commit(void *context, size_t size)
{
	((struct child *)context)->received += size;
	return outcome_ok();
}

static inline int outlet(void *context)
{
	const struct child *child = context;

	return child->outlet > 0 ? child->outlet : -1;
}

static inline struct outcome note_moved(void *context, size_t size)
{
	((struct child *)context)->moved += size;
	return outcome_ok();
}

static inline struct outcome take_end(void *context, enum wire_failure damage, uint32_t notes)
{
	(void)notes;
	((struct child *)context)->damaged = damage != WIRE_OK;
	return outcome_ok();
}

static inline struct wire_consumer consumer_of(struct child *child)
{
	return (struct wire_consumer){ .context = child,
		                       .hello = take_hello,
		                       .bytes = take_bytes,
		                       .reserve = reserve,
		                       .commit = commit,
		                       .outlet = outlet,
		                       .moved = note_moved,
		                       .end = take_end };
}

/* ---- running one ---- */

static inline void start(struct child *child, void (*run)(void))
{
	int input[2], output[2];

	*child = (struct child){ .release = true };
	cr_assert_eq(pipe2(input, O_CLOEXEC), 0);
	cr_assert_eq(pipe2(output, O_CLOEXEC), 0);
	cr_assert_neq(signal(SIGPIPE, SIG_IGN), SIG_ERR);
	child->pid = fork();
	cr_assert(child->pid >= 0);
	if (child->pid == 0) {
		(void)dup2(input[0], STDIN_FILENO);
		(void)dup2(output[1], STDOUT_FILENO);
		(void)close(input[1]);
		(void)close(output[0]);
		run();
		_exit(0);
	}
	(void)close(input[0]);
	(void)close(output[1]);
	child->input = input[1];
	child->output = output[0];
	cr_assert_eq(fcntl(child->input, F_SETFL, O_NONBLOCK), 0);
	cr_assert_eq(fcntl(child->output, F_SETFL, O_NONBLOCK), 0);
}

static inline uint64_t now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static inline void init(struct child *child, int source, uint64_t max_input, uint32_t stall_seconds)
{
	const struct wire_request request = { .version = WIRE_VERSION,
		                              .operation = WIRE_DECODE,
		                              .pixel_formats = 1,
		                              .flags = child->input_total > 0 ? WIRE_RANDOM : 0,
		                              .max_output = UINT64_MAX,
		                              .input_total = child->input_total };
	static struct wire_consumer consumer; /* the pump borrows it */

	consumer = consumer_of(child);
	const struct pump_plan plan = { .request = &request,
		                        .consumer = &consumer,
		                        .source = source,
		                        .to_child = child->input,
		                        .from_child = child->output,
		                        .start = child->memory,
		                        .random_start = child->random_start,
		                        .max_input = max_input,
		                        .stall_seconds = stall_seconds };

	cr_assert_eq(pump_init(&child->pump, &plan).status, SDEC_OK);
}

/* Pumps until it is over, closing the child's input when the pump says so. */
static inline enum pump_progress run_on(struct child *child)
{
	enum pump_progress progress = PUMP_MORE;

	while (progress == PUMP_MORE) {
		struct pollfd fds[PUMP_FDS];
		int timeout = pump_wants(&child->pump, fds);
		uint64_t before = now();
		cr_assert(poll(fds, PUMP_FDS, timeout) >= 0);
		progress = pump_step(&child->pump, fds, now() - before);
		child->steps++;
		if (child->pump.input_closed && child->input >= 0) {
			(void)close(child->input);
			child->input = -1;
		}
	}
	pump_free(&child->pump);
	return progress;
}

static inline enum pump_progress run(struct child *child, int source, uint64_t max_input, uint32_t stall_seconds)
{
	init(child, source, max_input, stall_seconds);
	return run_on(child);
}

static inline void finish(struct child *child)
{
	(void)kill(child->pid, SIGKILL);
	cr_assert_eq(waitpid(child->pid, NULL, 0), child->pid);
}

/* A file of `size` bytes to read from. */
static inline int make_source(size_t size)
{
	int file = memfd_create("source", MFD_CLOEXEC);

	cr_assert(file >= 0);
	cr_assert_eq(ftruncate(file, (off_t)size), 0);
	return file;
}

#endif
