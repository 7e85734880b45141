/* SPDX-License-Identifier: MIT */
#include "child.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "broker/base/fds.h"
#include "broker/base/pidfd.h"

void child_close_input(struct child *child)
{
	fds_close(&child->input);
}

void child_close(struct child *child)
{
	child_close_input(child);
	fds_close(&child->pidfd);
	fds_close(&child->output);
	fds_close(&child->control);
}

void child_kill(const struct child *child)
{
	if (child->pidfd >= 0)
		pidfd_kill(child->pidfd);
}

/* As clock_getcpuclockid() has it, which also makes a system call that the command line has given up. */
static clockid_t cpu_clock(pid_t pid)
{
	enum { SCHEDULER = 2 };

	return (clockid_t)(~(uint32_t)pid << 3 | SCHEDULER);
}

uint64_t child_cpu_time(const struct child *child)
{
	struct timespec used;

	/* The exact time, as the scheduler counts it.  The kernel's own limit looks at each tick of its clock, and a
	 * process can see to it that it never runs then. */
	if (child->pid <= 0 || clock_gettime(cpu_clock(child->pid), &used) != 0)
		return 0;
	return clock_nanoseconds(&used);
}

struct outcome child_outcome(int wait_status)
{
	struct outcome outcome = outcome_of(SDEC_KILLED, "the decoder ended before it was done");

	if (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGXCPU)
		return outcome_of_limit(SDEC_LIMIT_CPU, "more processor time than the limit allows");
	if (WIFSIGNALED(wait_status)) {
		outcome.reason = "the decoder was killed";
		outcome.signal = WTERMSIG(wait_status);
	}
	return outcome;
}
