/* SPDX-License-Identifier: MIT */
/* The file of --index: a line of JSON for each frame, which tells where it is.  It is there whole or not at all. */
#ifndef SAFE_DECODE_FRAME_INDEX_H
#define SAFE_DECODE_FRAME_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/wire/status.h"
#include "output.h"

/* The functions below do nothing where it is not open. */
struct frame_index {
	struct output output;
	bool is_open;
	char *buffer;  /* owned; text that was not written yet */
	size_t filled; /* bytes of it */
};

#define FRAME_INDEX_NONE ((struct frame_index){ .output = OUTPUT_NONE })

struct frame_place {
	uint64_t number;        /* of the frame or page, from 0 */
	uint32_t width, height; /* pixels, as they are written */
	const char *pixels;     /* static; the name of their format */
	uint32_t delay;         /* milliseconds; 0 for a page */
	uint64_t offset, size;  /* bytes in the output, a header of its own included */
	const char *file;       /* borrowed; NULL: standard output */
};

/* Opens what will be at `path`.  Returns SDEC_OK or SDEC_IO; frame_index_abort() is next in either case, unless
 * frame_index_commit() is. */
struct outcome frame_index_open(struct frame_index *index, const char *path);

/* Returns SDEC_OK or SDEC_IO. */
struct outcome frame_index_add(struct frame_index *index, const struct frame_place *place);

/* All frames are listed: writes what it has kept back.  Returns SDEC_OK or SDEC_IO. */
struct outcome frame_index_finish(struct frame_index *index);

/* Puts it in place, and closes it.  Returns SDEC_OK or SDEC_IO. */
struct outcome frame_index_commit(struct frame_index *index);

/* Closes it, and removes what was written unless it is in place. */
void frame_index_abort(struct frame_index *index);

#endif
