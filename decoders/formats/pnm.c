/* SPDX-License-Identifier: MIT */
/*
 * PNM (P1 to P6), PAM, PFM and farbfeld: a header, and then samples.  Of several pictures in a file, the first.
 *
 * Samples are scaled as netpbm does it: (sample * white + maxval / 2) / maxval.  Those of PFM are divided by the scale
 * of the header.  Where they become integers, they are cut to 0 to 1, without a transfer function, as netpbm does it.
 *
 * pkg-config: none
 */
#include <stdlib.h>
#include <string.h>

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

static session_result read_header(struct pnm *pnm)
{
	static session_result (*const readers[VARIANTS])(struct pnm *) = {
		[PNM] = pnm_read_header,
		[PAM] = pnm_read_pam_header,
		[PFM] = pnm_read_pfm_header,
		[FARBFELD] = pnm_read_farbfeld_header,
	};
	uint32_t variant = session_request(pnm->input.session)->variant;
	const uint8_t *data = NULL;

	if (input_look(&pnm->input, &data) == 0)
		return WIRE_FAIL_EMPTY;
	return readers[variant < VARIANTS ? variant : PNM](pnm);
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
	image->frames = 1;
	choose_layout(pnm);
	session_needs(session, memory_needed(pnm));
	result = session_image(session, image);
	if (result == WIRE_OK)
		result = session_frame(session, 0);
	if (result == WIRE_OK && !allocate(pnm))
		result = WIRE_FAIL_LIMIT_MEMORY;
	return result;
}

static void release(struct pnm *pnm)
{
	free(pnm->raw);
	free(pnm->row);
	free(pnm->scaled);
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

/* Another picture may follow, and behind one in text anything: netpbm says so. */
static session_result end_picture(struct pnm *pnm)
{
	uint8_t next[1];
	bool several = session_request(pnm->input.session)->variant <= PAM;

	if (pnm->exceeded)
		session_note(pnm->input.session, WIRE_NOTE_WARNINGS);
	if (pnm->form == PNM_PLAIN || pnm->form == PNM_PLAIN_BITS || input_peek(&pnm->input, next, 1) == 0 ||
	    (several && next[0] == 'P'))
		return WIRE_OK;
	return session_flaw(pnm->input.session, WIRE_NOTE_TRAILING, WIRE_FAIL_TRAILING);
}

static session_result decode_picture(struct pnm *pnm)
{
	session_result result = read_header(pnm);

	if (result == WIRE_OK)
		result = announce(pnm);
	if (result == WIRE_OK)
		result = pnm->form == PNM_FLOATS ? decode_upwards(pnm) : decode_downwards(pnm);
	return result == WIRE_OK ? end_picture(pnm) : result;
}

static session_result decode(struct session *session)
{
	struct pnm pnm = { .input.session = session };
	session_result result = decode_picture(&pnm);

	release(&pnm);
	return result;
}

const struct decoder decoder = {
	.name = "pnm",
	.decode = decode,
};
