/* SPDX-License-Identifier: MIT */
/* The one thing that is wanted from an EXIF block: which way up the picture is. */
#ifndef SAFE_DECODE_EXIF_H
#define SAFE_DECODE_EXIF_H

#include <stddef.h>
#include <stdint.h>

/* The orientation, 1 to 8, or 0 when the block does not say or makes no sense.  `data` begins at the TIFF header, as in
 * a PNG eXIf chunk; it may be cut short anywhere. */
uint32_t exif_orientation(const uint8_t *data, size_t size);

#endif
