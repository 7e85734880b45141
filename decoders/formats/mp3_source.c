/* SPDX-License-Identifier: MIT */
#include "mp3_source.h"

#include <stdlib.h>
#include <string.h>

#include "decoders/sound/tail_tags.h"

enum {
	START_STEP = 4 << 10, /* bytes among which the first frame is looked for: two of the longest frames, */
	START_MAX = 64 << 10, /* and more where there is none */
	FORMAT_MIN = 16,
	FORMAT_MAX = 26,
	WAV_MPEG = 0x50,
	WAV_MP3 = 0x55,
	WAV_EXTENSIBLE = 0xfffe,
};

/* ---- frames ---- */

/* The size of the frame with this header; 0 if it is none, or its header does not say. */
static size_t frame_size(const uint8_t header[4])
{
	/* Layers I, II and III of version 1, then of versions 2 and 2.5, in kilobits a second. */
	static const uint16_t bitrates[2][3][15] = {
		{ { 0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448 },
		  { 0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384 },
		  { 0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320 } },
		{ { 0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256 },
		  { 0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160 },
		  { 0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160 } },
	};
	static const uint32_t rates[3] = { 44100, 48000, 32000 };
	unsigned version = header[1] >> 3 & 3; /* 3: 1, 2: 2, 0: 2.5 */
	unsigned layer = 4 - (header[1] >> 1 & 3);
	unsigned bitrate = header[2] >> 4, rate = header[2] >> 2 & 3, padding = header[2] >> 1 & 1;

	if (header[0] != 0xff || (header[1] & 0xe0) != 0xe0 || version == 1 || layer == 4 || bitrate == 15 || rate == 3)
		return 0;
	size_t bits = (size_t)1000 * bitrates[version != 3][layer - 1][bitrate];
	uint32_t hertz = rates[rate] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
	if (bits == 0)
		return 0;
	if (layer == 1)
		return (12 * bits / hertz + padding) * 4;
	return (layer == 3 && version != 3 ? 72 : 144) * bits / hertz + padding;
}

/* ---- tags ---- */

static void remember(struct mp3_source *source, const uint8_t *data, size_t size)
{
	if (size > ID3_V1_SIZE) {
		data += size - ID3_V1_SIZE;
		size = ID3_V1_SIZE;
	}
	memmove(source->last, source->last + size, ID3_V1_SIZE - size);
	memcpy(source->last + ID3_V1_SIZE - size, data, size);
}

static bool skip(struct mp3_source *source, uint64_t size)
{
	(void)input_skip(&source->input, size);
	return true;
}

static bool skip_v1(struct mp3_source *source)
{
	uint8_t tag[ID3_V1_SIZE] = { 0 };

	remember(source, tag, input_take(&source->input, tag, sizeof(tag)));
	return true;
}

static bool skip_v2(struct mp3_source *source)
{
	bool found = false;

	if (source->tagged || !source->wants_tags)
		return id3_skip(&source->input);
	source->tag = id3_take(&source->input, &source->cover, UINT64_MAX, &found);
	source->tagged = found;
	return found;
}

/* Passes over a tag, if the input goes on with one.  Three letters are enough only where a frame could come. */
static bool skip_tag(struct mp3_source *source)
{
	uint8_t start[10] = { 0 };
	size_t size = input_peek(&source->input, start, sizeof(start));

	if (size >= 10 && memcmp(start, "ID3", 3) == 0 && (source->in_step || (start[3] >= 2 && start[3] <= 4)))
		return skip_v2(source);
	if (source->in_step && size >= 3 && memcmp(start, "TAG", 3) == 0 && start[3] != '+')
		return skip_v1(source);
	return tail_tag_skip(&source->input, source->in_step);
}

/* ---- before the sound ---- */

static session_result take_format(struct mp3_source *source, uint32_t size)
{
	uint8_t format[FORMAT_MAX] = { 0 };
	size_t wanted = size < sizeof(format) ? size : sizeof(format);

	if (size < FORMAT_MIN)
		return WIRE_FAIL_HEADER;
	if (input_take(&source->input, format, wanted) < wanted)
		return WIRE_FAIL_TRUNCATED;
	uint16_t tag = input_le16(format);
	if (tag == WAV_EXTENSIBLE)
		tag = input_le16(format + 24);
	(void)skip(source, size - wanted);
	return tag == WAV_MP3 || tag == WAV_MPEG ? WIRE_OK : WIRE_FAIL_SIGNATURE;
}

/* MP3 in WAV: goes to where the frames start. */
static session_result skip_wav_header(struct mp3_source *source)
{
	uint8_t header[8];
	session_result result = WIRE_OK;

	(void)skip(source, 12);
	while (result == WIRE_OK) {
		if (input_take(&source->input, header, sizeof(header)) < sizeof(header))
			return WIRE_FAIL_TRUNCATED;
		uint32_t size = input_le32(header + 4);
		if (memcmp(header, "data", 4) == 0) {
			source->end = input_is_placeholder(size) ? UINT64_MAX : source->input.position + size;
			return WIRE_OK;
		}
		if (memcmp(header, "fmt ", 4) == 0)
			result = take_format(source, size);
		else
			(void)skip(source, size);
		(void)skip(source, size % 2);
	}
	return result;
}

/* AAC, which has the same tags and nearly the same start. */
static bool is_aac(const uint8_t start[7])
{
	bool header = start[0] == 0xff && (start[1] & 0xf6) == 0xf0 && (start[2] >> 2 & 15) < 13;
	unsigned size = (start[3] & 3U) << 11 | (unsigned)start[4] << 3 | start[5] >> 5;

	return memcmp(start, "ADIF", 4) == 0 || (header && size > 7);
}

/* Whether a frame starts there: others like it follow. */
static bool is_start(const uint8_t *data, size_t size)
{
	size_t at = frame_size(data);

	for (int i = 0; i < 2 && at > 0; i++) {
		if (at + 4 > size)
			return i > 0;
		size_t next = frame_size(data + at);
		if (next == 0 || ((data[1] ^ data[at + 1]) & 0xfe) != 0 || ((data[2] ^ data[at + 2]) & 0x0c) != 0)
			return false;
		at += next;
	}
	return at > 0;
}

/* How many bytes before the first frame, or a tag, are neither; 0 if there is none. */
static size_t find_start(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i + 10 <= size; i++) {
		bool id3 = memcmp(data + i, "ID3", 3) == 0 && data[i + 3] >= 2 && data[i + 3] <= 4 &&
		           ((data[i + 6] | data[i + 7] | data[i + 8] | data[i + 9]) & 0x80) == 0;
		if (id3 || memcmp(data + i, "APETAGEX", 8) == 0 || (data[i] == 0xff && is_start(data + i, size - i)))
			return i;
	}
	return 0;
}

/* Goes to the first frame where the input starts with something else: libmpg123 is easily misled by the rest of a frame
 * that was cut.  What no frame is found in, it gets as it is.  Returns whether anything was passed over. */
static bool skip_to_frame(struct mp3_source *source)
{
	uint8_t header[4] = { 0 };
	size_t odd = 0, size = 0, wanted = 0;
	const uint8_t *data = NULL;

	if (input_peek(&source->input, header, sizeof(header)) < sizeof(header) || frame_size(header) > 0)
		return false;
	if (!source->start)
		source->start = malloc(START_MAX);
	if (!source->start)
		return false;
	/* No more is waited for than it takes. */
	do {
		wanted += START_STEP;
		size = input_gather(&source->input, source->start, wanted);
		(void)input_look(&source->input, &data);
		odd = find_start(data, size);
	} while (odd == 0 && size == wanted && wanted < START_MAX);
	return odd > 0 && skip(source, odd);
}

static bool starts_wav(const uint8_t start[12])
{
	return memcmp(start, "RIFF", 4) == 0 && memcmp(start + 8, "WAVE", 4) == 0;
}

session_result mp3_source_start(struct mp3_source *source)
{
	session_result result = WIRE_OK;
	bool found = true, wav = false;

	source->end = UINT64_MAX;
	while (result == WIRE_OK && found) {
		uint8_t start[12] = { 0 };
		found = false;
		result = id3_take(&source->input, &source->cover, UINT64_MAX, &found);
		source->tagged |= found;
		if (result != WIRE_OK || found || skip_tag(source)) {
			found = true;
			continue;
		}
		(void)input_peek(&source->input, start, sizeof(start));
		if (starts_wav(start) && !wav) {
			found = wav = true;
			result = skip_wav_header(source);
		} else if (is_aac(start)) {
			result = WIRE_FAIL_UNSUPPORTED;
		} else {
			found = skip_to_frame(source);
		}
	}
	return result;
}

void mp3_source_release(struct mp3_source *source)
{
	cover_release(&source->cover);
	free(source->start);
}

/* ---- the sound ---- */

/* Bytes with which neither a frame nor a tag starts, up to the first that could. */
static size_t odd_bytes(const uint8_t *data, size_t size)
{
	size_t odd = 1;

	while (odd < size && data[odd] != 0xff && data[odd] != 'I' && data[odd] != 'A' && data[odd] != 'L')
		odd++;
	return odd;
}

size_t mp3_source_read(struct mp3_source *source, void *to, size_t size)
{
	const uint8_t *data = NULL;
	uint8_t header[4] = { 0 };

	while (source->frame_left == 0 && skip_tag(source))
		;
	if (source->frame_left == 0 && input_peek(&source->input, header, sizeof(header)) == sizeof(header))
		source->frame_left = frame_size(header);
	size_t part = input_look(&source->input, &data);
	source->in_step = source->frame_left > 0;
	if (part > source->frame_left)
		part = source->frame_left > 0 ? source->frame_left : odd_bytes(data, part);
	if (part > size)
		part = size;
	uint64_t left = source->end - source->input.position;
	if (source->input.position >= source->end || part == 0)
		return 0;
	if (part > left)
		part = (size_t)left;
	memcpy(to, data, part);
	remember(source, data, part);
	input_used(&source->input, part);
	source->frame_left -= source->in_step ? part : 0;
	return part;
}
