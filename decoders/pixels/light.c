/* SPDX-License-Identifier: MIT */
/* Without libm, whose results may differ from one processor to the next. */
#include "light.h"

/* x^(1/5) for x > 0: Newton's way, from above. */
static double fifth_root(double x)
{
	enum { ROUNDS_MAX = 1000 }; /* far from 1, each takes away a fifth */
	double root = x > 1 ? x : 1, last = root + 1;

	for (int i = 0; i < ROUNDS_MAX && root < last; i++) {
		double square = root * root;
		last = root;
		root -= (root - x / (square * square)) / 5;
	}
	return root;
}

static double decode(double encoded)
{
	if (encoded <= 0.04045)
		return encoded / 12.92;
	double base = (encoded + 0.055) / 1.055;
	double root = fifth_root(base);
	return base * base * root * root; /* base^(12/5) */
}

float light_of_float(float sample)
{
	const float most = 1e15F; /* whose light is as good as infinite */

	if (sample < 0)
		return -light_of_float(-sample);
	return sample < most ? (float)decode((double)sample) : sample;
}

float light_of(uint16_t sample)
{
	static float known[UINT16_MAX + 1]; /* 0: not yet */

	if (known[sample] == 0.0F)
		known[sample] = (float)decode((double)sample / UINT16_MAX);
	return known[sample];
}
