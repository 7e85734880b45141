/* SPDX-License-Identifier: MIT */
/* Brokers that are killed, stopped, missing or idle, and callers that have nothing left: a status, never a hang. */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/base/packet.h"
#include "tests/support/library_support.h"

static enum sdec_status decode(struct sdec_pool *decoder, const char *text, struct sdec_result *result)
{
	struct sdec_input input = text_input(text);
	struct sdec_image image = { .size = sizeof(image) };

	*result = (struct sdec_result){ .size = sizeof(*result) };
	enum sdec_status status = sdec_decode_image(decoder, &input, NULL, &image, result);
	sdec_image_free(&image);
	return status;
}

/* ---- kill -9 ---- */

Test(library_faults, the_broker_is_killed_between_calls)
{
	struct sdec_pool *decoder = open_decoder(NULL);

	for (int i = 0; i < 20; i++) {
		expect_works(decoder);
		pid_t broker = the_broker();
		cr_assert_eq(kill(broker, SIGKILL), 0);
		if (i % 2 == 0) {
			expect_gone(broker, 5000);
		} else {
			/* It may meet the kill itself. */
			struct sdec_result result;
			enum sdec_status status = decode(decoder, "\xff\xd8\xff and more", &result);
			cr_assert(status == SDEC_MALFORMED || status == SDEC_KILLED, "%s", result.reason);
			expect_gone(broker, 5000);
		}
	}
	expect_works(decoder);
	size_t descriptors = count_descriptors();
	sleep_milliseconds(100);
	expect_works(decoder);
	cr_assert_leq(count_descriptors(), descriptors + 2 * 4);
	sdec_pool_close(&decoder);
	cr_assert_eq(list_children(NULL, 0), 0);
}

static void *kill_later(void *context)
{
	sleep_milliseconds(200);
	(void)kill(*(const pid_t *)context, SIGKILL);
	return NULL;
}

Test(library_faults, the_broker_is_killed_while_a_decode_runs)
{
	struct sdec_pool *decoder = open_hostile(NULL);
	struct sdec_result result;
	pthread_t thread;

	cr_assert_eq(decode(decoder, "HOSTILE picture 4 4", &result), SDEC_OK);
	pid_t broker = the_broker();
	cr_assert_eq(pthread_create(&thread, NULL, kill_later, &broker), 0);
	uint64_t before = now_milliseconds();
	cr_assert_eq(decode(decoder, "HOSTILE spin", &result), SDEC_KILLED);
	cr_assert_lt(now_milliseconds() - before, 15000);
	cr_assert_not_null(result.reason);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	cr_assert_eq(decode(decoder, "HOSTILE picture 4 4", &result), SDEC_OK);
	sdec_pool_close(&decoder);
}

static size_t children_of(pid_t pid, pid_t *pids, size_t most)
{
	char path[64];
	size_t count = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	FILE *list = fopen(path, "r");
	cr_assert_not_null(list);
	while (count < most && fscanf(list, "%d", &pids[count]) == 1)
		count++;
	(void)fclose(list);
	return count;
}

Test(library_faults, a_decoder_is_killed)
{
	struct sdec_pool *decoder = open_hostile(NULL);
	struct sdec_result result;
	pid_t pids[8];

	cr_assert_eq(decode(decoder, "HOSTILE picture 4 4", &result), SDEC_OK);
	sleep_milliseconds(100);
	pid_t broker = the_broker();
	size_t count = children_of(broker, pids, 8);
	cr_assert_geq(count, 2); /* the spares */
	for (size_t i = 0; i < count; i++)
		cr_assert_eq(kill(pids[i], SIGKILL), 0);
	sleep_milliseconds(200);
	/* The broker has said that they are gone: none is used. */
	cr_assert_eq(decode(decoder, "HOSTILE picture 4 4", &result), SDEC_OK, "%s", result.reason);
	cr_assert_eq(the_broker(), broker);
	sdec_pool_close(&decoder);
}

/* Its spares still work; what needs it gets a status once the library has lost patience. */
Test(library_faults, a_broker_that_is_stopped, .timeout = 120)
{
	struct sdec_config config = { .size = sizeof(config), .no_spares = 1 };
	struct sdec_pool *decoder = open_hostile(&config);
	struct sdec_input input = text_input("HOSTILE picture 4 4");
	struct sdec_stream *stream = NULL;
	struct sdec_event event = { .size = sizeof(event) };
	struct sdec_result result;

	cr_assert_eq(decode(decoder, "HOSTILE picture 4 4", &result), SDEC_OK);
	pid_t broker = the_broker();
	cr_assert_eq(kill(broker, SIGSTOP), 0);
	cr_assert_eq(sdec_stream_open(decoder, &input, NULL, &stream), SDEC_OK);
	uint64_t before = now_milliseconds();
	while (event.kind != SDEC_EVENT_END) {
		struct pollfd ready = { .fd = sdec_stream_fd(stream), .events = POLLIN };
		cr_assert_eq(poll(&ready, 1, 30000), 1);
		cr_assert_eq(sdec_stream_step(stream, &event), SDEC_OK);
		cr_assert_lt(now_milliseconds() - before, 30000);
	}
	sdec_stream_close(&stream);
	sdec_pool_close(&decoder);
	cr_assert_eq(list_children(NULL, 0), 0);
}

/* ---- brokers that are none; see library_programs_test.c, too ---- */

Test(library_faults, no_programs)
{
	static const char *const paths[] = { "/nonexistent/decoders", "/etc/passwd", "/", "/usr/bin" };
	size_t descriptors = count_descriptors();

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct sdec_config config = { .size = sizeof(config), .programs = paths[i] };
		struct sdec_pool *decoder = NULL;
		struct sdec_posture posture = { .size = sizeof(posture) };
		struct sdec_result result;
		cr_assert_eq(sdec_pool_open(&config, &decoder), SDEC_OK);
		cr_assert_eq(decode(decoder, "\xff\xd8\xff and more", &result), SDEC_UNSUPPORTED, "%s", paths[i]);
		cr_assert_str_eq(result.reason, "the decoder that it needs is not installed: jpeg");
		cr_assert_eq(sdec_pool_posture(decoder, NULL, &posture), SDEC_UNSUPPORTED);
		cr_assert_eq(posture.verified, 0);
		sdec_pool_close(&decoder);
	}
	cr_assert_eq(count_descriptors(), descriptors);
	cr_assert_eq(list_children(NULL, 0), 0);
}

/* What is told of them is another's where the caller adopts orphans, and so can wait for brokers. */
Test(library_faults, callers_may_reap)
{
	struct sdec_pool *decoder = open_hostile(NULL);
	struct sdec_result result;

	for (int i = 0; i < 10; i++) {
		cr_assert_eq(decode(decoder, "HOSTILE picture 4 4", &result), SDEC_OK);
		cr_assert_eq(kill(the_broker(), SIGKILL), 0);
		if (i % 2 == 0)
			cr_assert_gt(waitpid(-1, NULL, 0), 0);
		else
			sleep_milliseconds(50);
	}
	/* Two end at once: one is reaped here, the other still runs when that is found out. */
	errno = ECHILD;
	cr_assert_eq(decode(decoder, "HOSTILE segfault 8", &result), SDEC_KILLED);
	errno = ECHILD;
	cr_assert_eq(decode(decoder, "HOSTILE picture 4 4", &result), SDEC_OK);
	sleep_milliseconds(200);
	cr_assert_eq(decode(decoder, "HOSTILE picture 4 4", &result), SDEC_OK);
	cr_assert_eq(list_children(NULL, 0), 1);
	sdec_pool_close(&decoder);
	cr_assert_eq(list_children(NULL, 0), 0);
}

Test(library_faults, callers_that_ignore_their_children)
{
	cr_assert_neq(signal(SIGCHLD, SIG_IGN), SIG_ERR);
	struct sdec_pool *decoder = open_hostile(NULL);
	struct sdec_result result;

	cr_assert_eq(decode(decoder, "HOSTILE segfault 8", &result), SDEC_KILLED);
	cr_assert_eq(result.signal, SIGSEGV);
	expect_works(decoder);
	sdec_pool_close(&decoder);
}

/* ---- nothing left ---- */

Test(library_faults, no_descriptors)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob(THUMBNAIL);
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_image image = { .size = sizeof(image) };
	struct rlimit before;
	unsigned failed = 0;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (int round = 0; round < 2; round++) {
		size_t used = count_descriptors();
		for (rlim_t more = 0; more < 16; more++) {
			struct rlimit few = { .rlim_cur = used + more, .rlim_max = before.rlim_max };
			struct sdec_stream *stream = NULL;
			cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
			enum sdec_status status = sdec_decode_image(decoder, &input, NULL, &image, NULL);
			cr_assert(status == SDEC_OK || status == SDEC_EXHAUSTED, "%s", sdec_status_name(status));
			failed += status != SDEC_OK;
			sdec_image_free(&image);
			if (sdec_stream_open(decoder, &input, NULL, &stream) == SDEC_OK)
				sdec_stream_close(&stream);
			cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
		}
		expect_works(decoder);
	}
	cr_assert_gt(failed, 0);
	free_blob(&file);
	sdec_pool_close(&decoder);
}

/* As a user who may have no more processes: the broker can be started, its children cannot, or neither.  It is started
 * by a process that is gone when it has any.  Each time another user: what the last one left may still be about to end.
 */
Test(library_faults, no_processes)
{
	if (!others_can_run_this())
		cr_skip_test("needs to become another user, who can run this");
	for (rlim_t most = 1; most < 5; most++) {
		pid_t pid = fork();
		int status = 0;
		uid_t user = 54320 + (uid_t)most;
		if (pid == 0) {
			struct rlimit few = { .rlim_cur = most, .rlim_max = most };
			struct sdec_pool *decoder = open_decoder(NULL);
			struct sdec_posture posture = { .size = sizeof(posture) };
			if (setrlimit(RLIMIT_NPROC, &few) != 0 || setresgid(user, user, user) != 0 ||
			    setresuid(user, user, user) != 0)
				_exit(99);
			_exit((int)sdec_pool_posture(decoder, NULL, &posture));
		}
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		cr_assert(WIFEXITED(status));
		int wanted = most < 3 ? SDEC_EXHAUSTED : SDEC_OK;
		cr_assert(WEXITSTATUS(status) == wanted || (most == 3 && WEXITSTATUS(status) == SDEC_EXHAUSTED),
		          "%d with %d processes", WEXITSTATUS(status), (int)most);
	}
}

Test(library_faults, no_spares)
{
	struct sdec_config config = { .size = sizeof(config), .no_spares = 1 };
	struct sdec_pool *decoder = open_decoder(&config);

	for (int i = 0; i < 5; i++)
		expect_works(decoder);
	size_t descriptors = count_descriptors();
	for (int i = 0; i < 5; i++)
		expect_works(decoder);
	cr_assert_eq(count_descriptors(), descriptors);
	sdec_pool_close(&decoder);
}

/* ---- idle brokers ---- */

Test(library_idle, a_broker_ends_and_another_comes)
{
	struct sdec_config config = { .size = sizeof(config), .idle_seconds = 1 };
	struct sdec_pool *decoder = open_decoder(&config);

	expect_works(decoder);
	pid_t broker = the_broker();
	sleep_milliseconds(500);
	cr_assert(is_running(broker));
	expect_gone(broker, 3000);
	expect_works(decoder);
	cr_assert_neq(the_broker(), broker);
	sdec_pool_close(&decoder);
}

static void *call_at_about_the_idle_time(void *context)
{
	struct sdec_pool *decoder = context;
	unsigned seed = (unsigned)(uintptr_t)&seed;

	for (int i = 0; i < 8; i++) {
		sleep_milliseconds(990 + (unsigned)rand_r(&seed) % 20);
		expect_works(decoder);
	}
	return NULL;
}

/* Each with a decoder of its own, so that there are many idle times. */
Test(library_idle, calls_at_about_the_idle_time, .timeout = 60)
{
	enum { CALLERS = 12 };
	struct sdec_config config = { .size = sizeof(config), .idle_seconds = 1 };
	struct sdec_pool *decoders[CALLERS];
	pthread_t threads[CALLERS];

	for (int i = 0; i < CALLERS; i++) {
		decoders[i] = open_decoder(&config);
		expect_works(decoders[i]);
		cr_assert_eq(pthread_create(&threads[i], NULL, call_at_about_the_idle_time, decoders[i]), 0);
	}
	for (int i = 0; i < CALLERS; i++) {
		cr_assert_eq(pthread_join(threads[i], NULL), 0);
		sdec_pool_close(&decoders[i]);
	}
	cr_assert_eq(list_children(NULL, 0), 0);
}

/* ---- the caller ends ---- */

Test(library_faults, a_caller_that_is_killed_leaves_nothing)
{
	pid_t *broker = mmap(NULL, sizeof(*broker), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(broker, MAP_FAILED);
	pid_t pid = fork();
	if (pid == 0) {
		struct sdec_pool *decoder = open_hostile(NULL);
		struct sdec_result result;
		if (decode(decoder, "HOSTILE picture 4 4", &result) == SDEC_OK)
			*broker = the_broker();
		(void)decode(decoder, "HOSTILE spin", &result);
		_exit(1);
	}
	while (*(volatile pid_t *)broker == 0)
		sleep_milliseconds(5);
	sleep_milliseconds(100);
	cr_assert(is_running(*broker));
	cr_assert_eq(kill(pid, SIGKILL), 0);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	expect_gone(*broker, 5000);
}

/* ---- signals that come all the time, and without an end ---- */

static void do_nothing(int number)
{
	(void)number;
}

/* With a handler that interrupts calls. */
static void set_signals(long microseconds)
{
	struct sigaction action = { .sa_handler = do_nothing };
	struct itimerval often = { .it_interval.tv_usec = microseconds, .it_value.tv_usec = microseconds };

	cr_assert_eq(sigaction(SIGALRM, &action, NULL), 0);
	cr_assert_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
}

Test(library_faults, signals_that_interrupt)
{
	struct sdec_pool *decoder = open_decoder(NULL);

	set_signals(200);
	for (int i = 0; i < 200; i++)
		expect_works(decoder);
	pid_t broker = the_broker();
	cr_assert_eq(kill(broker, SIGKILL), 0);
	expect_gone(broker, 5000); /* else a decode may meet the kill */
	expect_works(decoder);
	set_signals(0);
	sdec_pool_close(&decoder);
	cr_assert_eq(list_children(NULL, 0), 0);
}

/* Stops the broker and kills its decoders: nobody will tell how they ended. */
static void *silence(void *context)
{
	const pid_t *broker = context;
	pid_t pids[8];

	sleep_milliseconds(200);
	size_t count = children_of(*broker, pids, 8);
	(void)kill(*broker, SIGSTOP);
	for (size_t i = 0; i < count; i++)
		(void)kill(pids[i], SIGKILL);
	return NULL;
}

/* The wait for the broker's word began again with each signal, and so had no end. */
Test(library_faults, a_broker_that_is_stopped_while_signals_come, .timeout = 120)
{
	struct sdec_pool *decoder = open_hostile(NULL);
	struct sdec_result result;
	pthread_t thread;
	sigset_t alarm, before;

	cr_assert_eq(decode(decoder, "HOSTILE picture 4 4", &result), SDEC_OK);
	pid_t broker = the_broker();
	cr_assert(sigemptyset(&alarm) == 0 && sigaddset(&alarm, SIGALRM) == 0);
	cr_assert_eq(pthread_sigmask(SIG_BLOCK, &alarm, &before), 0);
	cr_assert_eq(pthread_create(&thread, NULL, silence, &broker), 0);
	cr_assert_eq(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
	set_signals(20000);
	cr_assert_eq(decode(decoder, "HOSTILE spin", &result), SDEC_KILLED);
	set_signals(0);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	sdec_pool_close(&decoder);
	cr_assert_eq(list_children(NULL, 0), 0);
}

/* ---- packets that are not as expected ---- */

Test(library_faults, packets_of_another_size_leave_no_descriptors)
{
	static const char text[] = "message";
	int ends[2], fds[2];
	char data[sizeof(text) + 1];
	struct packet longer = { .data = data, .size = sizeof(data), .fds = fds, .count = 2 };
	struct packet exact = { .data = data, .size = sizeof(text), .fds = fds, .count = 1 };

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	size_t before = count_descriptors();
	/* One descriptor, where two are expected. */
	cr_assert(packet_send(ends[0], text, sizeof(text), &ends[0], 1));
	cr_assert_eq(packet_receive(ends[1], false, &longer), PACKET_ONE);
	cr_assert_eq(longer.got, sizeof(text));
	cr_assert_not(longer.with_fds);
	cr_assert_eq(count_descriptors(), before);
	/* Four, where one is. */
	const int four[] = { ends[0], ends[0], ends[1], ends[1] };
	cr_assert(packet_send(ends[0], text, sizeof(text), four, 4));
	cr_assert_eq(packet_receive(ends[1], false, &exact), PACKET_ONE);
	cr_assert_not(exact.with_fds);
	cr_assert_eq(count_descriptors(), before);
	/* A packet that is longer than there is room for is cut; its descriptor comes. */
	cr_assert(packet_send(ends[0], data, sizeof(data), &ends[0], 1));
	cr_assert_eq(packet_receive(ends[1], false, &exact), PACKET_ONE);
	cr_assert_eq(exact.got, sizeof(text));
	cr_assert(exact.with_fds);
	cr_assert_eq(count_descriptors(), before + 1);
	(void)close(fds[0]);
	cr_assert_eq(packet_receive(ends[1], false, &exact), PACKET_NONE);
	(void)close(ends[0]);
	cr_assert_eq(packet_receive(ends[1], false, &exact), PACKET_END);
	(void)close(ends[1]);
}
