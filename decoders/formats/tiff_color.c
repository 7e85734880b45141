/* SPDX-License-Identifier: MIT */
/* From the samples of a pixel to what the layout has. */
#include <stdlib.h>
#include <string.h>

#include "tiff_decode.h"

/* ---- tables ---- */

static void fill_scale(struct decode *decode)
{
	const struct tiff_form *form = &decode->form;
	unsigned most = (1U << form->bits) - 1;
	unsigned flip = form->number == FORM_SIGNED ? 1U << (form->bits - 1) : 0;

	for (unsigned value = 0; value <= most; value++)
		decode->scaled[value] = (uint8_t)(((value ^ flip) * 255 + most / 2) / most);
}

/* Some writers fill in bytes where there ought to be 16 bits. */
static bool map_has_bytes(uint16_t *const maps[3], size_t entries)
{
	for (size_t i = 0; i < entries; i++)
		if (maps[0][i] > UINT8_MAX || maps[1][i] > UINT8_MAX || maps[2][i] > UINT8_MAX)
			return false;
	return true;
}

static session_result fill_palette(struct decode *decode)
{
	uint16_t *maps[3] = { NULL };
	size_t entries = (size_t)1 << decode->form.bits;

	if (!TIFFGetField(decode->tiff, TIFFTAG_COLORMAP, &maps[0], &maps[1], &maps[2]) || !maps[0] || !maps[1] ||
	    !maps[2])
		return tiff_failure(decode, WIRE_FAIL_STRUCTURE);
	uint8_t *palette = decode->palette = malloc(3 * entries);
	if (!palette)
		return WIRE_FAIL_LIMIT_MEMORY;
	unsigned shift = map_has_bytes(maps, entries) ? 0 : 8;
	for (size_t i = 0; i < entries; i++)
		for (int color = 0; color < 3; color++)
			*palette++ = (uint8_t)(maps[color][i] >> shift);
	return WIRE_OK;
}

session_result tiff_prepare_color(struct decode *decode)
{
	if (decode->form.bits <= 8)
		fill_scale(decode);
	if (decode->form.kind == FORM_PALETTE)
		return fill_palette(decode);
	if (decode->form.kind == FORM_YCBCR)
		return tiff_prepare_ycbcr(decode);
	return WIRE_OK;
}

/* ---- pixels ---- */

/* x / most, rounded, for the product of two samples. */
static uint32_t divide(uint64_t x, uint32_t most)
{
	return (uint32_t)((x + most / 2) / most);
}

/* Without colour management: each ink takes its share of the light that black leaves. */
static inline void from_cmyk(const uint32_t in[4], uint32_t most, uint32_t out[3])
{
	uint32_t light = most - in[3];

	for (int i = 0; i < 3; i++)
		out[i] = light - divide((uint64_t)in[i] * light, most);
}

/* Colours that were multiplied by alpha, as they were before.  Where nothing is seen, they stay. */
static inline void divide_by_alpha(uint32_t *colors, unsigned count, uint32_t alpha, uint32_t most)
{
	if (alpha == 0 || alpha == most)
		return;
	for (unsigned i = 0; i < count; i++) {
		uint32_t color = divide((uint64_t)colors[i] * most, alpha);
		colors[i] = color < most ? color : most;
	}
}

/* Gray, RGB and CMYK, in place of the sample type's two sizes. */
static inline __attribute__((always_inline)) void convert_plain(const struct tiff_form *form, const uint8_t *from,
                                                                uint8_t *to, size_t count, bool deep)
{
	const uint32_t most = deep ? UINT16_MAX : UINT8_MAX;
	const uint16_t *from16 = (const uint16_t *)(const void *)from;
	uint16_t *to16 = (uint16_t *)(void *)to;
	unsigned out_colors = form->kind == FORM_GRAY ? 1 : 3;
	unsigned out_count = out_colors + (form->alpha > 0);

	for (size_t x = 0; x < count; x++) {
		uint32_t in[TIFF_USED_MAX] = { 0 }, out[4] = { 0 };
		for (unsigned i = 0; i < form->used; i++)
			in[i] = deep ? from16[x * form->used + i] : from[x * form->used + i];
		uint32_t alpha = in[form->colors < TIFF_USED_MAX ? form->colors : 0];
		if (form->associated)
			divide_by_alpha(in, form->colors, alpha, most);
		if (form->kind == FORM_CMYK)
			from_cmyk(in, most, out);
		else
			memcpy(out, in, 3 * sizeof(*out));
		if (form->inverted)
			out[0] = most - out[0];
		if (form->alpha > 0)
			out[out_colors] = alpha;
		for (unsigned i = 0; i < out_count; i++) {
			if (deep)
				to16[x * out_count + i] = (uint16_t)out[i];
			else
				to[x * out_count + i] = (uint8_t)out[i];
		}
	}
}

static void convert_palette(const struct decode *decode, const uint8_t *from, uint8_t *to, size_t count)
{
	const struct tiff_form *form = &decode->form;
	bool wide = form->bits > 8;
	const uint16_t *from16 = (const uint16_t *)(const void *)from;

	for (size_t x = 0; x < count; x++) {
		size_t index = wide ? (size_t)from16[x * form->used] >> (16 - form->bits) : from[x * form->used];
		memcpy(to, decode->palette + 3 * index, 3);
		to += 3;
		if (form->alpha > 0)
			*to++ = (uint8_t)(wide ? from16[x * form->used + 1] >> 8 : from[x * form->used + 1]);
	}
}

/* YCbCr that is not subsampled, and Lab: pixel by pixel. */
static void convert_each(const struct decode *decode, const uint8_t *from, uint8_t *to, size_t count)
{
	const struct tiff_form *form = &decode->form;
	size_t sample = form->deep ? 2 : 1;

	for (size_t x = 0; x < count; x++, from += form->used * sample) {
		if (form->kind == FORM_YCBCR)
			tiff_ycbcr_pixel(decode, from, to);
		else
			tiff_lab_pixel(form, from, to);
		to += 3 * sample;
		if (form->alpha > 0) {
			memcpy(to, from + 3 * sample, sample);
			to += sample;
		}
	}
}

/* Whether the samples are already what the layout has. */
static bool is_as_stored(const struct tiff_form *form)
{
	return (form->kind == FORM_GRAY || form->kind == FORM_RGB) && !form->inverted && !form->associated;
}

void tiff_convert(struct decode *decode, const uint8_t *const planes[], size_t count, uint8_t *to)
{
	const struct tiff_form *form = &decode->form;
	const uint8_t *from = decode->scratch;

	if (form->floats) {
		tiff_unpack_floats(form, planes, count, to);
		return;
	}
	/* One plane that has just what is wanted needs no unpacking. */
	bool bare = !form->planar && form->samples == form->used && form->number == FORM_UNSIGNED;
	if (bare && form->bits == 8)
		from = planes[0];
	else if (is_as_stored(form))
		return tiff_unpack(decode, planes, count, to);
	else
		tiff_unpack(decode, planes, count, decode->scratch);
	if (is_as_stored(form))
		memcpy(to, from, count * form->used);
	else if (form->kind == FORM_PALETTE)
		convert_palette(decode, from, to, count);
	else if (form->kind == FORM_YCBCR || form->kind == FORM_LAB)
		convert_each(decode, from, to, count);
	else if (form->deep)
		convert_plain(form, from, to, count, true);
	else
		convert_plain(form, from, to, count, false);
}
