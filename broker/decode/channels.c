/* SPDX-License-Identifier: MIT */
#include "channels.h"

#include <string.h>

static const struct {
	uint32_t layout;
	const char *name;
} names[] = {
	{ 0x4, "mono" },  { 0x3, "stereo" }, { 0xb, "2.1" },    { 0x7, "3.0" },   { 0x103, "3.0" },
	{ 0xf, "3.1" },   { 0x33, "quad" },  { 0x603, "quad" }, { 0x107, "4.0" }, { 0x10f, "4.1" },
	{ 0x37, "5.0" },  { 0x607, "5.0" },  { 0x3f, "5.1" },   { 0x60f, "5.1" }, { 0x70f, "6.1" },
	{ 0x13f, "6.1" }, { 0x637, "7.0" },  { 0x63f, "7.1" },  { 0xff, "7.1" },
};

const char *channels_layout_name(uint32_t channel_layout)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].layout == channel_layout)
			return names[i].name;
	return NULL;
}

const char *channels_speaker_name(enum wire_speaker speaker)
{
	static const char *const speakers[WIRE_SPEAKERS] = {
		[WIRE_FRONT_LEFT] = "FL",
		[WIRE_FRONT_RIGHT] = "FR",
		[WIRE_FRONT_CENTER] = "FC",
		[WIRE_LOW_FREQUENCY] = "LFE",
		[WIRE_BACK_LEFT] = "BL",
		[WIRE_BACK_RIGHT] = "BR",
		[WIRE_FRONT_LEFT_OF_CENTER] = "FLC",
		[WIRE_FRONT_RIGHT_OF_CENTER] = "FRC",
		[WIRE_BACK_CENTER] = "BC",
		[WIRE_SIDE_LEFT] = "SL",
		[WIRE_SIDE_RIGHT] = "SR",
		[WIRE_TOP_CENTER] = "TC",
		[WIRE_TOP_FRONT_LEFT] = "TFL",
		[WIRE_TOP_FRONT_CENTER] = "TFC",
		[WIRE_TOP_FRONT_RIGHT] = "TFR",
		[WIRE_TOP_BACK_LEFT] = "TBL",
		[WIRE_TOP_BACK_CENTER] = "TBC",
		[WIRE_TOP_BACK_RIGHT] = "TBR",
	};
	return speakers[speaker];
}

enum { VORBIS_CHANNELS = 8 };

const uint8_t *channels_in_wave_order(const struct wire_audio *audio)
{
	/* Front left, center, right, the sides, the back, low frequencies. */
	static const uint8_t places[VORBIS_CHANNELS + 1][VORBIS_CHANNELS] = {
		[3] = { 0, 2, 1 },
		[5] = { 0, 2, 1, 3, 4 },
		[6] = { 0, 2, 1, 5, 3, 4 },
		[7] = { 0, 2, 1, 6, 5, 3, 4 },
		[8] = { 0, 2, 1, 7, 5, 6, 3, 4 },
	};
	bool other = (audio->flags & WIRE_AUDIO_VORBIS_ORDER) && audio->channels <= VORBIS_CHANNELS &&
	             places[audio->channels][1] != 0;

	return other ? places[audio->channels] : NULL;
}

size_t channels_order(const struct wire_audio *audio, enum wire_speaker order[WIRE_CHANNELS_MAX])
{
	const uint8_t *places = channels_in_wave_order(audio);
	size_t count = 0;

	for (uint32_t speaker = 0; speaker < WIRE_SPEAKERS; speaker++)
		if (audio->channel_layout & WIRE_SPEAKER_BIT(speaker)) {
			order[places ? places[count] : count] = (enum wire_speaker)speaker;
			count++;
		}
	return count;
}

void channels_in_alsa_order(const struct wire_audio *audio, uint8_t places[WIRE_CHANNELS_MAX])
{
	/* Those that come first; all others keep their order. */
	static const enum wire_speaker with_back[] = { WIRE_FRONT_LEFT, WIRE_FRONT_RIGHT,  WIRE_BACK_LEFT,
		                                       WIRE_BACK_RIGHT, WIRE_FRONT_CENTER, WIRE_LOW_FREQUENCY };
	/* Where there is no back, the sides take its place. */
	static const enum wire_speaker with_sides[] = { WIRE_FRONT_LEFT, WIRE_FRONT_RIGHT,  WIRE_SIDE_LEFT,
		                                        WIRE_SIDE_RIGHT, WIRE_FRONT_CENTER, WIRE_LOW_FREQUENCY };
	bool back = audio->channel_layout & WIRE_SPEAKER_BIT(WIRE_BACK_LEFT);
	const enum wire_speaker *first = back ? with_back : with_sides;
	enum wire_speaker order[WIRE_CHANNELS_MAX];
	bool placed[WIRE_CHANNELS_MAX] = { false };
	size_t known = channels_order(audio, order);
	size_t count = 0;

	for (size_t i = 0; i < sizeof(with_back) / sizeof(with_back[0]); i++)
		for (size_t channel = 0; channel < known; channel++)
			if (order[channel] == first[i]) {
				places[count++] = (uint8_t)channel;
				placed[channel] = true;
			}
	for (size_t channel = 0; channel < audio->channels; channel++)
		if (!placed[channel])
			places[count++] = (uint8_t)channel;
}

void channels_reorder(uint8_t *data, size_t frames, const uint8_t *places, uint32_t channels, size_t sample)
{
	uint8_t frame[WIRE_CHANNELS_MAX * 4];
	size_t stride = channels * sample;

	for (uint8_t *end = data + frames * stride; data < end; data += stride) {
		memcpy(frame, data, stride);
		for (uint32_t channel = 0; channel < channels; channel++)
			memcpy(data + channel * sample, frame + places[channel] * sample, sample);
	}
}
