/* SPDX-License-Identifier: MIT */
/* Samples of any size, to 8 or 16 bits, or to floats.  libtiff has brought those of whole bytes into the machine's
 * order. */
#include <math.h>
#include <string.h>

#include "decoders/pixels/halves.h"
#include "tiff_decode.h"

/* Bits from the first of the highest byte on. */
static uint32_t take_bits(const uint8_t *from, size_t bit, unsigned bits)
{
	uint64_t value = 0;
	size_t first = bit / 8, last = (bit + bits - 1) / 8;

	for (size_t i = first; i <= last; i++)
		value = value << 8 | from[i];
	value >>= (last + 1) * 8 - (bit + bits);
	return (uint32_t)(value & ((UINT64_C(1) << bits) - 1));
}

static double load_float(const uint8_t *from, size_t index, unsigned bits)
{
	uint16_t half = 0;
	float single = 0;
	double value = 0;

	switch (bits) {
	case 16:
		memcpy(&half, from + index * 2, 2);
		return (double)half_to_float(half);
	case 32:
		memcpy(&single, from + index * 4, 4);
		return (double)single;
	default:
		memcpy(&value, from + index * 8, 8);
		return value;
	}
}

/* Full scale is 1.  What is no number is black. */
static uint16_t scale_float(double value)
{
	if (!(value > 0))
		return 0;
	return value >= 1 ? UINT16_MAX : (uint16_t)lround(value * UINT16_MAX);
}

/* A sample of so many bits, more than 8, to 16. */
static uint16_t load_deep(const uint8_t *from, size_t index, unsigned bits)
{
	uint64_t value = 0;

	switch (bits) {
	case 16:
	case 24:
	case 32:
	case 64:
		memcpy(&value, from + index * (bits / 8), bits / 8);
		return (uint16_t)(value >> (bits - 16));
	default:
		value = take_bits(from, index * bits, bits);
	}
	if (bits > 16)
		return (uint16_t)(value >> (bits - 16));
	uint64_t most = (UINT64_C(1) << bits) - 1;
	return (uint16_t)((value * UINT16_MAX + most / 2) / most);
}

/* Every `step`th sample, from the one with index `first` on. */
static void unpack_deep(const struct tiff_form *form, const uint8_t *from, size_t first, size_t step, size_t count,
                        uint16_t *to, size_t to_step)
{
	uint16_t flip = form->number == FORM_SIGNED && form->kind != FORM_LAB ? 0x8000 : 0;

	if (form->number == FORM_FLOAT)
		for (size_t i = 0; i < count; i++)
			to[i * to_step] = scale_float(load_float(from, first + i * step, form->bits));
	else
		for (size_t i = 0; i < count; i++)
			to[i * to_step] = load_deep(from, first + i * step, form->bits) ^ flip;
}

static void unpack_small(const struct decode *decode, const uint8_t *from, size_t first, size_t step, size_t count,
                         bool as_is, uint8_t *to, size_t to_step)
{
	unsigned bits = decode->form.bits;

	if (bits == 8 && (as_is || decode->form.number == FORM_UNSIGNED))
		for (size_t i = 0; i < count; i++)
			to[i * to_step] = from[first + i * step];
	else if (as_is)
		for (size_t i = 0; i < count; i++)
			to[i * to_step] = (uint8_t)take_bits(from, (first + i * step) * bits, bits);
	else
		for (size_t i = 0; i < count; i++)
			to[i * to_step] = decode->scaled[take_bits(from, (first + i * step) * bits, bits)];
}

void tiff_unpack(const struct decode *decode, const uint8_t *const planes[], size_t count, uint8_t *to)
{
	const struct tiff_form *form = &decode->form;
	size_t used = form->used;

	for (unsigned i = 0; i < used; i++) {
		bool is_color = i < form->colors;
		size_t first = form->planar ? 0 : is_color ? i : form->alpha;
		size_t step = form->planar ? 1 : form->samples;
		const uint8_t *from = form->planar ? planes[i] : planes[0];
		if (form->bits > 8)
			unpack_deep(form, from, first, step, count, (uint16_t *)(void *)to + i, used);
		else
			unpack_small(decode, from, first, step, count,
			             is_color && (form->kind == FORM_PALETTE || form->kind == FORM_LAB), to + i, used);
	}
}

void tiff_unpack_floats(const struct tiff_form *form, const uint8_t *const planes[], size_t count, uint8_t *to)
{
	size_t step = form->planar ? 1 : form->samples;

	for (size_t x = 0; x < count; x++) {
		double samples[TIFF_USED_MAX] = { 0 };
		for (unsigned i = 0; i < form->used; i++) {
			size_t first = form->planar ? 0 : i < form->colors ? i : form->alpha;
			samples[i] = load_float(form->planar ? planes[i] : planes[0], first + x * step, form->bits);
		}
		double alpha = samples[form->colors];
		for (unsigned i = 0; i < form->colors; i++) {
			if (form->associated && alpha > 0)
				samples[i] /= alpha;
			if (form->inverted)
				samples[i] = 1 - samples[i];
		}
		for (unsigned i = 0; i < form->used; i++, to += sizeof(float))
			memcpy(to, &(float){ (float)samples[i] }, sizeof(float));
	}
}
