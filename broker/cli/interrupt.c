/* SPDX-License-Identifier: MIT */
#include "interrupt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../pidfd.h"
#include "output.h"

static const int endings[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static pid_t owner; /* a forked child must not clean up for its parent */

static volatile int decoders[INTERRUPT_CHILDREN]; /* pidfds and 1; 0: nobody */

/* Who is to be ended, and by which descriptor. */
static struct watched {
	volatile int pidfd; /* and 1; 0: nobody */
	volatile int socket;
} brokers[INTERRUPT_BROKERS];

static void (*volatile restore_first)(void *context);
static void *volatile restore_context;

/* Our own children are reaped; of others, their end is waited for. */
static void wait_for(int pidfd)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	siginfo_t info;

	if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) != 0)
		(void)poll(&ended, 1, 1000);
}

/* Only calls functions that are safe in a signal handler. */
static void end_by_signal(int number)
{
	if (getpid() != owner)
		_exit(128 + number);
	if (restore_first)
		restore_first(restore_context);
	for (size_t i = 0; i < INTERRUPT_CHILDREN; i++)
		if (decoders[i] > 0)
			pidfd_kill(decoders[i] - 1);
	/* A broker ends its own children. */
	for (size_t i = 0; i < INTERRUPT_BROKERS; i++)
		if (brokers[i].pidfd > 0)
			(void)shutdown(brokers[i].socket, SHUT_RDWR);
	for (size_t i = 0; i < INTERRUPT_CHILDREN; i++)
		if (decoders[i] > 0)
			wait_for(decoders[i] - 1);
	for (size_t i = 0; i < INTERRUPT_BROKERS; i++)
		if (brokers[i].pidfd > 0)
			wait_for(brokers[i].pidfd - 1);
	output_unlink_all();
	_exit(128 + number);
}

int interrupt_install(void)
{
	struct sigaction action = { .sa_handler = end_by_signal };

	owner = getpid();
	/* Where the caller ignored it, the kernel would reap children itself, and nobody would know how they ended. */
	if (signal(SIGCHLD, SIG_DFL) == SIG_ERR || signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
	    signal(SIGXFSZ, SIG_IGN) == SIG_ERR || sigfillset(&action.sa_mask) != 0)
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

void interrupt_watch(size_t slot, int pidfd)
{
	decoders[slot] = pidfd + 1;
}

void interrupt_watch_broker(int pidfd, int socket)
{
	for (size_t i = 0; i < INTERRUPT_BROKERS; i++) {
		if (brokers[i].pidfd != (socket < 0 ? pidfd + 1 : 0))
			continue;
		brokers[i].socket = socket;
		brokers[i].pidfd = socket < 0 ? 0 : pidfd + 1;
		return;
	}
}

void interrupt_restore(void (*restore)(void *context), void *context)
{
	restore_first = NULL;
	restore_context = context;
	restore_first = restore;
}
