/* SPDX-License-Identifier: MIT */
/*
 * PSD and PSB: the merged picture, which Photoshop saves beside the layers.  Bitmap, gray (duotone, too), indexed, RGB
 * and CMYK, of up to 16 bits.
 *
 * pkg-config: none
 */
#include <stdlib.h>

#include "decoders/picture/rows.h"
#include "psd_decode.h"

enum {
	RAW,
	PACKED,
	PIXEL_BYTES = 8, /* of the widest layout */
	MEMORY_BESIDES = 16 << 10,
};

/* Photoshop says it by the number of layers.  Writers that know nothing of layers leave their alpha behind the colours,
 * where Photoshop has selections, but those have names. */
static bool has_alpha_plane(const struct psd *psd)
{
	bool may = psd->mode == PSD_GRAY || psd->mode == PSD_RGB || psd->mode == PSD_CMYK;
	bool plain = !psd->has_layers && !psd->names_alpha && psd->channels == psd->colors + 1;

	return may && psd->channels > psd->colors && (psd->merged_alpha || plain);
}

static void describe(struct psd *psd)
{
	struct wire_image *image = &psd->image;
	bool deep = image->depth == 16;
	bool gray = psd->colors == 1 && psd->mode != PSD_INDEXED;
	bool index = psd->mode == PSD_INDEXED && psd->transparent != PSD_NO_INDEX;
	bool plane = has_alpha_plane(psd);
	bool alpha = plane || index;

	psd->planes = psd->colors + (plane ? 1 : 0);
	image->frames = 1;
	/* The wire has words for four; those of a palette are those of its entries. */
	image->channels = psd->mode == PSD_INDEXED ? 3 : psd->colors;
	if (alpha && image->channels < 4)
		image->channels++;
	image->flags |= alpha ? WIRE_IMAGE_ALPHA : 0;
	psd->layout = pixels_layout_of(deep ? 2 : 1, !gray, alpha);
	psd->row_bytes = ((size_t)image->width * image->depth + 7) / 8;
	image->pixel_format = session_choose_format(psd->input.session, image);
}

static bool allocate(struct psd *psd)
{
	psd->rows[0] = calloc(psd->planes, psd->row_bytes);
	psd->coded = malloc(2 * psd->row_bytes + 256);
	psd->pixels = malloc((size_t)psd->image.width * PIXEL_BYTES);
	for (uint32_t plane = 1; plane < psd->planes && psd->rows[0]; plane++)
		psd->rows[plane] = psd->rows[0] + plane * psd->row_bytes;
	return psd->rows[0] && psd->coded && psd->pixels;
}

static session_result read_packing(struct psd *psd)
{
	uint8_t bytes[2];

	if (input_take(&psd->input, bytes, sizeof(bytes)) < sizeof(bytes))
		return WIRE_FAIL_TRUNCATED;
	psd->packed = input_be16(bytes) == PACKED;
	return input_be16(bytes) > PACKED ? WIRE_FAIL_UNSUPPORTED : WIRE_OK;
}

static session_result announce(struct psd *psd)
{
	struct session *session = psd->input.session;

	describe(psd);
	session_needs(session, MEMORY_BESIDES + (uint64_t)psd->image.width * PIXEL_BYTES);
	session_result result = session_image(session, &psd->image);
	if (result == WIRE_OK)
		result = session_frame(session, 0);
	return result;
}

static session_result decode_rows(struct psd *psd)
{
	struct session *session = psd->input.session;
	session_result result = psd_read_planes(psd);

	if (result == WIRE_FAIL_LIMIT_MEMORY)
		return result;
	if (result != WIRE_OK)
		return session_damage(session, (enum wire_failure)result);
	if (!allocate(psd))
		return WIRE_FAIL_LIMIT_MEMORY;
	for (uint32_t y = 0; y < psd->image.height; y++) {
		result = psd_read_row(psd, y);
		if (result != WIRE_OK)
			return session_damage(session, (enum wire_failure)result);
		psd_convert_row(psd);
		result = rows_send(session, &psd->image, psd->layout, psd->pixels, 0, 1);
		if (result != WIRE_OK)
			return result;
	}
	return WIRE_OK;
}

static session_result decode(struct session *session)
{
	struct psd psd = { .input.session = session };
	session_result result = psd_read_header(&psd);

	if (result == WIRE_OK)
		result = read_packing(&psd);
	if (result == WIRE_OK)
		result = announce(&psd);
	if (result == WIRE_OK)
		result = decode_rows(&psd);
	free(psd.lengths);
	free(psd.stored);
	free(psd.coded);
	free(psd.rows[0]);
	free(psd.pixels);
	return result;
}

const struct decoder decoder = {
	.name = "psd",
	.decode = decode,
};
