/* SPDX-License-Identifier: MIT */
/* What a locked-down child can still do.  That it can do nothing else is for tests/prove/ to show. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../broker/sandbox.h"
#include "../broker/spawn.h"

/* What the next child does.  It is forked, so it sees what the test set. */
static long wanted_call;

static struct sandbox_plan plan;

static void prepare(bool diagnose)
{
	char *arguments[] = { program_invocation_name, NULL };
	struct safe_outcome outcome = sandbox_prepare(&plan, arguments, diagnose);

	cr_assert_eq(outcome.status, SAFE_OK, "%s", outcome.reason);
}

static struct child spawn(void (*run)(void))
{
	struct spawn_plan spawn_plan = { .sandbox = &plan, .cpu_seconds = 5, .run = run };
	struct child child;
	struct safe_outcome outcome = spawn_child(&spawn_plan, &child);

	cr_assert_eq(outcome.status, SAFE_OK, "%s", outcome.reason);
	return child;
}

/* Lets a child end by itself, and returns how it did. */
static int end_gently(struct child *child)
{
	(void)child->owner->fate(child, true);
	int status = child->wait_status;
	child->owner->end(child, false);
	return status;
}

static void wait_for_output(const struct child *child)
{
	struct pollfd output = { .fd = child->output, .events = POLLIN };

	cr_assert_eq(poll(&output, 1, 10000), 1);
}

/* ---- what children run ---- */

static _Noreturn void leave(int status)
{
	for (;;)
		syscall(SYS_exit, status);
}

static void call_64(void)
{
	leave(syscall(wanted_call, 0, 0, 0, 0, 0, 0) == -1 ? 43 : 42);
}

/* Says that it is there, and waits for a word. */
static void greet(void)
{
	char word = 'h';

	if (write(STDOUT_FILENO, &word, 1) != 1 || read(STDIN_FILENO, &word, 1) != 1)
		leave(1);
}

static void greet_and_leave(void)
{
	greet();
	leave(7);
}

static void return_from_signal(void)
{
	/* With no signal frame on the stack, the kernel kills with SIGSEGV: the call itself was allowed. */
	syscall(SYS_rt_sigreturn);
	leave(42);
}

static void write_to_2(void)
{
	char byte = 0;

	leave(write(STDERR_FILENO, &byte, 1) == -1 && errno == EBADF ? 7 : 1);
}

static void read_from_others(void)
{
	char byte = 0;

	for (int fd = 2; fd < 1024; fd++)
		if (read(fd, &byte, 1) != -1 || errno != EBADF)
			leave(1);
	leave(7);
}

static void grow_stack(void)
{
	volatile char *here = (volatile char *)__builtin_frame_address(0);

	for (size_t down = 0; down < (size_t)4 << 20; down += 4096)
		here[-(ptrdiff_t)down] = 1;
	leave(42);
}

static void spin(void)
{
	char byte = 's';

	if (write(STDOUT_FILENO, &byte, 1) != 1)
		leave(1);
	for (;;)
		__asm__ volatile("");
}

/* ---- what is left ---- */

Test(lockdown, read_write_and_exit_work)
{
	prepare(false);
	struct child child = spawn(greet_and_leave);
	struct sandbox_posture posture;
	char word = 0;

	wait_for_output(&child);
	cr_expect_eq(sandbox_verify(&plan, child.pid, &posture).status, SAFE_OK);
	cr_expect(posture.verified && posture.strict && posture.no_new_privs);
	cr_expect_eq(read(child.output, &word, 1), 1);
	cr_expect_eq(word, 'h');
	cr_expect_eq(write(child.input, &word, 1), 1);
	int status = end_gently(&child);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

Test(lockdown, sigreturn_is_allowed)
{
	prepare(false);
	struct child child = spawn(return_from_signal);
	int status = end_gently(&child);

	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "status %#x", (unsigned)status);
}

Test(lockdown, there_are_no_other_descriptors)
{
	/* Descriptors that a careless caller left open. */
	for (int i = 0; i < 20; i++)
		cr_assert(dup(STDERR_FILENO) >= 0);
	prepare(false);
	void (*const attempts[])(void) = { write_to_2, read_from_others };
	for (size_t i = 0; i < 2; i++) {
		struct child child = spawn(attempts[i]);
		int status = end_gently(&child);
		cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 7, "attempt %zu: status %#x", i,
		          (unsigned)status);
	}
}

Test(lockdown, the_stack_is_limited)
{
	prepare(false);
	struct child child = spawn(grow_stack);
	int status = end_gently(&child);

	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "status %#x", (unsigned)status);
}

Test(lockdown, processor_time_is_limited, .timeout = 30)
{
	prepare(false);
	struct spawn_plan spawn_plan = { .sandbox = &plan, .cpu_seconds = 1, .run = spin };
	struct child child;

	cr_assert_eq(spawn_child(&spawn_plan, &child).status, SAFE_OK);
	struct pollfd ended = { .fd = child.pidfd, .events = POLLIN };
	cr_assert_eq(poll(&ended, 1, 20000), 1);
	int status = end_gently(&child);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU, "status %#x", (unsigned)status);
	cr_expect_eq(child_outcome(status).status, SAFE_LIMIT);
}

/* It finds its parent's death out by itself: nobody is left to kill it. */
Test(lockdown, dies_with_its_parent, .timeout = 30)
{
	int pid_pipe[2];
	pid_t grandchild = 0;

	cr_assert_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	cr_assert_eq(pipe(pid_pipe), 0);
	prepare(false);
	pid_t parent = fork();
	cr_assert(parent >= 0);
	if (parent == 0) {
		struct child child = spawn(spin);
		wait_for_output(&child);
		_exit(write(pid_pipe[1], &child.pid, sizeof(child.pid)) == sizeof(child.pid) ? 0 : 1);
	}
	cr_assert_eq(waitpid(parent, NULL, 0), parent);
	cr_assert_eq(read(pid_pipe[0], &grandchild, sizeof(grandchild)), (ssize_t)sizeof(grandchild));
	int status = 0;
	cr_assert_eq(waitpid(grandchild, &status, 0), grandchild);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "status %#x", (unsigned)status);
}

/* ---- under somebody else's filter, and when the lock-down fails ---- */

/* A filter that is already in force, as in a container; `refused` then fails with EPERM unless it is -1. */
static void install_foreign_filter(int refused)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	cr_assert_not_null(filter);
	cr_assert_eq(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(swapon), 0), 0);
	if (refused >= 0)
		cr_assert_eq(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), refused, 0), 0);
	cr_assert_eq(seccomp_load(filter), 0);
	seccomp_release(filter);
}

Test(lockdown, works_inside_a_container)
{
	install_foreign_filter(-1);
	prepare(false);
	struct child child = spawn(greet_and_leave);
	struct sandbox_posture posture;

	wait_for_output(&child);
	cr_expect_eq(sandbox_verify(&plan, child.pid, &posture).status, SAFE_OK);
	cr_expect(posture.verified && !posture.strict);
	cr_expect_eq(posture.filters, posture.filters_before + 1);
	child.owner->end(&child, false);
}

/* Returns how a child ends that cannot take a step of the lock-down. */
static struct safe_outcome refused(int system_call)
{
	install_foreign_filter(system_call);
	prepare(false);
	struct child child = spawn(greet_and_leave);
	struct safe_outcome outcome = child.owner->fate(&child, false);

	child.owner->end(&child, false);
	return outcome;
}

Test(lockdown, fails_closed_without_seccomp)
{
	/* Strict mode cannot be had for the filter, and the filter refuses the call that would add another. */
	struct safe_outcome outcome = refused(SCMP_SYS(seccomp));

	cr_expect_eq(outcome.status, SAFE_NO_SANDBOX);
	cr_expect_str_eq(outcome.reason, "cannot enter strict seccomp mode");
}

Test(lockdown, fails_closed_without_prctl)
{
	install_foreign_filter(-1);
	prepare(false);
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	cr_assert_eq(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prctl), 0), 0);
	cr_assert_eq(seccomp_load(filter), 0);
	struct child child = spawn(greet_and_leave);
	cr_expect_eq(child.owner->fate(&child, false).status, SAFE_NO_SANDBOX);
	child.owner->end(&child, false);
}

Test(lockdown, fails_closed_without_limits)
{
	cr_expect_eq(refused(SCMP_SYS(prlimit64)).status, SAFE_NO_SANDBOX);
}

Test(lockdown, fails_closed_without_close_range)
{
	cr_expect_eq(refused(SCMP_SYS(close_range)).status, SAFE_NO_SANDBOX);
}

Test(lockdown, a_child_that_is_not_locked_down_is_not_verified)
{
	struct sandbox_posture posture;
	prepare(false);
	pid_t child = fork();

	cr_assert(child >= 0);
	if (child == 0)
		for (;;)
			pause();
	cr_expect_eq(sandbox_verify(&plan, child, &posture).status, SAFE_NO_SANDBOX);
	cr_expect_not(posture.verified);
	cr_assert_eq(kill(child, SIGKILL), 0);
	cr_assert_eq(waitpid(child, NULL, 0), child);
}

Test(lockdown, a_process_that_is_not_a_child_is_not_verified)
{
	struct sandbox_posture posture;

	prepare(false);
	cr_expect_eq(sandbox_verify(&plan, 1, &posture).status, SAFE_NO_SANDBOX);
	cr_expect_eq(sandbox_verify(&plan, getpid(), &posture).status, SAFE_NO_SANDBOX);
}

/* ---- diagnosis ---- */

Test(lockdown, diagnosis_names_the_call)
{
	prepare(true);
	wanted_call = SYS_openat;
	struct child child = spawn(call_64);
	int report_fd = child.report;
	struct sandbox_report report;

	child.report = -1;
	int status = end_gently(&child);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 1, "status %#x", (unsigned)status);
	cr_assert_eq(read(report_fd, &report, sizeof(report)), (ssize_t)sizeof(report));
	char *name = sandbox_system_call_name(&report);
	cr_assert_not_null(name);
	cr_expect_str_eq(name, "openat");
	free(name);
}
