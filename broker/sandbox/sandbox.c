/* SPDX-License-Identifier: MIT */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "broker/base/fds.h"
#include "broker/base/packet.h"
#include "broker/base/procfs.h"
#include "filter.h"
#include "protocol.h"

#define STACK_LIMIT ((rlim_t)1 << 20)
#define STACK_MOST ((size_t)8 << 20) /* bytes that a process usually has */

enum { FIRST_REAL_TIME = 32 }; /* the first signal of those that only programs send */

/* ---- the program prepares ---- */

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

enum sandbox_step sandbox_prepare(struct sandbox_plan *plan, char **arguments)
{
	int mode = prctl(PR_GET_SECCOMP);

	if (mode < 0)
		return SANDBOX_STEP_know_seccomp;
	plan->filtered = mode != SECCOMP_MODE_DISABLED;
	find_secrets(plan, arguments);
	if (!plan->secrets)
		return SANDBOX_STEP_find_secrets;
	if (procfs_volunteer_for_oom() != 0)
		return SANDBOX_STEP_volunteer_for_oom;
	return SANDBOX_STEP_NONE;
}

/* ---- guards ---- */

struct replacement {
	uintptr_t before, after;
};

static int replace_in(uintptr_t start, uintptr_t end, const struct replacement *replacement)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t first = start & ~(page - 1);
	size_t size = (end & ~(page - 1)) - first; /* as the dynamic linker rounds it */

	if (mprotect((void *)first, size, PROT_READ | PROT_WRITE) != 0) /* NOLINT: what it says are integers */
		return -1;
	start = (start + sizeof(uintptr_t) - 1) & ~(sizeof(uintptr_t) - 1);
	for (; start + sizeof(uintptr_t) <= first + size; start += sizeof(uintptr_t))
		if (*(uintptr_t *)start == replacement->before)   /* NOLINT */
			*(uintptr_t *)start = replacement->after; /* NOLINT */
	return mprotect((void *)first, size, PROT_READ);          /* NOLINT */
}

/* The dynamic linker has a copy of the pointer guard in memory that it has made read-only. */
static int replace_in_linker(struct dl_phdr_info *object, size_t size, void *context)
{
	(void)size;
	if (object->dlpi_addr != getauxval(AT_BASE))
		return 0;
	for (size_t i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		uintptr_t start = object->dlpi_addr + segment->p_vaddr;
		if (segment->p_type == PT_GNU_RELRO && replace_in(start, start + segment->p_memsz, context) != 0)
			return -1;
	}
	return 0;
}

/* On x86-64 they are in the thread control block.  Sets *before to the old pointer guard. */
static inline __attribute__((always_inline)) int draw_guards(uintptr_t *before)
{
	uint64_t fresh[2];

	if (getrandom(fresh, sizeof(fresh), 0) != sizeof(fresh))
		return -1;
#ifdef __x86_64__
	__asm__ volatile("movq %%fs:0x30, %0" : "=r"(*before));
	/* The lowest byte is zero, so that no string function copies the canary whole. */
	__asm__ volatile("movq %0, %%fs:0x28" : : "r"(fresh[0] & ~UINT64_C(0xff)));
	__asm__ volatile("movq %0, %%fs:0x30" : : "r"(fresh[1]));
#else
#error "how this architecture keeps its stack protector's canary is not known"
#endif
	return 0;
}

__attribute__((no_stack_protector)) int sandbox_replace_guards(void)
{
	void *random_bytes = (void *)getauxval(AT_RANDOM); /* NOLINT: the kernel hands out addresses as integers */
	struct replacement of_linker;

	/* Decoders inherit the linker's copy, and would learn by it what this process has.  The linker uses it for
	 * jumps inside of itself, so that another one does as well. */
	if (getrandom(&of_linker.after, sizeof(of_linker.after), 0) != sizeof(of_linker.after) ||
	    draw_guards(&of_linker.before) != 0 || dl_iterate_phdr(replace_in_linker, &of_linker) != 0)
		return -1;
	if (random_bytes)
		explicit_bzero(random_bytes, 16);
	return 0;
}

/* ---- the child's steps ---- */

/* What a step has to work with. */
struct lockdown {
	const struct sandbox_plan *plan;
	const struct sandbox_child *child;
	int control;
	ino_t input, output; /* of the pipes */
};

/* A forked process has its parent's guards.  One that is taken over must not learn those of its siblings. */
static __attribute__((no_stack_protector)) int refresh_guards(struct lockdown *lockdown)
{
	uintptr_t before = 0;

	return lockdown->child->forked ? draw_guards(&before) : 0;
}

static int die_with_parent(struct lockdown *lockdown)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return -1;
	/* It may have died before the call. */
	return getppid() == lockdown->child->parent ? 0 : -1;
}

/* The parent's handlers must not run here, and what it ignores or blocks must end this process.  (Signals that the
 * kernel never sends by itself may stay as they are: nobody else may send any.) */
static int reset_signals(struct lockdown *lockdown)
{
	sigset_t none;

	(void)lockdown;
	for (int number = 1; number < FIRST_REAL_TIME; number++) {
		if (number != SIGKILL && number != SIGSTOP && signal(number, SIG_DFL) == SIG_ERR)
			return -1;
	}
	if (sigemptyset(&none) != 0)
		return -1;
	return sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool send_report(int control, int step, int error_number, const int *fds, size_t count)
{
	const struct protocol_lockdown report = {
		.kind = PROTOCOL_LOCKDOWN, .pid = getpid(), .step = step, .error_number = error_number
	};

	return packet_send(control, &report, sizeof(report), fds, count);
}

/* Later it could not be opened by a parent to whom /proc hides processes that are not dumpable. */
static int hand_over_status(struct lockdown *lockdown)
{
	int status = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	bool sent = status >= 0 && send_report(lockdown->control, SANDBOX_STEP_NONE, 0, &status, 1);
	int saved = errno;

	fds_close(&status);
	errno = saved;
	return sent ? 0 : -1;
}

static int shrink_memory(struct lockdown *lockdown)
{
	const struct sandbox_child *child = lockdown->child;

	return child->shrink ? child->shrink(child->context) : 0;
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
	/* Out of the way, until nothing can fail any more that could be told. */
	int keep = STDERR_FILENO + 1;
	if (lockdown->control != keep && dup2(lockdown->control, keep) < 0)
		return -1;
	lockdown->control = keep;
	return 0;
}

static int close_everything_else(struct lockdown *lockdown)
{
	if (close(STDERR_FILENO) != 0 && errno != EBADF)
		return -1;
	return close_range((unsigned)lockdown->control + 1, ~0U, 0);
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
	if (hard == 0)
		return setrlimit(resource, &wanted);
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
	/* One that was executed has no stack but its own. */
	return lockdown->child->forked ? drop_dead_stack() : 0;
}

static int let_go(struct lockdown *lockdown)
{
	int result = close(lockdown->control);

	lockdown->control = -1;
	return result;
}

static int enter_seccomp(struct lockdown *lockdown)
{
	const struct sandbox_plan *plan = lockdown->plan;

	if (!plan->diagnose) {
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) == 0)
			return 0;
		/* EINVAL is the kernel's answer where a filter is in force; this program has seen that one is. */
		if (errno != EINVAL || !plan->filtered)
			return -1;
	}
	return filter_enter(plan->diagnose);
}

_Noreturn void sandbox_give_up(int control, enum sandbox_step step, int error_number)
{
	if (control >= 0)
		(void)send_report(control, (int)step, error_number, NULL, 0);
	for (;;)
		syscall(SYS_exit, SANDBOX_EXIT_BASE + (error_number & 0x7f));
}

/* In the order of the lock-down.  The first ones only make the others possible. */
static int (*const steps[])(struct lockdown *lockdown) = {
#define STEP(name, text) [SANDBOX_STEP_##name] = name,
	SANDBOX_LOCKDOWN(STEP)
#undef STEP
};

__attribute__((no_stack_protector)) void sandbox_enter(const struct sandbox_plan *plan,
                                                       const struct sandbox_child *child)
{
	struct lockdown lockdown = { .plan = plan, .child = child, .control = child->control };
	int step = SANDBOX_STEP_refresh_guards;

	for (; step < SANDBOX_STEPS; step++) {
		errno = 0; /* some steps fail without one, and must not tell an older one */
		if (steps[step](&lockdown) != 0)
			break;
	}
	if (step == SANDBOX_STEPS)
		return;
	sandbox_give_up(lockdown.control, (enum sandbox_step)step, errno);
}

void sandbox_wipe_above(const struct sandbox_plan *plan, void *frame)
{
	/* What frame_address() gives points to the caller's frame pointer and its return address. */
	char *start = (char *)frame + 2 * sizeof(void *);

	/* Not where the parent forked on the stack of a thread, which lies elsewhere. */
	if (plan->secrets > start && (size_t)(plan->secrets - start) < STACK_MOST)
		explicit_bzero(start, (size_t)(plan->secrets - start));
}
