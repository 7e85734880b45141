/* SPDX-License-Identifier: MIT */
/* What the files of the JPEG XL decoder share. */
#ifndef SAFE_DECODE_JXL_DECODE_H
#define SAFE_DECODE_JXL_DECODE_H

#include <jxl/decode.h>

#include "decoders/pixels/pixels.h"
#include "decoders/runtime/decoder.h"

struct decode {
	struct session *session;
	JxlDecoder *jxl;
	JxlBasicInfo info;
	struct wire_image image;
	bool announced, ended;

	uint8_t *input; /* owned: what libjxl has not taken yet, and of an animation all of it */
	size_t input_size, input_room;
	size_t input_given; /* how much of it libjxl was given */
	bool whole;         /* what libjxl has taken stays */

	enum pixels_layout layout;
	JxlDataType data_type;      /* of its samples */
	bool encoded;               /* which are floats of sRGB, and not linear light */
	uint8_t **rows;             /* owned, those that are not complete or wait for others; NULL: nothing there yet */
	uint32_t *filled;           /* owned: pixels of each */
	uint32_t rows_sent;         /* of the frame */
	session_result rows_result; /* what became of them */
};

/* jxl_input.c */

/* Gives libjxl more of the input.  Returns whether there was some. */
bool jxl_feed(struct decode *decode);

/* The number of frames of an animation, as far as they are there, 1 at least; reads all of the input if it ends. */
uint32_t jxl_count_frames(struct decode *decode);

/* jxl_rows.c */

session_result jxl_begin_rows(struct decode *decode);
bool jxl_all_rows_sent(const struct decode *decode);
void jxl_end_rows(struct decode *decode);

/* A JxlImageOutCallback. */
void jxl_take_pixels(void *opaque, size_t x, size_t y, size_t count, const void *pixels);

#endif
