/* SPDX-License-Identifier: MIT */
/*
 * Ogg Vorbis, by libvorbisfile, as a stream: it is never asked to seek.
 *
 * pkg-config: vorbisfile vorbis ogg
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OV_EXCLUDE_STATIC_CALLBACKS
#include <vorbis/vorbisfile.h>

#include "decoders/runtime/decoder.h"
#include "decoders/runtime/input.h"
#include "decoders/sound/ogg_pages.h"
#include "decoders/sound/samples.h"
#include "decoders/sound/tags.h"

enum { PIECE = 4096 }; /* sample frames at a time */

struct decode {
	struct input input;
	struct ogg_pages pages;
	OggVorbis_File file;
	struct wire_audio audio;
	struct cover cover;
	uint64_t frames; /* sample frames decoded */
	long block;      /* size of the block of the last packet that was counted; 0: none was */
	bool no_memory;  /* the library had none for its input */
};

/* ---- the packets ---- */

/* Half of each block overlaps the next one.  What the headers say is known of the link that the library is at. */
static int64_t count_samples(void *context, const uint8_t *packet, size_t size)
{
	struct decode *decode = context;
	ogg_packet audio = { .packet = (unsigned char *)packet, .bytes = (long)size };

	if (size > 0 && (packet[0] & 1))
		return 0;
	if (!decode->file.vi || decode->file.current_serialno != decode->pages.serial)
		return -1;
	long last = decode->block;
	long block = vorbis_packet_blocksize(decode->file.vi, &audio);
	if (block < 0)
		return 0;
	decode->block = block;
	return last > 0 ? (last + block) / 4 : 0;
}

/* ---- what libvorbisfile calls ---- */

static size_t read_input(void *to, size_t size, size_t count, void *context)
{
	struct decode *decode = context;

	/* It asks for bytes; and 0 without an error is the end.  It does not look whether it has room for them. */
	decode->no_memory = to == NULL;
	errno = decode->no_memory ? ENOMEM : 0;
	if (decode->no_memory)
		return 0;
	return ogg_pages_read(&decode->pages, to, size * count) / size;
}

static session_result name_failure(const struct decode *decode, long failure)
{
	if (decode->no_memory)
		return WIRE_FAIL_LIMIT_MEMORY;
	switch (failure) {
	case OV_ENOTVORBIS:
		return WIRE_FAIL_SIGNATURE;
	case OV_EVERSION:
	case OV_EIMPL:
		return WIRE_FAIL_UNSUPPORTED;
	case OV_EBADHEADER:
		return WIRE_FAIL_HEADER;
	case OV_EFAULT:
		return WIRE_FAIL_LIMIT_MEMORY;
	default:
		return WIRE_FAIL_DATA;
	}
}

/* ---- the header ---- */

static session_result take_comments(struct decode *decode)
{
	const vorbis_comment *comments = ov_comment(&decode->file, -1);
	session_result result = WIRE_OK;

	for (int i = 0; comments && i < comments->comments && result == WIRE_OK; i++)
		result = tags_comment(decode->input.session, &decode->cover, comments->user_comments[i],
		                      (size_t)comments->comment_lengths[i]);
	return result;
}

static session_result announce(struct decode *decode)
{
	const struct wire_request *request = session_request(decode->input.session);
	const vorbis_info *info = ov_info(&decode->file, -1);
	struct wire_audio *audio = &decode->audio;

	if (!info || info->rate < 1 || info->rate > UINT32_MAX || info->channels < 1)
		return WIRE_FAIL_HEADER;
	audio->rate = (uint32_t)info->rate;
	audio->channels = (uint32_t)info->channels;
	audio->depth = 16;
	audio->sample_format = session_choose_samples(decode->input.session, audio->depth, false);
	audio->channel_layout = samples_usual_layout(audio->channels);
	audio->flags = WIRE_AUDIO_LOSSY | (decode->cover.seen ? WIRE_AUDIO_COVER : 0);
	if (audio->channels >= 3 && audio->channels <= 8)
		audio->flags |= WIRE_AUDIO_VORBIS_ORDER;
	audio->frames = WIRE_UNKNOWN;
	if (request->operation == WIRE_INFO && (request->flags & WIRE_FINITE))
		audio->frames = ogg_pages_measure(&decode->pages); /* without decoding it */
	return session_audio(decode->input.session, audio);
}

/* ---- the samples ---- */

/* Samples as libvorbis gives them: a plane for each channel. */
struct planes {
	const struct wire_audio *audio;
	float *const *samples;
};

static void put_planes(const void *context, uint8_t *room, size_t first, size_t count)
{
	const struct planes *planes = context;
	enum wire_sample_format format = (enum wire_sample_format)planes->audio->sample_format;
	uint32_t channels = planes->audio->channels;
	size_t sample = wire_sample_bytes[format];

	for (uint32_t channel = 0; channel < channels; channel++)
		samples_put_floats(format, room + channel * sample, channels * sample, planes->samples[channel] + first,
		                   count);
}

static session_result send_frames(struct decode *decode, float *const *samples, size_t count)
{
	struct planes planes = { .audio = &decode->audio, .samples = samples };

	return session_send_samples(decode->input.session, count, put_planes, &planes);
}

/* Whether the link that the samples belong to is like the first: nothing here could change what was announced. */
static bool goes_on_alike(struct decode *decode)
{
	const vorbis_info *info = ov_info(&decode->file, -1);

	return info && info->rate == (long)decode->audio.rate && info->channels == (int)decode->audio.channels;
}

/* A limit is no damage: what was decoded so far is no part of what could be had. */
static session_result fail(const struct decode *decode, long failure)
{
	session_result result = name_failure(decode, failure);

	if (result == WIRE_FAIL_LIMIT_MEMORY)
		return result;
	return session_damage(decode->input.session, (enum wire_failure)result);
}

static session_result decode_audio(struct decode *decode)
{
	struct session *session = decode->input.session;
	int link = 0, last_link = -1;

	for (;;) {
		float **planes = NULL;
		long count = ov_read_float(&decode->file, &planes, PIECE, &link);
		session_result result = ogg_pages_tell_losses(&decode->pages, session);
		if (result != WIRE_OK)
			return result;
		if (count == 0)
			break;
		/* Of holes the pages tell: here, the start of each link but the first is one, too. */
		if (count == OV_HOLE)
			continue;
		if (count == OV_EBADLINK)
			result = session_loss(session, WIRE_FAIL_DATA);
		else if (count < 0)
			result = fail(decode, count);
		else if (link != last_link && !goes_on_alike(decode))
			result = session_damage(session, WIRE_FAIL_UNSUPPORTED);
		if (result == WIRE_OK && count > 0) {
			last_link = link;
			decode->frames += (uint64_t)count;
			result = send_frames(decode, planes, (size_t)count);
		}
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

static session_result decode_vorbis(struct session *session)
{
	static const ov_callbacks callbacks = { .read_func = read_input };
	struct decode decode = { .input = { .session = session } };

	ogg_pages_init(&decode.pages, &decode.input, "\x01vorbis", 7);
	ogg_pages_count_with(&decode.pages, count_samples, &decode);
	int failure = ov_open_callbacks(&decode, &decode.file, NULL, 0, callbacks);
	session_result result = failure == 0 ? decode_stream(&decode)
	                                     : ogg_pages_name_failure(&decode.pages, name_failure(&decode, failure));

	if (failure == 0)
		(void)ov_clear(&decode.file);
	ogg_pages_release(&decode.pages);
	cover_release(&decode.cover);
	return result;
}

/* ---- what must not be done for the first time after lock-down ---- */

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, 1);
}

/* libvorbis sorts its codebooks, and the first time that qsort() has more to sort than fits its stack it asks the
 * kernel how much memory there is. */
static void initialise(void)
{
	uint8_t bytes[4096] = { 1 };

	qsort(bytes, sizeof(bytes), 1, compare);
}

/* The library says its name, too. */
static const char *version(void)
{
	const char *text = vorbis_version_string();
	const char *last = strrchr(text, ' ');

	return last ? last + 1 : text;
}

const struct decoder decoder = { .name = "vorbis",
	                         .library = "libvorbis",
	                         .version = version,
	                         .initialise = initialise,
	                         .gives_covers = true,
	                         .decode = decode_vorbis };
