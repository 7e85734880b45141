/* SPDX-License-Identifier: MIT */
#include "samples.h"

#include <string.h>

#ifdef __x86_64__
#include <emmintrin.h>
#else
#include <math.h>
#endif

/* ---- integers: all are first brought to 32 bits ---- */

static void put_s16(uint8_t *to, size_t stride, const int32_t *from, size_t count, unsigned shift)
{
	for (size_t i = 0; i < count; i++, to += stride) {
		/* The sum can be one more than 32 bits hold. */
		int64_t rounded = ((int64_t)((uint32_t)from[i] << shift ^ 0x80000000U) + 0x8000) >> 16;
		uint16_t sample = (uint16_t)((rounded > 0xffff ? 0xffff : rounded) ^ 0x8000);
		memcpy(to, &sample, sizeof(sample));
	}
}

/* Nothing to round. */
static void put_s16_as_is(uint8_t *to, size_t stride, const int32_t *from, size_t count, unsigned shift)
{
	for (size_t i = 0; i < count; i++, to += stride) {
		uint16_t sample = (uint16_t)((uint32_t)from[i] << shift);
		memcpy(to, &sample, sizeof(sample));
	}
}

static void put_s24(uint8_t *to, size_t stride, const int32_t *from, size_t count, unsigned shift)
{
	for (size_t i = 0; i < count; i++, to += stride) {
		int64_t rounded = ((int64_t)((uint32_t)from[i] << shift ^ 0x80000000U) + 0x80) >> 8;
		uint32_t sample = (uint32_t)((rounded > 0xffffff ? 0xffffff : rounded) ^ 0x800000);
		to[0] = (uint8_t)sample;
		to[1] = (uint8_t)(sample >> 8);
		to[2] = (uint8_t)(sample >> 16);
	}
}

static void put_s32(uint8_t *to, size_t stride, const int32_t *from, size_t count, unsigned shift)
{
	for (size_t i = 0; i < count; i++, to += stride) {
		uint32_t sample = (uint32_t)from[i] << shift;
		memcpy(to, &sample, sizeof(sample));
	}
}

static void put_f32(uint8_t *to, size_t stride, const int32_t *from, size_t count, unsigned shift)
{
	for (size_t i = 0; i < count; i++, to += stride) {
		float sample = (float)(int32_t)((uint32_t)from[i] << shift) * 0x1p-31F;
		memcpy(to, &sample, sizeof(sample));
	}
}

void samples_put_integers(enum wire_sample_format format, uint8_t *to, size_t stride, const int32_t *from, size_t count,
                          uint32_t depth)
{
	if (format == WIRE_S16 && depth <= 16)
		put_s16_as_is(to, stride, from, count, 16 - depth);
	else if (format == WIRE_S16)
		put_s16(to, stride, from, count, 32 - depth);
	else if (format == WIRE_S24)
		put_s24(to, stride, from, count, 32 - depth);
	else if (format == WIRE_S32)
		put_s32(to, stride, from, count, 32 - depth);
	else
		put_f32(to, stride, from, count, 32 - depth);
}

/* ---- floating point ---- */

/* Rounds to the nearest, and of two to the even one, as reference decoders do. */
static int32_t round_float(float value)
{
#ifdef __x86_64__
	return _mm_cvtss_si32(_mm_set_ss(value));
#else
	return (int32_t)lrintf(value);
#endif
}

/* To an integer of 16 or 24 bits; a float has no more. */
static int32_t scale_float(float sample, float full, int32_t most)
{
	float scaled = sample * full;

	if (!(scaled < full))
		return scaled >= full ? most : 0; /* what is no number is not less either */
	if (scaled <= -full)
		return -most - 1;
	int32_t rounded = round_float(scaled);
	return rounded > most ? most : rounded;
}

/* Quiet samples have digits below the 24th bit. */
static void put_floats_s32(uint8_t *to, size_t stride, const float *from, size_t count)
{
	for (size_t i = 0; i < count; i++, to += stride) {
		double scaled = (double)from[i] * 0x1p31;
		int32_t sample = scaled >= 0x1p31 - 1 ? INT32_MAX : scaled <= -0x1p31 ? INT32_MIN : 0;
		if (sample == 0 && scaled == scaled)
			sample = (int32_t)scaled;
		memcpy(to, &sample, sizeof(sample));
	}
}

enum { PIECE = 256 };

void samples_put_floats(enum wire_sample_format format, uint8_t *to, size_t stride, const float *from, size_t count)
{
	int32_t piece[PIECE] = { 0 };
	uint32_t depth = format == WIRE_S16 ? 16 : 24;
	float full = format == WIRE_S16 ? 0x1p15F : 0x1p23F;

	if (format == WIRE_S32)
		put_floats_s32(to, stride, from, count);
	for (size_t i = 0; format == WIRE_F32 && i < count; i++, to += stride)
		memcpy(to, &from[i], sizeof(from[i]));
	while (format != WIRE_S32 && format != WIRE_F32 && count > 0) {
		size_t part = count < PIECE ? count : PIECE;
		for (size_t i = 0; i < part; i++)
			piece[i] = scale_float(from[i], full, (int32_t)full - 1);
		samples_put_integers(format, to, stride, piece, part, depth);
		to += part * stride;
		from += part;
		count -= part;
	}
}

uint32_t samples_usual_layout(uint32_t channels)
{
	static const uint32_t layouts[] = { 0, 0x4, 0x3, 0x7, 0x33, 0x607, 0x60f, 0x70f, 0x63f };

	return channels < sizeof(layouts) / sizeof(layouts[0]) ? layouts[channels] : 0;
}
