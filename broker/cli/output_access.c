/* SPDX-License-Identifier: MIT */
#include "output_access.h"

#include <errno.h>
#include <limits.h>
#include <linux/limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "broker/base/procfs.h"

#define ACCESS_LIST "system.posix_acl_access"

/* The owner can be kept by root alone, the group by its members. */
static bool keep_group(int fd, const struct stat *status)
{
	struct stat own;

	if (fstat(fd, &own) != 0)
		return false;
	if (own.st_uid == status->st_uid && own.st_gid == status->st_gid)
		return true;
	if (own.st_uid != status->st_uid && fchown(fd, status->st_uid, status->st_gid) == 0)
		return true;
	return own.st_gid == status->st_gid || fchown(fd, (uid_t)-1, status->st_gid) == 0;
}

/* Bytes of the list, 0 where there is none, -1 where nobody can tell. */
static ssize_t read_list(int existing, void *list, size_t size)
{
	ssize_t length = getxattr(procfs_fd_path(existing).text, ACCESS_LIST, list, size);
	return length < 0 && (errno == ENODATA || errno == EOPNOTSUPP) ? 0 : length;
}

static bool copy_list(int fd, int existing, bool *had)
{
	void *list = malloc(XATTR_SIZE_MAX);
	ssize_t length = list ? read_list(existing, list, XATTR_SIZE_MAX) : -1;
	bool copied = length > 0 && fsetxattr(fd, ACCESS_LIST, list, (size_t)length, 0) == 0;

	*had = length != 0;
	free(list);
	return copied;
}

/* What the folder gives to new files was not given to the old one. */
static bool remove_list(int fd)
{
	return fremovexattr(fd, ACCESS_LIST) == 0 || errno == ENODATA || errno == EOPNOTSUPP;
}

int output_access_copy(int fd, int existing, const struct stat *status)
{
	mode_t mode = status->st_mode & 0777;
	bool grouped = keep_group(fd, status);
	bool had_list = false;

	if (grouped && copy_list(fd, existing, &had_list))
		return 0; /* the list has the permissions, too */
	if (!grouped) {
		/* What both the old group and others could do, for members of either may now be among the other. */
		mode_t common = (mode >> 3) & mode & 07;
		mode = (mode & 0700) | common << 3 | common;
		had_list = read_list(existing, NULL, 0) != 0;
	}
	/* With a list, the permissions of the group are those of its mask. */
	if (!remove_list(fd) || had_list)
		mode &= 0700;
	return fchmod(fd, mode);
}
