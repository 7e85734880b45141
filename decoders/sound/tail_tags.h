/* SPDX-License-Identifier: MIT */
/* Tags that programs put behind the sound of formats that have no place for them: APE, Lyrics3, and ID3 of version 1
 * with its extension. */
#ifndef SAFE_DECODE_TAIL_TAGS_H
#define SAFE_DECODE_TAIL_TAGS_H

#include <stdbool.h>

#include "decoders/runtime/input.h"

/* If the input goes on with such a tag, passes over it.  Three letters are enough for one of ID3 only where the sound
 * may be over: `after_frame`.  Returns whether there was one. */
bool tail_tag_skip(struct input *input, bool after_frame);

#endif
