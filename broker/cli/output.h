/* SPDX-License-Identifier: MIT */
/*
 * An output file that is there whole or not at all: a temporary file beside it, fsync, rename.
 *
 * A device or FIFO cannot be replaced, so it is written to as it is.
 */
#ifndef SAFE_DECODE_OUTPUT_H
#define SAFE_DECODE_OUTPUT_H

#include "../status.h"

#define OUTPUT_FILES 256 /* that can be open at once */

struct output {
	int fd;          /* to write to; -1 when not open */
	char *path;      /* where it will be; owned */
	char *temporary; /* where it is; owned; NULL: it is written to in place */
	int slot;        /* in the table for output_unlink_all(), or -1 */
};

#define OUTPUT_NONE ((struct output){ .fd = -1, .slot = -1 })

/* The folder, device or FIFO that an output at `path` is written in or to; to be freed.  NULL: there is none, as
 * output_open() will say. */
char *output_place(const char *path);

/* Opens an output at `path`, following symbolic links.  Returns SAFE_OK or SAFE_IO. */
struct safe_outcome output_open(struct output *output, const char *path);

/* Makes what was written durable and puts it in place.  Returns SAFE_OK or SAFE_IO; either way the output is closed. */
struct safe_outcome output_commit(struct output *output);

/* Closes the output and removes what was written, if it is not in place.  Does nothing on one that is closed. */
void output_abort(struct output *output);

/* Removes all temporary files.  May be called from a signal handler, if the program ends then. */
void output_unlink_all(void);

#endif
