/* SPDX-License-Identifier: MIT */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "broker/base/fds.h"
#include "broker/base/pipes.h"

/* ---- the decoder ---- */

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
static _Noreturn __attribute__((noinline, no_stack_protector)) void decoder_main(const struct spawn_plan *plan,
                                                                                 const struct sandbox_child *child)
{
	sandbox_enter(plan->sandbox, child);
	forget_and_run(plan);
}

/* ---- the broker ---- */

/* Not fork(): the decoder calls nothing that would need the handlers, locks and thread numbers that the C library puts
 * in order there, and each page that it touches for them would have to be copied. */
static pid_t fork_bare(int *pidfd)
{
	return (pid_t)syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, pidfd, NULL, NULL);
}

void spawned_close(struct spawned *spawned)
{
	fds_close(&spawned->pidfd);
	fds_close(&spawned->input);
	fds_close(&spawned->output);
}

enum sandbox_step spawn_decoder(const struct spawn_plan *plan, struct spawned *spawned)
{
	struct pipes pipes = PIPES_NONE;
	enum sandbox_step failed = SANDBOX_STEP_NONE;

	*spawned = SPAWNED_NONE;
	if (pipes_open(&pipes) != 0) {
		failed = SANDBOX_STEP_make_pipes;
		goto out;
	}
	struct sandbox_child inside = {
		.parent = getpid(),
		.forked = true,
		.input = pipes.child_input,
		.output = pipes.child_output,
		.control = plan->control,
		.cpu_seconds = plan->cpu_seconds,
		.shrink = plan->shrink,
		.context = plan->context,
	};
	spawned->pid = fork_bare(&spawned->pidfd);
	if (spawned->pid == 0)
		decoder_main(plan, &inside);
	if (spawned->pid < 0) {
		failed = SANDBOX_STEP_fork;
		spawned->pidfd = -1;
		goto out;
	}
	spawned->input = pipes.input;
	spawned->output = pipes.output;
	pipes.input = pipes.output = -1;
out:;
	int saved = errno;
	pipes_close(&pipes);
	errno = saved;
	return failed;
}
