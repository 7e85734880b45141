/* SPDX-License-Identifier: MIT */
#include "pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fds.h"
#include "procfs.h"

/* A pipe has no SIGPIPE for who could read it himself. */
static int open_both_ways(int fd)
{
	return open(procfs_fd_path(fd).text, O_RDWR | O_NONBLOCK | O_CLOEXEC);
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
