/* SPDX-License-Identifier: MIT */
/* Formats that are little more than rows of pixels: what the files of their decoder share. */
#ifndef SAFE_DECODE_RASTER_H
#define SAFE_DECODE_RASTER_H

#include "decoders/picture/dib.h"
#include "decoders/runtime/input.h"

struct raster {
	struct session *session;
	struct input input;
	struct dib dib;
	enum wire_color color;
	uint32_t channels, depth; /* as in the file */
	bool right_to_left;
	bool anything_follows; /* what is behind the pixels is no flaw */

	/* Of the format alone. */
	bool coded;          /* with run lengths */
	bool late_palette;   /* behind the pixels */
	size_t planes;       /* that follow one another in each row */
	size_t file_row;     /* bytes of a row of one plane */
	unsigned plane_bits; /* of a pixel */
	uint8_t run;         /* the byte of a run that goes on */
	size_t run_left;
};

/* A format: what reads its header, and says how long rows of `dib.data` are; and what fills these.  Each returns
 * WIRE_OK or a failure; the second has set dib.rows_known then. */
struct raster_format {
	session_result (*header)(struct raster *raster);
	session_result (*pixels)(struct raster *raster);
};

extern const struct raster_format raster_tga, raster_pcx, raster_sun;

/* Reads the whole picture at once, or until the input ends. */
session_result raster_read_plain(struct raster *raster);

#endif
