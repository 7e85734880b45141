/* SPDX-License-Identifier: MIT */
/* What a locked-down child can still do.  That it can do nothing else is for tests/prove/ to show. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/base/packet.h"
#include "broker/cli/system_calls.h"
#include "broker/decode/child.h"
#include "broker/sandbox/protocol.h"
#include "broker/sandbox/sandbox.h"
#include "broker/sandbox/spawn.h"
#include "broker/sandbox/verify.h"
#include "broker/wire/wire.h"

/* What the next child does.  It is forked, so it sees what the test set. */
static long wanted_call;

static struct sandbox_plan plan;
static uint64_t filters; /* in force before */

static void prepare(bool diagnose)
{
	char *arguments[] = { program_invocation_name, NULL };

	plan.diagnose = diagnose;
	enum sandbox_step failed = sandbox_prepare(&plan, arguments);
	cr_assert_eq(failed, SANDBOX_STEP_NONE, "%s: %s", sandbox_step_failure((int)failed), strerror(errno));
	cr_assert_eq(verify_filters(&filters), VERIFY_CONFIRMED);
}

/* A child, and what it said before it was locked down. */
struct made {
	struct spawned decoder;
	int control;
	int status;   /* its /proc/PID/status; or -1 */
	int32_t step; /* that failed, as it reported; SANDBOX_STEP_NONE: none */
	int32_t error_number;
};

static struct made spawn_with(void (*run)(void), uint32_t cpu_seconds)
{
	int ends[2];
	struct made made = { .decoder = SPAWNED_NONE, .status = -1 };

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	struct spawn_plan spawn_plan = { .sandbox = &plan, .control = ends[1], .cpu_seconds = cpu_seconds, .run = run };
	enum sandbox_step failed = spawn_decoder(&spawn_plan, &made.decoder);
	cr_assert_eq(failed, SANDBOX_STEP_NONE, "%s: %s", sandbox_step_failure((int)failed), strerror(errno));
	cr_assert_eq(close(ends[1]), 0);
	made.control = ends[0];
	return made;
}

static struct made spawn(void (*run)(void))
{
	return spawn_with(run, 5);
}

/* All that it says until it lets go of its end, or ends. */
static void listen_to(struct made *made)
{
	struct protocol_lockdown report;
	int fd = -1;
	struct packet packet = { .data = &report, .size = sizeof(report), .fds = &fd, .count = 1 };

	while (packet_receive(made->control, true, &packet) == PACKET_ONE) {
		cr_assert_eq(packet.got, sizeof(report));
		cr_assert_eq(report.kind, PROTOCOL_LOCKDOWN);
		cr_assert_eq(report.pid, made->decoder.pid);
		if (packet.with_fds)
			made->status = fd;
		made->step = report.step;
		made->error_number = report.error_number;
	}
}

/* Lets a child end by itself, and returns how it did. */
static int end_gently(struct made *made)
{
	int status = 0;

	if (made->decoder.input >= 0)
		(void)close(made->decoder.input);
	made->decoder.input = -1;
	cr_assert_eq(waitpid(made->decoder.pid, &status, 0), made->decoder.pid);
	spawned_close(&made->decoder);
	return status;
}

static void end_at_once(struct made *made)
{
	cr_assert_eq(kill(made->decoder.pid, SIGKILL), 0);
	(void)end_gently(made);
}

static void wait_for_output(const struct made *made)
{
	struct pollfd output = { .fd = made->decoder.output, .events = POLLIN };

	cr_assert_eq(poll(&output, 1, 10000), 1);
}

/* What the kernel says of a child that has said that it is locked down. */
static enum verify_failure verify(struct made *made, struct sandbox_posture *posture)
{
	const struct verify_expectation expected = {
		.pid = made->decoder.pid, .parent = getpid(), .filters_before = filters, .diagnosing = plan.diagnose
	};

	listen_to(made);
	cr_assert_geq(made->status, 0);
	return verify_status(made->status, &expected, posture);
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

static void greet_and_call(void)
{
	greet();
	call_64();
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
	struct made made = spawn(greet_and_leave);
	struct sandbox_posture posture;
	char word = 0;

	wait_for_output(&made);
	cr_expect_eq(verify(&made, &posture), VERIFY_CONFIRMED);
	cr_expect(posture.verified && posture.strict && posture.no_new_privs);
	cr_expect_eq(read(made.decoder.output, &word, 1), 1);
	cr_expect_eq(word, 'h');
	cr_expect_eq(write(made.decoder.input, &word, 1), 1);
	int status = end_gently(&made);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

Test(lockdown, sigreturn_is_allowed)
{
	prepare(false);
	struct made made = spawn(return_from_signal);
	int status = end_gently(&made);

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
		struct made made = spawn(attempts[i]);
		int status = end_gently(&made);
		cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 7, "attempt %zu: status %#x", i,
		          (unsigned)status);
	}
}

Test(lockdown, the_stack_is_limited)
{
	prepare(false);
	struct made made = spawn(grow_stack);
	int status = end_gently(&made);

	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "status %#x", (unsigned)status);
}

Test(lockdown, processor_time_is_limited, .timeout = 30)
{
	prepare(false);
	struct made made = spawn_with(spin, 1);
	struct pollfd ended = { .fd = made.decoder.pidfd, .events = POLLIN };

	cr_assert_eq(poll(&ended, 1, 20000), 1);
	int status = end_gently(&made);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU, "status %#x", (unsigned)status);
	cr_expect_eq(child_outcome(status).status, SDEC_LIMIT);
	cr_expect_eq(child_outcome(status).limit, SDEC_LIMIT_CPU);
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
		struct made made = spawn(spin);
		wait_for_output(&made);
		_exit(write(pid_pipe[1], &made.decoder.pid, sizeof(pid_t)) == sizeof(pid_t) ? 0 : 1);
	}
	cr_assert_eq(waitpid(parent, NULL, 0), parent);
	cr_assert_eq(read(pid_pipe[0], &grandchild, sizeof(grandchild)), (ssize_t)sizeof(grandchild));
	int status = 0;
	cr_assert_eq(waitpid(grandchild, &status, 0), grandchild);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "status %#x", (unsigned)status);
}

/* ---- under somebody else's filter, and when the lock-down fails ---- */

static scmp_filter_ctx new_filter(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	cr_assert_not_null(filter);
	cr_assert_eq(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(swapon), 0), 0);
	return filter;
}

static void install(scmp_filter_ctx filter)
{
	cr_assert_eq(seccomp_load(filter), 0);
	seccomp_release(filter);
}

/* A filter that is already in force, as in a container; `refused` then fails with EPERM unless it is -1. */
static void install_foreign_filter(int refused)
{
	scmp_filter_ctx filter = new_filter();

	if (refused >= 0)
		cr_assert_eq(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), refused, 0), 0);
	install(filter);
}

Test(lockdown, works_inside_a_container)
{
	install_foreign_filter(-1);
	prepare(false);
	struct made made = spawn(greet_and_leave);
	struct sandbox_posture posture;

	wait_for_output(&made);
	cr_expect_eq(verify(&made, &posture), VERIFY_CONFIRMED);
	cr_expect(posture.verified && !posture.strict);
	cr_expect_eq(posture.filters, posture.filters_before + 1);
	end_at_once(&made);
}

/* The lists of calls that service managers allow often lack seccomp(2). */
Test(lockdown, does_without_the_seccomp_call)
{
	install_foreign_filter(SCMP_SYS(seccomp));
	prepare(false);
	struct made made = spawn(greet_and_leave);
	struct sandbox_posture posture;

	wait_for_output(&made);
	cr_expect_eq(verify(&made, &posture), VERIFY_CONFIRMED);
	cr_expect(posture.verified && !posture.strict);
	end_at_once(&made);
}

/* A child that cannot take a step of the lock-down says which one, with its errno, and ends. */
static void expect_refused(enum sandbox_step step)
{
	struct made made = spawn(greet_and_leave);
	char byte = 0;

	listen_to(&made);
	cr_expect_eq(made.step, (int32_t)step, "%s", sandbox_step_failure(made.step));
	cr_expect_eq(made.error_number, EPERM);
	/* It has not run a step further. */
	wait_for_output(&made);
	cr_expect_eq(read(made.decoder.output, &byte, 1), 0);
	int status = end_gently(&made);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == SANDBOX_EXIT_BASE + EPERM, "status %#x",
	          (unsigned)status);
}

static void expect_fails_closed(int system_call, enum sandbox_step step)
{
	install_foreign_filter(system_call);
	prepare(false);
	expect_refused(step);
}

/* Where it can neither enter strict mode nor add a filter of its own, it has let go of the socket already: its exit
 * code tells. */
Test(lockdown, fails_closed_without_seccomp)
{
	scmp_filter_ctx filter = new_filter();
	char byte = 0;

	cr_assert_eq(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prctl), 1,
	                              SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP, 0)),
	             0);
	install(filter);
	prepare(false);
	struct made made = spawn(greet_and_leave);
	listen_to(&made);
	cr_expect_eq(made.step, SANDBOX_STEP_NONE);
	wait_for_output(&made);
	cr_expect_eq(read(made.decoder.output, &byte, 1), 0);
	int status = end_gently(&made);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == SANDBOX_EXIT_BASE + EPERM, "status %#x",
	          (unsigned)status);
	cr_expect_str_eq(sandbox_step_failure(SANDBOX_STEP_enter_seccomp), "cannot enter strict seccomp mode");
}

Test(lockdown, fails_closed_without_prctl)
{
	prepare(false);
	install_foreign_filter(SCMP_SYS(prctl));
	expect_refused(SANDBOX_STEP_die_with_parent);
}

Test(lockdown, fails_closed_without_limits)
{
	expect_fails_closed(SCMP_SYS(prlimit64), SANDBOX_STEP_set_limits);
}

Test(lockdown, fails_closed_without_close_range)
{
	expect_fails_closed(SCMP_SYS(close_range), SANDBOX_STEP_close_everything_else);
}

/* ---- what is verified ---- */

static int open_status(pid_t pid)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	return fd;
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
	const struct verify_expectation expected = { .pid = child, .parent = getpid(), .filters_before = filters };
	cr_expect_eq(verify_status(open_status(child), &expected, &posture), VERIFY_NOT_CONFIRMED);
	cr_expect_not(posture.verified);
	cr_assert_eq(kill(child, SIGKILL), 0);
	cr_assert_eq(waitpid(child, NULL, 0), child);
}

/* One that hands over another's status, or is another's child, or has no filter more than its parent. */
Test(lockdown, a_process_that_is_not_a_child_is_not_verified)
{
	struct sandbox_posture posture;

	prepare(false);
	struct made made = spawn(greet_and_leave);
	wait_for_output(&made);
	cr_expect_eq(verify(&made, &posture), VERIFY_CONFIRMED);
	struct verify_expectation expected = { .pid = made.decoder.pid, .parent = getpid(), .filters_before = filters };
	cr_expect_eq(verify_status(open_status(1), &expected, &posture), VERIFY_OTHER_PROC);
	cr_expect_eq(verify_status(open_status(getpid()), &expected, &posture), VERIFY_OTHER_PROC);
	cr_expect_not(posture.verified);
	cr_assert_eq(lseek(made.status, 0, SEEK_SET), 0);
	expected.parent = getppid();
	cr_expect_eq(verify_status(made.status, &expected, &posture), VERIFY_NOT_CONFIRMED);
	expected = (struct verify_expectation){ .pid = getpid(), .parent = getppid(), .filters_before = filters };
	cr_expect_eq(verify_status(open_status(getpid()), &expected, &posture), VERIFY_NOT_CONFIRMED);
	end_at_once(&made);
}

/* ---- diagnosis ---- */

Test(lockdown, diagnosis_names_the_call)
{
	struct {
		struct wire_header header;
		struct wire_forbidden forbidden;
	} message;
	struct sandbox_posture posture;

	prepare(true);
	wanted_call = SYS_openat;
	struct made made = spawn(greet_and_call);
	char word = 0;
	wait_for_output(&made);
	cr_expect_eq(verify(&made, &posture), VERIFY_CONFIRMED);
	cr_expect(!posture.strict && posture.filters == posture.filters_before + 1);
	cr_expect_eq(read(made.decoder.output, &word, 1), 1);
	cr_expect_eq(write(made.decoder.input, &word, 1), 1);
	wait_for_output(&made);
	cr_assert_eq(read(made.decoder.output, &message, sizeof(message)), (ssize_t)sizeof(message));
	cr_expect_eq(message.header.kind, WIRE_FORBIDDEN);
	cr_expect_eq(message.header.length, sizeof(message.forbidden));
	const char *name = system_call_name(&message.forbidden);
	cr_assert_not_null(name);
	cr_expect_str_eq(name, "openat");
	int status = end_gently(&made);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 1, "status %#x", (unsigned)status);
}
