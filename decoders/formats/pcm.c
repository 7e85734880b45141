/* SPDX-License-Identifier: MIT */
/*
 * WAV, RF64, AIFF, AIFF-C and AU: PCM of 8 to 32 bits, floating point, A-law, mu-law and ADPCM.  Written here, because
 * libsndfile wants to seek.
 *
 * pkg-config: none
 */
#include "pcm.h"

#include <stdlib.h>
#include <string.h>

#include "decoders/sound/id3.h"
#include "decoders/sound/samples.h"

/* As in broker/recognise/registry.c. */
enum variant {
	WAV,
	AIFF,
	AU,
	VARIANTS,
};

/* Files with more samples are not read to their end for the tags that may be there. */
#define PASS_MAX (UINT64_C(256) << 20)

enum {
	PIECE = 512,           /* samples that are converted at a time */
	LOOKED_AT = 16 * 1024, /* bytes of samples by which it is decided where in 32 bits they are */
};

/* ---- for the containers ---- */

/* Whether these bytes, all 8 or those before the end of the input, are the start of a chunk. */
static bool is_chunk(const uint8_t *bytes, size_t size, bool big_endian)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_() ";

	for (size_t i = 0; i < 4 && i < size; i++)
		if (bytes[i] == 0 || !strchr(letters, bytes[i]))
			return false;
	/* None is so long that its size has a fourth byte. */
	size_t top = big_endian ? 4 : 7;
	return top >= size || bytes[top] == 0;
}

/* Whether the samples are over, at a place where they may be. */
static bool at_end(struct pcm *pcm)
{
	uint8_t bytes[8];
	size_t size = input_peek(&pcm->input, bytes, sizeof(bytes));

	return size == 0 || (pcm->chunks != PCM_NO_CHUNKS && is_chunk(bytes, size, pcm->chunks == PCM_BIG_CHUNKS));
}

void pcm_set_size(struct pcm *pcm, uint64_t size)
{
	pcm->has_data = true;
	pcm->size = size;
	if (!input_is_placeholder(size) || (size == 0 && at_end(pcm)))
		return;
	pcm->size = WIRE_UNKNOWN;
	pcm->open_ended = true;
	/* Files of that size there are, too. */
	pcm->guess = pcm->chunks != PCM_NO_CHUNKS ? size : 0;
}

/* Bytes of samples that are sure to come before anything else, in whole blocks where that makes no difference. */
static uint64_t bytes_ahead(const struct pcm *pcm)
{
	uint64_t size = pcm->guess > 0 ? pcm->guess : pcm->size;

	return pcm->open_ended && pcm->block_size > 0 ? size - size % pcm->block_size : size;
}

/* They are taken.  Returns whether there are more, and how many. */
static bool go_on(struct pcm *pcm, uint64_t *left)
{
	if (pcm->guess == 0 || at_end(pcm))
		return false;
	pcm->guess = 0;
	*left = bytes_ahead(pcm);
	return true;
}

bool pcm_wants_rest(const struct pcm *pcm)
{
	const struct wire_request *request = session_request(pcm->input.session);
	bool info = request->operation == WIRE_INFO && (request->flags & WIRE_FINITE) &&
	            (pcm->size == WIRE_UNKNOWN || pcm->size <= PASS_MAX);

	return info || request->operation == WIRE_COVER;
}

bool pcm_pass_samples(struct pcm *pcm)
{
	if (!pcm_wants_rest(pcm))
		return false;
	uint64_t left = bytes_ahead(pcm), passed = 0;
	do
		passed += input_skip(&pcm->input, left);
	while (go_on(pcm, &left));
	if (pcm->size == WIRE_UNKNOWN)
		pcm->size = passed;
	return true;
}

void pcm_set_linear(struct pcm *pcm, enum pcm_encoding encoding, uint32_t width, uint32_t valid, bool big_endian)
{
	pcm->encoding = encoding;
	pcm->width = width;
	pcm->big_endian = big_endian;
	pcm->block_size = width * pcm->audio.channels;
	pcm->block_frames = 1;
	pcm->audio.depth = valid;
	if (encoding == PCM_FLOAT)
		pcm->audio.flags |= WIRE_AUDIO_FLOAT;
	if (encoding == PCM_ALAW || encoding == PCM_MULAW)
		pcm->audio.flags |= WIRE_AUDIO_LOSSY;
	pcm->has_format = true;
}

void pcm_take_text(struct pcm *pcm, enum wire_tag tag, uint64_t size)
{
	char text[WIRE_VALUE_MAX + 4]; /* more than is told, so that it is cut between characters */
	size_t wanted = size < sizeof(text) ? (size_t)size : sizeof(text);
	size_t got = input_take(&pcm->input, text, wanted);

	session_tag(pcm->input.session, tag, text, got);
	(void)input_skip(&pcm->input, size - wanted);
}

/* ---- linear samples ---- */

static uint32_t load(const uint8_t *bytes, uint32_t width, bool big_endian)
{
	uint32_t value = 0;

	/* To the top, so that all widths have the same sign bit. */
	for (uint32_t i = 0; i < width; i++)
		value = value >> 8 | (uint32_t)bytes[big_endian ? width - 1 - i : i] << 24;
	return value;
}

static void load_integers(const struct pcm *pcm, int32_t *to, const uint8_t *from, size_t count)
{
	uint32_t flip = pcm->encoding == PCM_UNSIGNED ? 0x80000000U : 0;

	for (size_t i = 0; i < count; i++)
		to[i] = (int32_t)(load(from + i * pcm->width, pcm->width, pcm->big_endian) << pcm->above ^ flip);
}

static void load_floats(const struct pcm *pcm, float *to, const uint8_t *from, size_t count)
{
	for (size_t i = 0; i < count; i++, from += pcm->width) {
		uint64_t bits = pcm->big_endian ? (uint64_t)input_be32(from) : input_le32(from);
		if (pcm->width == sizeof(double)) {
			double value = 0;
			bits = pcm->big_endian ? bits << 32 | input_be32(from + 4) : input_le64(from);
			memcpy(&value, &bits, sizeof(value));
			to[i] = (float)value;
		} else {
			uint32_t half = (uint32_t)bits;
			memcpy(&to[i], &half, sizeof(to[i]));
		}
	}
}

/* ITU-T G.711. */
static void load_alaw(int32_t *to, const uint8_t *from, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		unsigned code = from[i] ^ 0x55;
		unsigned exponent = code >> 4 & 7;
		int magnitude = (int)((code & 15) << 4) + 8;
		if (exponent > 0)
			magnitude = (magnitude + 256) << (exponent - 1);
		to[i] = (code & 0x80 ? magnitude : -magnitude) * 65536;
	}
}

static void load_mulaw(int32_t *to, const uint8_t *from, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		unsigned code = from[i] ^ 0xffU;
		int magnitude = (int)(((code & 15) << 3) + 0x84) << (code >> 4 & 7);
		to[i] = (code & 0x80 ? 0x84 - magnitude : magnitude - 0x84) * 65536;
	}
}

/* Whether the samples are already what the caller wants. */
static bool is_as_wanted(const struct pcm *pcm)
{
	uint32_t format = pcm->audio.sample_format;
	bool linear = pcm->encoding == (format == WIRE_F32 ? PCM_FLOAT : PCM_SIGNED);

	return linear && pcm->width == wire_sample_bytes[format] && pcm->above == 0 &&
	       (!pcm->big_endian || pcm->width == 1);
}

static void convert(const struct pcm *pcm, uint8_t *to, const uint8_t *from, size_t count)
{
	enum wire_sample_format format = (enum wire_sample_format)pcm->audio.sample_format;
	size_t sample = wire_sample_bytes[format];
	union {
		int32_t integers[PIECE];
		float floats[PIECE];
	} piece;

	if (is_as_wanted(pcm)) {
		memcpy(to, from, count * sample);
		return;
	}
	while (count > 0) {
		size_t part = count < PIECE ? count : PIECE;
		if (pcm->encoding == PCM_FLOAT) {
			load_floats(pcm, piece.floats, from, part);
			samples_put_floats(format, to, sample, piece.floats, part);
		} else {
			if (pcm->encoding == PCM_ALAW)
				load_alaw(piece.integers, from, part);
			else if (pcm->encoding == PCM_MULAW)
				load_mulaw(piece.integers, from, part);
			else
				load_integers(pcm, piece.integers, from, part);
			samples_put_integers(format, to, sample, piece.integers, part, 32);
		}
		to += part * sample;
		from += part * pcm->width;
		count -= part;
	}
}

/* Sample frames as they stand in the file. */
struct linear {
	const struct pcm *pcm;
	const uint8_t *bytes;
};

static void put_linear(const void *context, uint8_t *room, size_t first, size_t count)
{
	const struct linear *linear = context;
	const struct pcm *pcm = linear->pcm;

	convert(pcm, room, linear->bytes + first * pcm->block_size, count * pcm->audio.channels);
}

static session_result send_linear(struct pcm *pcm, const uint8_t *bytes, size_t count)
{
	struct linear linear = { .pcm = pcm, .bytes = bytes };

	return session_send_samples(pcm->input.session, count, put_linear, &linear);
}

/* 24 bits in 32 belong to the top, but arecord leaves its own at the bottom, and both call that plain PCM.  At the top,
 * all lowest bytes are zero; at the bottom, all highest ones are copies of the sign. */
static uint32_t bits_above(struct pcm *pcm, uint8_t *room, size_t size)
{
	const uint8_t *data = NULL;
	size_t count = input_gather(&pcm->input, room, size) / sizeof(uint32_t);
	bool used = false;

	if (count == 0 || input_look(&pcm->input, &data) < count * sizeof(uint32_t))
		return 0;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *sample = data + i * sizeof(uint32_t);
		uint8_t lowest = sample[pcm->big_endian ? 3 : 0];
		uint8_t second = sample[pcm->big_endian ? 1 : 2];
		uint8_t highest = sample[pcm->big_endian ? 0 : 3];
		if (highest != (second & 0x80 ? UINT8_MAX : 0))
			return 0;
		used = used || lowest != 0;
	}
	return used ? 8 : 0;
}

/* The last sample frame may lack a part: the rest of it is at the end of the input. */
static session_result decode_linear(struct pcm *pcm)
{
	uint64_t left = bytes_ahead(pcm);
	uint8_t first[LOOKED_AT];

	left -= left % pcm->block_size;
	if (pcm->wide_container)
		pcm->above = bits_above(pcm, first, left < sizeof(first) ? (size_t)left : sizeof(first));
	while (left > 0 || go_on(pcm, &left)) {
		uint8_t frame[WIRE_CHANNELS_MAX * sizeof(double)];
		const uint8_t *data = NULL;
		size_t size = input_look(&pcm->input, &data);
		if (size > left)
			size = (size_t)left;
		session_result result = WIRE_OK;
		if (size >= pcm->block_size) {
			size -= size % pcm->block_size;
			result = send_linear(pcm, data, size / pcm->block_size);
			input_used(&pcm->input, size);
		} else {
			/* It lies in two buffers. */
			size = input_take(&pcm->input, frame, pcm->block_size);
			if (size < pcm->block_size)
				break;
			result = send_linear(pcm, frame, 1);
		}
		if (result != WIRE_OK)
			return result;
		left -= size;
	}
	return left > 0 && !pcm->open_ended ? session_damage(pcm->input.session, WIRE_FAIL_TRUNCATED) : WIRE_OK;
}

/* ---- ADPCM ---- */

/* Samples that were decoded from a block. */
struct decoded {
	const struct wire_audio *audio;
	const int32_t *samples;
};

static void put_decoded(const void *context, uint8_t *room, size_t first, size_t count)
{
	const struct decoded *decoded = context;
	enum wire_sample_format format = (enum wire_sample_format)decoded->audio->sample_format;
	uint32_t channels = decoded->audio->channels;

	samples_put_integers(format, room, wire_sample_bytes[format], decoded->samples + first * channels,
	                     count * channels, 16);
}

static session_result send_samples(struct pcm *pcm, const int32_t *samples, size_t count)
{
	struct decoded decoded = { .audio = &pcm->audio, .samples = samples };

	return session_send_samples(pcm->input.session, count, put_decoded, &decoded);
}

static size_t decode_block(const struct pcm *pcm, const uint8_t *block, size_t size, int32_t *samples)
{
	if (pcm->encoding == PCM_MS)
		return pcm_decode_ms(pcm, block, size, samples);
	if (pcm->encoding == PCM_IMA_WAV)
		return pcm_decode_ima_wav(pcm, block, size, samples);
	return pcm_decode_ima_qt(pcm, block, size, samples);
}

static session_result decode_blocks(struct pcm *pcm, uint8_t *block, int32_t *samples)
{
	uint64_t left = bytes_ahead(pcm);
	uint64_t frames = pcm->audio.frames; /* WIRE_UNKNOWN is more than there ever are */

	while (frames > 0 && (left > 0 || go_on(pcm, &left))) {
		size_t wanted = left < pcm->block_size ? (size_t)left : pcm->block_size;
		size_t size = input_take(&pcm->input, block, wanted);
		size_t count = decode_block(pcm, block, size, samples);
		if (count > frames)
			count = (size_t)frames;
		session_result result = send_samples(pcm, samples, count);
		if (result != WIRE_OK)
			return result;
		frames -= count;
		left -= size;
		if (size < wanted)
			return pcm->open_ended ? WIRE_OK : session_damage(pcm->input.session, WIRE_FAIL_TRUNCATED);
	}
	return WIRE_OK;
}

static session_result decode_adpcm(struct pcm *pcm)
{
	uint8_t *block = malloc(pcm->block_size);
	int32_t *samples = calloc((size_t)pcm->block_frames * pcm->audio.channels, sizeof(*samples));
	session_result result = block && samples ? decode_blocks(pcm, block, samples) : WIRE_FAIL_LIMIT_MEMORY;

	free(samples);
	free(block);
	return result;
}

/* ---- the whole ---- */

static uint64_t count_frames(const struct pcm *pcm)
{
	if (pcm->size == WIRE_UNKNOWN)
		return WIRE_UNKNOWN;
	uint64_t whole = pcm->size / pcm->block_size * pcm->block_frames;
	size_t rest = (size_t)(pcm->size % pcm->block_size);
	if (pcm->encoding == PCM_MS)
		whole += pcm_ms_frames(pcm->audio.channels, rest);
	else if (pcm->encoding == PCM_IMA_WAV)
		whole += pcm_ima_wav_frames(pcm->audio.channels, rest);
	/* What a container says besides is to leave out the end of the last block. */
	return pcm->block_frames > 1 && !pcm->open_ended && pcm->frames < whole ? pcm->frames : whole;
}

static session_result announce(struct pcm *pcm)
{
	struct wire_audio *audio = &pcm->audio;
	bool lossy = (audio->flags & WIRE_AUDIO_LOSSY) != 0;

	audio->sample_format = session_choose_samples(pcm->input.session, lossy ? 16 : audio->depth,
	                                              (audio->flags & WIRE_AUDIO_FLOAT) != 0);
	audio->frames = count_frames(pcm);
	if (pcm->cover.seen)
		audio->flags |= WIRE_AUDIO_COVER;
	return session_audio(pcm->input.session, audio);
}

static session_result decode_container(struct pcm *pcm, uint32_t variant)
{
	static session_result (*const readers[VARIANTS])(struct pcm * pcm) = {
		[WAV] = pcm_read_wav,
		[AIFF] = pcm_read_aiff,
		[AU] = pcm_read_au,
	};
	session_result result = WIRE_OK;
	bool found = false;

	do {
		found = false;
		result = id3_take(&pcm->input, &pcm->cover, UINT64_MAX, &found);
	} while (found && result == WIRE_OK);
	if (result == WIRE_OK)
		result = readers[variant](pcm);
	if (result != WIRE_OK)
		return result;
	if (session_request(pcm->input.session)->operation == WIRE_COVER)
		return cover_send(&pcm->cover, pcm->input.session);
	if (!pcm->has_format || !pcm->has_data)
		return WIRE_FAIL_STRUCTURE;
	result = announce(pcm);
	if (result != WIRE_OK)
		return result;
	return pcm->block_frames > 1 ? decode_adpcm(pcm) : decode_linear(pcm);
}

static session_result decode_pcm(struct session *session)
{
	struct pcm pcm = { .input = { .session = session }, .frames = WIRE_UNKNOWN };
	uint32_t variant = session_request(session)->variant;
	session_result result = variant < VARIANTS ? decode_container(&pcm, variant) : WIRE_FAIL_UNSUPPORTED;

	cover_release(&pcm.cover);
	free(pcm.kept);
	return result;
}

const struct decoder decoder = { .name = "pcm", .gives_covers = true, .decode = decode_pcm };
