/* SPDX-License-Identifier: MIT */
/* What the files of the PNG decoder share: the state of one decode. */
#ifndef SAFE_DECODE_PNG_DECODE_H
#define SAFE_DECODE_PNG_DECODE_H

#include <png.h>

#include "decoders/picture/animation.h"
#include "decoders/pixels/pixels.h"
#include "decoders/runtime/decoder.h"
#include "decoders/runtime/input.h"
#include "png_text.h"

#define ZLIB_CONST
#include <zlib.h>

enum {
	SIGNATURE_SIZE = 8,
	CHUNK_HEADER_SIZE = 8,
	CHUNK_NAME_SIZE = 4,
	CHUNK_CRC_SIZE = 4,
	ANCILLARY_BIT = 0x20,                                  /* of a chunk name's first letter */
	CHUNK_FRAME_SIZE = CHUNK_HEADER_SIZE + CHUNK_CRC_SIZE, /* what a chunk takes besides its data */
	PALETTE_SIZE_MAX = 256 * 3,
	ALPHA_SIZE_MAX = 256,
	IMAGE_HEADER_SIZE = 13,
	CONTROL_SIZE = 26, /* of fcTL */
};

/* An animation, as far as its chunks were read. */
struct png_frames {
	uint32_t count, loops;         /* a count of 0: there is no animation */
	bool broken;                   /* what stands before the image data is not as it must be: a still picture */
	uint32_t controls;             /* how many frames were begun */
	uint32_t sequence;             /* number of the next chunk that has one */
	struct compositor_frame place; /* of the last frame that was begun */
	uint32_t delay;                /* of it, in milliseconds */
};

enum png_step { PNG_HEADER, PNG_DATA, PNG_END };

/* What libpng gets of a frame: a PNG of its own. */
struct png_part {
	uint8_t colors[2 * CHUNK_FRAME_SIZE + PALETTE_SIZE_MAX + ALPHA_SIZE_MAX]; /* the file's PLTE and tRNS */
	size_t colors_size;
	uint8_t form[IMAGE_HEADER_SIZE]; /* of all frames, but for the size */

	uint8_t ready[SIGNATURE_SIZE + 3 * CHUNK_FRAME_SIZE + IMAGE_HEADER_SIZE + PALETTE_SIZE_MAX + ALPHA_SIZE_MAX];
	size_t ready_at, ready_size; /* comes before anything else */
	enum png_step step;          /* at the file, next */
	bool numbered;               /* its data is in fdAT chunks */
	uint32_t left;               /* bytes of data of the chunk */
	uint32_t crc, new_crc;       /* of the chunk so far: of the file's, and of what libpng gets */
	enum wire_failure failure;
};

/* A file, which several libpng readers read in turn if it is an animation. */
struct png_file {
	struct session *session;
	struct input input;

	struct png_frames frames;
	struct wire_image image; /* of the animation */
	struct animation animation;
	struct png_part part;
	uint8_t header[CHUNK_HEADER_SIZE]; /* of the last chunk that was found, of an animation */
	bool held;                         /* it is to be found again */
};

/* Looks at the image data beside libpng, where that would not see all. */
struct data_check {
	z_stream stream;
	bool begun, open;
	bool complete; /* for all that can be wrong, not for the window alone */
	bool exceeded; /* it reaches back further than its header says */
	size_t room;   /* for what zlib gives at a time */
	enum wire_failure failure;
};

/* One picture that libpng reads: that of the file, or a frame. */
struct decode {
	struct session *session;
	struct png_file *file;
	bool framed; /* libpng gets a frame of the file, whose rows are drawn */
	png_structp png;
	png_infop info;
	bool input_ended;                  /* libpng asked for more than there is */
	uint8_t header[CHUNK_HEADER_SIZE]; /* of the last chunk that it read: length and name */
	struct data_check check;
	enum wire_failure failure; /* known before libpng complains; else WIRE_OK */
	enum wire_failure flaw;    /* of what follows the last pixel */

	struct png_texts texts;
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

/* ---- png_setup.c ---- */

/* Makes libpng's reader; the session and the file are set.  Returns whether there was memory. */
bool png_create(struct decode *decode);

/* Sets it up.  May jump: libpng allocates a list of chunks. */
void png_configure(struct decode *decode);

/* ---- png_input.c ---- */

/* Reads for libpng. */
void png_read_input(png_structp png, png_bytep data, size_t size);

/* Whether the last chunk that was begun has this name. */
bool png_at_chunk(const struct decode *decode, const char *name);

/* What it means that libpng lacks image data though there is more input.  Sets *between to what lies in the middle of
 * the data, if anything does. */
void png_look_behind_data(struct decode *decode, enum wire_failure *between);

/* What is wrong with the image data, if it was looked at: WIRE_FAIL_TRUNCATED if it lacks nothing but an end.  May be
 * called again. */
enum wire_failure png_end_check(struct decode *decode);

/* ---- png_frames.c ---- */

/* An acTL or fcTL chunk before the image data of a picture of this size. */
void png_take_animation(struct png_frames *frames, const uint8_t *data, size_t size);
void png_take_control(struct png_frames *frames, const uint8_t *data, size_t size, uint32_t width, uint32_t height);

/* Whether the chunks before the image data make an animation, as browsers see it, and whether its first frame is the
 * picture that the image data holds. */
bool png_is_animated(const struct png_frames *frames, uint32_t width, uint32_t height);
bool png_shows_data(const struct png_frames *frames);

/* libpng's reader is at the image data: from there on, what it gets is the first frame, if that is shown.  Else the
 * image data is passed over. */
void png_begin_frames(struct decode *decode);

/* Finds the next frame.  Returns WIRE_OK, WIRE_FAIL_ABSENT at the end of the file, or what is wrong. */
session_result png_find_frame(struct png_file *file);

/* Up to `size` bytes of a PNG that holds nothing but the frame; fewer if part.failure says why. */
size_t png_take_frame(struct png_file *file, uint8_t *data, size_t size);

/* All frames were read: what is wrong with the end of the file.  Returns WIRE_OK, or what decode() must return. */
session_result png_end_frames(struct png_file *file);

#endif
