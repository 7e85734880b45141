/* SPDX-License-Identifier: MIT */
/* What the parts of the decoder for PNM and its relatives share. */
#ifndef SAFE_DECODE_PNM_DECODE_H
#define SAFE_DECODE_PNM_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoders/pixels/pixels.h"
#include "decoders/runtime/input.h"

/* How the samples are written. */
enum pnm_form {
	PNM_PLAIN_BITS, /* digits, which need nothing between them; 1 is black */
	PNM_PLAIN,      /* numbers */
	PNM_BITS,       /* eight a byte, rows begin with a byte; 1 is black */
	PNM_BINARY,     /* of one byte, or of two where the largest is more than 255 */
	PNM_FLOATS,     /* bottom row first */
};

struct pnm {
	struct input input;
	uint32_t pages; /* before this one */
	struct wire_image image;
	enum pnm_form form;
	uint32_t maxval; /* the largest sample */
	uint32_t planes; /* samples of a pixel in the file, of which those behind the channels are not shown */
	bool big_endian; /* floats */
	float scale;     /* what of a float is white */

	enum pixels_layout layout; /* what a row is made into */
	uint32_t white;            /* the largest sample of the layout: 255 or 65535 */
	uint16_t *scaled;          /* owned: a sample of the layout for each up to maxval, unless they are the same */
	uint8_t *raw, *row;        /* owned: a row as it is in the file, and as the layout has it */
	bool exceeded;             /* a sample is larger than the largest */
};

/* The next byte of text, or -1 at the end.  A comment counts as the end of its line. */
int pnm_text(struct input *input);

/* A number behind any blanks, and the byte that ends it.  What is too large stays too large.  Returns WIRE_OK,
 * WIRE_FAIL_TRUNCATED, also where the end is all that follows the number, or WIRE_FAIL_DATA: no number. */
session_result pnm_number(struct input *input, uint32_t *number);

/* Each reads the header of its format: how the samples come, and what image there is. */
session_result pnm_read_header(struct pnm *pnm);
session_result pnm_read_pam_header(struct pnm *pnm);
session_result pnm_read_pfm_header(struct pnm *pnm);
session_result pnm_read_farbfeld_header(struct pnm *pnm);

/* The next row, at pnm->row.  Returns WIRE_OK or what is wrong with it. */
session_result pnm_read_row(struct pnm *pnm);

#endif
