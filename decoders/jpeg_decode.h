/* SPDX-License-Identifier: MIT */
/* What the files of the JPEG decoder share: the state of one decode. */
#ifndef SAFE_DECODE_JPEG_DECODE_H
#define SAFE_DECODE_JPEG_DECODE_H

#include <setjmp.h>
#include <stdio.h> /* jpeglib.h needs FILE and does not say so */

#include "decoder.h"

#include <jpeglib.h>

struct decode {
	/* First, so that what libjpeg hands back leads here. */
	struct jpeg_decompress_struct info;
	struct jpeg_error_mgr errors;
	struct jpeg_source_mgr source;
	struct jpeg_progress_mgr progress;

	struct session *session;
	jmp_buf escape;
	session_result result; /* what escape() carries */

	const uint8_t *run; /* input that libjpeg does not have yet */
	size_t run_size;
	bool input_ended; /* libjpeg asked for more than there is */
	bool multiple_scans;
	bool exif_seen, icc_seen;
	uint32_t orientation;

	enum wire_failure damage; /* to a picture of several scans that is shown all the same */
	uint32_t rows_wanted;     /* how many of its rows can be */

	enum wire_pixel_format pixel_format;
	void (*convert_row)(const struct decode *decode, uint8_t *samples, uint8_t *row);
	JSAMPARRAY samples; /* one row, where a conversion is needed */
};

static inline struct decode *jpeg_decode_of(j_decompress_ptr info)
{
	return (struct decode *)info;
}

/* jpeg_input.c: connects libjpeg to the session's input, and takes what is wanted from APP markers. */
void jpeg_open_input(struct decode *decode);

/* Whether an arithmetic decoder has run out of data before its scan was complete.  Only meaningful inside a scan. */
bool jpeg_data_ran_out(const struct decode *decode);

/* Whether bytes follow those that libjpeg took. */
bool jpeg_has_more_input(struct decode *decode);

/* jpeg_color.c: chooses what libjpeg converts to, and what is left to do. */
void jpeg_choose_conversion(struct decode *decode);

#endif
