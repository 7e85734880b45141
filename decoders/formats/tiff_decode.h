/* SPDX-License-Identifier: MIT */
/* What the parts of the TIFF decoder share. */
#ifndef SAFE_DECODE_TIFF_DECODE_H
#define SAFE_DECODE_TIFF_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tiffio.h>

#include "decoders/pixels/pixels.h"
#include "decoders/runtime/decoder.h"
#include "decoders/runtime/seekable.h"

enum { TIFF_USED_MAX = 5 }; /* samples of a pixel that are looked at: CMYK and alpha */

/* What the colour samples of a pixel mean. */
enum form_kind { FORM_GRAY, FORM_PALETTE, FORM_RGB, FORM_CMYK, FORM_YCBCR, FORM_LAB };

enum form_number { FORM_UNSIGNED, FORM_SIGNED, FORM_FLOAT };

/* How the samples of the page are stored, as far as it is checked. */
struct tiff_form {
	enum form_kind kind;
	enum form_number number;
	bool inverted;   /* the least value is white */
	bool lab_offset; /* a and b of Lab have 128 added */
	bool planar;     /* each sample has strips or tiles of its own */
	bool tiled;
	bool clumped;                       /* YCbCr: the luma of some pixels, then the chroma that they share */
	unsigned across, down;              /* pixels of a clump */
	unsigned samples;                   /* a pixel has in the file */
	unsigned bits;                      /* of a sample */
	unsigned colors;                    /* samples that are colour: they come first */
	unsigned used;                      /* samples that are looked at: the colours, and alpha behind them */
	unsigned alpha;                     /* where alpha is among the samples, or 0 */
	bool associated;                    /* the colours are multiplied by alpha */
	uint32_t chunk_width, chunk_height; /* of a tile, or of a strip as far as it is in the picture */
	enum pixels_layout layout;          /* of what is made of it */
	bool deep;                          /* which has 16 bits a sample, */
	bool floats;                        /* or, before it, floats */
};

struct decode {
	struct session *session;
	struct seekable input;
	uint64_t position;           /* where libtiff reads next */
	bool past_end;               /* it wanted bytes that are not there */
	enum wire_failure complaint; /* of libtiff, the first; WIRE_OK: none */
	TIFF *tiff;
	bool lost; /* it must not be touched again */
	struct wire_image image;
	struct tiff_form form;
	bool extra_told;                /* the page says what its extra samples are */
	uint8_t *chunks[TIFF_USED_MAX]; /* owned: a row, a strip or a tile, of each plane */
	size_t chunk_size, chunk_row;   /* bytes of one, and of a row in it */
	uint8_t *rows;                  /* owned: a row, or those of a row of tiles, in the layout */
	uint8_t *scratch;               /* owned: the used samples of a row, unpacked */
	uint8_t scaled[256];            /* samples of up to 8 bits, scaled to 8 */
	uint8_t *palette;               /* owned: red, green and blue of each index */
	TIFFYCbCrToRGB *ycbcr;          /* owned */
};

/* tiff_input.c: the only way to the input.  Copies what is there of `size` bytes; returns how many. */
size_t tiff_read_at(struct decode *decode, uint64_t offset, void *to, size_t size);
/* Opens the first page.  WIRE_OK or a failure. */
session_result tiff_open(struct decode *decode);
/* What libtiff's complaint stands for, or else `otherwise`. */
enum wire_failure tiff_failure(const struct decode *decode, enum wire_failure otherwise);
void tiff_silence(void);

/* tiff_pages.c: how many pages there are; and whether the one that is open tells what its extra samples are. */
uint32_t tiff_count_pages(struct decode *decode);
bool tiff_tells_extra(struct decode *decode);

/* tiff_form.c: fills form and image.  WIRE_OK or a failure. */
session_result tiff_describe(struct decode *decode);
/* Chooses in which format the page is sent, and so what is made of its samples. */
void tiff_choose_format(struct decode *decode);

/* tiff_color.c: `count` pixels from the planes (or the one that has all) to the layout. */
session_result tiff_prepare_color(struct decode *decode);
void tiff_convert(struct decode *decode, const uint8_t *const planes[], size_t count, uint8_t *to);

/* tiff_unpack.c: the used samples of `count` pixels, to 8 bits or 16 bits each. */
void tiff_unpack(const struct decode *decode, const uint8_t *const planes[], size_t count, uint8_t *to);
/* Gray or RGB of floats, to floats. */
void tiff_unpack_floats(const struct tiff_form *form, const uint8_t *const planes[], size_t count, uint8_t *to);

/* tiff_ycbcr.c: `count` pixels of row `y` of a chunk of clumps; and how many bytes such a chunk has. */
session_result tiff_prepare_ycbcr(struct decode *decode);
void tiff_ycbcr_pixel(const struct decode *decode, const uint8_t *sample, uint8_t *to);
void tiff_convert_clumps(const struct decode *decode, const uint8_t *from, size_t y, size_t count, uint8_t *to);
size_t tiff_clumps_size(const struct tiff_form *form, uint32_t height);

/* tiff_lab.c */
void tiff_lab_pixel(const struct tiff_form *form, const uint8_t *sample, uint8_t *to);

/* tiff_rows.c: all rows of the page. */
session_result tiff_prepare_rows(struct decode *decode);
session_result tiff_send_rows(struct decode *decode);

#endif
