/* SPDX-License-Identifier: MIT */
/* The calls that decode a whole sound. */
#include <stdlib.h>
#include <string.h>

#include "broker/base/structs.h"
#include "collection.h"
#include "describe.h"

/* What has come of a sound that was announced. */
static struct sdec_audio describe(const struct sdec_info *info, const struct collection *collection)
{
	size_t frame = describe_frame_bytes(info);
	struct sdec_audio audio = {
		.rate = info->rate,
		.channels = info->channels,
		.sample_format = info->sample_format,
		.channel_layout = info->channel_layout,
		.sample_frames = collection->filled / frame,
		.samples = collection->data,
		.samples_size = collection->filled - collection->filled % frame,
		.allocated = collection->fixed ? 0 : collection->size,
	};

	memcpy(audio.speakers, info->speakers, sizeof(audio.speakers));
	return audio;
}

static const struct call_driver listener = {
	.recognised = request_refuse_others,
	.audio = request_describe_audio,
	.reserve = collection_reserve,
	.commit = collection_commit,
};

static enum sdec_status decode(struct sdec_pool *decoder, const struct sdec_input *input,
                               const struct sdec_request *request, struct collection *collection, bool has_place,
                               struct sdec_audio *audio, struct sdec_result *result)
{
	struct sdec_audio given = { .samples = NULL };
	struct outcome outcome = collection_begin(collection, decoder, input, request, REQUEST_WHOLE, &listener);

	if (outcome.status == SDEC_OK && !has_place)
		outcome = outcome_of(SDEC_USAGE, "there is no place for the sound");
	outcome = collection_complete(collection, outcome, result);
	const struct sdec_info *info = &collection->request.info;
	if (info->kind == SDEC_KIND_AUDIO && (outcome.status == SDEC_OK || outcome.status == SDEC_TOO_SMALL))
		given = describe(info, collection);
	structs_give(audio, &given, sizeof(given));
	return outcome.status;
}

enum sdec_status sdec_decode_audio(struct sdec_pool *decoder, const struct sdec_input *input,
                                   const struct sdec_request *request, struct sdec_audio *audio,
                                   struct sdec_result *result)
{
	struct collection collection = { .data = NULL };

	/* Where the caller has no place for them, nobody would free the samples. */
	bool has_place = audio && audio->size >= offsetof(struct sdec_audio, allocated) + sizeof(audio->allocated);

	return decode(decoder, input, request, &collection, has_place, audio, result);
}

enum sdec_status sdec_decode_audio_into(struct sdec_pool *decoder, const struct sdec_input *input,
                                        const struct sdec_request *request, void *samples, size_t samples_size,
                                        struct sdec_audio *audio, struct sdec_result *result)
{
	struct collection collection = { .data = samples, .size = samples_size, .fixed = true };

	return decode(decoder, input, request, &collection, samples != NULL, audio, result);
}

void sdec_audio_free(struct sdec_audio *audio)
{
	if (!audio)
		return;
	if (audio->allocated > 0)
		free(audio->samples);
	audio->samples = NULL;
	audio->samples_size = audio->allocated = 0;
	audio->sample_frames = 0;
}
