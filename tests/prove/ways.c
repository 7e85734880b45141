/* SPDX-License-Identifier: MIT */
#include "ways.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD = 64, SAMPLES_MOST = 256 << 10, TAG_MOST = 1024, TAGS_MOST = 128 };

static void keep(struct answer *answer, const void *data, size_t size)
{
	size_t part = size < ANSWER ? size : ANSWER;
	size_t old = answer->size < ANSWER - part ? answer->size : ANSWER - part;

	if (part == 0)
		return;
	memmove(answer->bytes, answer->bytes + answer->size - old, old);
	memcpy(answer->bytes + old, (const char *)data + size - part, part);
	answer->size = old + part;
}

static void promised(struct way *way, bool held, const char *what)
{
	if (!held && !way->broken)
		way->broken = what;
}

/* What the hostile decoder poses as. */
static bool poses_as(const struct way *way, const char *mark)
{
	return strncmp(way->line, mark, strlen(mark)) == 0;
}

static size_t frame_size(uint32_t channels, uint32_t sample_format)
{
	static const uint8_t bytes[] = { 0, 2, 3, 4, 4 };

	return sample_format < sizeof(bytes) ? channels * (size_t)bytes[sample_format] : 0;
}

/* ---- one call ---- */

static enum sdec_status call_for_bytes(struct way *way, const struct sdec_input *input)
{
	struct sdec_bytes bytes = { .size = sizeof(bytes) };
	enum sdec_status status = sdec_decode_bytes(way->decoder, input, &way->request, &bytes, &way->result);

	keep(&way->answer, bytes.data, bytes.data_size);
	promised(way, status == SDEC_OK || !bytes.data, "a failure gave bytes");
	sdec_bytes_free(&bytes);
	return status;
}

static enum sdec_status call_for_sound(struct way *way, const struct sdec_input *input)
{
	struct sdec_audio audio = { .size = sizeof(audio) };
	enum sdec_status status = sdec_decode_audio(way->decoder, input, &way->request, &audio, &way->result);
	size_t frame = frame_size(audio.channels, audio.sample_format);

	promised(way, status == SDEC_OK || !audio.samples, "a failure gave samples");
	promised(way, status != SDEC_OK || (frame > 0 && audio.samples_size == audio.sample_frames * frame),
	         "other samples than it says");
	sdec_audio_free(&audio);
	return status;
}

static enum sdec_status by_call(struct way *way, const struct sdec_input *input)
{
	struct sdec_image image = { .size = sizeof(image) };

	if (poses_as(way, "HOSTBYT "))
		return call_for_bytes(way, input);
	if (poses_as(way, "HOSTSND "))
		return call_for_sound(way, input);
	enum sdec_status status = sdec_decode_image(way->decoder, input, &way->request, &image, &way->result);
	promised(way, status == SDEC_OK || !image.pixels, "a failure gave pixels");
	sdec_image_free(&image);
	return status;
}

/* ---- into memory of the caller's ---- */

static enum sdec_status into(struct way *way, const struct sdec_input *input, const struct sdec_info *info,
                             unsigned char *memory, size_t size)
{
	struct sdec_audio audio = { .size = sizeof(audio) };
	struct sdec_image image = { .size = sizeof(image) };

	if (info->kind == SDEC_KIND_AUDIO)
		return sdec_decode_audio_into(way->decoder, input, &way->request, memory, size, &audio, &way->result);
	return sdec_decode_image_into(way->decoder, input, &way->request, memory, size, (size_t)info->width * 4, &image,
	                              &way->result);
}

/* As a caller does who believes what the decoder said first. */
static enum sdec_status into_probed(struct way *way, const struct sdec_input *input)
{
	static const unsigned char guard[GUARD];
	struct sdec_info info = { .size = sizeof(info) };
	enum sdec_status status = sdec_probe(way->decoder, input, &way->request, &info, &way->result);
	size_t size = info.kind == SDEC_KIND_AUDIO ? info.sample_frames * frame_size(info.channels, info.sample_format)
	                                           : (size_t)info.width * 4 * info.height;

	if (status != SDEC_OK)
		return status;
	unsigned char *memory = calloc(1, size + GUARD);
	if (!memory)
		return SDEC_IO;
	status = into(way, input, &info, memory, size);
	promised(way, memcmp(memory + size, guard, GUARD) == 0, "wrote behind the memory that it was given");
	free(memory);
	return status;
}

/* ---- streaming ---- */

/* What came of a stream so far. */
struct progress {
	uint64_t frames, losses;
	unsigned infos, tags;
	size_t frame; /* bytes of a sample frame */
};

static void take_info(struct way *way, struct progress *progress, const struct sdec_info *info)
{
	promised(way, progress->infos++ == 0, "told twice what it is");
	if (info->kind == SDEC_KIND_AUDIO)
		progress->frame = frame_size(info->channels, info->sample_format);
}

static void take_samples(struct way *way, struct progress *progress, const struct sdec_event *event)
{
	promised(way, progress->frame > 0, "samples before the header");
	promised(way, event->sample_frames > 0 && event->first_sample_frame == progress->frames,
	         "samples out of order");
	promised(way, event->data_size == event->sample_frames * progress->frame && event->data_size <= SAMPLES_MOST,
	         "parts of samples, or too many");
	progress->frames += event->sample_frames;
}

static void take_tag(struct way *way, struct progress *progress, const struct sdec_event *event)
{
	promised(way, ++progress->tags <= TAGS_MOST && event->tag <= SDEC_TAG_PROFILE, "other tags than there are");
	promised(way, event->data_size >= 1 && event->data_size <= TAG_MOST && strlen(event->data) == event->data_size,
	         "a tag that is no text");
}

static void take_loss(struct way *way, struct progress *progress, const struct sdec_event *event)
{
	promised(way, event->losses > progress->losses, "losses that do not grow");
	progress->losses = event->losses;
}

static void take(struct way *way, struct progress *progress, const struct sdec_event *event)
{
	switch (event->kind) {
	case SDEC_EVENT_INFO:
		take_info(way, progress, event->info);
		break;
	case SDEC_EVENT_SAMPLES:
		take_samples(way, progress, event);
		break;
	case SDEC_EVENT_TAG:
		take_tag(way, progress, event);
		break;
	case SDEC_EVENT_LOSS:
		take_loss(way, progress, event);
		break;
	case SDEC_EVENT_BYTES:
		keep(&way->answer, event->data, event->data_size);
		break;
	default:
		break;
	}
}

static enum sdec_status by_stream(struct way *way, const struct sdec_input *input)
{
	struct progress progress = { .infos = 0 };
	struct sdec_stream *stream = NULL;
	struct sdec_event event = { .size = sizeof(event) };
	enum sdec_status status = sdec_stream_open(way->decoder, input, &way->request, &stream);

	while (status == SDEC_OK && event.kind != SDEC_EVENT_END) {
		struct pollfd ready = { .fd = sdec_stream_fd(stream), .events = POLLIN };
		if (poll(&ready, 1, -1) < 0 && errno != EINTR)
			break;
		status = sdec_stream_step(stream, &event);
		if (status == SDEC_OK)
			take(way, &progress, &event);
	}
	sdec_stream_result(stream, &way->result);
	promised(way, way->result.losses == progress.losses || status != SDEC_OK, "losses that nobody told of");
	sdec_stream_close(&stream);
	return status;
}

way_decode *way_by_name(const char *name)
{
	static const struct {
		const char *name;
		way_decode *decode;
	} ways[] = { { "call", by_call }, { "into", into_probed }, { "stream", by_stream } };

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(name, ways[i].name) == 0)
			return ways[i].decode;
	return NULL;
}
