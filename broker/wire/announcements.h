/* SPDX-License-Identifier: MIT */
/* What a decoder may announce: the part of the reader that looks at pictures and sound. */
#ifndef SAFE_DECODE_ANNOUNCEMENTS_H
#define SAFE_DECODE_ANNOUNCEMENTS_H

#include <stdbool.h>

#include "wire.h"

/* Whether each field makes sense, and the picture or sound is what was asked for. */
bool announcement_is_good_image(const struct wire_image *image, const struct wire_request *request);
bool announcement_is_good_audio(const struct wire_audio *audio, const struct wire_request *request);

#endif
