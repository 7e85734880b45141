/* SPDX-License-Identifier: MIT */
/* Names the outputs of many inputs in one folder so that no input overwrites what came of another. */
#ifndef SAFE_DECODE_NAMES_H
#define SAFE_DECODE_NAMES_H

#include <stdbool.h>

#include "../registry.h"

struct names {
	const char *folder;    /* borrowed */
	const char *extension; /* of pictures, without the dot; borrowed */
	void *taken;           /* tree of the names given out */
};

#define NAMES_INIT(the_folder, the_extension) ((struct names){ .folder = (the_folder), .extension = (the_extension) })

/* FOLDER/NAME.EXTENSION for an input: its own name with the extension of its format replaced (a picture) or removed (a
 * stream).  The same input always gets the same name; another input that would get it too gets NAME-2.EXTENSION and so
 * on.  Returns a string that the caller frees, or NULL when there is no memory. */
char *names_give(struct names *names, const char *input, const struct safe_format *format);

void names_free(struct names *names);

#endif
