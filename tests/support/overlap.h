/* SPDX-License-Identifier: MIT */
/* For what averages should be, by their definition. */
#ifndef SAFE_DECODE_OVERLAP_H
#define SAFE_DECODE_OVERLAP_H

#include <stdint.h>

/* How much of pixel `place` of `count` lies within pixel `other` of `others`, in parts of 1 / (count * others). */
static inline uint64_t overlap(uint64_t place, uint64_t count, uint64_t other, uint64_t others)
{
	uint64_t start = place * others > other * count ? place * others : other * count;
	uint64_t end = (place + 1) * others < (other + 1) * count ? (place + 1) * others : (other + 1) * count;

	return end > start ? end - start : 0;
}

#endif
