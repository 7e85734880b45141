/* SPDX-License-Identifier: MIT */
/*
 * WAV, and RF64 where 4 GiB are not enough.  The sizes come first in the file and are known last: they are what the
 * input announces, and are corrected at the end where the descriptor can seek.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/decode/channels.h"
#include "formats.h"

enum {
	RIFF_HEADER = 12,
	CHUNK_HEADER = 8,
	DS64_SIZE = 28,
	EXTENSIBLE_SIZE = 40,
	HEADERS_MAX = RIFF_HEADER + CHUNK_HEADER + DS64_SIZE + CHUNK_HEADER + EXTENSIBLE_SIZE + CHUNK_HEADER + 4 +
	              CHUNK_HEADER,

	FORMAT_PCM = 1,
	FORMAT_FLOAT = 3,
	FORMAT_EXTENSIBLE = 0xfffe,
};

#define WAVE UINT32_C(0x45564157) /* "WAVE" */

/* The size of what never ends, or whose end nobody knows. */
#define UNKNOWN UINT32_MAX

/* Of the subformat's GUID, after the two bytes that are the format. */
static const uint8_t guid_tail[14] = { 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71 };

struct wav {
	off_t start;   /* of the file in the descriptor; -1: it cannot seek */
	bool has_room; /* for the sizes of RF64 */
	uint8_t header[HEADERS_MAX];
	size_t header_size;
	uint64_t announced; /* bytes of samples that the header speaks of */
};

static uint8_t *put(uint8_t *at, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		at[i] = (uint8_t)(value >> (8 * i));
	return at + size;
}

static uint8_t *put_chunk(uint8_t *at, const char name[4], uint64_t size)
{
	memcpy(at, name, 4);
	return put(at + 4, size, 4);
}

/* Bits of a sample that mean something.  Samples of 8 bits become plain ones of 16. */
static uint32_t valid_bits(const struct wire_audio *audio, uint32_t bits)
{
	bool odd = audio->depth % 8 != 0 && audio->depth < bits && !(audio->flags & WIRE_AUDIO_LOSSY);

	return odd && audio->sample_format != WIRE_F32 ? audio->depth : bits;
}

static uint8_t *put_format(uint8_t *at, const struct wire_audio *audio)
{
	uint32_t bytes = wire_sample_bytes[audio->sample_format];
	uint32_t valid = valid_bits(audio, 8 * bytes);
	bool is_float = audio->sample_format == WIRE_F32;
	bool extensible = audio->channels > 2 || valid != 8 * bytes || (!is_float && bytes > 2);
	uint32_t format = is_float ? FORMAT_FLOAT : FORMAT_PCM;

	at = put_chunk(at, "fmt ", extensible ? EXTENSIBLE_SIZE : is_float ? 18 : 16);
	at = put(at, extensible ? FORMAT_EXTENSIBLE : format, 2);
	at = put(at, audio->channels, 2);
	at = put(at, audio->rate, 4);
	at = put(at, (uint64_t)audio->rate * audio->channels * bytes, 4);
	at = put(at, (uint64_t)audio->channels * bytes, 2);
	at = put(at, (uint64_t)8 * bytes, 2);
	if (!extensible)
		return is_float ? put(at, 0, 2) : at;
	at = put(at, EXTENSIBLE_SIZE - 18, 2);
	at = put(at, valid, 2);
	at = put(at, audio->channel_layout, 4);
	at = put(at, format, 2);
	memcpy(at, guid_tail, sizeof(guid_tail));
	return at + sizeof(guid_tail);
}

/* Makes the header for so many bytes of samples, or WIRE_UNKNOWN. */
static void make_header(struct sink *sink, uint64_t size)
{
	struct wav *wav = sink->state;
	uint8_t *at = wav->header;
	uint64_t frames = size == WIRE_UNKNOWN ? WIRE_UNKNOWN : size / sink->stride;
	bool is_float = sink->audio.sample_format == WIRE_F32;
	bool large = size > UNKNOWN - HEADERS_MAX - 1;
	bool rf64 = large && size != WIRE_UNKNOWN && wav->has_room;

	at = put_chunk(at, rf64 ? "RF64" : "RIFF", UNKNOWN);
	at = put(at, WAVE, 4);
	if (wav->has_room) {
		at = put_chunk(at, rf64 ? "ds64" : "JUNK", DS64_SIZE);
		memset(at, 0, DS64_SIZE);
		at += DS64_SIZE;
	}
	at = put_format(at, &sink->audio);
	if (is_float) {
		at = put_chunk(at, "fact", 4);
		at = put(at, frames < UNKNOWN ? frames : UNKNOWN, 4);
	}
	at = put_chunk(at, "data", large ? UNKNOWN : size);
	wav->header_size = (size_t)(at - wav->header);
	uint64_t all = wav->header_size - CHUNK_HEADER + size + size % 2;
	if (!large)
		(void)put(wav->header + 4, all, 4);
	if (rf64) {
		uint8_t *sizes = put(wav->header + RIFF_HEADER + CHUNK_HEADER, all, 8);
		sizes = put(sizes, size, 8);
		(void)put(sizes, frames, 8);
	}
}

static struct outcome write_error(void)
{
	return outcome_of_output("cannot write the output", errno);
}

/* Where the descriptor stands, if it can go back there; else -1.  A failure to ask is one of its own: without an answer
 * the header would stay without sizes, and nobody would know. */
static struct outcome find_start(int fd, off_t *start)
{
	struct stat status;
	int flags = fcntl(fd, F_GETFL);

	*start = -1;
	if (flags < 0 || fstat(fd, &status) != 0)
		return write_error();
	if ((flags & O_APPEND) || !S_ISREG(status.st_mode))
		return outcome_ok();
	*start = lseek(fd, 0, SEEK_CUR);
	return *start >= 0 ? outcome_ok() : write_error();
}

static struct outcome begin(struct sink *sink)
{
	struct wav *wav = calloc(1, sizeof(*wav));

	sink->state = wav;
	if (!wav)
		return outcome_of_errno(SDEC_IO, "no memory for the output", errno);
	struct outcome outcome = find_start(sink->fd, &wav->start);
	if (outcome.status != SDEC_OK)
		return outcome;
	if (sink->audio.frames == WIRE_UNKNOWN ||
	    __builtin_mul_overflow(sink->audio.frames, sink->stride, &wav->announced))
		wav->announced = WIRE_UNKNOWN;
	bool unsure = wav->announced == WIRE_UNKNOWN && wav->start >= 0;
	wav->has_room = unsure || (wav->announced != WIRE_UNKNOWN && wav->announced > UNKNOWN - HEADERS_MAX - 1);
	make_header(sink, wav->announced);
	return sink_write(sink, wav->header, wav->header_size);
}

static struct outcome write_samples(struct sink *sink, uint8_t *data, size_t size)
{
	const uint8_t *places = channels_in_wave_order(&sink->audio);

	if (places)
		channels_reorder(data, size / sink->stride, places, sink->audio.channels,
		                 wire_sample_bytes[sink->audio.sample_format]);
	return sink_write(sink, data, size);
}

static struct outcome write_header_again(struct sink *sink)
{
	const struct wav *wav = sink->state;
	size_t done = 0;

	while (done < wav->header_size) {
		ssize_t put = pwrite(sink->fd, wav->header + done, wav->header_size - done, wav->start + (off_t)done);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return write_error();
		done += (size_t)put;
	}
	return outcome_ok();
}

/* Chunks have an even size, and this one the size that it came to have. */
static struct outcome end(struct sink *sink)
{
	struct wav *wav = sink->state;
	struct outcome outcome = sink_write(sink, "", sink->written % 2);

	if (outcome.status != SDEC_OK || wav->start < 0 || wav->announced == sink->written)
		return outcome;
	make_header(sink, sink->written);
	return write_header_again(sink);
}

static void release(struct sink *sink)
{
	free(sink->state);
}

const struct sink_format sink_wav = {
	.name = "wav",
	.extensions = "wav",
	.description = "WAV: 16, 24 or 32 bits, or float",
	.samples = SINK_ANY_SAMPLES,
	.writer.begin = begin,
	.writer.samples = write_samples,
	.writer.end = end,
	.writer.release = release,
};
