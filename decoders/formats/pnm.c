/* SPDX-License-Identifier: MIT */
/*
 * PNM (P1 to P6), PAM, PFM and farbfeld: a header, and then samples.  PNM and PAM whose samples are no text may follow
 * one another in a file: each is a page.
 *
 * Samples are scaled as netpbm does it: (sample * white + maxval / 2) / maxval.  Those of PFM are divided by the scale
 * of the header.  Where they become integers, they are cut to 0 to 1, without a transfer function, as netpbm does it.
 *
 * pkg-config: none
 */
#include <stdlib.h>
#include <string.h>

#include "decoders/picture/animation.h"
#include "decoders/picture/rows.h"
#include "pnm_decode.h"

/* As in broker/recognise/registry.c. */
enum variant {
	PNM,
	PAM,
	PFM,
	FARBFELD,
	VARIANTS,
};

enum { MEMORY_BESIDES = 16 << 10 };

/* A further page is of any kind that may follow another. */
static enum variant variant_of(struct pnm *pnm)
{
	uint32_t variant = session_request(pnm->input.session)->variant;
	uint8_t mark[2] = "";

	if (variant <= PAM && pnm->pages > 0 && input_peek(&pnm->input, mark, sizeof(mark)) == sizeof(mark))
		return mark[1] == '7' ? PAM : PNM;
	return variant < VARIANTS ? (enum variant)variant : PNM;
}

static session_result read_header(struct pnm *pnm)
{
	static session_result (*const readers[VARIANTS])(struct pnm *) = {
		[PNM] = pnm_read_header,
		[PAM] = pnm_read_pam_header,
		[PFM] = pnm_read_pfm_header,
		[FARBFELD] = pnm_read_farbfeld_header,
	};
	const uint8_t *data = NULL;

	if (input_look(&pnm->input, &data) == 0)
		return WIRE_FAIL_EMPTY;
	return readers[variant_of(pnm)](pnm);
}

/* ---- pages ---- */

/* Behind a picture in text, and behind one of the others, nothing follows that is one. */
static bool may_be_followed(const struct pnm *pnm)
{
	return session_request(pnm->input.session)->variant <= PAM &&
	       (pnm->form == PNM_BITS || pnm->form == PNM_BINARY);
}

static bool is_followed(struct pnm *pnm)
{
	uint8_t mark[2];

	return may_be_followed(pnm) && input_peek(&pnm->input, mark, sizeof(mark)) == sizeof(mark) && mark[0] == 'P' &&
	       mark[1] >= '1' && mark[1] <= '7';
}

/* Passes over the samples, of which there may be fewer than there should. */
static bool skip_samples(struct pnm *pnm)
{
	uint64_t row = (uint64_t)pnm->image.width * pnm->planes * (pnm->maxval > UINT8_MAX ? 2 : 1), size = 0;

	if (pnm->form == PNM_BITS)
		row = ((uint64_t)pnm->image.width + 7) / 8;
	return !__builtin_mul_overflow(row, pnm->image.height, &size) && input_skip(&pnm->input, size) == size;
}

static void next_page(struct pnm *pnm)
{
	free(pnm->raw);
	free(pnm->row);
	free(pnm->scaled);
	*pnm = (struct pnm){ .input = pnm->input, .pages = pnm->pages + 1 };
}

/* How many pages there are, where only information is wanted.  The header of one was read. */
static uint32_t count_pages(struct pnm *pnm)
{
	const struct wire_request *request = session_request(pnm->input.session);
	struct pnm page = *pnm;
	uint32_t pages = pnm->pages + 1;

	if (!may_be_followed(pnm))
		return pages;
	if (request->operation != WIRE_INFO || !(request->flags & WIRE_FINITE))
		return 0;
	while (pages < UINT32_MAX && skip_samples(pnm) && is_followed(pnm)) {
		next_page(pnm);
		if (read_header(pnm) != WIRE_OK)
			break;
		pages++;
	}
	/* It stays where it is: the bytes of a peek are in it. */
	page.input = pnm->input;
	*pnm = page;
	return pages;
}

/* ---- set-up ---- */

/* CMYK goes through 8 bits and becomes RGB. */
static void choose_layout(struct pnm *pnm)
{
	struct wire_image *image = &pnm->image;
	bool cmyk = image->color == WIRE_COLOR_CMYK;

	image->pixel_format = session_choose_format(pnm->input.session, image);
	bool is_deep = pixels_want_deep(image) && !cmyk;
	bool floats = pnm->form == PNM_FLOATS && pixels_want_floats(image);
	pnm->layout = pixels_layout_of(floats    ? sizeof(float)
	                               : is_deep ? 2
	                                         : 1,
	                               image->channels > 2, image->channels % 2 == 0 && !cmyk);
	pnm->white = is_deep ? UINT16_MAX : UINT8_MAX;
	if (pnm->form == PNM_FLOATS)
		pnm->maxval = pnm->white;
}

static size_t raw_size(const struct pnm *pnm)
{
	return (size_t)pnm->image.width * pnm->planes * (pnm->form == PNM_FLOATS ? sizeof(float) : sizeof(uint16_t));
}

/* Bytes of a row; CMYK has four samples a pixel until it is RGB. */
static size_t row_size(const struct pnm *pnm)
{
	size_t pixel = pixels_layout_bytes[pnm->layout];

	return (size_t)pnm->image.width * (pixel < pnm->image.channels ? pnm->image.channels : pixel);
}

/* Rows that must be held: a picture that begins at its bottom, whole. */
static size_t rows_held(const struct pnm *pnm)
{
	return pnm->form == PNM_FLOATS ? pnm->image.height : 1;
}

static uint64_t memory_needed(const struct pnm *pnm)
{
	uint64_t scaled = pnm->maxval != pnm->white ? ((uint64_t)pnm->maxval + 1) * sizeof(uint16_t) : 0;

	return MEMORY_BESIDES + raw_size(pnm) + (uint64_t)row_size(pnm) * rows_held(pnm) + scaled;
}

static bool allocate(struct pnm *pnm)
{
	pnm->raw = malloc(raw_size(pnm));
	pnm->row = calloc(rows_held(pnm), row_size(pnm));
	if (!pnm->raw || !pnm->row || pnm->maxval == pnm->white)
		return pnm->raw && pnm->row;
	pnm->scaled = malloc(((size_t)pnm->maxval + 1) * sizeof(uint16_t));
	for (uint32_t i = 0; pnm->scaled && i <= pnm->maxval; i++)
		pnm->scaled[i] = (uint16_t)((i * pnm->white + pnm->maxval / 2) / pnm->maxval);
	return pnm->scaled != NULL;
}

static session_result announce(struct pnm *pnm)
{
	struct session *session = pnm->input.session;
	struct wire_image *image = &pnm->image;
	session_result result = session_check_size(session, image->width, image->height, 1);

	if (result != WIRE_OK)
		return result;
	image->frames = count_pages(pnm);
	choose_layout(pnm);
	session_needs(session, memory_needed(pnm));
	result = session_image(session, image);
	if (result == WIRE_OK)
		result = session_frame(session, 0);
	if (result == WIRE_OK && !allocate(pnm))
		result = WIRE_FAIL_LIMIT_MEMORY;
	return result;
}

/* ---- rows ---- */

static session_result send(struct pnm *pnm, const uint8_t *row)
{
	return rows_send(pnm->input.session, &pnm->image, pnm->layout, row, 0, 1);
}

static session_result decode_downwards(struct pnm *pnm)
{
	for (uint32_t y = 0; y < pnm->image.height; y++) {
		session_result result = pnm_read_row(pnm);
		if (result != WIRE_OK)
			return session_damage(pnm->input.session, (enum wire_failure)result);
		result = send(pnm, pnm->row);
		if (result != WIRE_OK)
			return result;
	}
	return WIRE_OK;
}

/* Of a picture whose top is missing, no row is at its place. */
static session_result decode_upwards(struct pnm *pnm)
{
	uint8_t *top = pnm->row;
	session_result result = WIRE_OK;

	for (uint32_t y = pnm->image.height; y > 0 && result == WIRE_OK; y--) {
		pnm->row = top + (y - 1) * row_size(pnm);
		result = pnm_read_row(pnm);
	}
	pnm->row = top;
	if (result != WIRE_OK)
		return session_damage(pnm->input.session, (enum wire_failure)result);
	for (uint32_t y = 0; y < pnm->image.height && result == WIRE_OK; y++)
		result = send(pnm, top + y * row_size(pnm));
	return result;
}

/* Behind a picture in text, anything may follow: netpbm says so. */
static session_result end_file(struct pnm *pnm)
{
	uint8_t next[1];

	if (pnm->form == PNM_PLAIN || pnm->form == PNM_PLAIN_BITS || is_followed(pnm) ||
	    input_peek(&pnm->input, next, sizeof(next)) == 0)
		return WIRE_OK;
	return session_flaw(pnm->input.session, WIRE_NOTE_TRAILING, WIRE_FAIL_TRAILING);
}

static session_result decode_picture(struct pnm *pnm)
{
	session_result result = announce(pnm);

	if (result == WIRE_OK)
		result = pnm->form == PNM_FLOATS ? decode_upwards(pnm) : decode_downwards(pnm);
	if (pnm->exceeded)
		session_note(pnm->input.session, WIRE_NOTE_WARNINGS);
	return result;
}

/* A page, or nothing of one that nobody wants. */
static session_result decode_page(struct pnm *pnm)
{
	struct session *session = pnm->input.session;
	session_result result = read_header(pnm);

	/* What is wrong with a page costs those before it nothing. */
	if (result != WIRE_OK)
		return pnm->pages > 0 ? session_damage(session, (enum wire_failure)result) : result;
	if (may_be_followed(pnm) && session_pass_frame(session))
		return skip_samples(pnm) ? WIRE_OK : session_damage(session, WIRE_FAIL_TRUNCATED);
	return decode_picture(pnm);
}

static session_result decode_pages(struct pnm *pnm)
{
	const struct wire_request *request = session_request(pnm->input.session);
	bool several = request->first_frame > 0 || animation_wanted(pnm->input.session);
	session_result result = decode_page(pnm);

	while (result == WIRE_OK && several && is_followed(pnm)) {
		next_page(pnm);
		result = decode_page(pnm);
	}
	return result == WIRE_OK ? end_file(pnm) : result;
}

static session_result decode(struct session *session)
{
	struct pnm pnm = { .input.session = session };
	session_result result = decode_pages(&pnm);

	next_page(&pnm);
	return result;
}

const struct decoder decoder = {
	.name = "pnm",
	.decode = decode,
};
