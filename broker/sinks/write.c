/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "sink.h"

/* Others may have made the descriptor one that does not block: it is theirs, too. */
static void wait_for_room(int fd)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };

	(void)poll(&room, 1, -1); /* however that ends, writing tells */
}

struct safe_outcome sink_write(struct sink *sink, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	while (size > 0) {
		ssize_t put = write(sink->fd, bytes, size);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == EAGAIN) {
			wait_for_room(sink->fd);
			continue;
		}
		if (put < 0)
			return outcome_of_errno(SAFE_IO, "cannot write the output", errno);
		bytes += put;
		size -= (size_t)put;
	}
	return outcome_ok();
}
