/* SPDX-License-Identifier: MIT */
/* Names the outputs of many inputs in one folder so that no input overwrites what came of another. */
#ifndef SAFE_DECODE_NAMES_H
#define SAFE_DECODE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/recognise/registry.h"
#include "output.h"

struct name {
	char *path;            /* FOLDER/NAME.EXTENSION; owned */
	const char *in_folder; /* the end of that */
	const char *input;     /* borrowed */
	struct file_id made;   /* what the run has put there */
};

struct names {
	const char *folder;    /* borrowed */
	const char *extension; /* of pictures, without the dot; borrowed */
	size_t longest;        /* name that the folder takes, in bytes */
	void *taken;           /* tree of the names given out */
};

/* FOLDER/NAME.EXTENSION for an input: its own name with the extension of its format replaced (a picture) or removed (a
 * stream), cut where it would be too long.  The same input always gets the same name; another input that would get it
 * too gets NAME-2.EXTENSION and so on.  Returns what is valid until names_free(), or NULL when there is no memory. */
struct name *names_give(struct names *names, const char *input, const struct format *format);

void names_free(struct names *names);

/* Looks for two different inputs that may get the same name, of which only the order tells who gets it.  Returns false
 * if there are none, else sets both; NULL: there is no memory to look. */
bool names_clash(char *const *inputs, size_t count, const char *clash[2]);

/* Bytes of the longest name that the folder takes. */
size_t names_longest(int folder);

/* How much of a name to keep if it must not be longer than `most`: no character of UTF-8 is cut in two. */
size_t names_cut(const char *name, size_t length, size_t most);

#endif
