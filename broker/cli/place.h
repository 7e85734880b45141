/* SPDX-License-Identifier: MIT */
/*
 * Where the path of an output leads.  Symbolic links are followed one by one, for an output that replaces a file needs
 * the folder that it is in.  No link is followed that the kernel would not follow.
 */
#ifndef SAFE_DECODE_PLACE_H
#define SAFE_DECODE_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

enum place_kind {
	PLACE_NEW,        /* nothing is there yet */
	PLACE_FILE,       /* a regular file */
	PLACE_SPECIAL,    /* a device or a FIFO, which is written to as it is */
	PLACE_DESCRIPTOR, /* one that this process was started with, as /dev/stdout */
};

struct place {
	enum place_kind kind;
	int folder;              /* O_PATH, owned; -1: none */
	char name[NAME_MAX + 1]; /* in the folder */
	int existing;            /* O_PATH, owned: the file or special file; else -1 */
	int descriptor;          /* of PLACE_DESCRIPTOR, borrowed */
	struct stat status;      /* of what exists */
};

#define PLACE_NONE ((struct place){ .folder = -1, .existing = -1, .descriptor = -1 })

/* Returns 0, or an errno; either way place_close() is next. */
int place_find(struct place *place, const char *path);
void place_close(struct place *place);

/* Whether an output may be written to what exists in an open folder, or replace it: what others put into a folder for
 * everybody is not used. */
bool place_may_use(int folder, const struct stat *existing);

#endif
