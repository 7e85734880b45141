/* SPDX-License-Identifier: MIT */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "filter.h"
#include "procfs.h"

#define STACK_LIMIT ((rlim_t)1 << 20)
#define STACK_MOST ((size_t)8 << 20) /* bytes that a process usually has */

/* ---- the parent prepares ---- */

/* The strings of argv, of the environment and of AT_EXECFN lie one after the other at the top of the stack. */
static void find_secrets(struct sandbox_plan *plan, char **arguments)
{
	char *start = arguments[0];
	char *end = (char *)getauxval(AT_EXECFN); /* NOLINT: the kernel hands out addresses as integers */

	if (!start || !end || end < start)
		return;
	plan->secrets = start;
	plan->secrets_size = (size_t)(end - start) + strlen(end);
}

struct safe_outcome sandbox_prepare(struct sandbox_plan *plan, char **arguments, bool diagnose)
{
	struct procfs_status self;

	*plan = (struct sandbox_plan){ .diagnose = diagnose };
	int mode = prctl(PR_GET_SECCOMP);
	if (mode < 0)
		return outcome_of_errno(SAFE_NO_SANDBOX, "the kernel has no seccomp", errno);
	/* A /proc of another pid namespace would speak of other processes. */
	if (procfs_read_status(0, &self) != 0)
		return outcome_of_errno(SAFE_NO_SANDBOX, "cannot ask the kernel about this process in /proc", errno);
	if (self.pid != (uint64_t)getpid())
		return outcome_of(SAFE_NO_SANDBOX, "/proc speaks of another pid namespace");
	plan->filters = self.seccomp_filters;
	find_secrets(plan, arguments);
	if (!plan->secrets)
		return outcome_of(SAFE_NO_SANDBOX, "cannot find the environment in memory to wipe it");
	plan->filtered = mode != SECCOMP_MODE_DISABLED;
	if (plan->filtered || diagnose) {
		plan->filter = filter_create(diagnose);
		if (!plan->filter)
			return outcome_of_errno(SAFE_NO_SANDBOX, "cannot build a seccomp filter", errno);
	}
	return outcome_ok();
}

void sandbox_release(struct sandbox_plan *plan)
{
	filter_destroy(plan->filter);
	plan->filter = NULL;
}

/* ---- the child's steps ---- */

/* What a step has to work with. */
struct lockdown {
	const struct sandbox_plan *plan;
	const struct sandbox_child *child;
	int oom_score;
	ino_t input, output; /* of the pipes */
};

static int die_with_parent(struct lockdown *lockdown)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return -1;
	/* It may have died before the call. */
	return getppid() == lockdown->child->parent ? 0 : -1;
}

/* The parent's handlers must not run here, and what it ignores or blocks must end this process. */
static int reset_signals(struct lockdown *lockdown)
{
	sigset_t none;

	(void)lockdown;
	for (int number = 1; number <= SIGRTMAX; number++) {
		/* glibc keeps two signals for itself and refuses them; SIGKILL and SIGSTOP have no action. */
		if (signal(number, SIG_DFL) == SIG_ERR && errno != EINVAL)
			return -1;
	}
	if (sigemptyset(&none) != 0)
		return -1;
	return sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Later, /proc is out of reach. */
static int open_oom_score(struct lockdown *lockdown)
{
	lockdown->oom_score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	return lockdown->oom_score > STDERR_FILENO ? 0 : -1;
}

/* Sets *inode, which no other pipe has. */
static bool is_pipe(int fd, int access_mode, ino_t *inode)
{
	struct stat status;
	int flags = fcntl(fd, F_GETFL);
	bool pipe =
	        flags >= 0 && (flags & O_ACCMODE) == access_mode && fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);

	if (pipe)
		*inode = status.st_ino;
	return pipe;
}

static int take_pipes(struct lockdown *lockdown)
{
	const struct sandbox_child *child = lockdown->child;

	if (!is_pipe(child->input, O_RDONLY, &lockdown->input) || !is_pipe(child->output, O_WRONLY, &lockdown->output))
		return -1;
	if (dup2(child->input, STDIN_FILENO) < 0 || dup2(child->output, STDOUT_FILENO) < 0)
		return -1;
	if (lockdown->plan->diagnose && dup2(child->report, STDERR_FILENO) < 0)
		return -1;
	/* Not 2 yet where it will be closed: the score is written further down. */
	int keep = STDERR_FILENO + 1;
	if (lockdown->oom_score != keep && dup2(lockdown->oom_score, keep) < 0)
		return -1;
	lockdown->oom_score = keep;
	return 0;
}

static int close_everything_else(struct lockdown *lockdown)
{
	if (!lockdown->plan->diagnose && close(STDERR_FILENO) != 0 && errno != EBADF)
		return -1;
	return close_range((unsigned)lockdown->oom_score + 1, ~0U, 0);
}

/* They must be the two, and not pipes that the caller has there. */
static int check_pipes(struct lockdown *lockdown)
{
	ino_t input = 0;
	ino_t output = 0;

	return is_pipe(STDIN_FILENO, O_RDONLY, &input) && is_pipe(STDOUT_FILENO, O_WRONLY, &output) &&
	                       input == lockdown->input && output == lockdown->output
	               ? 0
	               : -1;
}

static int limit(__rlimit_resource_t resource, rlim_t soft, rlim_t hard)
{
	struct rlimit wanted = { .rlim_cur = soft, .rlim_max = hard };
	struct rlimit now;

	/* Never raise what is lower already. */
	if (getrlimit(resource, &now) != 0)
		return -1;
	if (wanted.rlim_max > now.rlim_max)
		wanted.rlim_max = now.rlim_max;
	if (wanted.rlim_cur > wanted.rlim_max)
		wanted.rlim_cur = wanted.rlim_max;
	return setrlimit(resource, &wanted);
}

/* One touch, far down, makes the kernel map the whole stack: then the process needs no more address space. */
static int grow_stack(void)
{
	struct rlimit now;

	if (getrlimit(RLIMIT_STACK, &now) != 0)
		return -1;
	rlim_t depth = now.rlim_cur / 2 < STACK_LIMIT ? now.rlim_cur / 2 : STACK_LIMIT;
	volatile char *bottom = (volatile char *)__builtin_frame_address(0) - depth;
	*bottom = 0;
	return 0;
}

static int set_limits(struct lockdown *lockdown)
{
	rlim_t cpu = lockdown->child->cpu_seconds;

	if (limit(RLIMIT_CPU, cpu, cpu + 1) != 0 || limit(RLIMIT_CORE, 0, 0) != 0 || limit(RLIMIT_FSIZE, 0, 0) != 0 ||
	    limit(RLIMIT_NOFILE, 0, 0) != 0 || limit(RLIMIT_NPROC, 0, 0) != 0)
		return -1;
	if (grow_stack() != 0 || limit(RLIMIT_STACK, STACK_LIMIT, STACK_LIMIT) != 0)
		return -1;
	return limit(RLIMIT_AS, 0, 0);
}

static int give_up_privileges(struct lockdown *lockdown)
{
	(void)lockdown;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* Zeroes the three pages of stack below its caller. */
__attribute__((noinline)) static void wipe_nearest_stack(void)
{
	char nearest[3 * 4096];

	explicit_bzero(nearest, sizeof(nearest));
}

/* What functions that have returned left on the stack lies below the current frame.  The kernel drops whole pages of
 * it, but for the next one, on which this call itself may stand. */
__attribute__((noinline)) static int drop_dead_stack(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t end = ((uintptr_t)__builtin_frame_address(0) & ~(page - 1)) - page;
	uintptr_t start = end - STACK_MOST;

	/* ENOMEM: part of the range is not mapped, and the rest was dropped. */
	if (madvise((void *)start, end - start, MADV_DONTNEED) != 0 && errno != ENOMEM)
		return -1;
	wipe_nearest_stack();
	return 0;
}

static int wipe_secrets(struct lockdown *lockdown)
{
	/* The bytes from which this process and its parent made their stack protector's canary. */
	void *random_bytes = (void *)getauxval(AT_RANDOM); /* NOLINT: the kernel hands out addresses as integers */

	/* The arguments are gone: ps shows this instead. */
	if (prctl(PR_SET_NAME, "safe-decode: child") != 0)
		return -1;
	explicit_bzero(lockdown->plan->secrets, lockdown->plan->secrets_size);
	if (random_bytes)
		explicit_bzero(random_bytes, 16);
	return drop_dead_stack();
}

static int volunteer_for_oom(struct lockdown *lockdown)
{
	static const char most[] = "1000";

	if (write(lockdown->oom_score, most, sizeof(most) - 1) != sizeof(most) - 1)
		return -1;
	return close(lockdown->oom_score);
}

static int enter_seccomp(struct lockdown *lockdown)
{
	const struct sandbox_plan *plan = lockdown->plan;

	if (!plan->diagnose) {
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) == 0)
			return 0;
		/* EINVAL is the kernel's answer where a filter is in force; the parent has seen that one is. */
		if (errno != EINVAL || !plan->filter)
			return -1;
	}
	return filter_enter(plan->filter, plan->diagnose);
}

/* The order of the lock-down.  The first three only make the others possible. */
static const struct {
	const char *failure;                     /* for a message */
	int (*enter)(struct lockdown *lockdown); /* 0, or -1 */
} steps[] = {
	{ "cannot arrange to die with its parent", die_with_parent },
	{ "cannot reset signals", reset_signals },
	{ "cannot open its out-of-memory score", open_oom_score },
	{ "cannot take the two pipes", take_pipes },
	{ "cannot close everything else", close_everything_else },
	{ "cannot confirm that descriptors 0 and 1 are the two pipes", check_pipes },
	{ "cannot set resource limits", set_limits },
	{ "cannot give up privileges", give_up_privileges },
	{ "cannot wipe the environment and the arguments", wipe_secrets },
	{ "cannot raise the out-of-memory score", volunteer_for_oom },
	{ "cannot enter strict seccomp mode", enter_seccomp },
};

#define STEPS ((int)(sizeof(steps) / sizeof(steps[0])))

int sandbox_enter(const struct sandbox_plan *plan, const struct sandbox_child *child)
{
	struct lockdown lockdown = { .plan = plan, .child = child };

	for (int i = 0; i < STEPS; i++)
		if (steps[i].enter(&lockdown) != 0)
			return i + 1;
	return 0;
}

void sandbox_wipe_above(const struct sandbox_plan *plan, void *frame)
{
	/* What frame_address() gives points to the caller's frame pointer and its return address. */
	char *start = (char *)frame + 2 * sizeof(void *);

	/* Not where the parent forked on the stack of a thread, which lies elsewhere. */
	if (plan->secrets > start && (size_t)(plan->secrets - start) < STACK_MOST)
		explicit_bzero(start, (size_t)(plan->secrets - start));
}

const char *sandbox_step_failure(int step)
{
	return step >= 1 && step <= STEPS ? steps[step - 1].failure : NULL;
}

/* ---- the parent verifies ---- */

struct safe_outcome sandbox_verify(const struct sandbox_plan *plan, pid_t pid, struct sandbox_posture *posture)
{
	struct procfs_status status;

	*posture = (struct sandbox_posture){ .verified = false };
	if (procfs_read_status(pid, &status) != 0)
		return outcome_of_errno(SAFE_NO_SANDBOX, "cannot ask the kernel about the decoder in /proc", errno);
	posture->strict = status.seccomp == SECCOMP_MODE_STRICT;
	posture->no_new_privs = status.no_new_privs == 1;
	posture->filters = status.seccomp_filters;
	posture->filters_before = plan->filters;

	bool filtered =
	        status.seccomp == SECCOMP_MODE_FILTER && plan->filter && status.seccomp_filters == plan->filters + 1;
	posture->verified = status.pid == (uint64_t)pid && status.parent == (uint64_t)getpid() &&
	                    posture->no_new_privs && (posture->strict || filtered);
	if (!posture->verified)
		return outcome_of(SAFE_NO_SANDBOX, "the kernel does not confirm the decoder's sandbox");
	return outcome_ok();
}
