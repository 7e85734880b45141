/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <unistd.h>

#include "broker/base/fds.h"
#include "sink.h"

struct outcome sink_write(struct sink *sink, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	/* Headers and padding are output, too. */
	if (__builtin_add_overflow(sink->put, size, &sink->put) || sink->put > sink->most)
		return outcome_of_limit(SDEC_LIMIT_OUTPUT, "more output than the limit allows");
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
