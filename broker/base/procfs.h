/* SPDX-License-Identifier: MIT */
/* What the kernel says about a process, read from a /proc that is really one. */
#ifndef SAFE_DECODE_PROCFS_H
#define SAFE_DECODE_PROCFS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Fields of /proc/PID/status. */
struct procfs_status {
	uint64_t pid;
	uint64_t parent;
	uint64_t threads;
	uint64_t no_new_privs;
	uint64_t seccomp;         /* mode: 0 none, 1 strict, 2 filter */
	uint64_t seccomp_filters; /* how many; 0 on kernels that do not say */
};

/* Reads a status from a descriptor of /proc/PID/status, at its start.  Returns 0, or -1 with errno set: ENOTSUP if it
 * is in no proc file system, EPROTO if a field that every kernel with seccomp has is missing. */
int procfs_read_status(int fd, struct procfs_status *status);

/* The same of the calling thread. */
int procfs_read_own_status(struct procfs_status *status);

struct procfs_path {
	char text[32]; /* more than the longest number takes */
};

/* "/proc/self/fd/NUMBER". */
struct procfs_path procfs_fd_path(int fd);

/* Makes this process, and those that it starts, the first to be ended where memory is short.  Returns 0, or -1 with
 * errno (0: the kernel took it and it is not so). */
int procfs_volunteer_for_oom(void);

#endif
