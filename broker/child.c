/* SPDX-License-Identifier: MIT */
#include "child.h"

#include <signal.h>
#include <sys/wait.h>

#include "fds.h"

void child_close_input(struct child *child)
{
	fds_close(&child->input);
	fds_close(&child->input_peer);
}

void child_close(struct child *child)
{
	child_close_input(child);
	fds_close(&child->pidfd);
	fds_close(&child->output);
	fds_close(&child->report);
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
