/* SPDX-License-Identifier: MIT */
/*
 * Ogg Opus, by libopusfile, as a stream: it is never asked to seek.
 *
 * pkg-config: opusfile opus ogg
 */
#include <opusfile.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/runtime/decoder.h"
#include "decoders/runtime/input.h"
#include "decoders/sound/ogg_pages.h"
#include "decoders/sound/samples.h"
#include "decoders/sound/tags.h"
#include "opus_mix.h"

enum {
	RATE = 48000,
	CHANNELS_MAX = OPUS_MIX_CHANNELS,
	PACKET_MAX = 5760, /* sample frames: 120 ms */

	/* In the first packet. */
	VERSION_AT = 8,
	FAMILY_AT = 18,
};

struct decode {
	struct input input;
	struct ogg_pages pages;
	OggOpusFile *file;
	struct wire_audio audio;
	struct cover cover;
	float samples[PACKET_MAX * CHANNELS_MAX];
	uint64_t frames;          /* sample frames decoded */
	float clip[CHANNELS_MAX]; /* state of the soft clipping, a channel */
};

/* ---- the packets ---- */

static int64_t count_samples(void *context, const uint8_t *packet, size_t size)
{
	(void)context;
	if (size == 0 || (size >= 8 && (memcmp(packet, "OpusHead", 8) == 0 || memcmp(packet, "OpusTags", 8) == 0)))
		return 0;
	int samples = opus_packet_get_nb_samples(packet, (opus_int32)size, RATE);
	return samples > 0 ? samples : 0;
}

/* ---- what libopusfile calls ---- */

static int read_input(void *context, unsigned char *to, int size)
{
	struct decode *decode = context;

	return size > 0 ? (int)ogg_pages_read(&decode->pages, to, (size_t)size) : 0;
}

/* Channels that nobody has given a place (255), ambisonics (2 and 3) and families to come: the library takes some of
 * them for a broken header. */
static bool has_other_family(const struct decode *decode)
{
	const struct ogg_pages *pages = &decode->pages;

	return pages->head_filled > FAMILY_AT && pages->head[VERSION_AT] < 16 && pages->head[FAMILY_AT] > 1;
}

static session_result name_failure(int failure)
{
	switch (failure) {
	case OP_ENOTFORMAT:
		return WIRE_FAIL_SIGNATURE;
	case OP_EVERSION:
	case OP_EIMPL:
		return WIRE_FAIL_UNSUPPORTED;
	case OP_EBADHEADER:
		return WIRE_FAIL_HEADER;
	case OP_EFAULT:
		return WIRE_FAIL_LIMIT_MEMORY;
	default:
		return WIRE_FAIL_DATA;
	}
}

/* ---- the header ---- */

static session_result take_comments(struct decode *decode)
{
	const OpusTags *tags = op_tags(decode->file, -1);
	session_result result = WIRE_OK;

	for (int i = 0; tags && i < tags->comments && result == WIRE_OK; i++)
		result = tags_comment(decode->input.session, &decode->cover, tags->user_comments[i],
		                      (size_t)tags->comment_lengths[i]);
	return result;
}

static session_result announce(struct decode *decode)
{
	const struct wire_request *request = session_request(decode->input.session);
	const OpusHead *head = op_head(decode->file, -1);
	struct wire_audio *audio = &decode->audio;

	if (!head || head->channel_count < 1 || head->channel_count > CHANNELS_MAX)
		return WIRE_FAIL_UNSUPPORTED;
	audio->rate = RATE;
	audio->channels = (uint32_t)head->channel_count;
	audio->depth = 16;
	audio->sample_format = session_choose_samples(decode->input.session, audio->depth, false);
	audio->flags = WIRE_AUDIO_LOSSY | (decode->cover.seen ? WIRE_AUDIO_COVER : 0);
	audio->channel_layout = samples_usual_layout(audio->channels);
	audio->flags |= audio->channels >= 3 ? WIRE_AUDIO_VORBIS_ORDER : 0;
	audio->frames = WIRE_UNKNOWN;
	if (request->operation == WIRE_INFO && (request->flags & WIRE_FINITE))
		audio->frames = ogg_pages_measure(&decode->pages); /* without decoding it */
	return session_audio(decode->input.session, audio);
}

/* ---- the samples ---- */

static void put_samples(const void *context, uint8_t *room, size_t first, size_t count)
{
	const struct decode *decode = context;
	enum wire_sample_format format = (enum wire_sample_format)decode->audio.sample_format;
	uint32_t channels = decode->audio.channels;

	samples_put_floats(format, room, wire_sample_bytes[format], decode->samples + first * channels,
	                   count * channels);
}

static session_result send_frames(struct decode *decode, size_t count)
{
	/* As opusdec does: what is beyond full scale is bent, not cut. */
	if (decode->audio.sample_format != WIRE_F32)
		opus_pcm_soft_clip(decode->samples, (int)count, (int)decode->audio.channels, decode->clip);
	session_result result = session_send_samples(decode->input.session, count, put_samples, decode);
	if (result == WIRE_OK)
		decode->frames += count;
	return result;
}

/* A chained stream may go on with other channels; those that were announced stay.  The library mixes to two, as opusdec
 * lets it do where it cannot look ahead. */
static int read_frames(struct decode *decode)
{
	uint32_t channels = decode->audio.channels;

	if (channels <= 2) {
		int count = op_read_float_stereo(decode->file, decode->samples, PACKET_MAX * 2);
		for (ptrdiff_t i = 0; channels == 1 && i < count; i++)
			decode->samples[i] = (decode->samples[2 * i] + decode->samples[2 * i + 1]) / 2;
		return count;
	}
	int count = op_read_float(decode->file, decode->samples, PACKET_MAX * CHANNELS_MAX, NULL);
	const OpusHead *head = op_head(decode->file, -1);
	if (count > 0 && head && head->channel_count != (int)channels)
		opus_mix(decode->samples, (size_t)count, (uint32_t)head->channel_count, channels);
	return count;
}

static session_result decode_audio(struct decode *decode)
{
	struct session *session = decode->input.session;

	for (;;) {
		int count = read_frames(decode);
		session_result result = ogg_pages_tell_losses(&decode->pages, session);
		if (result != WIRE_OK)
			return result;
		if (count == 0)
			break;
		if (count == OP_HOLE) /* of these the pages tell */
			continue;
		if (count == OP_EBADPACKET || count == OP_EBADLINK)
			result = session_loss(session, WIRE_FAIL_DATA);
		else if (count < 0)
			result = session_damage(session, name_failure(count));
		else
			result = send_frames(decode, (size_t)count);
		if (result != WIRE_OK)
			return result;
	}
	return ogg_pages_check_end(&decode->pages, session, decode->frames);
}

static session_result decode_stream(struct decode *decode)
{
	session_result result = take_comments(decode);

	if (result == WIRE_OK && session_request(decode->input.session)->operation == WIRE_COVER)
		return cover_send(&decode->cover, decode->input.session);
	if (result == WIRE_OK)
		result = announce(decode);
	return result == WIRE_OK ? decode_audio(decode) : result;
}

static session_result decode_opus(struct session *session)
{
	static const OpusFileCallbacks callbacks = { .read = read_input };
	struct decode *decode = calloc(1, sizeof(*decode)); /* much for a stack */
	int failure = 0;

	if (!decode)
		return WIRE_FAIL_LIMIT_MEMORY;
	decode->input.session = session;
	ogg_pages_init(&decode->pages, &decode->input, "OpusHead", 8);
	ogg_pages_count_with(&decode->pages, count_samples, decode);
	decode->file = op_open_callbacks(decode, &callbacks, NULL, 0, &failure);
	session_result result = WIRE_OK;
	if (decode->file)
		result = decode_stream(decode);
	else if (failure != OP_EFAULT && has_other_family(decode))
		result = WIRE_FAIL_UNSUPPORTED;
	else
		result = ogg_pages_name_failure(&decode->pages, name_failure(failure));
	op_free(decode->file);
	ogg_pages_release(&decode->pages);
	cover_release(&decode->cover);
	free(decode);
	return result;
}

/* The library says its name, too. */
static const char *version(void)
{
	const char *text = opus_get_version_string();
	const char *last = strrchr(text, ' ');

	return last ? last + 1 : text;
}

const struct decoder decoder = {
	.name = "opus", .library = "libopus", .version = version, .gives_covers = true, .decode = decode_opus
};
