/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "broker/base/fds.h"
#include "sink.h"

struct outcome sink_write(struct sink *sink, const void *data, size_t size)
{
	/* Headers and padding are output, too. */
	if (__builtin_add_overflow(sink->put, size, &sink->put) || sink->put > sink->most)
		return outcome_of_limit(SDEC_LIMIT_OUTPUT, "more output than the limit allows");
	if (fds_write_all(sink->fd, data, size) != 0)
		return outcome_of_output("cannot write the output", errno);
	return outcome_ok();
}
