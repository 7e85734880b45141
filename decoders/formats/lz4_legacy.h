/* SPDX-License-Identifier: MIT */
/* The frames of lz4 before there was a frame format: blocks of up to 8 MiB, each after its size, until the next frame
 * or the end of the input.  `lz4 -l` and the kernel's images have them. */
#ifndef SAFE_DECODE_LZ4_LEGACY_H
#define SAFE_DECODE_LZ4_LEGACY_H

#include "decoders/runtime/stream.h"

#define LZ4_LEGACY_MAGIC "\x02\x21\x4c\x18"

/* Zeroed before first use. */
struct lz4_legacy {
	bool magic_taken;
	uint8_t *packed; /* owned; one block */
	size_t packed_size, packed_filled;
	uint8_t *block; /* owned; what it decodes to */
	size_t block_size, block_given;
};

/* As stream_format.begin and stream_format.step, for a frame whose magic is next. */
session_result lz4_legacy_begin(struct lz4_legacy *legacy, struct session *session);
session_result lz4_legacy_step(struct lz4_legacy *legacy, struct stream *stream);

void lz4_legacy_free(struct lz4_legacy *legacy);

#endif
