/* SPDX-License-Identifier: MIT */
/* What an EXIF block tells of a picture. */
#ifndef SAFE_DECODE_EXIF_TAGS_H
#define SAFE_DECODE_EXIF_TAGS_H

#include <stddef.h>
#include <stdint.h>

#include "decoders/runtime/decoder.h"

/* Gives the block if it is wanted, and tells its tags if they are.  `data` begins at the TIFF header; it may be cut
 * short anywhere. */
void exif_send(struct session *session, const uint8_t *data, size_t size);

/* The same of a block that may begin with "Exif" and two zeroes, as in JPEG, from where some writers have taken it. */
void exif_send_prefixed(struct session *session, const uint8_t *data, size_t size);

/* Tells a density, in dots an inch. */
void exif_send_density(struct session *session, double across, double down);

#endif
