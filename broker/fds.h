/* SPDX-License-Identifier: MIT */
#ifndef SAFE_DECODE_FDS_H
#define SAFE_DECODE_FDS_H

#include <unistd.h>

/* Closes a descriptor unless it is -1, which it is afterwards. */
static inline void fds_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

#endif
