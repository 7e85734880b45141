/* SPDX-License-Identifier: MIT */
/* What the files of the PNG decoder share: the state of one decode. */
#ifndef SAFE_DECODE_PNG_DECODE_H
#define SAFE_DECODE_PNG_DECODE_H

#include <png.h>

#include "decoders/picture/pixels.h"
#include "decoders/runtime/decoder.h"

#define ZLIB_CONST
#include <zlib.h>

enum { CHUNK_HEADER_SIZE = 8, CHUNK_NAME_SIZE = 4, CHUNK_CRC_SIZE = 4 };

/* Looks at the image data beside libpng, where that would not see all. */
struct data_check {
	z_stream stream;
	bool begun, open;
	bool complete; /* for all that can be wrong, not for the window alone */
	bool exceeded; /* it reaches back further than its header says */
	size_t room;   /* for what zlib gives at a time */
	enum wire_failure failure;
};

struct decode {
	struct session *session;
	png_structp png;
	png_infop info;
	const uint8_t *input; /* what the session gave and libpng has not taken */
	size_t input_left;
	bool input_ended;                  /* libpng asked for more than there is */
	uint8_t header[CHUNK_HEADER_SIZE]; /* of the last chunk that it read: length and name */
	struct data_check check;
	enum wire_failure failure; /* known before libpng complains; else WIRE_OK */
	enum wire_failure flaw;    /* of what follows the last pixel */

	struct wire_image image;
	enum pixels_layout layout; /* of libpng's rows, where they have 8 bits a sample */
	bool announced;
	pixels_converter *convert; /* NULL: libpng's rows are what is wanted */
	size_t row_bytes;          /* of libpng's rows */
	uint8_t *pixels;           /* one of libpng's rows, or all of them if interlaced */
	uint8_t *room;             /* for the row that libpng is at, unless interlaced */
	uint32_t rows_given;       /* unless interlaced */
	uint32_t rows_known;       /* of an interlaced picture: from the top, those that some pass has touched */
	bool data_ended;           /* all rows are there, and so is the end of the image data */
};

/* png_input.c: reads for libpng. */
void png_read_input(png_structp png, png_bytep data, size_t size);

/* Up to `size` bytes of the input; returns how many there were. */
size_t png_take_input(struct decode *decode, uint8_t *data, size_t size);

/* Whether the last chunk that was begun has this name. */
bool png_at_chunk(const struct decode *decode, const char *name);

/* What it means that libpng lacks image data though there is more input.  Sets *between to what lies in the middle of
 * the data, if anything does. */
void png_look_behind_data(struct decode *decode, enum wire_failure *between);

/* What is wrong with the image data, if it was looked at: WIRE_FAIL_TRUNCATED if it lacks nothing but an end.  May be
 * called again. */
enum wire_failure png_end_check(struct decode *decode);

#endif
