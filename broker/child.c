/* SPDX-License-Identifier: MIT */
#include "child.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

void child_close_input(struct child *child)
{
	close_fd(&child->input);
	close_fd(&child->input_peer);
}

void child_close(struct child *child)
{
	child_close_input(child);
	close_fd(&child->pidfd);
	close_fd(&child->output);
	close_fd(&child->report);
}

struct safe_outcome child_outcome(int wait_status)
{
	struct safe_outcome outcome = outcome_of(SAFE_KILLED, "the decoder ended before it was done");

	if (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGXCPU)
		return outcome_of_limit(SAFE_LIMIT_CPU, "more processor time than the limit allows (--cpu)");
	if (WIFSIGNALED(wait_status)) {
		outcome.reason = "the decoder was killed";
		outcome.signal = WTERMSIG(wait_status);
	}
	return outcome;
}
