/* SPDX-License-Identifier: MIT */
/* AU, of Sun and NeXT. */
#include <string.h>

#include "decoders/sound/samples.h"
#include "pcm.h"

enum { HEADER_SIZE = 24 };

static const struct {
	uint32_t number;
	enum pcm_encoding encoding;
	uint32_t width;
} encodings[] = {
	{ 1, PCM_MULAW, 1 },  { 2, PCM_SIGNED, 1 }, { 3, PCM_SIGNED, 2 }, { 4, PCM_SIGNED, 3 },
	{ 5, PCM_SIGNED, 4 }, { 6, PCM_FLOAT, 4 },  { 7, PCM_FLOAT, 8 },  { 27, PCM_ALAW, 1 },
};

session_result pcm_read_au(struct pcm *pcm)
{
	uint8_t header[HEADER_SIZE];
	struct wire_audio *audio = &pcm->audio;

	if (input_take(&pcm->input, header, sizeof(header)) < sizeof(header))
		return WIRE_FAIL_TRUNCATED;
	if (memcmp(header, ".snd", 4) != 0)
		return WIRE_FAIL_SIGNATURE;
	uint32_t start = input_be32(header + 4);
	uint32_t size = input_be32(header + 8);
	uint32_t number = input_be32(header + 12);
	audio->rate = input_be32(header + 16);
	audio->channels = input_be32(header + 20);
	if (start < HEADER_SIZE || audio->rate == 0 || audio->channels == 0)
		return WIRE_FAIL_HEADER;
	if (audio->channels > WIRE_CHANNELS_MAX)
		return WIRE_FAIL_UNSUPPORTED;
	audio->channel_layout = audio->channels <= 2 ? samples_usual_layout(audio->channels) : 0;
	for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++)
		if (encodings[i].number == number)
			pcm_set_linear(pcm, encodings[i].encoding, encodings[i].width, 8 * encodings[i].width, true);
	if (!pcm->has_format)
		return WIRE_FAIL_UNSUPPORTED;
	uint64_t end = pcm->input.position + start - HEADER_SIZE;
	pcm_take_text(pcm, WIRE_TAG_COMMENT, start - HEADER_SIZE);
	if (pcm->input.position < end)
		return WIRE_FAIL_TRUNCATED;
	pcm_set_size(pcm, size);
	(void)pcm_pass_samples(pcm);
	return WIRE_OK;
}
