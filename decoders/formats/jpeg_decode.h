/* SPDX-License-Identifier: MIT */
/* What the files of the JPEG decoder share: the state of one decode. */
#ifndef SAFE_DECODE_JPEG_DECODE_H
#define SAFE_DECODE_JPEG_DECODE_H

#include <setjmp.h>
#include <stdio.h> /* jpeglib.h needs FILE and does not say so */

#include "decoders/runtime/decoder.h"

#include <jpeglib.h>

enum { JPEG_PARTS_MAX = 255 };

struct jpeg_part {
	uint8_t *data; /* owned; NULL: it has not come */
	size_t size;
};

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
	bool more_input;  /* some that libjpeg had was taken away */
	uint32_t end_row; /* of MCUs, which libjpeg was at when the input ended */
	bool multiple_scans;
	bool buffered;  /* all scans are read before the first row, but libjpeg can give rows in between */
	bool previewed; /* that was done */
	bool output_open;
	bool exif_seen, icc_seen;
	uint32_t orientation;
	struct jpeg_part parts[JPEG_PARTS_MAX]; /* of a colour profile, until all are there */
	size_t parts_size;                      /* bytes of all that came */

	enum wire_failure damage; /* to a picture that is shown all the same */
	uint32_t rows_wanted;     /* how many of its rows can be */
	enum wire_failure flaw;   /* of what follows the last pixel */

	jmp_buf resume;      /* where an error leads that leaves a picture to be shown, */
	bool resumable;      /* if it comes while this is set */
	bool scans_begun;    /* of several */
	bool resumed;        /* that has happened */
	bool all_begun;      /* several scans have brought something of every component, */
	bool all_complete;   /* or all that there can be */
	bool rows_done;      /* all of them */
	bool resynchronised; /* a restart marker has a wrong number, and costs nothing */

	enum wire_pixel_format pixel_format;
	void (*convert_row)(const struct decode *decode, uint8_t *samples, uint8_t *row);
	JSAMPARRAY samples; /* one row, where a conversion is needed */
};

static inline struct decode *jpeg_decode_of(j_decompress_ptr info)
{
	return (struct decode *)info;
}

/* jpeg_input.c: connects libjpeg to the session's input. */
void jpeg_open_input(struct decode *decode);

/* For markers: copies up to `size` bytes, fewer at the end of the input; and skips some. */
size_t jpeg_take_input(struct decode *decode, uint8_t *data, size_t size);
void jpeg_skip_input(struct decode *decode, size_t size);

/* jpeg_markers.c: takes what is wanted from markers that libjpeg does not care for. */
void jpeg_open_markers(struct decode *decode);

/* Tells the density of a picture that has no EXIF. */
void jpeg_send_density(struct decode *decode);

void jpeg_free_profile(struct decode *decode);

/* Whether an arithmetic decoder has run out of data before its scan was complete.  Only meaningful inside a scan. */
bool jpeg_data_ran_out(const struct decode *decode);

/* There will be no more scans: libjpeg gets the end of the picture next. */
void jpeg_end_scans(struct decode *decode);

/* Whether bytes follow those that libjpeg took. */
bool jpeg_has_more_input(struct decode *decode);

/* jpeg_errors.c: takes what libjpeg complains about. */
void jpeg_open_errors(struct decode *decode);

_Noreturn void jpeg_escape(struct decode *decode, session_result result);

/* libjpeg has to make pixels up.  To those who take partial results, `rows` rows are still worth showing, at the
 * quality received; to others the decode ends here. */
void jpeg_found_damage(struct decode *decode, enum wire_failure failure, uint32_t rows);

/* How many rows have at least their DC coefficients when damage is found in this row of MCUs. */
uint32_t jpeg_rows_known(const struct decode *decode, uint32_t mcu_row);

/* jpeg_color.c: chooses what libjpeg converts to, and what is left to do. */
void jpeg_choose_conversion(struct decode *decode);

#endif
