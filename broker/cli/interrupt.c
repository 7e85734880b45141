/* SPDX-License-Identifier: MIT */
#include "interrupt.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "output.h"

static const int endings[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static pid_t owner; /* a forked child must not clean up for its parent */
static volatile pid_t children[INTERRUPT_CHILDREN];

/* Only calls functions that are safe in a signal handler. */
static void end_by_signal(int number)
{
	int status = 0;

	if (getpid() != owner)
		_exit(128 + number);
	for (size_t i = 0; i < INTERRUPT_CHILDREN; i++)
		if (children[i] > 0)
			(void)kill(children[i], SIGKILL);
	for (size_t i = 0; i < INTERRUPT_CHILDREN; i++)
		if (children[i] > 0)
			while (waitpid(children[i], &status, 0) < 0 && errno == EINTR)
				;
	output_unlink_all();
	_exit(128 + number);
}

int interrupt_install(void)
{
	struct sigaction action = { .sa_handler = end_by_signal };

	owner = getpid();
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || signal(SIGXFSZ, SIG_IGN) == SIG_ERR ||
	    sigfillset(&action.sa_mask) != 0)
		return -1;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		struct sigaction before;
		if (sigaction(endings[i], NULL, &before) != 0)
			return -1;
		/* As under nohup. */
		if (before.sa_handler != SIG_IGN && sigaction(endings[i], &action, NULL) != 0)
			return -1;
	}
	return 0;
}

void interrupt_watch(size_t slot, pid_t pid)
{
	children[slot] = pid;
}
