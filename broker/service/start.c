/* SPDX-License-Identifier: MIT */
#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/base/fds.h"
#include "broker/base/pidfd.h"
#include "broker/base/programs.h"
#include "broker/sandbox/protocol.h"

_Static_assert((int)START_FDS == (int)PROTOCOL_STARTED_FDS, "what a program finds");

/* ---- executing ---- */

#ifdef __SANITIZE_THREAD__
/* ThreadSanitizer takes every clone() for a fork, and what the new process does to its descriptors for this one's. */
int __clone(int (*function)(void *), void *stack, int flags, void *argument, ...);
#define clone __clone
#define close(fd) ((int)syscall(SYS_close, fd))
#define dup3(from, to, flags) ((int)syscall(SYS_dup3, from, to, flags))
#endif
/* A function that another process runs, and never leaves. */
#define ELSEWHERE __attribute__((no_sanitize_thread))

/* Not _exit(): what a sanitizer does there, it would do to this process. */
static ELSEWHERE _Noreturn void leave(int status)
{
	for (;;)
		syscall(SYS_exit, status);
}

/* What the processes that lead to the program share with this one: they run in its memory, while it waits. */
struct beginning {
	const struct start_plan *plan;
	int fds[START_FDS]; /* none of them below START_FDS */
	int error_number;   /* 0: it was executed */
	pid_t pid;
	int pidfd;
	char *stack; /* for the process that executes */
};

/* For a process that executes and for one that forks it: they need little. */
enum { STACK_SIZE = 8 << 10 };

/* Runs in this process's memory: calls nothing that could change it.  Signals are blocked, so that no handler runs
 * here. */
static ELSEWHERE int execute(void *context)
{
	struct beginning *beginning = context;
	const struct start_plan *plan = beginning->plan;
	/* The end of the arguments is a list of no variables. */
	char *const *no_environment = plan->arguments;

	while (*no_environment)
		no_environment++;
	/* A ^C for the caller is not for this process. */
	bool ready = setpgid(0, 0) == 0;
	/* Not by dup2(), with which decoders take their pipes: so that a filter that lets one of the two fail can tell
	 * them apart. */
	for (int fd = 0; fd < START_FDS && ready; fd++)
		ready = beginning->fds[fd] < 0 || dup3(beginning->fds[fd], fd, 0) == fd;
	for (int fd = 0; fd < START_FDS && ready; fd++)
		if (beginning->fds[fd] < 0)
			(void)close(fd);
	if (ready && close_range(START_FDS, ~0U, 0) == 0)
		(void)execve(plan->path, plan->arguments, no_environment);
	beginning->error_number = errno;
	leave(127);
}

/* Returns when the other process has executed its program, or ended. */
static ELSEWHERE void begin(struct beginning *beginning)
{
	beginning->pid = clone(execute, beginning->stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD,
	                       beginning, &beginning->pidfd);
	if (beginning->pid < 0)
		beginning->error_number = errno;
}

/* A process between the two: when it ends, the program is no child of ours any more.  It shares the descriptors, so
 * that the hold on the program is ours. */
static ELSEWHERE int begin_detached(void *context)
{
	begin(context);
	leave(0);
}

static void detach(struct beginning *beginning)
{
	char stack[STACK_SIZE] __attribute__((aligned(16)));
	/* No signal tells of its end, and only who asks for such processes can wait for it. */
	pid_t pid = clone(begin_detached, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_FILES, beginning);

	if (pid < 0) {
		beginning->error_number = errno;
		return;
	}
	while (waitpid(pid, NULL, (int)__WCLONE) < 0 && errno == EINTR)
		;
}

/* Whatever goes to a number must not stand at the number of another. */
static int copy_up(const struct start_plan *plan, int fds[START_FDS], bool copied[START_FDS])
{
	for (int i = 0; i < START_FDS; i++) {
		fds[i] = plan->fds[i];
		if (fds[i] < 0 || fds[i] >= START_FDS)
			continue;
		fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, START_FDS);
		if (fds[i] < 0)
			return -1;
		copied[i] = true;
	}
	return 0;
}

/* Executes a program, without copying this process.  In it all signals are blocked.  Returns 0, or an errno with
 * nothing left behind. */
static int start_program(const struct start_plan *plan, struct started *started)
{
	char stack[STACK_SIZE] __attribute__((aligned(16)));
	struct beginning beginning = { .plan = plan, .pidfd = -1, .stack = stack };
	bool copied[START_FDS] = { false };
	sigset_t all, before;

	*started = STARTED_NONE;
	(void)sigfillset(&all);
	if (copy_up(plan, beginning.fds, copied) != 0) {
		beginning.error_number = errno;
	} else {
		(void)pthread_sigmask(SIG_SETMASK, &all, &before);
		(plan->detached ? detach : begin)(&beginning);
		(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	for (int i = 0; i < START_FDS; i++)
		if (copied[i])
			(void)close(beginning.fds[i]);
	*started = (struct started){ .pid = beginning.pid, .pidfd = beginning.pidfd };
	if (beginning.error_number != 0)
		started_end(started);
	return beginning.error_number;
}

struct outcome start_checked(const struct start_plan *plan, const char *failure, struct started *started)
{
	struct outcome outcome = programs_check(plan->path);

	*started = STARTED_NONE;
	if (outcome.status != SDEC_OK)
		return outcome;
	int error_number = start_program(plan, started);
	return error_number == 0 ? outcome_ok() : outcome_of_making(failure, error_number);
}

/* ---- endings ---- */

bool started_has_ended(const struct started *started)
{
	struct pollfd ended = { .fd = started->pidfd, .events = POLLIN };

	return poll(&ended, 1, 0) > 0;
}

enum { ENDING = 5000 }; /* milliseconds for a process that was killed; it ends with its parent in any case */

/* One that was detached is another's to reap, unless this process has to do that for all orphans. */
static int reap(struct started *started)
{
	struct pollfd ended = { .fd = started->pidfd, .events = POLLIN };
	siginfo_t info = { .si_pid = 0 };

	while (poll(&ended, 1, ENDING) < 0 && errno == EINTR)
		;
	int result = waitid(P_PIDFD, (id_t)started->pidfd, &info, WEXITED | WNOHANG);
	fds_close(&started->pidfd);
	if (result != 0 || info.si_pid == 0)
		return 0;
	return pidfd_wait_status(&info);
}

int started_reap(struct started *started, int milliseconds)
{
	struct pollfd ended = { .fd = started->pidfd, .events = POLLIN };

	if (started->pidfd < 0)
		return 0;
	if (milliseconds > 0 && poll(&ended, 1, milliseconds) < 0) {
		/* Interrupted: then it has had less time. */
	}
	pidfd_kill(started->pidfd);
	return reap(started);
}

void started_end(struct started *started)
{
	(void)started_reap(started, 0);
}

/* ---- decoder programs ---- */

enum { NUMBER_SIZE = 24 };

struct outcome start_decoder(const char *folder, const char *name, const char *mode,
                             const struct decoder_numbers *numbers, struct start_plan *plan, struct started *started)
{
	char texts[PROTOCOL_ARGUMENTS][NUMBER_SIZE] = { "" };
	const uint64_t values[PROTOCOL_ARGUMENTS] = {
		[PROTOCOL_MEMORY] = numbers->memory,
		[PROTOCOL_CPU] = numbers->cpu_seconds,
		[PROTOCOL_SPARES] = numbers->spares,
		[PROTOCOL_PARENT] = (uint64_t)getpid(),
	};
	char *arguments[PROTOCOL_ARGUMENTS + 1] = { (char *)(uintptr_t)name };
	char *path = programs_path(folder, name);

	*started = STARTED_NONE;
	if (!path)
		return outcome_of_making("no memory for a decoder's path", ENOMEM);
	arguments[PROTOCOL_BUILD] = (char *)(uintptr_t)PROTOCOL_BUILD_ID;
	arguments[PROTOCOL_MODE] = (char *)(uintptr_t)mode;
	for (int i = PROTOCOL_MEMORY; i < PROTOCOL_ARGUMENTS; i++) {
		(void)snprintf(texts[i], NUMBER_SIZE, "%" PRIu64, values[i]);
		arguments[i] = texts[i];
	}
	plan->path = path;
	plan->arguments = arguments;
	struct outcome outcome = start_checked(plan, "cannot start the decoder", started);
	plan->path = NULL;
	plan->arguments = NULL;
	free(path);
	return outcome;
}

/* ---- brokers ---- */

void started_broker_close(struct started_broker *started)
{
	fds_close(&started->process.pidfd);
	fds_close(&started->socket);
	fds_close(&started->timer);
}

struct outcome start_broker(const struct broker_plan *plan, const char *name, struct started_broker *started)
{
	const struct itimerspec idle = { .it_value.tv_sec = plan->idle_seconds };
	int ends[2] = { -1, -1 };
	struct outcome outcome = outcome_ok();

	*started = STARTED_BROKER_NONE;
	started->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (started->timer < 0 || timerfd_settime(started->timer, 0, &idle, NULL) != 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		outcome = outcome_of_making("cannot make what a broker needs", errno);
	if (outcome.status == SDEC_OK) {
		struct start_plan start = { .fds = { [PROTOCOL_SOCKET] = ends[1],
			                             [STDOUT_FILENO] = -1,
			                             [STDERR_FILENO] = ends[1],
			                             [PROTOCOL_CALLER] = plan->caller,
			                             [PROTOCOL_TIMER] = started->timer },
			                    .detached = plan->detached };
		started->socket = ends[0];
		outcome = start_decoder(plan->folder, name, PROTOCOL_MODE_BROKER, &plan->numbers, &start,
		                        &started->process);
	}
	fds_close(&ends[1]);
	if (outcome.status != SDEC_OK)
		started_broker_close(started);
	return outcome;
}
