/* SPDX-License-Identifier: MIT */
/* Rows of a picture that a codec has decoded, on their way out. */
#ifndef SAFE_DECODE_ROWS_H
#define SAFE_DECODE_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "decoders/pixels/pixels.h"
#include "decoders/runtime/decoder.h"

/* Sends the next `count` rows of the frame, which stand at `pixels`, `stride` bytes from one to the next, as the image
 * that was announced wants them.  Returns WIRE_OK, a failure, or SESSION_STOP. */
session_result rows_send(struct session *session, const struct wire_image *image, enum pixels_layout layout,
                         const uint8_t *pixels, size_t stride, size_t count);

#endif
