/* SPDX-License-Identifier: MIT */
/* Sound that is played, as far as the user allows. */
#include "broker/decode/channels.h"
#include "drivers.h"

enum { PIECES_A_SECOND = 8 }; /* after each of them, what was heard is told */

static struct speaker *speaker_of(const struct sink *sink)
{
	return &((struct device *)sink->device)->speaker;
}

static struct outcome check_limits(const struct sound_limits *limits, const struct wire_audio *audio)
{
	if (audio->rate < SOUND_RATE_LEAST)
		return outcome_of(SDEC_LIMIT, "fewer sample frames a second than can be played (4000)");
	if (audio->rate > limits->max_rate)
		return outcome_of(SDEC_LIMIT, "more sample frames a second than the limit allows (--max-rate)");
	if (audio->channels > limits->max_channels)
		return outcome_of(SDEC_LIMIT, "more channels than the limit allows (--max-channels)");
	return outcome_ok();
}

static struct outcome check_length(const struct sink *sink, uint64_t frames)
{
	if (frames > (uint64_t)speaker_of(sink)->limits.max_seconds * sink->audio.rate)
		return outcome_of(SDEC_LIMIT, "longer than the limit allows (--max-duration)");
	return outcome_ok();
}

static struct outcome begin(struct sink *sink)
{
	struct speaker *speaker = speaker_of(sink);
	struct outcome outcome = check_limits(&speaker->limits, &sink->audio);

	if (outcome.status == SDEC_OK && sink->audio.frames != WIRE_UNKNOWN)
		outcome = check_length(sink, sink->audio.frames);
	if (outcome.status != SDEC_OK)
		return outcome;
	speaker->gaps = speaker->frames = 0;
	channels_in_alsa_order(&sink->audio, speaker->places);
	sink->state = speaker;
	return speaker->driver->start(speaker->context, &sink->audio);
}

static void tell(struct speaker *speaker)
{
	uint64_t pending = 0;

	if (!speaker->heard)
		return;
	pending = speaker->driver->pending(speaker->context);
	speaker->heard(speaker->heard_context, pending < speaker->frames ? speaker->frames - pending : 0);
}

static struct outcome play(struct sink *sink, uint8_t *data, size_t size)
{
	struct speaker *speaker = speaker_of(sink);
	size_t frames = size / sink->stride;
	size_t piece = sink->audio.rate / PIECES_A_SECOND;
	struct outcome outcome = check_length(sink, speaker->frames + frames);

	channels_reorder(data, frames, speaker->places, sink->audio.channels,
	                 wire_sample_bytes[sink->audio.sample_format]);
	while (frames > 0 && outcome.status == SDEC_OK) {
		size_t count = frames < piece ? frames : piece;
		outcome = speaker->driver->play(speaker->context, data, count, &speaker->gaps);
		speaker->frames += count;
		frames -= count;
		data += count * sink->stride;
		tell(speaker);
	}
	return outcome;
}

static struct outcome end(struct sink *sink)
{
	struct speaker *speaker = speaker_of(sink);

	return speaker->driver->drain(speaker->context);
}

/* What is buffered of a sound that failed is not played. */
static void release(struct sink *sink)
{
	struct speaker *speaker = speaker_of(sink);

	speaker->driver->stop(speaker->context);
}

/* No floats: what is not a number has no volume. */
#define SPEAKER_SAMPLES (WIRE_FORMAT_BIT(WIRE_S16) | WIRE_FORMAT_BIT(WIRE_S24) | WIRE_FORMAT_BIT(WIRE_S32))

const struct sink_format sink_speaker = {
	.name = "speaker",
	.extensions = "",
	.description = "sound that is played",
	.samples = SPEAKER_SAMPLES,
	.writer.begin = begin,
	.writer.samples = play,
	.writer.end = end,
	.writer.release = release,
};
