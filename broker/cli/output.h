/* SPDX-License-Identifier: MIT */
/*
 * An output file that is there whole or not at all: a file without a name in the same folder, fsync, and then the name.
 *
 * Where the file system has no files without names, and for a moment where one replaces another, it has a temporary
 * name, ".NAME.XXXXXX".  A device, a FIFO or a descriptor that is open already is written to as it is.
 *
 * output_prepare() does all that needs the right to open files, so that a process can confine itself before it knows
 * what will come: the rest works in one folder, and only links, renames and removes.
 */
#ifndef SAFE_DECODE_OUTPUT_H
#define SAFE_DECODE_OUTPUT_H

#include <stdbool.h>
#include <sys/types.h>

#include "broker/wire/status.h"
#include "file_id.h"

#define OUTPUT_FILES 256 /* that can be open at once */

struct output {
	int fd;               /* to write to; -1 when not open */
	int folder;           /* where it will be; -1: it is written to in place */
	bool owns_folder;     /* else the descriptor is borrowed */
	bool unnamed;         /* so far */
	bool replaces;        /* whatever has its name; else only what `made` tells of */
	char *name;           /* in the folder; owned */
	char *temporary;      /* the same, until then; owned; NULL: none */
	struct file_id *made; /* borrowed; NULL: nobody asks */
	off_t on_disk;        /* bytes that output_write_back() has seen there */
	int slot;             /* in the table for output_unlink_all(), or -1 */
};

#define OUTPUT_NONE ((struct output){ .fd = -1, .folder = -1, .slot = -1 })

/* Opens an output that will be at `path`, or replace what is there, following symbolic links as the kernel does. Leaves
 * no trace, if nothing comes.  Returns SDEC_OK or SDEC_IO. */
struct outcome output_prepare(struct output *output, const char *path);

/* The same for `name` in an open folder, which stays the caller's.  Without `replaces` it must be new in the end, or be
 * the file that `made` tells of; that is told of the one that is put there.  A symbolic link is not followed. */
struct outcome output_prepare_in(struct output *output, int folder, const char *name, bool replaces,
                                 struct file_id *made);

/* The folder in which output_commit() and output_abort() make and remove names, or -1. */
int output_folder(const struct output *output);

/* Whether a file of this name is there that was not made by the run: its output_commit() would refuse. */
bool output_exists(int folder, const char *name, const struct file_id *made);

/* Another one that writes to the same device, FIFO or descriptor.  Returns SDEC_OK or SDEC_IO. */
struct outcome output_share(const struct output *output, struct output *other);

/* Before output_commit(), so that it does not hold others up for long: waits until some more of what was written is on
 * the disk.  Sets *more while there is something left.  Returns SDEC_OK or SDEC_IO. */
struct outcome output_write_back(struct output *output, bool *more);

/* Makes what was written durable and puts it in place.  Returns SDEC_OK or SDEC_IO; either way the output is closed. */
struct outcome output_commit(struct output *output);

/* Closes the output and removes what was written, if it is not in place.  Does nothing on one that is closed. */
void output_abort(struct output *output);

/* That a file has the name of an output, and nobody said what then. */
struct outcome output_refused(void);

/* Removes all temporary files.  May be called from a signal handler, if the program ends then. */
void output_unlink_all(void);

#endif
