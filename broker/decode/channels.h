/* SPDX-License-Identifier: MIT */
/* The order of audio channels, and its names. */
#ifndef SAFE_DECODE_CHANNELS_H
#define SAFE_DECODE_CHANNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/wire/wire.h"

/* The usual name of a set of speakers: "stereo", "5.1".  NULL if it has none. */
const char *channels_layout_name(uint32_t channel_layout);

/* The short name of a speaker: "FL". */
const char *channels_speaker_name(enum wire_speaker speaker);

/* Says which speaker each channel belongs to, as they come.  Returns how many there are, 0 if nobody says. */
size_t channels_order(const struct wire_audio *audio, enum wire_speaker order[WIRE_CHANNELS_MAX]);

/* For WIRE_AUDIO_VORBIS_ORDER: where each channel is found, in the order of WAVE_FORMAT_EXTENSIBLE.  NULL if they are
 * in that order already. */
const uint8_t *channels_in_wave_order(const struct wire_audio *audio);

/* For a sound card: where each channel is found, in the order of ALSA (the back before the center). */
void channels_in_alsa_order(const struct wire_audio *audio, uint8_t places[WIRE_CHANNELS_MAX]);

/* Puts the samples of each frame in another order: channel i comes from places[i]. */
void channels_reorder(uint8_t *data, size_t frames, const uint8_t *places, uint32_t channels, size_t sample);

#endif
