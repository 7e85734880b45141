/* SPDX-License-Identifier: MIT */
/*
 * TIFF, by libtiff: what it has a codec for; all pages.
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

static session_result announce(struct decode *decode, uint32_t pages)
{
	struct wire_image *image = &decode->image;
	session_result result = tiff_describe(decode);

	if (result != WIRE_OK)
		return result;
	image->frames = pages;
	tiff_choose_format(decode);
	result = session_image(decode->session, image);
	return result == WIRE_OK ? session_frame(decode->session, 0) : result;
}

static session_result decode_page(struct decode *decode, uint32_t pages)
{
	session_result result = announce(decode, pages);

	if (result == WIRE_OK)
		result = tiff_prepare_color(decode);
	if (result == WIRE_OK)
		result = tiff_prepare_rows(decode);
	return result == WIRE_OK ? tiff_send_rows(decode) : result;
}

/* Each page has a form of its own. */
static void end_page(struct decode *decode)
{
	for (unsigned i = 0; i < TIFF_USED_MAX; i++) {
		free(decode->chunks[i]);
		decode->chunks[i] = NULL;
	}
	free(decode->rows);
	free(decode->scratch);
	free(decode->palette);
	free(decode->ycbcr);
	decode->rows = decode->scratch = decode->palette = NULL;
	decode->ycbcr = NULL;
	decode->form = (struct tiff_form){ 0 };
	decode->image = (struct wire_image){ 0 };
}

/* What is wrong with a page costs those before it nothing. */
static session_result open_page(struct decode *decode, uint32_t page)
{
	if (page == 0)
		return WIRE_OK;
	decode->complaint = WIRE_OK;
	if (!TIFFReadDirectory(decode->tiff))
		return session_damage(decode->session, tiff_failure(decode, WIRE_FAIL_STRUCTURE));
	return WIRE_OK;
}

static session_result decode_pages(struct decode *decode)
{
	const struct wire_request *request = session_request(decode->session);
	uint64_t end = (uint64_t)request->first_frame + request->max_frames;
	session_result result = tiff_open(decode);
	uint32_t pages = 1;

	/* No page is looked at that nobody wants. */
	for (uint32_t page = 0; result == WIRE_OK && page < pages && page < end; page++) {
		if (page == 0)
			pages = tiff_count_pages(decode);
		result = open_page(decode, page);
		if (result != WIRE_OK || session_pass_frame(decode->session))
			continue;
		decode->extra_told = tiff_tells_extra(decode);
		result = decode_page(decode, pages);
		end_page(decode);
	}
	end_page(decode);
	return result;
}

static session_result decode_tiff(struct session *session)
{
	struct decode decode = { .session = session };
	session_result result = seekable_open(session, &decode.input);

	if (result == WIRE_OK)
		result = decode_pages(&decode);
	if (decode.tiff && !decode.lost)
		TIFFClose(decode.tiff);
	seekable_close(&decode.input);
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
