/* SPDX-License-Identifier: MIT */
/* The two kinds of ADPCM that old sound files have: of the IMA, in the layouts of Microsoft and of Apple, and of
 * Microsoft. */
#include "pcm.h"

static int32_t clip16(int32_t value)
{
	return value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : value;
}

/* ---- IMA ---- */

enum { IMA_STEPS = 89, IMA_HEADER = 4, IMA_GROUP = 4, IMA_GROUP_FRAMES = 8 };

struct ima {
	int32_t predictor;
	int index; /* of the step */
};

static int clip_index(int index)
{
	return index < 0 ? 0 : index >= IMA_STEPS ? IMA_STEPS - 1 : index;
}

static int32_t ima_decode(struct ima *ima, unsigned nibble)
{
	static const int16_t steps[IMA_STEPS] = {
		7,    8,     9,     10,    11,    12,    13,    14,    16,    17,    19,    21,    23,    25,    28,
		31,   34,    37,    41,    45,    50,    55,    60,    66,    73,    80,    88,    97,    107,   118,
		130,  143,   157,   173,   190,   209,   230,   253,   279,   307,   337,   371,   408,   449,   494,
		544,  598,   658,   724,   796,   876,   963,   1060,  1166,  1282,  1411,  1552,  1707,  1878,  2066,
		2272, 2499,  2749,  3024,  3327,  3660,  4026,  4428,  4871,  5358,  5894,  6484,  7132,  7845,  8630,
		9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767,
	};
	static const int8_t moves[8] = { -1, -1, -1, -1, 2, 4, 6, 8 };
	int32_t step = steps[ima->index];
	int32_t difference = step >> 3;

	if (nibble & 4)
		difference += step;
	if (nibble & 2)
		difference += step >> 1;
	if (nibble & 1)
		difference += step >> 2;
	ima->predictor = clip16(ima->predictor + (nibble & 8 ? -difference : difference));
	ima->index = clip_index(ima->index + moves[nibble & 7]);
	return ima->predictor;
}

size_t pcm_ima_wav_frames(uint32_t channels, size_t size)
{
	size_t header = (size_t)channels * IMA_HEADER;
	size_t group = (size_t)channels * IMA_GROUP;

	return size < header ? 0 : 1 + (size - header) / group * IMA_GROUP_FRAMES;
}

size_t pcm_decode_ima_wav(const struct pcm *pcm, const uint8_t *block, size_t size, int32_t *samples)
{
	uint32_t channels = pcm->audio.channels;
	size_t frames = pcm_ima_wav_frames(channels, size);

	if (frames > pcm->block_frames)
		frames = pcm->block_frames;
	for (uint32_t channel = 0; frames > 0 && channel < channels; channel++) {
		const uint8_t *header = block + (size_t)channel * IMA_HEADER;
		const uint8_t *group = block + (size_t)(channels + channel) * IMA_GROUP;
		struct ima ima = { .predictor = (int16_t)input_le16(header), .index = clip_index(header[2]) };
		samples[channel] = ima.predictor;
		for (size_t frame = 1; frame < frames; frame++) {
			size_t place = frame - 1;
			const uint8_t *byte =
			        group + place / IMA_GROUP_FRAMES * channels * IMA_GROUP + place % IMA_GROUP_FRAMES / 2;
			samples[frame * channels + channel] = ima_decode(&ima, *byte >> (place % 2 * 4) & 15U);
		}
	}
	return frames;
}

size_t pcm_decode_ima_qt(const struct pcm *pcm, const uint8_t *block, size_t size, int32_t *samples)
{
	uint32_t channels = pcm->audio.channels;

	if (size < pcm->block_size)
		return 0;
	for (uint32_t channel = 0; channel < channels; channel++) {
		const uint8_t *packet = block + (size_t)channel * PCM_QT_PACKET;
		/* 9 bits of predictor, 7 of index. */
		uint16_t header = input_be16(packet);
		struct ima ima = { .predictor = (int16_t)(header & 0xff80), .index = clip_index(header & 0x7f) };
		for (size_t frame = 0; frame < PCM_QT_FRAMES; frame++)
			samples[frame * channels + channel] =
			        ima_decode(&ima, (uint32_t)packet[2 + frame / 2] >> (frame % 2 * 4) & 15U);
	}
	return PCM_QT_FRAMES;
}

/* ---- Microsoft ---- */

enum { MS_HEADER = 7, MS_DELTA_MIN = 16 };

struct ms {
	int32_t coefficients[2];
	int32_t delta;
	int32_t last[2]; /* samples, the latest first */
};

static int32_t ms_decode(struct ms *ms, unsigned nibble)
{
	static const int16_t adaption[16] = { 230, 230, 230, 230, 307, 409, 512, 614,
		                              768, 614, 512, 409, 307, 230, 230, 230 };
	int32_t error = nibble & 8 ? (int32_t)nibble - 16 : (int32_t)nibble;
	/* All are 16 bits but delta, which may grow by a factor of 3 a sample. */
	int64_t sum = (int64_t)ms->last[0] * ms->coefficients[0] + (int64_t)ms->last[1] * ms->coefficients[1];
	int64_t predicted = sum >> 8; /* rounded down, also below zero */
	int64_t value = predicted + (int64_t)error * ms->delta;
	int64_t delta = (int64_t)ms->delta * adaption[nibble] / 256;

	ms->last[1] = ms->last[0];
	ms->last[0] = value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : (int32_t)value;
	ms->delta = delta < MS_DELTA_MIN ? MS_DELTA_MIN : delta > INT32_MAX ? INT32_MAX : (int32_t)delta;
	return ms->last[0];
}

size_t pcm_ms_frames(uint32_t channels, size_t size)
{
	size_t header = (size_t)channels * MS_HEADER;

	return size < header ? 0 : 2 + (size - header) * 2 / channels;
}

/* The header has, of all channels each: which coefficients, delta, the second sample, the first. */
static struct ms ms_start(const struct pcm *pcm, const uint8_t *block, uint32_t channel)
{
	uint32_t channels = pcm->audio.channels;
	const uint8_t *words = block + channels + 2 * (size_t)channel;
	uint32_t pair = block[channel] < pcm->coefficient_count ? block[channel] : 0;

	return (struct ms){
		.coefficients = { pcm->coefficients[pair][0], pcm->coefficients[pair][1] },
		.delta = (int16_t)input_le16(words),
		.last = { (int16_t)input_le16(words + 2 * (size_t)channels),
		          (int16_t)input_le16(words + 4 * (size_t)channels) },
	};
}

size_t pcm_decode_ms(const struct pcm *pcm, const uint8_t *block, size_t size, int32_t *samples)
{
	uint32_t channels = pcm->audio.channels;
	size_t frames = pcm_ms_frames(channels, size);

	if (frames > pcm->block_frames)
		frames = pcm->block_frames;
	for (uint32_t channel = 0; frames > 0 && channel < channels; channel++) {
		struct ms ms = ms_start(pcm, block, channel);
		samples[channel] = ms.last[1];
		samples[channels + channel] = ms.last[0];
		for (size_t frame = 2; frame < frames; frame++) {
			size_t place = (frame - 2) * channels + channel;
			uint8_t byte = block[(size_t)channels * MS_HEADER + place / 2];
			samples[frame * channels + channel] = ms_decode(&ms, place % 2 ? byte & 15U : byte >> 4);
		}
	}
	return frames;
}
