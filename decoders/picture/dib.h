/* SPDX-License-Identifier: MIT */
/* Device-independent bitmaps: what is in BMP files, behind their header, and in icons.  Where writers disagree, this
 * does what browsers do. */
#ifndef SAFE_DECODE_DIB_H
#define SAFE_DECODE_DIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoders/pixels/pixels.h"
#include "decoders/runtime/input.h"

enum dib_coding { DIB_PLAIN, DIB_RLE4, DIB_RLE8, DIB_RLE24 };

enum { DIB_RED, DIB_GREEN, DIB_BLUE, DIB_ALPHA, DIB_CHANNELS, DIB_COLORS = 256 };

struct dib {
	uint32_t width, height;
	bool icon;     /* of twice the height, with a mask behind the picture */
	bool top_down; /* the first row of the file is the top one */
	enum dib_coding coding;
	unsigned bits;  /* a pixel */
	unsigned depth; /* bits of the deepest channel, 8 at most */
	bool has_profile;
	uint64_t profile_end; /* in the file; 0: none */

	uint8_t palette[DIB_COLORS][4]; /* RGBA; black where the file has no entry */
	bool palette_alpha;             /* some entry is transparent */
	uint32_t masks[DIB_CHANNELS];   /* of pixels of 16 and 32 bits */
	unsigned shifts[DIB_CHANNELS];
	uint8_t levels[DIB_CHANNELS][256]; /* what is left of a pixel after mask and shift -> 0 to 255 */

	/* Pixels as they are in the file; bytes, or triples, where they were run-length coded. */
	uint8_t *data;
	size_t stride;       /* bytes of a row there */
	size_t least;        /* of these, those that have pixels */
	uint32_t rows_known; /* from the first row of the file on */
	uint8_t *drawn;      /* run-length coded: a bit for each pixel that there is */
	bool alpha_used;     /* some pixel of those known is not wholly transparent; all are opaque otherwise */
	uint8_t *mask;       /* of an icon: a bit for each transparent pixel; NULL where alpha is used */
	size_t mask_stride;
	enum wire_failure flaw; /* all pixels are there, but not their end */
};

/* Reads what is in front of the pixels.  `start` is where these begin, counted as input->position; 0: right behind the
 * rest.  `icon` says of which kind it is.  Returns WIRE_OK or a failure; the geometry is not checked. */
session_result dib_read_header(struct dib *dib, struct input *input, uint64_t start, bool icon);

/* Memory that dib_read() takes, as far as the header says. */
uint64_t dib_needs(const struct dib *dib);

/* Whether the rows can be read and converted one by one. */
bool dib_streams(const struct dib *dib);

/* Reads all pixels, and an icon's mask.  Returns WIRE_OK or a failure: then rows_known of them can be converted.  What
 * it allocated is released by dib_release(). */
session_result dib_read(struct dib *dib, struct input *input);
void dib_release(struct dib *dib);

/* Reads one row of those that stream, to `row`, of `stride` bytes.  Returns WIRE_OK or WIRE_FAIL_TRUNCATED. */
session_result dib_read_row(struct dib *dib, struct input *input, uint8_t *row);

/* PIXELS_RGBA or PIXELS_RGB. */
enum pixels_layout dib_layout(const struct dib *dib);
bool dib_has_alpha(const struct dib *dib);

/* Converts a row that dib_read_row() gave, or the row `y` of dib_read(), counted from the top of the picture. */
void dib_convert(const struct dib *dib, const uint8_t *row, uint8_t *to);
void dib_convert_at(const struct dib *dib, uint32_t y, uint8_t *to);

/* ---- for formats whose pixels are like these, and that fill the structure themselves ---- */

/* A palette of black. */
void dib_clear_palette(struct dib *dib);

/* By masks and bits: what converts pixels of 16 and 32 bits.  Returns WIRE_OK or WIRE_FAIL_HEADER. */
session_result dib_prepare_masks(struct dib *dib);

/* Whether a pixel of the rows known is not wholly transparent. */
bool dib_find_alpha(const struct dib *dib);

#endif
