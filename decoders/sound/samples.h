/* SPDX-License-Identifier: MIT */
/* Turns the samples that codecs give into the sample formats of the wire. */
#ifndef SAFE_DECODE_SAMPLES_H
#define SAFE_DECODE_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include "broker/wire/wire.h"

/* Writes `count` samples to every `stride`th byte of `to`, so that one channel fills its places among others; a stride
 * of the sample's own size packs them.  The integers have `depth` bits, 1 to 32, sign-extended; they are scaled to the
 * format's full range, and rounded where it is narrower. */
void samples_put_integers(enum wire_sample_format format, uint8_t *to, size_t stride, const int32_t *from, size_t count,
                          uint32_t depth);

/* As above, from floating point: full scale is -1 to 1, what is beyond is clipped, and what is no number is silence.
 * F32 takes them as they are. */
void samples_put_floats(enum wire_sample_format format, uint8_t *to, size_t stride, const float *from, size_t count);

/* The speakers of 1 to 8 channels as FLAC and Vorbis lay them out; 0 for more. */
uint32_t samples_usual_layout(uint32_t channels);

#endif
