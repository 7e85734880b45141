/* SPDX-License-Identifier: MIT */
/* From linear light to what screens take: cut to 0 to 1, then the transfer function of sRGB. */
#ifndef SAFE_DECODE_TONE_H
#define SAFE_DECODE_TONE_H

#include <stdint.h>

enum {
	TONE_OCTAVES = 9, /* below 1, where the function is a curve */
	TONE_STEPS = 128, /* of an octave, between which it is as good as straight */
};

struct tone {
	float curve[TONE_OCTAVES * TONE_STEPS + 1];
};

void tone_prepare(struct tone *tone);

/* From 0 to 65535, rounded; what is no number becomes 0. */
uint16_t tone_encode(const struct tone *tone, float light);

#endif
