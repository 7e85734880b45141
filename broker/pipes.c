/* SPDX-License-Identifier: MIT */
#include "pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "fds.h"

/* "/proc/self/fd/NUMBER", written from its end.  (Not with what prints: it is on the way to the first decoder.) */
static const char *path_of(int fd, char *path, size_t size)
{
	static const char before[] = "/proc/self/fd/";
	char *start = path + size - 1;

	*start = '\0';
	do
		*--start = (char)('0' + fd % 10);
	while ((fd /= 10) > 0);
	start -= sizeof(before) - 1;
	memcpy(start, before, sizeof(before) - 1);
	return start;
}

/* A pipe has no SIGPIPE for who could read it himself. */
static int open_both_ways(int fd)
{
	char path[64]; /* far more than the longest number takes */

	return open(path_of(fd, path, sizeof(path)), O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

int pipes_open(struct pipes *pipes)
{
	int input[2] = { -1, -1 };
	int output[2] = { -1, -1 };

	*pipes = PIPES_NONE;
	if (pipe2(input, O_CLOEXEC) == 0) {
		pipes->child_input = input[0];
		pipes->input = open_both_ways(input[1]);
		fds_close(&input[1]);
	}
	if (pipes->input >= 0 && pipe2(output, O_CLOEXEC) == 0) {
		pipes->output = output[0];
		pipes->child_output = output[1];
	}
	if (pipes->output >= 0 && fcntl(pipes->output, F_SETFL, O_NONBLOCK) == 0)
		return 0;
	int saved = errno;
	pipes_close(pipes);
	errno = saved;
	return -1;
}

void pipes_close(struct pipes *pipes)
{
	fds_close(&pipes->input);
	fds_close(&pipes->output);
	fds_close(&pipes->child_input);
	fds_close(&pipes->child_output);
}
