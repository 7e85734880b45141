/* SPDX-License-Identifier: MIT */
/* IEEE half floats. */
#ifndef SAFE_DECODE_HALVES_H
#define SAFE_DECODE_HALVES_H

#include <stdint.h>

float half_to_float(uint16_t half);

/* The nearest half; of two that are as near, the one whose last bit is 0.  What is too large becomes infinite. */
uint16_t half_from_float(float value);

#endif
