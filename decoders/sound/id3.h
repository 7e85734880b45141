/* SPDX-License-Identifier: MIT */
/* ID3 tags: version 2.2 to 2.4 before the audio, in chunks of WAV and AIFF files, version 1 behind it. */
#ifndef SAFE_DECODE_ID3_H
#define SAFE_DECODE_ID3_H

#include "decoders/runtime/input.h"
#include "tags.h"

enum { ID3_V1_SIZE = 128 };

/* If the input goes on with a tag of version 2, reads it, but no more than `limit` bytes, and sets *found.  Returns
 * WIRE_OK or a failure. */
session_result id3_take(struct input *input, struct cover *cover, uint64_t limit, bool *found);

/* If the input goes on with a tag of version 2, passes over it.  Returns whether it did. */
bool id3_skip(struct input *input);

/* If the last bytes of the input are a tag of version 1, tells what it says. */
void id3_take_v1(struct session *session, const uint8_t tag[ID3_V1_SIZE]);

#endif
