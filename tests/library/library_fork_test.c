/* SPDX-License-Identifier: MIT */
/* What a process that was forked from the caller can do with the handle: nothing, to nobody's harm. */
#include <criterion/criterion.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/library_support.h"

static int in_the_child(struct sdec_pool *decoder, struct sdec_stream *stream)
{
	struct sdec_input input = text_input("x");
	struct sdec_image image = { .size = sizeof(image) };
	struct sdec_event event = { .size = sizeof(event) };
	struct sdec_posture posture = { .size = sizeof(posture) };
	uint8_t pixel[4];

	if (sdec_decode_image(decoder, &input, NULL, &image, NULL) != SDEC_USAGE)
		return 1;
	if (sdec_stream_step(stream, &event) != SDEC_USAGE || sdec_stream_into(stream, pixel, 4, 4) != SDEC_USAGE)
		return 2;
	if (sdec_pool_posture(decoder, NULL, &posture) != SDEC_USAGE)
		return 3;
	sdec_stream_close(&stream);
	sdec_pool_close(&decoder);
	return 0;
}

/* The close of the child's copy killed the spares of its parent. */
Test(library_fork, the_child_can_do_nothing_and_harms_nothing)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob(PHOTOGRAPH);
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_stream *stream = NULL;
	struct sdec_event event = { .size = sizeof(event) };
	int status = 0;

	expect_works(decoder);
	sleep_milliseconds(100);
	cr_assert_eq(sdec_stream_open(decoder, &input, NULL, &stream), SDEC_OK);
	for (event.kind = SDEC_EVENT_NONE; event.kind != SDEC_EVENT_ROWS;)
		cr_assert_eq(sdec_stream_step(stream, &event), SDEC_OK);
	pid_t pid = fork();
	if (pid == 0)
		_exit(in_the_child(decoder, stream));
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status));
	cr_assert_eq(WEXITSTATUS(status), 0);
	while (event.kind != SDEC_EVENT_END)
		cr_assert_eq(sdec_stream_step(stream, &event), SDEC_OK);
	sdec_stream_close(&stream);
	for (int i = 0; i < 5; i++)
		expect_works(decoder);
	free_blob(&file);
	sdec_pool_close(&decoder);
}

/* The child has a copy of the socket, so that the broker would not see this end closed. */
/* A fork that pthread_atfork() does not see, into a namespace in which the child has its parent's number.  Returns what
 * became of it there. */
static int wait_status_of_namesake(void (*run)(void *), void *context)
{
	int status = -1;

	if (unshare(CLONE_NEWPID) != 0)
		_exit(77);
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);
	if (pid == 0) {
		run(context);
		_exit(getpid() == 1 ? 0 : 78);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		_exit(79);
	return status;
}

static void use_as_namesake(void *context)
{
	struct sdec_pool *decoder = context;
	struct sdec_input input = text_input("HOSTILE picture 1 1");
	struct sdec_image image = { .size = sizeof(image) };

	if (sdec_decode_image(decoder, &input, NULL, &image, NULL) != SDEC_USAGE)
		_exit(1);
	/* But it may have handles of its own, which do not make this one its own. */
	struct sdec_pool *own = open_hostile(NULL);
	if (sdec_pool_posture(own, "no such format", NULL) != SDEC_USAGE ||
	    sdec_decode_image(decoder, &input, NULL, &image, NULL) != SDEC_USAGE)
		_exit(2);
	sdec_pool_close(&own);
	sdec_pool_close(&decoder);
}

static void open_as_the_first(void *context)
{
	struct sdec_pool *decoder = open_hostile(NULL);
	int status = wait_status_of_namesake(use_as_namesake, decoder);

	(void)context;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 80);
}

Test(library_fork, a_child_of_the_same_number)
{
	pid_t pid = fork();
	int status = -1;

	cr_assert_geq(pid, 0);
	if (pid == 0) {
		if (geteuid() != 0 && unshare(CLONE_NEWUSER) != 0)
			_exit(77);
		status = wait_status_of_namesake(open_as_the_first, NULL);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 81);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		cr_skip("no namespaces can be made here");
	cr_assert_eq(WEXITSTATUS(status), 0);
}

Test(library_fork, close_does_not_wait_for_the_forked)
{
	struct sdec_pool *decoder = open_decoder(NULL);

	expect_works(decoder);
	pid_t broker = the_broker();
	pid_t pid = fork();
	if (pid == 0) {
		sleep_milliseconds(4000);
		_exit(0);
	}
	uint64_t before = now_milliseconds();
	sdec_pool_close(&decoder);
	cr_assert_lt(now_milliseconds() - before, 1900); /* after 2000 it would be killed */
	cr_assert(!is_running(broker));
	cr_assert_eq(kill(pid, SIGKILL), 0);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

/* The forked process had copies of the pipes, so that the spare did not see the end of its input. */
Test(library_fork, spares_are_not_shared_with_the_forked)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob(ROMEO);
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_limits limits = { .size = sizeof(limits), .stall_seconds = 3 };
	struct sdec_request request = { .size = sizeof(request), .limits = &limits };
	struct sdec_posture posture = { .size = sizeof(posture) };

	/* Twice, so that the spares have come. */
	cr_assert_eq(sdec_pool_posture(decoder, "gzip", &posture), SDEC_OK);
	sleep_milliseconds(300);
	cr_assert_eq(sdec_pool_posture(decoder, "gzip", &posture), SDEC_OK);
	pid_t pid = fork();
	if (pid == 0) {
		sleep_milliseconds(20000);
		_exit(0);
	}
	for (int i = 0; i < 4; i++) {
		struct sdec_bytes bytes = { .size = sizeof(bytes) };
		cr_assert_eq(sdec_decode_bytes(decoder, &input, &request, &bytes, NULL), SDEC_OK);
		sdec_bytes_free(&bytes);
	}
	cr_assert_eq(kill(pid, SIGKILL), 0);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	free_blob(&file);
	sdec_pool_close(&decoder);
}
