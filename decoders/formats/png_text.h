/* SPDX-License-Identifier: MIT */
/* What the chunks of a PNG say of the picture. */
#ifndef SAFE_DECODE_PNG_TEXT_H
#define SAFE_DECODE_PNG_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "decoders/runtime/decoder.h"

/* Gives what is wanted of a chunk with this name of four letters, and tells its tags; of any other, nothing. */
void png_send_chunk(struct session *session, const uint8_t name[4], const uint8_t *data, size_t size);

#endif
