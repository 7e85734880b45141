/* SPDX-License-Identifier: MIT */
/* Which file it is, whatever its name. */
#ifndef SAFE_DECODE_FILE_ID_H
#define SAFE_DECODE_FILE_ID_H

#include <stdbool.h>
#include <sys/stat.h>

struct file_id {
	bool known; /* else there is no such file, or nobody could look at it */
	dev_t device;
	ino_t inode;
};

static inline struct file_id file_id_of(const struct stat *status)
{
	return (struct file_id){ .known = true, .device = status->st_dev, .inode = status->st_ino };
}

static inline bool file_id_same(struct file_id one, struct file_id other)
{
	return one.known && other.known && one.device == other.device && one.inode == other.inode;
}

#endif
