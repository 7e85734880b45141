/* SPDX-License-Identifier: MIT */
/*
 * What libmpg123 gets to read: the frames of the input, and whatever else it may find its way in, but no tags.  It
 * would take those that follow a frame for damage, and what looks like a frame in a picture in them for one.
 */
#ifndef SAFE_DECODE_MP3_SOURCE_H
#define SAFE_DECODE_MP3_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoders/runtime/input.h"
#include "decoders/sound/id3.h"
#include "decoders/sound/tags.h"

struct mp3_source {
	struct input input;
	struct cover cover;
	uint64_t end;       /* of the samples of a WAV file, as a place in the input; else more than there can be */
	size_t frame_left;  /* bytes of the frame that was begun */
	bool in_step;       /* something that is a whole frame by its header ends here */
	bool tagged;        /* there was a tag that says something */
	bool wants_tags;    /* behind the sound, too, if there was none before it */
	uint8_t *start;     /* owned; bytes among which the first frame was looked for, or NULL */
	session_result tag; /* what reading one came to */

	uint8_t last[ID3_V1_SIZE]; /* of what was read, and not left out */
};

/* Takes what comes before the sound: tags, and the header of a WAV file.  Returns WIRE_OK or a failure. */
session_result mp3_source_start(struct mp3_source *source);

/* Copies up to `size` bytes, of no more than one frame.  Returns 0 at the end. */
size_t mp3_source_read(struct mp3_source *source, void *to, size_t size);

void mp3_source_release(struct mp3_source *source);

#endif
