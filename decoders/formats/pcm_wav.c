/* SPDX-License-Identifier: MIT */
/* WAV: RIFF with sizes of 32 bits, RF64 and BW64 with some of 64, RIFX with the bytes the other way round. */
#include <string.h>

#include "decoders/sound/id3.h"
#include "decoders/sound/samples.h"
#include "pcm.h"

enum {
	FORMAT_MIN = 16,
	FORMAT_MAX = 22 + PCM_MS_COEFFICIENTS * 4,
	EXTENSIBLE_MIN = 40,

	TAG_PCM = 1,
	TAG_MS_ADPCM = 2,
	TAG_FLOAT = 3,
	TAG_ALAW = 6,
	TAG_MULAW = 7,
	TAG_IMA_ADPCM = 0x11,
	TAG_EXTENSIBLE = 0xfffe,
};

struct wav {
	struct pcm *pcm;
	bool big_endian; /* RIFX */
	bool wide;       /* RF64 and BW64 */
	bool extensible; /* the format is WAVE_FORMAT_EXTENSIBLE */
	uint64_t wide_size;
	uint8_t format[FORMAT_MAX]; /* the chunk, as far as it is looked at */
	size_t format_size;
};

/* ---- the format ---- */

static session_result set_linear(struct wav *wav, enum pcm_encoding encoding, uint32_t bits, uint32_t valid,
                                 uint32_t block)
{
	struct pcm *pcm = wav->pcm;
	uint32_t width = (bits + 7) / 8;

	/* The container of a sample may be wider than its bits.  Other blocks than those of 24 bits in 32 are those of
	 * writers that counted bits, or nothing. */
	if (width == 3 && block == sizeof(uint32_t) * pcm->audio.channels) {
		width = sizeof(uint32_t);
		pcm->wide_container = !wav->extensible;
	}
	if (bits == 0 || valid == 0 || valid > bits)
		return WIRE_FAIL_HEADER;
	bool known = encoding == PCM_FLOAT    ? width == 4 || width == 8
	             : encoding == PCM_SIGNED ? width <= 4
	                                      : width == 1;
	if (!known)
		return WIRE_FAIL_UNSUPPORTED;
	if (encoding == PCM_SIGNED && width == 1)
		encoding = PCM_UNSIGNED;
	pcm_set_linear(pcm, encoding, width, encoding == PCM_FLOAT ? 8 * width : valid, wav->big_endian);
	return WIRE_OK;
}

static session_result set_adpcm(struct wav *wav, enum pcm_encoding encoding, uint32_t bits, uint32_t block)
{
	struct pcm *pcm = wav->pcm;
	uint32_t channels = pcm->audio.channels;
	size_t frames = encoding == PCM_MS ? pcm_ms_frames(channels, block) : pcm_ima_wav_frames(channels, block);

	if (bits != 4 || wav->big_endian)
		return WIRE_FAIL_UNSUPPORTED;
	if (frames < 2)
		return WIRE_FAIL_HEADER;
	pcm->encoding = encoding;
	pcm->block_size = block;
	pcm->block_frames = (uint32_t)frames;
	pcm->audio.depth = bits;
	pcm->audio.flags |= WIRE_AUDIO_LOSSY;
	pcm->has_format = true;
	return WIRE_OK;
}

/* What follows the plain header of ADPCM: its own size, the sample frames of a block, and for MS the coefficients. */
static session_result refine_adpcm(struct wav *wav, const uint8_t *format, size_t size)
{
	struct pcm *pcm = wav->pcm;
	uint32_t frames = size >= 20 ? input_le16(format + 18) : 0;

	if (frames >= 2 && frames < pcm->block_frames)
		pcm->block_frames = frames;
	if (pcm->encoding != PCM_MS)
		return WIRE_OK;
	pcm->coefficient_count = size >= 22 ? input_le16(format + 20) : 0;
	if (pcm->coefficient_count == 0 || pcm->coefficient_count > PCM_MS_COEFFICIENTS ||
	    size < 22 + (size_t)pcm->coefficient_count * 4)
		return WIRE_FAIL_HEADER;
	for (uint32_t i = 0; i < pcm->coefficient_count; i++) {
		pcm->coefficients[i][0] = (int16_t)input_le16(format + 22 + (size_t)4 * i);
		pcm->coefficients[i][1] = (int16_t)input_le16(format + 24 + (size_t)4 * i);
	}
	return WIRE_OK;
}

/* The speakers of the mask that there are channels for: what is too many is left out. */
static uint32_t layout_of_mask(uint32_t mask, uint32_t channels)
{
	uint32_t layout = 0;

	for (uint32_t speaker = 0; speaker < WIRE_SPEAKERS && channels > 0; speaker++)
		if (mask & WIRE_SPEAKER_BIT(speaker)) {
			layout |= WIRE_SPEAKER_BIT(speaker);
			channels--;
		}
	return channels == 0 ? layout : 0;
}

static session_result use_format(struct wav *wav, const uint8_t *format, size_t size)
{
	struct wire_audio *audio = &wav->pcm->audio;
	uint32_t tag = input_16(format, wav->big_endian);
	uint32_t block = input_16(format + 12, wav->big_endian);
	uint32_t bits = input_16(format + 14, wav->big_endian);
	uint32_t valid = bits;
	session_result result = WIRE_OK;

	audio->channels = input_16(format + 2, wav->big_endian);
	audio->rate = input_32(format + 4, wav->big_endian);
	if (audio->channels == 0 || audio->rate == 0)
		return WIRE_FAIL_HEADER;
	if (audio->channels > WIRE_CHANNELS_MAX)
		return WIRE_FAIL_UNSUPPORTED;
	audio->channel_layout = audio->channels <= 2 ? samples_usual_layout(audio->channels) : 0;
	wav->extensible = tag == TAG_EXTENSIBLE;
	if (wav->extensible) {
		if (size < EXTENSIBLE_MIN)
			return WIRE_FAIL_HEADER;
		/* Where the valid bits are left out, all are. */
		valid = input_16(format + 18, wav->big_endian) > 0 ? input_16(format + 18, wav->big_endian) : bits;
		audio->channel_layout = layout_of_mask(input_32(format + 20, wav->big_endian), audio->channels);
		tag = input_16(format + 24, wav->big_endian);
	}
	switch (tag) {
	case TAG_PCM:
		return set_linear(wav, PCM_SIGNED, bits, valid, block);
	case TAG_FLOAT:
		return set_linear(wav, PCM_FLOAT, bits, bits, block);
	case TAG_ALAW:
	case TAG_MULAW:
		return set_linear(wav, tag == TAG_ALAW ? PCM_ALAW : PCM_MULAW, 8, 8, audio->channels);
	case TAG_MS_ADPCM:
	case TAG_IMA_ADPCM:
		result = set_adpcm(wav, tag == TAG_MS_ADPCM ? PCM_MS : PCM_IMA_WAV, bits, block);
		return result == WIRE_OK ? refine_adpcm(wav, format, size) : result;
	default:
		return WIRE_FAIL_UNSUPPORTED;
	}
}

static session_result take_format(struct wav *wav, uint64_t size)
{
	uint8_t format[FORMAT_MAX];
	size_t wanted = size < sizeof(format) ? (size_t)size : sizeof(format);

	if (size < FORMAT_MIN)
		return WIRE_FAIL_HEADER;
	if (input_take(&wav->pcm->input, format, wanted) < wanted)
		return WIRE_FAIL_TRUNCATED;
	/* Some writers repeat it. */
	if (wav->pcm->has_format)
		return wanted == wav->format_size && memcmp(format, wav->format, wanted) == 0 ? WIRE_OK
		                                                                              : WIRE_FAIL_STRUCTURE;
	memcpy(wav->format, format, wanted);
	wav->format_size = wanted;
	return use_format(wav, format, wanted);
}

/* ---- other chunks ---- */

/* The sizes of RF64: of the whole, of the samples, and their number. */
static session_result take_wide_sizes(struct wav *wav, uint64_t size)
{
	uint8_t sizes[24];

	if (size < sizeof(sizes))
		return WIRE_FAIL_HEADER;
	if (input_take(&wav->pcm->input, sizes, sizeof(sizes)) < sizeof(sizes))
		return WIRE_FAIL_TRUNCATED;
	wav->wide_size = input_le64(sizes + 8);
	return WIRE_OK;
}

static session_result take_fact(struct wav *wav, uint64_t size)
{
	uint8_t frames[4];

	if (size < sizeof(frames))
		return WIRE_OK;
	if (input_take(&wav->pcm->input, frames, sizeof(frames)) < sizeof(frames))
		return WIRE_FAIL_TRUNCATED;
	if (!input_is_placeholder(input_32(frames, wav->big_endian)))
		wav->pcm->frames = input_32(frames, wav->big_endian);
	return WIRE_OK;
}

static const struct {
	char name[5];
	enum wire_tag tag;
} info_names[] = {
	{ "INAM", WIRE_TAG_TITLE },    { "IART", WIRE_TAG_ARTIST },    { "IPRD", WIRE_TAG_ALBUM },
	{ "ICRD", WIRE_TAG_DATE },     { "IGNR", WIRE_TAG_GENRE },     { "ICMT", WIRE_TAG_COMMENT },
	{ "IMUS", WIRE_TAG_COMPOSER }, { "ICOP", WIRE_TAG_COPYRIGHT }, { "ISFT", WIRE_TAG_ENCODER },
	{ "ITRK", WIRE_TAG_TRACK },    { "IPRT", WIRE_TAG_TRACK },     { "ILNG", WIRE_TAG_LANGUAGE },
};

static session_result take_list(struct wav *wav, uint64_t size)
{
	struct pcm *pcm = wav->pcm;
	uint64_t end = pcm->input.position + size;
	uint8_t header[8];

	if (size < 4 || input_take(&pcm->input, header, 4) < 4 || memcmp(header, "INFO", 4) != 0)
		return WIRE_OK;
	while (end - pcm->input.position >= sizeof(header) && input_take(&pcm->input, header, sizeof(header)) == 8) {
		uint64_t part = input_32(header + 4, wav->big_endian);
		uint64_t left = end - pcm->input.position;
		size_t i = 0;
		if (part > left)
			part = left;
		while (i < sizeof(info_names) / sizeof(info_names[0]) && memcmp(info_names[i].name, header, 4) != 0)
			i++;
		if (i < sizeof(info_names) / sizeof(info_names[0]))
			pcm_take_text(pcm, info_names[i].tag, part);
		else
			(void)input_skip(&pcm->input, part);
		if (part % 2 == 1 && part < left)
			(void)input_skip(&pcm->input, 1);
	}
	return WIRE_OK;
}

static session_result take_id3(struct wav *wav, uint64_t size)
{
	bool found = false;

	return id3_take(&wav->pcm->input, &wav->pcm->cover, size, &found);
}

static const struct {
	char name[5];
	session_result (*take)(struct wav *wav, uint64_t size);
} chunks[] = {
	{ "fmt ", take_format }, { "ds64", take_wide_sizes }, { "fact", take_fact },
	{ "LIST", take_list },   { "id3 ", take_id3 },        { "ID3 ", take_id3 },
};

static session_result take_chunk(struct wav *wav, const uint8_t *name, uint64_t size)
{
	struct input *input = &wav->pcm->input;
	uint64_t end = input->position + size;
	session_result result = WIRE_OK;

	for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++)
		if (memcmp(chunks[i].name, name, 4) == 0)
			result = chunks[i].take(wav, size);
	/* None of them reads past its chunk. */
	(void)input_skip(input, end - input->position);
	return result;
}

/* ---- the file ---- */

static session_result take_header(struct wav *wav)
{
	uint8_t header[12];

	if (input_take(&wav->pcm->input, header, sizeof(header)) < sizeof(header))
		return WIRE_FAIL_TRUNCATED;
	wav->big_endian = memcmp(header, "RIFX", 4) == 0;
	wav->wide = memcmp(header, "RF64", 4) == 0 || memcmp(header, "BW64", 4) == 0;
	bool known = wav->big_endian || wav->wide || memcmp(header, "RIFF", 4) == 0;
	return known && memcmp(header + 8, "WAVE", 4) == 0 ? WIRE_OK : WIRE_FAIL_SIGNATURE;
}

/* Returns whether to read on behind the samples. */
static bool take_samples(struct wav *wav, uint32_t size)
{
	struct pcm *pcm = wav->pcm;
	bool elsewhere = wav->wide && (size == UINT32_MAX || (input_is_placeholder(size) && wav->wide_size > 0));

	pcm->chunks = wav->big_endian ? PCM_BIG_CHUNKS : PCM_LITTLE_CHUNKS;
	pcm_set_size(pcm, elsewhere ? wav->wide_size : size);
	return pcm->has_format && pcm_pass_samples(pcm);
}

session_result pcm_read_wav(struct pcm *pcm)
{
	struct wav wav = { .pcm = pcm };
	uint8_t header[8];
	session_result result = take_header(&wav);

	while (result == WIRE_OK && input_take(&pcm->input, header, sizeof(header)) == sizeof(header)) {
		uint32_t size = input_32(header + 4, wav.big_endian);
		if (memcmp(header, "data", 4) != 0)
			result = take_chunk(&wav, header, size);
		else if (pcm->has_data || !take_samples(&wav, size))
			return WIRE_OK;
		if (size % 2 == 1)
			(void)input_skip(&pcm->input, 1);
	}
	/* Behind the samples, nothing that is odd costs any. */
	if (pcm->has_data)
		return WIRE_OK;
	return result == WIRE_OK ? WIRE_FAIL_TRUNCATED : result;
}
