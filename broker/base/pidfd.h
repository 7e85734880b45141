/* SPDX-License-Identifier: MIT */
/* Descriptors of processes: a number that the kernel can give to another process names none safely. */
#ifndef SAFE_DECODE_PIDFD_H
#define SAFE_DECODE_PIDFD_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of this process.  -1, with errno, where it fails. */
static inline int pidfd_of_this_process(void)
{
	return (int)syscall(SYS_pidfd_open, getpid(), 0);
}

/* Safe in a signal handler.  Returns 0, or -1 with errno. */
static inline int pidfd_signal(int pidfd, int number)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0);
}

static inline void pidfd_kill(int pidfd)
{
	(void)pidfd_signal(pidfd, SIGKILL);
}

static inline bool pidfd_is_running(int pidfd)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };

	return poll(&ended, 1, 0) == 0;
}

/* A status as of wait(), of what waitid() has told. */
static inline int pidfd_wait_status(const siginfo_t *info)
{
	return info->si_code == CLD_EXITED ? W_EXITCODE(info->si_status, 0) : info->si_status;
}

#endif
