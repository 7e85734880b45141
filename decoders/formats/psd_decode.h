/* SPDX-License-Identifier: MIT */
/* What the parts of the PSD decoder share. */
#ifndef SAFE_DECODE_PSD_DECODE_H
#define SAFE_DECODE_PSD_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoders/pixels/pixels.h"
#include "decoders/runtime/input.h"

enum {
	PSD_PLANES = 5, /* of which a picture is made, at most: CMYK and alpha */
	PSD_PALETTE = 256,
	PSD_NO_INDEX = -1,
};

enum psd_mode {
	PSD_BITMAP,
	PSD_GRAY,
	PSD_INDEXED,
	PSD_RGB,
	PSD_CMYK,
	PSD_DUOTONE = 8,
};

struct psd {
	struct input input;
	struct wire_image image;
	bool large; /* PSB */
	uint32_t channels, mode;
	bool has_layers;
	bool merged_alpha; /* the first channel behind the colours is the alpha of the merged picture, over white */
	bool names_alpha;  /* channels behind the colours have names, so that they are what somebody made */
	int32_t transparent;
	uint8_t palette[3][PSD_PALETTE];

	enum pixels_layout layout;
	uint32_t colors, planes; /* of the file that are used: with alpha or without */
	size_t row_bytes;        /* of a plane, unpacked */
	bool packed;

	/* All planes but the last stand one after the other, as they are in the file; the last one is read as it is
	 * needed. */
	uint32_t *lengths;         /* owned: of each packed row of the planes */
	uint8_t *stored;           /* owned */
	size_t next[PSD_PLANES];   /* where the next row of each plane is */
	uint8_t *coded;            /* owned: a packed row of the last plane */
	uint8_t *rows[PSD_PLANES]; /* a row of each plane, unpacked; the first is owned, the others are behind it */
	uint8_t *pixels;           /* owned: a row of the layout */
};

/* What is before the merged picture: how it is stored, and what image there is.  Returns WIRE_OK or a failure. */
session_result psd_read_header(struct psd *psd);

/* The planes but the last.  Returns WIRE_OK, a failure of memory, or damage. */
session_result psd_read_planes(struct psd *psd);

/* A row of all planes.  Returns WIRE_OK or damage. */
session_result psd_read_row(struct psd *psd, uint32_t y);

/* From the rows of the planes to pixels. */
void psd_convert_row(struct psd *psd);

#endif
