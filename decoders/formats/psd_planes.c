/* SPDX-License-Identifier: MIT */
/* The planes of the merged picture, as they are or packed row by row, and the pixels that they make. */
#include <stdlib.h>
#include <string.h>

#include "decoders/pixels/cmyk.h"
#include "psd_decode.h"

/* Longer packed rows are no rows: at worst, each byte has one before it. */
static size_t most_packed(const struct psd *psd)
{
	return 2 * psd->row_bytes + 256;
}

/* The lengths of all packed rows come first; those of planes that are not used are passed over. */
static session_result read_lengths(struct psd *psd)
{
	size_t count = (size_t)psd->planes * psd->image.height, size = psd->large ? 4 : 2;
	uint64_t unused = (uint64_t)(psd->channels - psd->planes) * psd->image.height * size;

	psd->lengths = calloc(count, sizeof(*psd->lengths));
	if (!psd->lengths)
		return WIRE_FAIL_LIMIT_MEMORY;
	for (size_t i = 0; i < count; i++) {
		uint8_t bytes[4];
		if (input_take(&psd->input, bytes, size) < size)
			return WIRE_FAIL_TRUNCATED;
		psd->lengths[i] = psd->large ? input_be32(bytes) : input_be16(bytes);
		if (psd->lengths[i] > most_packed(psd))
			return WIRE_FAIL_DATA;
	}
	return input_skip(&psd->input, unused) < unused ? WIRE_FAIL_TRUNCATED : WIRE_OK;
}

session_result psd_read_planes(struct psd *psd)
{
	size_t height = psd->image.height, total = 0;
	session_result result = psd->packed ? read_lengths(psd) : WIRE_OK;

	if (result != WIRE_OK)
		return result;
	for (uint32_t plane = 0; plane + 1 < psd->planes; plane++) {
		psd->next[plane] = total;
		for (size_t y = 0; y < height && psd->packed; y++)
			total += psd->lengths[plane * height + y];
		total += psd->packed ? 0 : psd->row_bytes * height;
	}
	session_needs(psd->input.session, (uint64_t)total + most_packed(psd) + 8 * psd->row_bytes * PSD_PLANES);
	psd->stored = malloc(total > 0 ? total : 1);
	if (!psd->stored)
		return WIRE_FAIL_LIMIT_MEMORY;
	return input_take(&psd->input, psd->stored, total) < total ? WIRE_FAIL_TRUNCATED : WIRE_OK;
}

/* PackBits.  What is left over is passed over. */
static bool unpack(uint8_t *to, size_t room, const uint8_t *from, size_t size)
{
	while (room > 0 && size > 0) {
		uint8_t count = *from++;
		bool run = count > 128;
		size_t length = run ? 257U - count : count + 1U;
		size_t taken = run ? 1 : length;
		size--;
		if (count == 128)
			continue;
		if (taken > size)
			return false;
		size_t part = length < room ? length : room;
		if (run)
			memset(to, *from, part);
		else
			memcpy(to, from, part);
		to += part;
		room -= part;
		from += taken;
		size -= taken;
	}
	return room == 0;
}

static session_result read_plane_row(struct psd *psd, uint32_t plane, uint32_t y)
{
	bool last = plane + 1 == psd->planes;
	size_t length = psd->packed ? psd->lengths[(size_t)plane * psd->image.height + y] : psd->row_bytes;
	uint8_t *row = psd->rows[plane];
	const uint8_t *from = psd->coded;

	if (last) {
		if (input_take(&psd->input, psd->packed ? psd->coded : row, length) < length)
			return WIRE_FAIL_TRUNCATED;
	} else {
		from = psd->stored + psd->next[plane];
		psd->next[plane] += length;
	}
	if (psd->packed)
		return unpack(row, psd->row_bytes, from, length) ? WIRE_OK : WIRE_FAIL_DATA;
	if (!last)
		memcpy(row, from, length);
	return WIRE_OK;
}

session_result psd_read_row(struct psd *psd, uint32_t y)
{
	session_result result = WIRE_OK;

	for (uint32_t plane = 0; plane < psd->planes && result == WIRE_OK; plane++)
		result = read_plane_row(psd, plane, y);
	return result;
}

/* ---- pixels ---- */

static void convert_bits(struct psd *psd)
{
	for (size_t x = 0; x < psd->image.width; x++)
		psd->pixels[x] = psd->rows[0][x / 8] >> (7 - x % 8) & 1 ? 0 : UINT8_MAX;
}

static void convert_indices(struct psd *psd)
{
	size_t bytes = pixels_layout_bytes[psd->layout];

	for (size_t x = 0; x < psd->image.width; x++) {
		uint8_t index = psd->rows[0][x], *to = psd->pixels + x * bytes;
		for (size_t i = 0; i < 3; i++)
			to[i] = psd->palette[i][index];
		if (bytes == 4)
			to[3] = index == psd->transparent ? 0 : UINT8_MAX;
	}
}

/* Photoshop lays the merged picture over white: that is taken away again. */
static uint32_t take_white(uint32_t sample, uint32_t alpha, uint32_t white)
{
	uint32_t behind = white - alpha;

	if (alpha == 0 || alpha == white)
		return sample;
	if (sample <= behind)
		return 0;
	uint64_t color = ((uint64_t)(sample - behind) * white + alpha / 2) / alpha;
	return color > white ? white : (uint32_t)color;
}

static uint32_t load(const struct psd *psd, uint32_t plane, size_t x, bool deep)
{
	return deep ? input_be16(psd->rows[plane] + 2 * x) : psd->rows[plane][x];
}

/* One pixel to gray or RGB, at samples. */
static void convert_pixel(const struct psd *psd, size_t x, bool deep, uint16_t samples[PSD_PLANES])
{
	uint32_t white = deep ? UINT16_MAX : UINT8_MAX;
	bool alpha = psd->planes > psd->colors;
	uint32_t opacity = alpha ? load(psd, psd->colors, x, deep) : white;

	for (uint32_t i = 0; i < psd->colors; i++)
		samples[i] = (uint16_t)(psd->merged_alpha ? take_white(load(psd, i, x, deep), opacity, white)
		                                          : load(psd, i, x, deep));
	uint32_t count = psd->colors;
	if (count == 4) {
		if (deep) {
			cmyk_to_rgb16(samples, samples, 1);
		} else {
			const uint8_t inks[] = { (uint8_t)samples[0], (uint8_t)samples[1], (uint8_t)samples[2],
				                 (uint8_t)samples[3] };
			uint8_t rgb[3];
			cmyk_to_rgb(rgb, inks, 1);
			for (int i = 0; i < 3; i++)
				samples[i] = rgb[i];
		}
		count = 3;
	}
	samples[count] = (uint16_t)opacity;
}

static void convert_samples(struct psd *psd)
{
	bool deep = psd->layout >= PIXELS_GRAY16;
	size_t count = pixels_layout_bytes[psd->layout] / (deep ? 2U : 1U);
	uint8_t *to = psd->pixels;

	for (size_t x = 0; x < psd->image.width; x++) {
		uint16_t samples[PSD_PLANES] = { 0 };
		convert_pixel(psd, x, deep, samples);
		if (deep)
			memcpy(to, samples, 2 * count);
		else
			for (size_t i = 0; i < count; i++)
				to[i] = (uint8_t)samples[i];
		to += deep ? 2 * count : count;
	}
}

void psd_convert_row(struct psd *psd)
{
	if (psd->mode == PSD_BITMAP)
		convert_bits(psd);
	else if (psd->mode == PSD_INDEXED)
		convert_indices(psd);
	else
		convert_samples(psd);
}
