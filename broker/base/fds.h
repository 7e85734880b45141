/* SPDX-License-Identifier: MIT */
#ifndef SAFE_DECODE_FDS_H
#define SAFE_DECODE_FDS_H

#include <poll.h>
#include <unistd.h>

/* Closes a descriptor unless it is -1, which it is afterwards. */
static inline void fds_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* Waits until a descriptor is ready for POLLIN or POLLOUT: one of the user's, which others that have it, too, may have
 * made not block.  However that ends, reading or writing tells. */
static inline void fds_wait(int fd, short events)
{
	struct pollfd ready = { .fd = fd, .events = events };

	(void)poll(&ready, 1, -1);
}

/* Lowers a timeout of poll(); -1 in either is none. */
static inline void fds_lower_timeout(int *timeout, int milliseconds)
{
	if (milliseconds >= 0 && (*timeout < 0 || milliseconds < *timeout))
		*timeout = milliseconds;
}

#endif
