/* SPDX-License-Identifier: MIT */
/* Rows of PNM and its relatives, from the samples of a file to those of a layout. */
#include <string.h>

#include "decoders/pixels/cmyk.h"
#include "pnm_decode.h"

static uint32_t clamp(struct pnm *pnm, uint32_t sample)
{
	if (sample <= pnm->maxval)
		return sample;
	pnm->exceeded = true;
	return pnm->maxval;
}

static void put(struct pnm *pnm, size_t index, uint32_t sample)
{
	uint32_t scaled = clamp(pnm, sample);

	if (pnm->scaled)
		scaled = pnm->scaled[scaled];
	if (pnm->white > UINT8_MAX)
		memcpy(pnm->row + 2 * index, &(uint16_t){ (uint16_t)scaled }, sizeof(uint16_t));
	else
		pnm->row[index] = (uint8_t)scaled;
}

/* ---- text ---- */

static session_result read_plain_bits(struct pnm *pnm)
{
	for (size_t x = 0; x < pnm->image.width; x++) {
		int byte = 0;
		do
			byte = pnm_text(&pnm->input);
		while (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r' || byte == '\v' || byte == '\f');
		if (byte != '0' && byte != '1')
			return byte < 0 ? WIRE_FAIL_TRUNCATED : WIRE_FAIL_DATA;
		put(pnm, x, byte == '0');
	}
	return WIRE_OK;
}

static session_result read_plain(struct pnm *pnm)
{
	size_t samples = (size_t)pnm->image.width * pnm->planes;

	for (size_t i = 0; i < samples; i++) {
		uint32_t sample = 0;
		session_result result = pnm_number(&pnm->input, &sample);
		if (result != WIRE_OK)
			return result;
		put(pnm, i, sample);
	}
	return WIRE_OK;
}

/* ---- bytes ---- */

static session_result read_bits(struct pnm *pnm)
{
	size_t width = pnm->image.width, size = (width + 7) / 8;

	if (input_take(&pnm->input, pnm->raw, size) < size)
		return WIRE_FAIL_TRUNCATED;
	for (size_t x = 0; x < width; x++)
		put(pnm, x, (pnm->raw[x / 8] >> (7 - x % 8) & 1) == 0);
	return WIRE_OK;
}

/* CMYK has its inks as they are, and becomes RGB in its place. */
static void convert_cmyk(struct pnm *pnm)
{
	size_t samples = (size_t)pnm->image.width * 4;

	for (size_t i = 0; i < samples; i++)
		pnm->row[i] = (uint8_t)~pnm->row[i];
	cmyk_to_rgb(pnm->row, pnm->row, pnm->image.width);
}

static session_result read_binary(struct pnm *pnm)
{
	size_t width = pnm->image.width, channels = pnm->image.channels, planes = pnm->planes;
	bool wide = pnm->maxval > UINT8_MAX;
	size_t size = width * planes * (wide ? 2 : 1);
	bool as_is = !wide && !pnm->scaled && planes == channels && pnm->maxval == UINT8_MAX;

	if (input_take(&pnm->input, as_is ? pnm->row : pnm->raw, size) < size)
		return WIRE_FAIL_TRUNCATED;
	for (size_t x = 0; x < width && !as_is; x++)
		for (size_t i = 0; i < channels; i++) {
			size_t at = x * planes + i;
			put(pnm, x * channels + i, wide ? input_be16(pnm->raw + 2 * at) : pnm->raw[at]);
		}
	if (pnm->image.color == WIRE_COLOR_CMYK)
		convert_cmyk(pnm);
	return WIRE_OK;
}

/* ---- floats ---- */

static float load_float(const struct pnm *pnm, const uint8_t *bytes)
{
	uint32_t bits = pnm->big_endian ? input_be32(bytes) : input_le32(bytes);
	float value = 0;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* Of integers, what is no number is black. */
static session_result read_floats(struct pnm *pnm)
{
	size_t samples = (size_t)pnm->image.width * pnm->planes, size = samples * sizeof(float);
	float white = (float)pnm->white;

	if (input_take(&pnm->input, pnm->raw, size) < size)
		return WIRE_FAIL_TRUNCATED;
	for (size_t i = 0; i < samples; i++) {
		float value = load_float(pnm, pnm->raw + i * sizeof(float)) / pnm->scale;
		if (pnm->layout >= PIXELS_GRAY_F32) {
			memcpy(pnm->row + i * sizeof(value), &value, sizeof(value));
			continue;
		}
		value = value > 0 ? value < 1 ? value : 1 : 0;
		put(pnm, i, (uint32_t)(value * white + 0.5F));
	}
	return WIRE_OK;
}

session_result pnm_read_row(struct pnm *pnm)
{
	switch (pnm->form) {
	case PNM_PLAIN_BITS:
		return read_plain_bits(pnm);
	case PNM_PLAIN:
		return read_plain(pnm);
	case PNM_BITS:
		return read_bits(pnm);
	case PNM_BINARY:
		return read_binary(pnm);
	default:
		return read_floats(pnm);
	}
}
