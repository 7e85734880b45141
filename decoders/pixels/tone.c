/* SPDX-License-Identifier: MIT */
/* Without libm, whose results may differ from one processor to the next. */
#include "tone.h"

#include <string.h>

#include "decoders/pixels/halves.h"

enum {
	MANTISSA_BITS = 23,
	STEP_SHIFT = MANTISSA_BITS - 7, /* 2^7 steps an octave */
	ONE = 127 << 7,                 /* the top bits of 1.0 */
	FIRST = ONE - TONE_OCTAVES * TONE_STEPS,
};
_Static_assert(TONE_STEPS == 1 << 7, "a step is what 7 bits of the mantissa say");

/* x^(5/12) for 0 < x <= 1: Newton's way to the 12th root, from above. */
static double raise(double x)
{
	enum { ROUNDS = 40 };
	double root = 1;

	for (int i = 0; i < ROUNDS; i++) {
		double square = root * root, fourth = square * square, eleventh = fourth * fourth * square * root;
		root -= (root - x / eleventh) / 12;
	}
	return root * root * root * root * root;
}

static double encode(double light)
{
	return light <= 0.0031308 ? light * 12.92 : 1.055 * raise(light) - 0.055;
}

void tone_prepare(struct tone *tone)
{
	for (uint32_t i = 0; i <= TONE_OCTAVES * TONE_STEPS; i++)
		tone->curve[i] = (float)(encode((double)float_of_bits((FIRST + i) << STEP_SHIFT)) * 65535);
}

uint16_t tone_encode(const struct tone *tone, float light)
{
	uint32_t bits = 0;

	if (!(light > 0))
		return 0;
	if (light >= 1)
		return UINT16_MAX;
	if (light <= 0.0031308F)
		return (uint16_t)(light * (12.92F * 65535) + 0.5F);
	memcpy(&bits, &light, sizeof(bits));
	uint32_t step = (bits >> STEP_SHIFT) - FIRST;
	float part = (float)(bits & ((1U << STEP_SHIFT) - 1)) / (float)(1U << STEP_SHIFT);
	float from = tone->curve[step], to = tone->curve[step + 1];
	return (uint16_t)(from + (to - from) * part + 0.5F);
}
