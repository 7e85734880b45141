/* SPDX-License-Identifier: MIT */
/* Pictures that are C source: what the files of their decoder share. */
#ifndef SAFE_DECODE_XPM_H
#define SAFE_DECODE_XPM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoders/runtime/decoder.h"
#include "decoders/runtime/input.h"

struct source {
	struct session *session;
	struct input input;
	struct wire_image image;
};

enum { SOURCE_END = -1 };

/* The next byte, or SOURCE_END. */
int source_next(struct source *source);

/* The same, with a comment as one blank. */
int source_next_of_code(struct source *source);

/* Announces a picture of one frame. */
session_result source_announce(struct source *source);

/* What may follow the picture: a few signs of the language. */
session_result source_end(struct source *source);

/* xpm_colors.c: what a colour is called, without blanks and in small letters, as RGBA.  Returns false if nobody knows.
 */
bool xpm_color(const char *name, uint8_t *rgba);

/* xpm_bitmap.c */
session_result xbm_decode(struct source *source);

#endif
