/* SPDX-License-Identifier: MIT */
/* The pump against children that are slow, greedy, silent or gone.  They are plain forks: no sandbox is needed here. */
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "tests/support/pump_child.h"

/* ---- the children ---- */

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
