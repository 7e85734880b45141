/* SPDX-License-Identifier: MIT */
/* AIFF and AIFF-C, of Apple. */
#include <stdlib.h>
#include <string.h>

#include "decoders/sound/id3.h"
#include "decoders/sound/samples.h"
#include "pcm.h"

enum {
	COMMON_SIZE = 18,
	COMPRESSED_COMMON_SIZE = 22,
	EXTENDED_BIAS = 16383,
};

/* What AIFF-C calls compression, most of which is none. */
static const struct {
	char name[5];
	enum pcm_encoding encoding;
	uint32_t width; /* bytes; 0: what the bits need */
	bool little_endian;
} compressions[] = {
	{ "NONE", PCM_SIGNED, 0, false }, { "twos", PCM_SIGNED, 0, false },   { "sowt", PCM_SIGNED, 0, true },
	{ "in24", PCM_SIGNED, 3, false }, { "in32", PCM_SIGNED, 4, false },   { "42ni", PCM_SIGNED, 3, true },
	{ "23ni", PCM_SIGNED, 4, true },  { "raw ", PCM_UNSIGNED, 1, false }, { "fl32", PCM_FLOAT, 4, false },
	{ "FL32", PCM_FLOAT, 4, false },  { "fl64", PCM_FLOAT, 8, false },    { "FL64", PCM_FLOAT, 8, false },
	{ "alaw", PCM_ALAW, 1, false },   { "ALAW", PCM_ALAW, 1, false },     { "ulaw", PCM_MULAW, 1, false },
	{ "ULAW", PCM_MULAW, 1, false },
};

/* A floating-point number of 80 bits, rounded.  Returns 0 for what is no rate. */
static uint32_t read_rate(const uint8_t *bytes)
{
	uint64_t mantissa = (uint64_t)input_be32(bytes + 2) << 32 | input_be32(bytes + 6);
	int exponent = input_be16(bytes) - EXTENDED_BIAS; /* a sign makes it too large */

	if (exponent < 0 || exponent > 31)
		return 0;
	uint64_t rate = (mantissa >> (62 - exponent)) + 1;
	return rate / 2 > UINT32_MAX ? 0 : (uint32_t)(rate / 2);
}

static session_result set_compression(struct pcm *pcm, const uint8_t *name, uint32_t bits)
{
	if (memcmp(name, "ima4", 4) == 0) {
		pcm->encoding = PCM_IMA_QT;
		pcm->block_size = PCM_QT_PACKET * pcm->audio.channels;
		pcm->block_frames = PCM_QT_FRAMES;
		pcm->audio.depth = 4;
		pcm->audio.flags |= WIRE_AUDIO_LOSSY;
		pcm->has_format = true;
		return WIRE_OK;
	}
	for (size_t i = 0; i < sizeof(compressions) / sizeof(compressions[0]); i++) {
		enum pcm_encoding encoding = compressions[i].encoding;
		uint32_t width = compressions[i].width > 0 ? compressions[i].width : (bits + 7) / 8;
		bool whole = encoding == PCM_FLOAT || encoding == PCM_ALAW || encoding == PCM_MULAW || bits > 8 * width;
		if (memcmp(compressions[i].name, name, 4) != 0)
			continue;
		if (width == 0)
			return WIRE_FAIL_HEADER;
		if (width > 4 && encoding != PCM_FLOAT)
			return WIRE_FAIL_UNSUPPORTED;
		pcm_set_linear(pcm, encoding, width, whole ? 8 * width : bits, !compressions[i].little_endian);
		return WIRE_OK;
	}
	return WIRE_FAIL_UNSUPPORTED;
}

static session_result take_common(struct pcm *pcm, uint32_t size, bool compressed)
{
	uint8_t common[COMPRESSED_COMMON_SIZE] = { 0 };
	size_t wanted = compressed ? COMPRESSED_COMMON_SIZE : COMMON_SIZE;
	struct wire_audio *audio = &pcm->audio;

	if (pcm->has_format)
		return WIRE_FAIL_STRUCTURE;
	if (size < wanted)
		return WIRE_FAIL_HEADER;
	if (input_take(&pcm->input, common, wanted) < wanted)
		return WIRE_FAIL_TRUNCATED;
	audio->channels = input_be16(common);
	audio->rate = read_rate(common + 8);
	pcm->empty = input_be32(common + 2) == 0;
	uint32_t bits = input_be16(common + 6);
	if (audio->channels == 0 || audio->rate == 0)
		return WIRE_FAIL_HEADER;
	if (audio->channels > WIRE_CHANNELS_MAX)
		return WIRE_FAIL_UNSUPPORTED;
	audio->channel_layout = audio->channels <= 2 ? samples_usual_layout(audio->channels) : 0;
	return set_compression(pcm, compressed ? common + COMMON_SIZE : (const uint8_t *)"NONE", bits);
}

/* The format comes behind the samples: keeps these for decode(), or passes over them where nobody wants them. */
static session_result keep_sound(struct pcm *pcm)
{
	size_t size = (size_t)pcm->size;

	/* Where they end, only the format could tell. */
	if (pcm->open_ended)
		return WIRE_FAIL_UNSUPPORTED;
	if (session_request(pcm->input.session)->operation != WIRE_DECODE)
		return input_skip(&pcm->input, size) < size ? WIRE_FAIL_TRUNCATED : WIRE_OK;
	session_needs(pcm->input.session, size);
	pcm->kept = malloc(size + INPUT_PEEK_MAX);
	if (!pcm->kept)
		return WIRE_FAIL_LIMIT_MEMORY;
	return input_take(&pcm->input, pcm->kept, size) < size ? WIRE_FAIL_TRUNCATED : WIRE_OK;
}

/* Returns WIRE_OK at the samples, which do not start at once, or behind them, if they had to be kept. */
static session_result take_sound(struct pcm *pcm, uint32_t size)
{
	uint8_t header[8];

	if (pcm->has_data)
		return WIRE_FAIL_STRUCTURE;
	/* A writer that did not know the size may have written none at all. */
	if (size > 0 && size < sizeof(header))
		return WIRE_FAIL_HEADER;
	if (input_take(&pcm->input, header, sizeof(header)) < sizeof(header))
		return WIRE_FAIL_TRUNCATED;
	uint32_t offset = input_be32(header);
	uint32_t rest = size > 0 ? size - (uint32_t)sizeof(header) : 0;
	if (offset > rest)
		return WIRE_FAIL_HEADER;
	if (input_skip(&pcm->input, offset) < offset)
		return WIRE_FAIL_TRUNCATED;
	pcm->chunks = PCM_BIG_CHUNKS;
	pcm_set_size(pcm, rest - offset);
	return pcm->has_format ? WIRE_OK : keep_sound(pcm);
}

static session_result take_other(struct pcm *pcm, const uint8_t *name, uint32_t size)
{
	static const struct {
		char name[5];
		enum wire_tag tag;
	} texts[] = {
		{ "NAME", WIRE_TAG_TITLE },
		{ "AUTH", WIRE_TAG_ARTIST },
		{ "(c) ", WIRE_TAG_COPYRIGHT },
		{ "ANNO", WIRE_TAG_COMMENT },
	};
	bool found = false;

	if (memcmp(name, "ID3 ", 4) == 0)
		return id3_take(&pcm->input, &pcm->cover, size, &found);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (memcmp(texts[i].name, name, 4) == 0)
			pcm_take_text(pcm, texts[i].tag, size);
	return WIRE_OK;
}

/* Returns whether to read on. */
static bool take_chunk(struct pcm *pcm, const uint8_t *header, bool compressed, session_result *result)
{
	uint32_t size = input_be32(header + 4);
	uint64_t end = pcm->input.position + size;
	bool sound = memcmp(header, "SSND", 4) == 0, had_data = pcm->has_data;

	if (memcmp(header, "COMM", 4) == 0)
		*result = take_common(pcm, size, compressed);
	else if (sound)
		*result = take_sound(pcm, size);
	else
		*result = take_other(pcm, header, size);
	if (*result != WIRE_OK || (sound && pcm->has_format && !pcm_pass_samples(pcm)))
		return false;
	/* The format of samples that are behind already. */
	if (had_data && pcm->has_format && !pcm_wants_rest(pcm))
		return false;
	if (pcm->input.position < end)
		(void)input_skip(&pcm->input, end - pcm->input.position);
	if (size % 2 == 1)
		(void)input_skip(&pcm->input, 1);
	return true;
}

/* At the end of the input: whether a file that began at `start`, and has no samples, is whole. */
static bool is_empty(const struct pcm *pcm, uint64_t start, uint32_t size)
{
	bool whole = !input_is_placeholder(size) && pcm->input.position - start + 1 >= size + 8;

	return whole && pcm->has_format && pcm->empty;
}

session_result pcm_read_aiff(struct pcm *pcm)
{
	uint8_t header[12];
	uint64_t start = pcm->input.position;
	session_result result = WIRE_OK;

	if (input_take(&pcm->input, header, sizeof(header)) < sizeof(header))
		return WIRE_FAIL_TRUNCATED;
	bool compressed = memcmp(header + 8, "AIFC", 4) == 0;
	uint32_t size = input_be32(header + 4);
	if (memcmp(header, "FORM", 4) != 0 || (!compressed && memcmp(header + 8, "AIFF", 4) != 0))
		return WIRE_FAIL_SIGNATURE;
	while (input_take(&pcm->input, header, 8) == 8)
		if (!take_chunk(pcm, header, compressed, &result))
			break;
	if (!pcm->has_data && result == WIRE_OK && is_empty(pcm, start, size))
		pcm->has_data = true;
	if (pcm->kept)
		input_return(&pcm->input, pcm->kept, (size_t)pcm->size);
	/* Behind the samples, nothing that is odd costs any. */
	if (pcm->has_data && pcm->has_format)
		return WIRE_OK;
	return result == WIRE_OK ? WIRE_FAIL_TRUNCATED : result;
}
