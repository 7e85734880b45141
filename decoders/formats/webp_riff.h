/* SPDX-License-Identifier: MIT */
/* What a WebP is made of: chunks, and frames of chunks.  libwebp gets the data of one picture at a time. */
#ifndef SAFE_DECODE_WEBP_RIFF_H
#define SAFE_DECODE_WEBP_RIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoders/picture/compositor.h"
#include "decoders/runtime/decoder.h"

/* The start of the input, as far as it has been read. */
struct webp_file {
	struct session *session;
	uint8_t *data; /* owned */
	size_t size, room;
	bool ended;
	size_t end; /* of the file, as its header says */

	/* What the extended header says, if there is one. */
	bool extended, animated, has_exif, has_xmp;
	uint32_t width, height;
	bool icc;
	uint32_t orientation;
	uint32_t loops; /* how often an animation is shown; 0: without end */
	size_t first;   /* the chunk behind the header */
};

/* Where in the file a picture is. */
struct webp_picture {
	size_t start, data, end; /* the data is that of the picture alone, without what is transparent */
	size_t next;             /* the chunk behind it */
	struct compositor_frame place;
	uint32_t delay;
};

/* Reads until the first `size` bytes are there.  Returns WIRE_OK, WIRE_FAIL_TRUNCATED or WIRE_FAIL_LIMIT_MEMORY. */
session_result webp_need(struct webp_file *file, size_t size);
void webp_close(struct webp_file *file);

/* Returns WIRE_OK or a failure. */
session_result webp_read_header(struct webp_file *file);

/* Finds the picture of a still. */
session_result webp_find_still(struct webp_file *file, struct webp_picture *picture);

/* Finds the next frame from the chunk at `at` on.  WIRE_FAIL_ABSENT: there is none. */
session_result webp_find_frame(struct webp_file *file, size_t at, struct webp_picture *picture);

/* Reads all of the file and looks for what stands behind the pictures.  Returns WIRE_OK or WIRE_FAIL_LIMIT_MEMORY. */
session_result webp_look_ahead(struct webp_file *file, uint32_t *frames);

/* What is to say about the end of the file, once all pixels are there. */
session_result webp_check_end(struct webp_file *file);

#endif
