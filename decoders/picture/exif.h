/* SPDX-License-Identifier: MIT */
/* An EXIF block is a TIFF file; what most want of it is which way up the picture is. */
#ifndef SAFE_DECODE_EXIF_H
#define SAFE_DECODE_EXIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EXIF_HEADER_SIZE = 8, EXIF_ENTRY_SIZE = 12 };

/* How long the prefix is that a block has in JPEG, and sometimes elsewhere: 0, if there is none. */
size_t exif_prefix(const uint8_t *data, size_t size);

/* Whether these bytes begin as a TIFF file does, and if so, its order and where its first directory is. */
bool exif_open(const uint8_t *data, size_t size, bool *big_endian, uint32_t *directory);

/* The orientation, 1 to 8, or 0 when the block does not say or makes no sense.  `data` begins at the TIFF header, as in
 * a PNG eXIf chunk; it may be cut short anywhere. */
uint32_t exif_orientation(const uint8_t *data, size_t size);

#endif
