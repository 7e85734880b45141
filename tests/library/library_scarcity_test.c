/* SPDX-License-Identifier: MIT */
/* What the library takes of its caller's: children, time, processes, descriptors; and what happens where there are few.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/library_support.h"

/* ---- children: brokers are none of the caller's ---- */

static volatile sig_atomic_t told; /* of children that ended */

static void count_child(int number)
{
	(void)number;
	told++;
}

static void expect_no_children(const char *when)
{
	uint64_t before = now_milliseconds();

	errno = 0;
	cr_expect(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "%s", when);
	errno = 0;
	cr_expect(wait(NULL) == -1 && errno == ECHILD, "%s", when);
	errno = 0;
	siginfo_t info;
	cr_expect(waitid(P_ALL, 0, &info, WEXITED | __WALL) == -1 && errno == ECHILD, "%s", when);
	cr_expect_lt(now_milliseconds() - before, 500, "%s", when);
}

static enum sdec_status decode_text(struct sdec_pool *decoder, const char *text)
{
	struct sdec_input input = text_input(text);
	struct sdec_image image = { .size = sizeof(image) };
	enum sdec_status status = sdec_decode_image(decoder, &input, NULL, &image, NULL);

	sdec_image_free(&image);
	return status;
}

/* Not with open_decoder(), which adopts them. */
Test(library_children, a_caller_has_none, .timeout = 60)
{
	const struct sdec_config config = { .size = sizeof(config),
		                            .programs = built_program("tests/bin-hostile/decoders") };
	const struct sigaction action = { .sa_handler = count_child };
	struct sdec_pool *decoder = NULL;

	cr_assert_eq(sigaction(SIGCHLD, &action, NULL), 0);
	cr_assert_eq(sdec_pool_open(&config, &decoder), SDEC_OK);
	cr_assert_eq(decode_text(decoder, "HOSTILE picture 4 4"), SDEC_OK);
	expect_no_children("with a live broker");
	cr_assert_eq(decode_text(decoder, "HOSTILE segfault 8"), SDEC_KILLED);
	expect_no_children("after a crash");
	cr_assert_eq(decode_text(decoder, "HOSTILE picture 4 4"), SDEC_OK);
	expect_works(decoder);
	expect_no_children("with brokers of two decoders");
	sdec_pool_close(&decoder);
	expect_no_children("after the end");
	cr_expect_eq(told, 0);
}

/* ---- time: nobody answers, and there is a deadline ---- */

enum { DEADLINE = 1000, LATEST = 2500 }; /* milliseconds */

static const struct sdec_limits soon = { .size = sizeof(soon), .deadline_milliseconds = DEADLINE };
static const struct sdec_request hurried = { .size = sizeof(hurried), .limits = &soon };

static void expect_deadline(enum sdec_status status, const struct sdec_result *result, uint64_t since)
{
	uint64_t took = now_milliseconds() - since;

	cr_expect_eq(status, SDEC_LIMIT, "%s: %s", sdec_status_name(status), result->reason);
	cr_expect_eq(result->limit, SDEC_LIMIT_DEADLINE);
	cr_expect(took >= DEADLINE - 50 && took <= LATEST, "%d ms", (int)took);
}

static void call_in_a_hurry(struct sdec_pool *decoder, const char *text)
{
	struct sdec_input input = text_input(text);
	struct sdec_image image = { .size = sizeof(image) };
	struct sdec_result result = { .size = sizeof(result) };
	uint64_t before = now_milliseconds();
	enum sdec_status status = sdec_decode_image(decoder, &input, &hurried, &image, &result);

	expect_deadline(status, &result, before);
}

static void stream_in_a_hurry(struct sdec_pool *decoder, const char *text)
{
	struct sdec_input input = text_input(text);
	struct sdec_stream *stream = NULL;
	struct sdec_event event = { .size = sizeof(event) };
	struct sdec_result result = { .size = sizeof(result) };
	uint64_t before = now_milliseconds();
	enum sdec_status status = sdec_stream_open(decoder, &input, &hurried, &stream);

	while (status == SDEC_OK && event.kind != SDEC_EVENT_END) {
		struct pollfd ready = { .fd = sdec_stream_fd(stream), .events = POLLIN };
		cr_assert_eq(poll(&ready, 1, 10000), 1);
		status = sdec_stream_step(stream, &event);
	}
	sdec_stream_result(stream, &result);
	expect_deadline(status, &result, before);
	sdec_stream_close(&stream);
}

/* It waited for the broker's answer 20 seconds, whatever the deadline. */
Test(library_deadline, a_broker_that_is_stopped_before, .timeout = 60)
{
	const struct sdec_config config = { .size = sizeof(config), .no_spares = 1 };
	struct sdec_pool *decoder = open_hostile(&config);

	cr_assert_eq(decode_text(decoder, "HOSTILE picture 4 4"), SDEC_OK);
	pid_t broker = the_broker();
	cr_assert_eq(kill(broker, SIGSTOP), 0);
	call_in_a_hurry(decoder, "HOSTILE picture 4 4");
	stream_in_a_hurry(decoder, "HOSTILE picture 4 4");
	cr_assert_eq(kill(broker, SIGCONT), 0);
	cr_expect_eq(decode_text(decoder, "HOSTILE picture 4 4"), SDEC_OK);
	sdec_pool_close(&decoder);
}

/* Stops the broker and kills its decoders: nobody will tell how they ended. */
static void *silence(void *context)
{
	const pid_t *broker = context;
	char command[128];

	sleep_milliseconds(300);
	(void)kill(*broker, SIGSTOP);
	(void)snprintf(command, sizeof(command), "kill -9 $(cat /proc/%d/task/%d/children)", (int)*broker,
	               (int)*broker);
	cr_expect_eq(system(command), 0);
	return NULL;
}

static void in_silence(void (*hurry)(struct sdec_pool *decoder, const char *text))
{
	struct sdec_pool *decoder = open_hostile(NULL);
	pthread_t thread;

	cr_assert_eq(decode_text(decoder, "HOSTILE picture 4 4"), SDEC_OK);
	pid_t broker = the_broker();
	cr_assert_eq(pthread_create(&thread, NULL, silence, &broker), 0);
	hurry(decoder, "HOSTILE spin");
	cr_assert_eq(pthread_join(thread, NULL), 0);
	sdec_pool_close(&decoder);
}

Test(library_deadline, a_broker_that_is_stopped_meanwhile_in_a_call, .timeout = 60)
{
	in_silence(call_in_a_hurry);
}

Test(library_deadline, a_broker_that_is_stopped_meanwhile_in_a_stream, .timeout = 60)
{
	in_silence(stream_in_a_hurry);
}

/* ---- streams at once ---- */

enum { STREAMS = 12 };

/* Opens as many, and drives all.  Returns how many came to their end; the first status that is not SDEC_OK is in
 * *failed. */
static int run_streams(struct sdec_pool *decoder, int count, enum sdec_status *failed)
{
	static const char *const files[] = { THUMBNAIL, ROMEO, "samples/png/gray-1.png" };
	struct sdec_stream *streams[STREAMS] = { NULL };
	struct blob blobs[STREAMS];
	struct pollfd fds[STREAMS];
	int ended = 0, open = 0;

	*failed = SDEC_OK;
	for (int i = 0; i < count; i++)
		blobs[i] = read_blob(files[i % 3]);
	for (int i = 0; i < count; i++) {
		struct sdec_input input = memory_input(blobs[i].data, blobs[i].size);
		enum sdec_status status = sdec_stream_open(decoder, &input, NULL, &streams[i]);
		fds[i] = (struct pollfd){ .fd = sdec_stream_fd(streams[i]), .events = POLLIN };
		open += status == SDEC_OK;
		*failed = *failed ? *failed : status;
	}
	while (open > 0 && poll(fds, (nfds_t)count, 20000) > 0) {
		for (int i = 0; i < count; i++) {
			struct sdec_event event = { .size = sizeof(event) };
			if (fds[i].fd < 0 || fds[i].revents == 0)
				continue;
			enum sdec_status status = sdec_stream_step(streams[i], &event);
			*failed = *failed ? *failed : status;
			if (status == SDEC_OK && event.kind != SDEC_EVENT_END)
				continue;
			ended += status == SDEC_OK;
			open--;
			fds[i].fd = -1;
			sdec_stream_close(&streams[i]);
		}
	}
	for (int i = 0; i < count; i++) {
		sdec_stream_close(&streams[i]);
		free_blob(&blobs[i]);
	}
	return ended;
}

/* ---- descriptors ---- */

Test(library_descriptors, twelve_streams_with_48, .timeout = 60)
{
	struct rlimit few = { .rlim_cur = 48, .rlim_max = 48 };
	enum sdec_status failed = SDEC_OK;

	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	struct sdec_pool *decoder = open_decoder(NULL);
	for (int round = 0; round < 5; round++) {
		int ended = run_streams(decoder, STREAMS, &failed);
		cr_expect_eq(ended, STREAMS, "%d, %s", ended, sdec_status_name(failed));
	}
	sdec_pool_close(&decoder);
}

/* No stream holds a descriptor that another could wait for. */
Test(library_descriptors, none_left_is_told_at_once, .timeout = 60)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct sdec_posture posture = { .size = sizeof(posture) };
	struct rlimit none = { .rlim_cur = count_descriptors(), .rlim_max = 1024 };

	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	uint64_t before = now_milliseconds();
	cr_expect_eq(sdec_pool_posture(decoder, NULL, &posture), SDEC_EXHAUSTED);
	cr_expect_lt(now_milliseconds() - before, 3000);
	sdec_pool_close(&decoder);
}

/* The most descriptors that a stream has at any time, besides those of its broker. */
static size_t cost_of(struct sdec_pool *decoder, const struct sdec_input *input)
{
	struct sdec_stream *stream = NULL;
	struct sdec_event event = { .size = sizeof(event) };
	size_t before = count_descriptors();
	size_t most = 0;

	cr_assert_eq(sdec_stream_open(decoder, input, NULL, &stream), SDEC_OK);
	while (event.kind != SDEC_EVENT_END) {
		struct pollfd ready = { .fd = sdec_stream_fd(stream), .events = POLLIN };
		size_t now = count_descriptors() - before;
		most = now > most ? now : most;
		cr_assert_eq(poll(&ready, 1, 10000), 1);
		cr_assert_eq(sdec_stream_step(stream, &event), SDEC_OK);
	}
	sdec_stream_close(&stream);
	cr_assert_eq(count_descriptors(), before);
	return most;
}

Test(library_descriptors, what_a_stream_costs, .timeout = 60)
{
	const struct sdec_config config = { .size = sizeof(config), .no_spares = 1 };
	struct sdec_pool *decoder = open_decoder(&config);
	struct blob small = read_blob(THUMBNAIL);
	struct blob large = read_blob(PHOTOGRAPH);
	int fd = open(PHOTOGRAPH, O_RDONLY | O_CLOEXEC);
	const struct sdec_input inputs[] = { memory_input(small.data, small.size), memory_input(large.data, large.size),
		                             fd_input(fd) };
	static const size_t allowed[] = { 5, 7, 7 };

	expect_works(decoder);
	for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
		size_t cost = cost_of(decoder, &inputs[i]);
		cr_expect(cost > 2 && cost <= allowed[i], "input %zu costs %zu", i, cost);
	}
	(void)close(fd);
	free_blob(&small);
	free_blob(&large);
	sdec_pool_close(&decoder);
}

/* ---- processes ---- */

enum { FIRST_USER = 1 << 24, FAILED = 90 };

/* As a user who may have `most` processes, this one counted: runs streams, and exits with what came of them. */
static _Noreturn void run_with_few(rlim_t most, int count)
{
	const struct rlimit few = { .rlim_cur = most, .rlim_max = most };
	const struct sdec_config config = { .size = sizeof(config), .programs = built_program("decoders") };
	struct sdec_pool *decoder = NULL;
	enum sdec_status failed = SDEC_OK;
	uid_t user = FIRST_USER + (uid_t)getpid(); /* nobody else's: other tests run at the same time */

	if (setrlimit(RLIMIT_NPROC, &few) != 0 || setresgid(user, user, user) != 0 ||
	    setresuid(user, user, user) != 0 || sdec_pool_open(&config, &decoder) != SDEC_OK)
		_exit(FAILED);
	int ended = run_streams(decoder, count, &failed);
	sdec_pool_close(&decoder);
	_exit(failed != SDEC_OK ? (int)failed : ended == count ? SDEC_OK : FAILED);
}

static int exit_of_run_with_few(rlim_t most, int count)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		run_with_few(most, count);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status), "%#x", (unsigned)status);
	return WEXITSTATUS(status);
}

/* Nothing can end, so nobody waits. */
Test(library_processes, none_left_is_told_at_once, .timeout = 60)
{
	if (!others_can_run_this())
		cr_skip_test("needs to become another user, who can run this");
	for (rlim_t most = 1; most < 3; most++) {
		uint64_t before = now_milliseconds();
		cr_expect_eq(exit_of_run_with_few(most, 1), SDEC_EXHAUSTED);
		cr_expect_lt(now_milliseconds() - before, 10000);
	}
}

/* The caller, three brokers, and one or two decoders: each waits for those before it. */
Test(library_processes, those_who_come_later_wait, .timeout = 120)
{
	if (!others_can_run_this())
		cr_skip_test("needs to become another user, who can run this");
	for (rlim_t most = 5; most < 7; most++) {
		int exit = exit_of_run_with_few(most, STREAMS);
		cr_expect_eq(exit, SDEC_OK, "%d with %d processes", exit, (int)most);
	}
}

/* The caller, one broker and one decoder: brokers take turns. */
Test(library_processes, brokers_take_turns, .timeout = 120)
{
	if (!others_can_run_this())
		cr_skip_test("needs to become another user, who can run this");
	int exit = exit_of_run_with_few(3, 3);

	cr_expect_eq(exit, SDEC_OK, "%d", exit);
}
