/* SPDX-License-Identifier: MIT */
#ifndef SAFE_DECODE_FDS_H
#define SAFE_DECODE_FDS_H

#include <errno.h>
#include <poll.h>
#include <stddef.h>
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

/* Writes all of it, however slowly that goes.  Returns 0, or -1 with errno. */
static inline int fds_write_all(int fd, const void *data, size_t size)
{
	const char *bytes = data;

	while (size > 0) {
		ssize_t put = write(fd, bytes, size);
		if (put < 0 && errno == EAGAIN)
			fds_wait(fd, POLLOUT);
		else if (put < 0 && errno != EINTR)
			return -1;
		bytes += put > 0 ? put : 0;
		size -= put > 0 ? (size_t)put : 0;
	}
	return 0;
}

/* Lowers a timeout of poll(); -1 in either is none. */
static inline void fds_lower_timeout(int *timeout, int milliseconds)
{
	if (milliseconds >= 0 && (*timeout < 0 || milliseconds < *timeout))
		*timeout = milliseconds;
}

#endif
