/* SPDX-License-Identifier: MIT */
#include "interrupt.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "output.h"

static const int endings[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static pid_t owner; /* a forked child must not clean up for its parent */

/* Who is to be ended, and by which descriptor. */
struct watched {
	volatile pid_t pid; /* 0: nobody */
	volatile int fd;
};
static struct watched children[INTERRUPT_CHILDREN];
static struct watched brokers[INTERRUPT_BROKERS];

static void (*volatile restore_first)(void *context);
static void *volatile restore_context;

static void reap(const struct watched *watched, size_t count)
{
	int status = 0;

	for (size_t i = 0; i < count; i++)
		if (watched[i].pid > 0)
			while (waitpid(watched[i].pid, &status, 0) < 0 && errno == EINTR)
				;
}

/* Only calls functions that are safe in a signal handler. */
static void end_by_signal(int number)
{
	if (getpid() != owner)
		_exit(128 + number);
	if (restore_first)
		restore_first(restore_context);
	for (size_t i = 0; i < INTERRUPT_CHILDREN; i++)
		if (children[i].pid > 0)
			(void)syscall(SYS_pidfd_send_signal, children[i].fd, SIGKILL, NULL, 0);
	/* A broker ends its own children. */
	for (size_t i = 0; i < INTERRUPT_BROKERS; i++)
		if (brokers[i].pid > 0)
			(void)shutdown(brokers[i].fd, SHUT_RDWR);
	reap(children, INTERRUPT_CHILDREN);
	reap(brokers, INTERRUPT_BROKERS);
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

void interrupt_watch(size_t slot, pid_t pid, int pidfd)
{
	children[slot].fd = pidfd;
	children[slot].pid = pid;
}

void interrupt_watch_broker(pid_t pid, int socket)
{
	for (size_t i = 0; i < INTERRUPT_BROKERS; i++) {
		if (brokers[i].pid != (socket < 0 ? pid : 0))
			continue;
		brokers[i].fd = socket;
		brokers[i].pid = socket < 0 ? 0 : pid;
		return;
	}
}

void interrupt_restore(void (*restore)(void *context), void *context)
{
	restore_first = NULL;
	restore_context = context;
	restore_first = restore;
}
