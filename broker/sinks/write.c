/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <unistd.h>

#include "../fds.h"
#include "sink.h"

struct safe_outcome sink_write(struct sink *sink, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	while (size > 0) {
		ssize_t put = write(sink->fd, bytes, size);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == EAGAIN) {
			fds_wait(sink->fd, POLLOUT);
			continue;
		}
		if (put < 0)
			return outcome_of_output("cannot write the output", errno);
		bytes += put;
		size -= (size_t)put;
	}
	return outcome_ok();
}
