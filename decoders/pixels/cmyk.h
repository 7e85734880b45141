/* SPDX-License-Identifier: MIT */
/* From CMYK to RGB by the plain formula, without colour management. */
#ifndef SAFE_DECODE_CMYK_H
#define SAFE_DECODE_CMYK_H

#include <stddef.h>
#include <stdint.h>

/* Each ink takes its share of the light that black leaves.  Inks are inverted, as Adobe stores them: the largest sample
 * is none.  The two rows may begin at the same place. */
void cmyk_to_rgb(uint8_t *rgb, const uint8_t *cmyk, size_t width);
void cmyk_to_rgb16(uint16_t *rgb, const uint16_t *cmyk, size_t width);

#endif
