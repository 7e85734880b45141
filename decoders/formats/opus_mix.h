/* SPDX-License-Identifier: MIT */
/* For a chain of Opus streams that goes on with another number of channels. */
#ifndef SAFE_DECODE_OPUS_MIX_H
#define SAFE_DECODE_OPUS_MIX_H

#include <stddef.h>
#include <stdint.h>

enum { OPUS_MIX_CHANNELS = 8 };

/* Makes `count` sample frames of `from` channels into such of `to` channels, in place: there must be room for both.
 * Both are 1 to OPUS_MIX_CHANNELS, in the order of Vorbis.  A channel goes to its own speaker, or to the nearest ones
 * that there are; low frequencies that have no speaker are left out. */
void opus_mix(float *samples, size_t count, uint32_t from, uint32_t to);

#endif
