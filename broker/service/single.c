/* SPDX-License-Identifier: MIT */
#include "single.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/base/fds.h"
#include "broker/base/packet.h"
#include "broker/base/pipes.h"
#include "broker/sandbox/sandbox_steps.h"
#include "hello.h"
#include "start.h"

enum { GENTLE_WAIT = 1000 }; /* milliseconds for a child to be torn down after it closed its output */

/* ---- what it says before it is locked down ---- */

struct last_words {
	bool hello;             /* it has said so */
	struct outcome outcome; /* of that */
	const char *library;    /* once that is SDEC_OK */
	int status;             /* its /proc/PID/status; or -1 */
	bool failed;
	int step, error_number;
};

static void take_lockdown(struct last_words *words, const struct protocol_lockdown *report, int fd)
{
	if (fd >= 0)
		words->status = fd;
	if (report->step == SANDBOX_STEP_NONE)
		return;
	words->failed = true;
	words->step = report->step;
	words->error_number = report->error_number;
}

/* Takes all that has come.  A library may have complained about something: nobody looks at that. */
static struct last_words listen_to(const struct child *child)
{
	struct last_words words = { .outcome = hello_missing(), .status = -1 };
	union {
		char room[HELLO_ROOM];
		struct protocol_lockdown lockdown;
		struct protocol_hello hello;
	} data;
	int fd = -1;
	struct packet packet = { .data = &data, .size = sizeof(data), .fds = &fd, .count = 1 };

	while (packet_receive(child->control, false, &packet) == PACKET_ONE) {
		bool lockdown =
		        words.hello && packet.got == sizeof(data.lockdown) && data.lockdown.kind == PROTOCOL_LOCKDOWN;
		if (!words.hello)
			words.outcome = hello_judge(&packet);
		if (!words.hello && words.outcome.status == SDEC_OK)
			words.library = hello_library(&data.hello);
		words.hello = true;
		if (lockdown && (!packet.with_fds || words.status < 0))
			take_lockdown(&words, &data.lockdown, packet.with_fds ? fd : -1);
		else if (packet.with_fds)
			(void)close(fd);
	}
	return words;
}

/* ---- the child's owner ---- */

static struct outcome verify(struct child *child, struct sandbox_posture *posture)
{
	const struct single *single = child->context;
	const struct verify_expectation expected = {
		.pid = child->pid,
		.parent = getpid(),
		.filters_before = single->filters,
		.diagnosing = single->diagnoses,
	};
	struct last_words words = listen_to(child);
	struct outcome outcome = words.outcome;

	*posture = (struct sandbox_posture){ .verified = false };
	child->library = words.library;
	if (outcome.status == SDEC_OK) {
		errno = EBADF;
		enum verify_failure failure =
		        words.status < 0 ? VERIFY_NO_PROC : verify_status(words.status, &expected, posture);
		outcome = verify_outcome(failure, errno);
	}
	fds_close(&words.status);
	fds_close(&child->control);
	return outcome;
}

/* It did not get as far as being locked down. */
static struct outcome why_not_locked(const struct child *child, int wait_status)
{
	struct last_words words = listen_to(child);

	bool got_status = words.status >= 0;
	fds_close(&words.status);
	if (words.outcome.status != SDEC_OK)
		return words.outcome;
	if (words.failed)
		return outcome_of_errno(SDEC_NO_SANDBOX, sandbox_step_failure(words.step), words.error_number);
	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) >= SANDBOX_EXIT_BASE)
		return outcome_of_errno(SDEC_NO_SANDBOX, sandbox_step_failure((int)sandbox_silent_step(got_status)),
		                        WEXITSTATUS(wait_status) - SANDBOX_EXIT_BASE);
	return outcome_of(SDEC_NO_SANDBOX, sandbox_step_failure(SANDBOX_STEP_NONE));
}

/* Does not kill it at once: how it ends by itself is what is asked for. */
static struct outcome fate(struct child *child, bool said_hello, int milliseconds)
{
	struct started process = { .pid = child->pid, .pidfd = child->pidfd };

	child_close_input(child);
	child->pidfd = -1;
	bool patient = milliseconds < 0 || milliseconds > GENTLE_WAIT;
	int wait_status = started_reap(&process, patient ? GENTLE_WAIT : milliseconds);
	return said_hello ? child_outcome(wait_status) : why_not_locked(child, wait_status);
}

static void end(struct child *child, bool crashed)
{
	struct started process = { .pid = child->pid, .pidfd = child->pidfd };

	(void)crashed;
	child->pidfd = -1;
	started_end(&process);
	child_close(child);
}

static const struct child_owner executed = { .verify = verify, .fate = fate, .end = end };

/* ---- the source ---- */

static struct outcome start(struct single *single, const struct want *want, struct child *child)
{
	struct decoder_numbers numbers = { .memory = want->limits->memory, .cpu_seconds = want->limits->cpu_seconds };
	struct pipes pipes = PIPES_NONE;
	struct started started = STARTED_NONE;
	int control[2] = { -1, -1 };

	enum verify_failure unknown = verify_filters(&single->filters);
	if (unknown != VERIFY_CONFIRMED)
		return outcome_of_errno(SDEC_NO_SANDBOX, "cannot ask the kernel about this process in /proc", errno);
	if (pipes_open(&pipes) != 0)
		return outcome_of_making("cannot make the decoder's pipes", errno);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) != 0) {
		struct outcome outcome = outcome_of_making("cannot make a socket", errno);
		pipes_close(&pipes);
		return outcome;
	}
	struct start_plan plan = { .fds = { [PROTOCOL_SOCKET] = control[1],
		                            [STDOUT_FILENO] = -1,
		                            [STDERR_FILENO] = control[1],
		                            [PROTOCOL_INPUT] = pipes.child_input,
		                            [PROTOCOL_OUTPUT] = pipes.child_output } };
	struct outcome outcome = start_decoder(single->folder, want->program,
	                                       single->diagnoses ? PROTOCOL_MODE_DIAGNOSE : PROTOCOL_MODE_SINGLE,
	                                       &numbers, &plan, &started);
	if (outcome.status == SDEC_OK) {
		*child = (struct child){ .owner = &executed,
			                 .context = single,
			                 .pid = started.pid,
			                 .pidfd = started.pidfd,
			                 .input = pipes.input,
			                 .output = pipes.output,
			                 .control = control[0] };
		pipes.input = pipes.output = control[0] = -1;
	}
	pipes_close(&pipes);
	fds_close(&control[0]);
	fds_close(&control[1]);
	return outcome;
}

static bool want_child(struct child_source *source, struct want *want)
{
	struct single *single = (struct single *)source;

	single->diagnoses = want->diagnose;
	want->outcome = start(single, want, &want->child);
	want->done = true;
	return true;
}

void single_init(struct single *single, const char *folder)
{
	*single = (struct single){
		.source = source_at_once(want_child),
		.folder = folder,
	};
}
