/* SPDX-License-Identifier: MIT */
/* What the parts of the EXR decoder share. */
#ifndef SAFE_DECODE_EXR_DECODE_H
#define SAFE_DECODE_EXR_DECODE_H

#include <OpenEXR/openexr.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoders/pixels/pixels.h"
#include "decoders/runtime/decoder.h"

enum {
	EXR_PLANES = 4, /* R, G and B, or Y, RY and BY, and alpha */
	EXR_ALPHA = 3,
	EXR_PARTS_MAX = 1024,
};

/* A part of the input: from its beginning as far as it was needed, or, once it need not be kept, what is read next. */
struct exr_input {
	struct session *session;
	uint8_t *data; /* owned */
	size_t size, room;
	uint64_t base; /* where `data` is in the input */
	uint64_t keep; /* bytes before this are not needed any more */
	bool past_end; /* more was wanted than there is */
	bool no_memory;
};

/* What is shown of a part. */
struct exr_form {
	int part;
	bool tiled;
	exr_compression_t compression;
	exr_attr_box2i_t data, display;
	const exr_attr_chlist_t *channels;
	int planes[EXR_PLANES]; /* indices of channels; -1: there is none */
	bool chroma;            /* Y, RY and BY */
	bool halved;            /* of which the last two have half the width and height */
	float luma[3];          /* how much red, green and blue contribute to Y */
	unsigned colors;        /* what comes out of it: 1 or 3 */
	enum pixels_layout layout;
	/* Columns that are in both windows, and rows; the first is behind the last where there are none. */
	int64_t left, right, top, bottom;
};

struct exr_chroma;

struct decode {
	struct session *session;
	struct exr_input input;
	uint64_t header_end; /* where the tables of chunks begin */
	bool multipart;
	exr_context_t context;
	int pages[EXR_PARTS_MAX]; /* the parts that are shown */
	uint32_t page_count;

	/* Of the page. */
	struct exr_form form;
	struct wire_image image;
	bool in_order; /* the chunks stand in the input in the order in which they are decoded */
	exr_decode_pipeline_t pipeline;
	bool pipeline_ready;
	exr_result_t (*decompress)(exr_decode_pipeline_t *pipeline);
	const uint8_t *chunk; /* the samples of the chunk that was decoded last */
	int64_t chunk_next;   /* its first row that is not passed, at `chunk` */
	int64_t chunk_end;    /* the row after its last */
	float *floats;        /* owned: room for a row of each plane */
	float *rows;          /* owned: rows of the picture in the layout */
	struct exr_chroma *chroma;
};

/* ---- exr_input.c ---- */

/* Points at `size` bytes at a place.  NULL: there are fewer, or no memory for them. */
const uint8_t *exr_bytes(struct exr_input *input, uint64_t offset, size_t size);
/* Copies up to `size` bytes from a place.  Returns how many, or -1: there is no memory. */
int64_t exr_copy(struct exr_input *input, uint64_t offset, void *to, size_t size);

/* ---- exr_header.c ---- */

/* Goes through the headers of all parts, for where they end, and for what the library has no word for. */
session_result exr_walk_headers(struct decode *decode);

/* ---- exr_form.c ---- */

/* Lists the parts that can be shown.  A failure where there are none. */
session_result exr_find_pages(struct decode *decode);
/* Fills form and image. */
session_result exr_describe(struct decode *decode, int part);

/* ---- exr_chunks.c ---- */

/* What a result of the library stands for, or else `otherwise`. */
enum wire_failure exr_failure(const struct decode *decode, exr_result_t result, enum wire_failure otherwise);
/* Before the first chunk of a page. */
session_result exr_prepare_chunks(struct decode *decode);
void exr_end_chunks(struct decode *decode);
/* Points at the samples of row `y` of the data window, plane by plane; NULL: the row has none of the plane.  Rows may
 * be passed over, but not gone back to. */
session_result exr_read_row(struct decode *decode, int64_t y, const uint8_t *planes[EXR_PLANES]);
/* Decodes a tile; then its rows are got with exr_next_row(), from the first to the last. */
session_result exr_read_tile(struct decode *decode, int column, int row, uint32_t *width, uint32_t *height);
void exr_next_row(struct decode *decode, uint32_t width, const uint8_t *planes[EXR_PLANES]);

/* ---- exr_pixels.c ---- */

/* `count` samples of a plane, from the one with index `first` on. */
void exr_load(const struct decode *decode, unsigned plane, const uint8_t *samples, size_t first, size_t count,
              float *to);
/* From colours that are multiplied by alpha to pixels of the layout.  NULL: black, or opaque. */
void exr_divide(const struct decode *decode, const float *const planes[EXR_PLANES], size_t count, float *to);

/* ---- exr_chroma.c ---- */

session_result exr_prepare_chroma(struct decode *decode);
void exr_end_chroma(struct decode *decode);
uint64_t exr_chroma_memory(const struct decode *decode);
/* Points at red, green, blue and alpha of row `y`, for the whole width of the data window. */
session_result exr_chroma_row(struct decode *decode, int64_t y, const float *planes[EXR_PLANES]);

/* ---- exr_rows.c ---- */

session_result exr_prepare_rows(struct decode *decode);
session_result exr_send_rows(struct decode *decode);

#endif
