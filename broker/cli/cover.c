/* SPDX-License-Identifier: MIT */
#include "cover.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "broker/base/fds.h"

enum { BUFFER_SIZE = 16 << 10 };

struct outcome cover_open(struct cover *cover)
{
	cover->buffer = malloc(BUFFER_SIZE);
	if (cover->buffer)
		cover->fd = memfd_create("cover", MFD_CLOEXEC);
	return cover->fd >= 0 ? outcome_ok() : outcome_of_errno(SDEC_IO, "no memory for the cover", errno);
}

void *cover_reserve(struct cover *cover, size_t *size)
{
	*size = BUFFER_SIZE;
	return cover->buffer;
}

struct outcome cover_commit(struct cover *cover, size_t size)
{
	if (fds_write_all(cover->fd, cover->buffer, size) != 0)
		return outcome_of_errno(SDEC_IO, "no memory for the cover", errno);
	return outcome_ok();
}

int cover_give(struct cover *cover)
{
	int fd = cover->fd;

	if (lseek(fd, 0, SEEK_SET) != 0)
		return -1;
	cover->fd = -1;
	return fd;
}

void cover_close(struct cover *cover)
{
	if (cover->fd >= 0)
		(void)close(cover->fd);
	cover->fd = -1;
	free(cover->buffer);
	cover->buffer = NULL;
}
