/* SPDX-License-Identifier: MIT */
/* What files say about themselves: tags for the wire, and the picture that is embedded in them. */
#ifndef SAFE_DECODE_TAGS_H
#define SAFE_DECODE_TAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoders/runtime/decoder.h"

/* The picture of those in a file that is its cover. */
struct cover {
	uint8_t *data; /* owned; NULL: none is held */
	size_t size;
	bool seen;  /* there is one, held or not */
	bool front; /* it is said to be the front cover */
};

/* Holds a copy of the picture if WIRE_COVER wants one and there is no better one yet.  `type` is that of ID3 and FLAC:
 * 3 is a front cover.  Returns WIRE_OK or a failure. */
session_result cover_offer(struct cover *cover, struct session *session, const uint8_t *data, size_t size,
                           uint32_t type);

/* Sends the picture.  Returns what decode() must return: never WIRE_OK, for nothing is to follow. */
session_result cover_send(const struct cover *cover, struct session *session);
void cover_release(struct cover *cover);

/* One comment of Vorbis, Opus or FLAC, "KEY=value": a tag, a picture in base64, or nothing that is known. */
session_result tags_comment(struct session *session, struct cover *cover, const char *comment, size_t size);

/* The body of a FLAC PICTURE block, which the others carry in base64. */
session_result tags_picture_block(struct session *session, struct cover *cover, const uint8_t *block, size_t size);

#endif
