/* SPDX-License-Identifier: MIT */
/* Every conversion of samples against plain arithmetic. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "decoders/sound/samples.h"

enum { GUARD = 0xa5 };

/* What arithmetic makes of a sample of `depth` bits in `bits`: scaled, rounded to the nearest, halves up. */
static int64_t scaled(int64_t sample, unsigned depth, unsigned bits)
{
	int64_t most = ((int64_t)1 << (bits - 1)) - 1;

	if (bits >= depth)
		return sample * ((int64_t)1 << (bits - depth));
	int64_t divisor = (int64_t)1 << (depth - bits);
	int64_t rounded = (sample + divisor / 2) >> (depth - bits);
	return rounded > most ? most : rounded;
}

static int64_t read_integer(const uint8_t *bytes, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)bytes[i] << (8 * i);
	return (int64_t)(value << (64 - 8 * size)) >> (64 - 8 * size);
}

/* One sample, in a place with room on both sides. */
static void convert(enum wire_sample_format format, int32_t sample, unsigned depth, uint8_t result[4])
{
	uint8_t bytes[12];
	unsigned size = wire_sample_bytes[format];

	memset(bytes, GUARD, sizeof(bytes));
	samples_put_integers(format, bytes + 4, size, &sample, 1, depth);
	for (unsigned i = 0; i < 4; i++)
		cr_assert(bytes[i] == GUARD && bytes[4 + size + i] == GUARD, "wrote beyond its place");
	memcpy(result, bytes + 4, 4);
}

Test(samples, integers_of_every_depth)
{
	for (unsigned depth = 1; depth <= 32; depth++) {
		int64_t half = (int64_t)1 << (depth - 1);
		for (int64_t step = -40; step <= 40; step++) {
			/* Around both ends, around the middle, and in between. */
			const int64_t values[] = { -half + step, half - 1 + step, step, half / 2 + step * 1237 };
			for (size_t i = 0; i < 4; i++) {
				uint8_t bytes[4];
				float value = 0;
				if (values[i] < -half || values[i] >= half)
					continue;
				int32_t sample = (int32_t)values[i];
				convert(WIRE_S16, sample, depth, bytes);
				cr_assert_eq(read_integer(bytes, 2), scaled(sample, depth, 16), "%u: %d", depth,
				             sample);
				convert(WIRE_S24, sample, depth, bytes);
				cr_assert_eq(read_integer(bytes, 3), scaled(sample, depth, 24), "%u: %d", depth,
				             sample);
				convert(WIRE_S32, sample, depth, bytes);
				cr_assert_eq(read_integer(bytes, 4), scaled(sample, depth, 32), "%u: %d", depth,
				             sample);
				convert(WIRE_F32, sample, depth, bytes);
				memcpy(&value, bytes, sizeof(value));
				cr_assert_eq(value, (float)ldexp((double)sample, 1 - (int)depth));
			}
		}
	}
}

Test(samples, channels_take_turns)
{
	const int32_t left[] = { 1, 2, 3 }, right[] = { -1, -2, -3 };
	const int16_t expected[] = { 1, -1, 2, -2, 3, -3 };
	int16_t frames[6];

	samples_put_integers(WIRE_S16, (uint8_t *)frames, 4, left, 3, 16);
	samples_put_integers(WIRE_S16, (uint8_t *)(frames + 1), 4, right, 3, 16);
	cr_assert_arr_eq(frames, expected, sizeof(frames));
}

static int64_t from_float(enum wire_sample_format format, float sample)
{
	uint8_t bytes[4];

	samples_put_floats(format, bytes, wire_sample_bytes[format], &sample, 1);
	return read_integer(bytes, wire_sample_bytes[format]);
}

Test(samples, floats)
{
	const struct {
		float sample;
		int64_t s16, s24, s32;
	} rows[] = {
		{ 0, 0, 0, 0 },
		{ 0.5F, 0x4000, 0x400000, 0x40000000 },
		{ -1, -0x8000, -0x800000, -0x80000000LL },
		{ 1, 0x7fff, 0x7fffff, 0x7fffffff },
		{ 0.99999F, 0x7fff, 0x7fffac, 0x7fffac00 },
		{ 1e30F, 0x7fff, 0x7fffff, 0x7fffffff },
		{ -1e30F, -0x8000, -0x800000, -0x80000000LL },
		{ INFINITY, 0x7fff, 0x7fffff, 0x7fffffff },
		{ -INFINITY, -0x8000, -0x800000, -0x80000000LL },
		{ NAN, 0, 0, 0 },
		{ 0x1p-16F, 0, 0x80, 0x8000 },     /* half of a step: to the even one */
		{ 0x1.8p-15F, 2, 0x180, 0x18000 }, /* likewise */
		{ 0x1p-30F, 0, 0, 2 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(from_float(WIRE_S16, rows[i].sample), rows[i].s16, "row %zu", i);
		cr_expect_eq(from_float(WIRE_S24, rows[i].sample), rows[i].s24, "row %zu", i);
		cr_expect_eq(from_float(WIRE_S32, rows[i].sample), rows[i].s32, "row %zu", i);
	}
}

Test(samples, many_floats_are_converted_as_one_is)
{
	static float floats[1000];
	static uint8_t bytes[4000];

	for (size_t i = 0; i < 1000; i++)
		floats[i] = (float)i / 500 - 1;
	for (enum wire_sample_format format = WIRE_S16; format < WIRE_F32; format++) {
		size_t size = wire_sample_bytes[format];
		samples_put_floats(format, bytes, size, floats, 1000);
		for (size_t i = 0; i < 1000; i++)
			cr_assert_eq(read_integer(bytes + i * size, (unsigned)size), from_float(format, floats[i]));
	}
	samples_put_floats(WIRE_F32, bytes, 4, floats, 1000);
	cr_assert_arr_eq(bytes, floats, sizeof(floats));
}

Test(samples, layouts_have_as_many_speakers_as_there_are_channels)
{
	for (uint32_t channels = 0; channels < 70; channels++) {
		uint32_t layout = samples_usual_layout(channels);
		uint32_t expected = channels <= 8 ? channels : 0;
		cr_expect_eq((uint32_t)__builtin_popcount(layout), expected);
	}
}
