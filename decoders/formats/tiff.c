/* SPDX-License-Identifier: MIT */
/*
 * TIFF, by libtiff: what it has a codec for; the first page.
 *
 * libtiff decodes strips and tiles; what their samples mean is made out here, so that a page needs no more memory than
 * a strip or a row of tiles.  All samples are taken as they are: no gamma, no profile; 1 is full scale of floating
 * point, and what is beyond is cut off.
 *
 * pkg-config: libtiff-4 m
 */
#include <stdlib.h>

#include "tiff_decode.h"

/* libtiff sorts, and the first qsort() of more than a little asks the kernel how much memory there is. */
static int compare(const void *left, const void *right)
{
	return *(const unsigned char *)left - *(const unsigned char *)right;
}

static void initialise(void)
{
	enum { ENTRIES = 16 << 10 };
	unsigned char *entries = calloc(ENTRIES, 1);

	if (entries)
		qsort(entries, ENTRIES, 1, compare);
	free(entries);
	tiff_silence();
	session_rehearse(&decoder, 0);
}

static session_result announce(struct decode *decode)
{
	struct wire_image *image = &decode->image;

	image->frames = image->file_frames = tiff_count_pages(decode, &decode->extra_told);
	session_result result = tiff_describe(decode);
	if (result != WIRE_OK)
		return result;
	image->frames = 1; /* each page has a size of its own */
	image->pixel_format = session_choose_format(decode->session, image);
	result = session_image(decode->session, image);
	return result == WIRE_OK ? session_frame(decode->session, 0) : result;
}

static session_result decode_page(struct decode *decode)
{
	session_result result = tiff_open(decode);

	if (result == WIRE_OK)
		result = announce(decode);
	if (result == WIRE_OK)
		result = tiff_prepare_color(decode);
	if (result == WIRE_OK)
		result = tiff_prepare_rows(decode);
	return result == WIRE_OK ? tiff_send_rows(decode) : result;
}

static session_result decode_tiff(struct session *session)
{
	struct decode decode = { .session = session };
	session_result result = whole_read(session, &decode.input);

	if (result == WIRE_OK)
		result = decode_page(&decode);
	if (decode.tiff && !decode.lost)
		TIFFClose(decode.tiff);
	for (unsigned i = 0; i < TIFF_USED_MAX; i++)
		free(decode.chunks[i]);
	free(decode.rows);
	free(decode.scratch);
	free(decode.palette);
	free(decode.ycbcr);
	whole_free(&decode.input);
	return result;
}

/* Of "LIBTIFF, Version 4.5.0" and lines of copyright, what matters. */
static const char *version(void)
{
	static char text[16];
	const char *from = TIFFGetVersion();
	size_t length = 0;

	while (*from != '\0' && (*from < '0' || *from > '9'))
		from++;
	while (length < sizeof(text) - 1 && ((*from >= '0' && *from <= '9') || *from == '.'))
		text[length++] = *from++;
	text[length] = '\0';
	return text;
}

DECODER_SAMPLE(sample, "samples/tiff/pjw-thumbnail.tiff");

const struct decoder decoder = {
	.name = "tiff",
	.library = "libtiff",
	.version = version,
	.initialise = initialise,
	.decode = decode_tiff,
	.sample = sample,
	.sample_end = sample_end,
};
