/* SPDX-License-Identifier: MIT */
/* What a decoder announces, in the words of the public interface. */
#ifndef SAFE_DECODE_DESCRIBE_H
#define SAFE_DECODE_DESCRIBE_H

#include "broker/safe-decode.h"
#include "broker/wire/wire.h"

/* All have been checked by the wire reader. */
void describe_image(struct sdec_info *info, const struct wire_image *image);

/* How the pixels that come are still to be turned. */
uint32_t describe_orientation(const struct wire_image *image);
void describe_audio(struct sdec_info *info, const struct wire_audio *audio);

/* The set of sample formats that `format`, which is one of enum sdec_sample_format, allows; 0 for a number that is
 * none. */
uint32_t describe_wanted_samples(uint32_t format);

/* Bytes of a sample frame of sound. */
size_t describe_frame_bytes(const struct sdec_info *info);

#endif
