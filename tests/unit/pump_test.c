/* SPDX-License-Identifier: MIT */
/* The pump against children that are slow, greedy, silent or gone.  They are plain forks: no sandbox is needed here. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
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
	struct pump pump;
	uint8_t room[8192];
};

/* ---- the children ---- */

static void say(uint32_t kind, const void *payload, uint32_t size)
{
	struct wire_header header = { .kind = kind, .length = size };

	if (write(STDOUT_FILENO, &header, sizeof(header)) != sizeof(header) ||
	    write(STDOUT_FILENO, payload, size) != (ssize_t)size)
		_exit(1);
}

static void say_hello(void)
{
	struct wire_hello hello = { .version = WIRE_VERSION };

	say(WIRE_HELLO, &hello, sizeof(hello));
}

static void say_end(void)
{
	struct wire_end end = { .notes = 0 };

	say(WIRE_END, &end, sizeof(end));
}

/* Reads all of its input; returns how many bytes there were. */
static uint64_t drain(void)
{
	static uint8_t data[65536];
	uint64_t total = 0;
	ssize_t got = 0;

	while ((got = read(STDIN_FILENO, data, sizeof(data))) > 0)
		total += (uint64_t)got;
	return total;
}

static void echo(void)
{
	static uint8_t data[4096];
	ssize_t got = 0;

	say_hello();
	if (read(STDIN_FILENO, data, sizeof(struct wire_request)) != sizeof(struct wire_request))
		_exit(1);
	say(WIRE_BYTES, NULL, 0);
	while ((got = read(STDIN_FILENO, data, sizeof(data))) > 0)
		say(WIRE_DATA, data, (uint32_t)got);
	say_end();
}

/* Says far more than a pipe holds before it reads anything. */
static void talk_first(void)
{
	static const uint8_t data[65536];

	say_hello();
	say(WIRE_BYTES, NULL, 0);
	for (int i = 0; i < 64; i++)
		say(WIRE_DATA, data, sizeof(data));
	if (drain() != sizeof(struct wire_request) + ((uint64_t)1 << 20))
		_exit(1);
	say_end();
}

/* Says hello, so that the input may come, and then lets it pile up. */
static void pause_first(void)
{
	say_hello();
	(void)sleep(1);
	say(WIRE_BYTES, NULL, 0);
	if (drain() != sizeof(struct wire_request) + ((uint64_t)1 << 20))
		_exit(1);
	say_end();
}

/* Ends without reading its input, as a decoder does that has seen enough. */
static void ignore_input(void)
{
	say_hello();
	say(WIRE_BYTES, NULL, 0);
	(void)close(STDIN_FILENO);
	say_end();
}

static void hang(void)
{
	say_hello();
	for (;;)
		pause();
}

static void vanish(void)
{
	say_hello();
}

/* ---- the consumer ---- */

static struct outcome take_hello(void *context)
{
	struct child *child = context;

	if (child->release)
		pump_release(&child->pump);
	return outcome_ok();
}

static struct outcome take_bytes(void *context)
{
	(void)context;
	return outcome_ok();
}

static void *reserve(void *context, size_t *size)
{
	struct child *child = context;

	*size = sizeof(child->room);
	return child->room;
}

static struct outcome commit(void *context, size_t size)
{
	((struct child *)context)->received += size;
	return outcome_ok();
}

static int outlet(void *context)
{
	const struct child *child = context;

	return child->outlet > 0 ? child->outlet : -1;
}

static struct outcome note_moved(void *context, size_t size)
{
	((struct child *)context)->moved += size;
	return outcome_ok();
}

static struct outcome take_end(void *context, enum wire_failure damage, uint32_t notes)
{
	(void)notes;
	((struct child *)context)->damaged = damage != WIRE_OK;
	return outcome_ok();
}

static struct wire_consumer consumer_of(struct child *child)
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

static void start(struct child *child, void (*run)(void))
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

static uint64_t now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static void init(struct child *child, int source, uint64_t max_input, uint32_t stall_seconds)
{
	const struct wire_request request = {
		.version = WIRE_VERSION, .operation = WIRE_DECODE, .pixel_formats = 1, .max_output = UINT64_MAX
	};
	static struct wire_consumer consumer; /* the pump borrows it */

	consumer = consumer_of(child);
	const struct pump_plan plan = { .request = &request,
		                        .consumer = &consumer,
		                        .source = source,
		                        .to_child = child->input,
		                        .from_child = child->output,
		                        .max_input = max_input,
		                        .stall_seconds = stall_seconds };

	cr_assert_eq(pump_init(&child->pump, &plan).status, SDEC_OK);
}

/* Pumps until it is over, closing the child's input when the pump says so. */
static enum pump_progress run(struct child *child, int source, uint64_t max_input, uint32_t stall_seconds)
{
	enum pump_progress progress = PUMP_MORE;

	init(child, source, max_input, stall_seconds);
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

static void finish(struct child *child)
{
	(void)kill(child->pid, SIGKILL);
	cr_assert_eq(waitpid(child->pid, NULL, 0), child->pid);
}

/* A file of `size` bytes to read from. */
static int make_source(size_t size)
{
	int file = memfd_create("source", MFD_CLOEXEC);

	cr_assert(file >= 0);
	cr_assert_eq(ftruncate(file, (off_t)size), 0);
	return file;
}

/* ---- tests ---- */

Test(pump, echo, .timeout = 30)
{
	static struct child child;

	start(&child, echo);
	cr_expect_eq(run(&child, make_source((size_t)3 << 20), UINT64_MAX, 10), PUMP_OVER);
	cr_expect_eq(child.pump.outcome.status, SDEC_OK);
	cr_expect_eq(child.received, (uint64_t)3 << 20);
	finish(&child);
}

Test(pump, much_is_moved_on_and_what_cannot_be_is_read, .timeout = 30)
{
	enum { SIZE = 64 * 65536 };
	static struct child child;

	for (int file = 0; file < 2; file++) {
		start(&child, talk_first);
		child.outlet = make_source(0);
		if (file == 0)
			cr_assert_eq(fcntl(child.outlet, F_SETFL, O_APPEND), 0); /* refuses it */
		cr_expect_eq(run(&child, make_source((size_t)1 << 20), UINT64_MAX, 10), PUMP_OVER);
		cr_expect_eq(child.pump.outcome.status, SDEC_OK);
		cr_expect_eq(child.received + child.moved, SIZE);
		cr_expect_eq(lseek(child.outlet, 0, SEEK_END), (off_t)child.moved);
		cr_expect(file == 0 ? child.moved == 0 : child.moved > SIZE / 2, "%d", (int)child.moved);
		finish(&child);
	}
}

Test(pump, a_child_that_talks_first_is_no_deadlock, .timeout = 30)
{
	static struct child child;

	start(&child, talk_first);
	cr_expect_eq(run(&child, make_source((size_t)1 << 20), UINT64_MAX, 10), PUMP_OVER);
	cr_expect_eq(child.pump.outcome.status, SDEC_OK);
	cr_expect_eq(child.received, (uint64_t)64 * 65536);
	finish(&child);
}

Test(pump, a_child_need_not_read_everything, .timeout = 30)
{
	static struct child child;

	start(&child, ignore_input);
	cr_expect_eq(run(&child, make_source((size_t)8 << 20), UINT64_MAX, 10), PUMP_OVER);
	cr_expect_eq(child.pump.outcome.status, SDEC_OK);
	finish(&child);
}

Test(pump, nothing_leaves_before_release, .timeout = 30)
{
	static struct child child;

	int waiting = -1;

	start(&child, hang); /* which reads nothing, so that whatever left is still in the pipe */
	child.release = false;
	cr_expect_eq(run(&child, make_source(100), UINT64_MAX, 1), PUMP_OVER);
	cr_expect_eq(child.pump.outcome.status, SDEC_LIMIT);
	cr_assert_eq(ioctl(child.input, FIONREAD, &waiting), 0);
	cr_expect_eq(waiting, 0);
	cr_expect_eq(child.pump.input, 0);
	finish(&child);
}

Test(pump, a_stalled_child_is_given_up, .timeout = 30)
{
	static struct child child;

	start(&child, hang);
	cr_expect_eq(run(&child, make_source((size_t)1 << 20), UINT64_MAX, 1), PUMP_OVER);
	cr_expect_eq(child.pump.outcome.status, SDEC_LIMIT);
	finish(&child);
}

/* The source says nothing for longer than the child may: that is not the child's fault. */
Test(pump, a_slow_source_is_not_a_stall, .timeout = 30)
{
	static struct child child;
	int source[2];

	cr_assert_eq(pipe2(source, O_CLOEXEC), 0);
	pid_t writer = fork();
	cr_assert(writer >= 0);
	if (writer == 0) {
		(void)sleep(2);
		_exit(write(source[1], "late", 4) == 4 ? 0 : 1);
	}
	(void)close(source[1]);
	start(&child, echo);
	cr_expect_eq(run(&child, source[0], UINT64_MAX, 1), PUMP_OVER);
	cr_expect_eq(child.pump.outcome.status, SDEC_OK, "%s", child.pump.outcome.reason);
	cr_expect_eq(child.received, 4);
	finish(&child);
	cr_assert_eq(waitpid(writer, NULL, 0), writer);
}

enum channel { PIPE, SOCKET };

/* The reading end of a channel into which another process writes `size` bytes. */
static int make_writer(enum channel channel, size_t size)
{
	static const uint8_t data[10000];
	int ends[2];

	cr_assert_eq(
	        channel == PIPE ? pipe2(ends, O_CLOEXEC) : socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	pid_t writer = fork();
	cr_assert(writer >= 0);
	if (writer == 0) {
		(void)close(ends[0]);
		while (size > 0) {
			ssize_t put = write(ends[1], data, size < sizeof(data) ? size : sizeof(data));
			if (put < 0)
				_exit(1);
			size -= (size_t)put;
		}
		_exit(0);
	}
	(void)close(ends[1]);
	return ends[0];
}

/* A file or a pipe is spliced, anything else is read. */
Test(pump, sources_of_every_kind, .timeout = 30)
{
	static struct child child;

	for (enum channel channel = PIPE; channel <= SOCKET; channel++) {
		start(&child, echo);
		cr_expect_eq(run(&child, make_writer(channel, 3000001), UINT64_MAX, 10), PUMP_OVER);
		cr_expect_eq(child.pump.outcome.status, SDEC_OK, "%s", child.pump.outcome.reason);
		cr_expect_eq(child.received, 3000001);
		cr_expect_eq(child.pump.input, 3000001);
		finish(&child);
	}
}

/* A pipe that is full on both sides of the pump is waited for, not asked again and again. */
Test(pump, a_full_pipe_is_waited_for, .timeout = 30)
{
	static struct child child;

	start(&child, pause_first);
	cr_expect_eq(run(&child, make_writer(PIPE, (size_t)1 << 20), UINT64_MAX, 10), PUMP_OVER);
	cr_expect_eq(child.pump.outcome.status, SDEC_OK, "%s", child.pump.outcome.reason);
	cr_expect_lt(child.steps, 2000, "%u steps", child.steps);
	finish(&child);
}

/* Somebody else read from the source what poll() saw there: the pump must wait for it again, not ask without end. */
Test(pump, a_source_that_others_read, .timeout = 30)
{
	static struct child child;
	struct pollfd fds[PUMP_FDS];
	int source[2];

	cr_assert_eq(pipe2(source, O_CLOEXEC), 0);
	start(&child, echo);
	init(&child, source[0], UINT64_MAX, 10);
	for (fds[0].fd = -1; fds[0].fd < 0;) {
		int timeout = pump_wants(&child.pump, fds);
		cr_assert(fds[0].fd >= 0 || poll(fds, PUMP_FDS, timeout) >= 0);
		cr_assert(fds[0].fd >= 0 || pump_step(&child.pump, fds, 0) == PUMP_MORE);
	}
	fds[0].revents = POLLIN;
	fds[1].revents = fds[2].revents = 0;
	cr_expect_eq(pump_step(&child.pump, fds, 0), PUMP_MORE);
	(void)pump_wants(&child.pump, fds);
	cr_expect(fds[0].fd < 0 && fds[1].fd == child.input, "it may be that the child's pipe is full");
	fds[1].revents = POLLOUT;
	cr_expect_eq(pump_step(&child.pump, fds, 0), PUMP_MORE);
	(void)pump_wants(&child.pump, fds);
	cr_expect(fds[0].fd == source[0] && fds[1].fd < 0);
	pump_free(&child.pump);
	finish(&child);
}

Test(pump, a_child_that_vanishes, .timeout = 30)
{
	static struct child child;

	start(&child, vanish);
	cr_expect_eq(run(&child, make_source((size_t)1 << 20), UINT64_MAX, 10), PUMP_GONE);
	finish(&child);
}

Test(pump, input_limit, .timeout = 30)
{
	static struct child child;

	start(&child, echo);
	cr_expect_eq(run(&child, make_source(100001), 100000, 10), PUMP_OVER);
	cr_expect_eq(child.pump.outcome.status, SDEC_LIMIT);
	finish(&child);
	start(&child, echo);
	cr_expect_eq(run(&child, make_source(100000), 100000, 10), PUMP_OVER);
	cr_expect_eq(child.pump.outcome.status, SDEC_OK);
	finish(&child);
}

Test(pump, a_source_that_cannot_be_read, .timeout = 30)
{
	static struct child child;
	int folder = open("/", O_RDONLY | O_CLOEXEC);

	start(&child, echo);
	cr_expect_eq(run(&child, folder, UINT64_MAX, 10), PUMP_OVER);
	cr_expect_eq(child.pump.outcome.status, SDEC_IO);
	cr_expect_eq(child.pump.outcome.error_number, EISDIR);
	finish(&child);
}
