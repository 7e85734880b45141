/* SPDX-License-Identifier: MIT */
#include "opus_mix.h"

#include <stdbool.h>
#include <string.h>

enum speaker { FL, FC, FR, SL, SR, BL, BR, BC, LFE, SPEAKERS };

/* Of 1 to 8 channels, in the order of Vorbis. */
static const uint8_t speakers[OPUS_MIX_CHANNELS][OPUS_MIX_CHANNELS] = {
	{ FC },
	{ FL, FR },
	{ FL, FC, FR },
	{ FL, FR, BL, BR },
	{ FL, FC, FR, BL, BR },
	{ FL, FC, FR, BL, BR, LFE },
	{ FL, FC, FR, SL, SR, BC, LFE },
	{ FL, FC, FR, SL, SR, BL, BR, LFE },
};

/* Where a channel goes instead, the nearest first; a pair shares it.  Every layout has FC, or FL and FR. */
static const uint8_t instead[SPEAKERS][3][2] = {
	[FL] = { { FC, FC } },
	[FR] = { { FC, FC } },
	[FC] = { { FL, FR } },
	[SL] = { { BL, BL }, { FL, FL }, { FC, FC } },
	[SR] = { { BR, BR }, { FR, FR }, { FC, FC } },
	[BL] = { { SL, SL }, { FL, FL }, { FC, FC } },
	[BR] = { { SR, SR }, { FR, FR }, { FC, FC } },
	[BC] = { { BL, BR }, { SL, SR }, { FL, FR } },
};

static const float half_power = 0.70710678F;

typedef float weights[OPUS_MIX_CHANNELS][OPUS_MIX_CHANNELS];

/* The channel of so many that is the speaker; -1: none is. */
static int channel_of(uint32_t channels, enum speaker speaker)
{
	for (uint32_t i = 0; i < channels; i++)
		if (speakers[channels - 1][i] == speaker)
			return (int)i;
	return -1;
}

/* How much of one channel of `from` goes to each of `to`. */
static void weigh(float row[OPUS_MIX_CHANNELS], enum speaker speaker, uint32_t from, uint32_t to)
{
	int own = channel_of(to, speaker);

	if (own >= 0)
		row[own] = 1;
	for (size_t i = 0; own < 0 && speaker != LFE && i < 3; i++) {
		int left = channel_of(to, (enum speaker)instead[speaker][i][0]);
		int right = channel_of(to, (enum speaker)instead[speaker][i][1]);
		if (left < 0 || right < 0)
			continue;
		/* A single channel is as loud in two speakers as players make it. */
		row[left] = row[right] = from == 1 ? 1 : half_power;
		return;
	}
}

static void mix_frame(float *to, const float *from, const weights table, uint32_t from_channels, uint32_t to_channels)
{
	float frame[OPUS_MIX_CHANNELS] = { 0 };

	for (uint32_t i = 0; i < from_channels; i++)
		for (uint32_t j = 0; j < to_channels; j++)
			frame[j] += from[i] * table[i][j];
	memcpy(to, frame, to_channels * sizeof(*to));
}

void opus_mix(float *samples, size_t count, uint32_t from, uint32_t to)
{
	weights table = { { 0 } };

	for (uint32_t i = 0; i < from; i++)
		weigh(table[i], (enum speaker)speakers[from - 1][i], from, to);
	/* Nothing may be overwritten before it was read. */
	for (size_t i = 0; i < count; i++) {
		size_t at = to > from ? count - 1 - i : i;
		mix_frame(samples + at * to, samples + at * from, table, from, to);
	}
}
