/* SPDX-License-Identifier: MIT */
/* What the files of the AVIF decoder share. */
#ifndef SAFE_DECODE_AVIF_DECODE_H
#define SAFE_DECODE_AVIF_DECODE_H

#include <avif/avif.h>

#include "decoders/pixels/pixels.h"
#include "decoders/runtime/decoder.h"
#include "decoders/runtime/whole.h"

struct decode {
	struct session *session;
	struct whole whole;
	avifDecoder *decoder;
	struct wire_image image;

	/* Where what is shown lies in what is decoded, and how it is turned.  A row that is shown is a column where
	 * `transposed`; columns and rows that are decoded count from the other end where they are flipped. */
	avifCropRect crop;
	bool transposed, flip_columns, flip_rows;

	enum pixels_layout layout;
	uint8_t *band; /* owned: a part of the picture as RGB */
	size_t band_bytes;
	uint8_t *row; /* owned: of what is shown, where that is not a part of the band */
};

/* Finds out what is shown, and how large that is: crop, flips, and width and height of the image. */
void avif_place(struct decode *decode);

/* Whether the frame that was decoded is what the header promised. */
bool avif_is_as_announced(const struct decode *decode);

/* Sends the frame that was decoded. */
session_result avif_send(struct decode *decode);

#endif
