/* SPDX-License-Identifier: MIT */
/* Names with a number, for the frames or pages of one input: "out/page-%03d.png". */
#ifndef SAFE_DECODE_NUMBERED_H
#define SAFE_DECODE_NUMBERED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct numbered {
	const char *pattern;   /* borrowed; the whole path */
	size_t place, length;  /* of "%03d" in it */
	unsigned digits;       /* at least so many, with zeros before */
	uint64_t next;         /* number */
	char *path;            /* owned; the last that was made, or NULL */
	const char *in_folder; /* the end of that */
};

/* Looks for one "%d" or "%03d" in the last part of a path; a second one, and any other "%", is not understood.  Returns
 * false where there is none. */
bool numbered_find(struct numbered *numbered, const char *path);

/* Whether the last part of a path has a "%", understood or not. */
bool numbered_has_sign(const char *path);

/* Makes the next path.  Returns false where there is no memory. */
bool numbered_next(struct numbered *numbered);

void numbered_free(struct numbered *numbered);

#endif
