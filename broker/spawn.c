/* SPDX-License-Identifier: MIT */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fds.h"

enum {
	GENTLE_WAIT = 1000, /* milliseconds for a child to be torn down after it closed its output */
};

/* ---- the child ---- */

/* A forked child has its parent's stack protector canary and pointer guard.  One that is taken over must not learn
 * those of its siblings.  On x86-64 they are in the thread control block. */
static inline __attribute__((always_inline)) int replace_canary(void)
{
#ifdef __x86_64__
	uint64_t fresh[2];

	if (getrandom(fresh, sizeof(fresh), 0) != sizeof(fresh))
		return -1;
	/* The lowest byte is zero, so that no string function copies the canary whole. */
	__asm__ volatile("movq %0, %%fs:0x28" : : "r"(fresh[0] & ~UINT64_C(0xff)));
	__asm__ volatile("movq %0, %%fs:0x30" : : "r"(fresh[1]));
#endif
	return 0;
}

/* Never returns, so that the frames of the parent's functions, in which its canary stands, may go: they are above. */
static _Noreturn __attribute__((noinline)) void forget_and_run(const struct spawn_plan *plan)
{
	void (*const warm_up)(void) = plan->warm_up;
	void (*const run)(void) = plan->run;

	sandbox_wipe_above(plan->sandbox, __builtin_frame_address(0));
	if (warm_up)
		warm_up();
	for (;;)
		run();
}

/* Never returns, so that the canary may change under it. */
static _Noreturn __attribute__((noinline, no_stack_protector)) void child_main(const struct spawn_plan *plan,
                                                                               const struct sandbox_child *child)
{
	static char *no_environment[] = { NULL };
	int status = SANDBOX_EXIT_BASE;

	/* No codec is to be led by variables; and the list of them may lie in memory that children have not. */
	environ = no_environment;
	if (replace_canary() == 0 && (!plan->after_fork || plan->after_fork(plan->context) == 0)) {
		int failed = sandbox_enter(plan->sandbox, child);
		if (failed == 0)
			forget_and_run(plan);
		status += failed;
	}
	for (;;)
		syscall(SYS_exit, status);
}

/* ---- the parent ---- */

/* Not fork(): the child calls nothing that would need the handlers, locks and thread numbers that the C library puts in
 * order there, and each page that it touches for them would have to be copied. */
static pid_t fork_bare(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

/* A pipe whose trusted end, ends[trusted], does not block. */
static int make_pipe(int ends[2], int trusted)
{
	if (pipe2(ends, O_CLOEXEC) != 0) {
		ends[0] = ends[1] = -1;
		return -1;
	}
	return fcntl(ends[trusted], F_SETFL, O_NONBLOCK);
}

static int make_pipes(int input[2], int output[2], int report[2], bool diagnose)
{
	if (make_pipe(input, 1) != 0 || make_pipe(output, 0) != 0)
		return -1;
	return diagnose ? make_pipe(report, 0) : 0;
}

/* What is left of a child that was reaped, or never was. */
static int reap(struct child *child)
{
	int status = 0;

	if (child->pid > 0) {
		/* The pid is ours until it is reaped here, so it cannot mean another process. */
		(void)kill(child->pid, SIGKILL);
		while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	child->pid = 0;
	return status;
}

static struct safe_outcome verify(struct child *child, struct sandbox_posture *posture)
{
	return sandbox_verify(child->context, child->pid, posture);
}

/* Does not kill it at once: how it ends by itself is what is asked for. */
static struct safe_outcome fate(struct child *child, bool said_hello)
{
	struct pollfd ended = { .fd = child->pidfd, .events = POLLIN };

	child_close_input(child);
	while (child->pidfd >= 0 && poll(&ended, 1, GENTLE_WAIT) < 0 && errno == EINTR)
		;
	int status = reap(child);
	child->wait_status = status;
	if (said_hello)
		return child_outcome(status);
	const char *step = WIFEXITED(status) ? sandbox_step_failure(WEXITSTATUS(status) - SANDBOX_EXIT_BASE) : NULL;
	return outcome_of(SAFE_NO_SANDBOX, step ? step : "the decoder ended before it was locked down");
}

static void end(struct child *child, bool crashed)
{
	(void)crashed;
	(void)reap(child);
	child_close(child);
}

static const struct child_owner this_process = { .verify = verify, .fate = fate, .end = end };

struct safe_outcome spawn_child(const struct spawn_plan *plan, struct child *child)
{
	int input[2] = { -1, -1 }, output[2] = { -1, -1 }, report[2] = { -1, -1 };
	struct safe_outcome outcome = outcome_ok();

	*child = CHILD_NONE;
	if (make_pipes(input, output, report, plan->sandbox->diagnose) != 0) {
		outcome = outcome_of_errno(SAFE_NO_SANDBOX, "cannot make the decoder's pipes", errno);
		goto out;
	}
	struct sandbox_child inside = {
		.parent = getpid(),
		.input = input[0],
		.output = output[1],
		.report = report[1],
		.cpu_seconds = plan->cpu_seconds,
	};
	/* Nothing of the caller's but this frame is touched in the child: the rest may be hidden from it. */
	pid_t pid = fork_bare();
	if (pid == 0)
		child_main(plan, &inside);
	if (pid < 0) {
		outcome = outcome_of_errno(SAFE_NO_SANDBOX, "cannot fork a decoder", errno);
		goto out;
	}
	*child = (struct child){
		.owner = &this_process,
		.context = (void *)(uintptr_t)plan->sandbox,
		.pid = pid,
		.input = input[1],
		.input_peer = plan->keep_input_peer ? input[0] : -1,
		.output = output[0],
		.report = report[0],
	};
	input[1] = output[0] = report[0] = -1;
	if (plan->keep_input_peer)
		input[0] = -1;
	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	if (child->pidfd < 0) {
		outcome = outcome_of_errno(SAFE_NO_SANDBOX, "cannot get hold of the decoder", errno);
		end(child, false);
		*child = CHILD_NONE;
	}
out:
	for (int i = 0; i < 2; i++) {
		fds_close(&input[i]);
		fds_close(&output[i]);
		fds_close(&report[i]);
	}
	return outcome;
}
