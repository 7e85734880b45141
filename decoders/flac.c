/* SPDX-License-Identifier: MIT */
/*
 * FLAC, by libFLAC: bare and in Ogg.
 *
 * pkg-config: flac ogg
 */
#include <FLAC/stream_decoder.h>
#include <stdlib.h>
#include <string.h>

#include "decoder.h"
#include "input.h"
#include "ogg_pages.h"
#include "samples.h"
#include "tags.h"

/* As in broker/registry.c. */
enum variant {
	NATIVE,
	OGG,
	VARIANTS,
};

struct decode {
	struct input input;
	FLAC__StreamDecoder *flac;
	struct ogg_pages pages; /* of OGG */
	bool ogg;
	struct wire_audio audio;
	uint32_t layout; /* that a comment names, or 0 */
	bool announced;
	struct cover cover;
	uint64_t total;         /* sample frames that the header announces; 0: it does not say */
	uint64_t frames;        /* sample frames decoded */
	uint64_t consumed;      /* bytes that libFLAC read, */
	uint64_t frame_end;     /* and where the last good frame of NATIVE ended */
	bool damaged;           /* since the last good frame */
	bool lossy;             /* something was concealed or skipped: no checksum can match */
	session_result outcome; /* why libFLAC was told to stop; else WIRE_OK */
};

/* ---- what libFLAC calls ---- */

static FLAC__StreamDecoderReadStatus read_input(const FLAC__StreamDecoder *flac, FLAC__byte *to, size_t *size,
                                                void *context)
{
	struct decode *decode = context;
	const uint8_t *data = NULL;
	size_t part = input_look(&decode->input, &data);

	(void)flac;
	/* What is there now: a stream that comes slowly is not waited for. */
	if (*size > part)
		*size = part;
	if (part == 0)
		return FLAC__STREAM_DECODER_READ_STATUS_END_OF_STREAM;
	memcpy(to, data, *size);
	if (decode->ogg)
		ogg_pages_follow(&decode->pages, data, *size);
	input_used(&decode->input, *size);
	decode->consumed += *size;
	return FLAC__STREAM_DECODER_READ_STATUS_CONTINUE;
}

static FLAC__StreamDecoderTellStatus tell_input(const FLAC__StreamDecoder *flac, FLAC__uint64 *position, void *context)
{
	const struct decode *decode = context;

	(void)flac;
	*position = decode->consumed;
	return FLAC__STREAM_DECODER_TELL_STATUS_OK;
}

static session_result announce(struct decode *decode, uint32_t rate, uint32_t channels, uint32_t depth)
{
	struct wire_audio *audio = &decode->audio;

	audio->rate = rate;
	audio->channels = channels;
	audio->depth = depth;
	audio->sample_format = session_choose_samples(decode->input.session, depth, false);
	audio->channel_layout = samples_usual_layout(channels);
	if (decode->layout != 0 && (uint32_t)__builtin_popcount(decode->layout) == channels)
		audio->channel_layout = decode->layout;
	audio->frames = decode->total > 0 ? decode->total : WIRE_UNKNOWN;
	if (decode->cover.seen)
		audio->flags |= WIRE_AUDIO_COVER;
	decode->announced = true;
	return session_audio(decode->input.session, audio);
}

/* Samples as libFLAC gives them: a plane for each channel. */
struct planes {
	const struct wire_audio *audio;
	const FLAC__int32 *const *samples;
};

static void put_planes(const void *context, uint8_t *room, size_t first, size_t count)
{
	const struct planes *planes = context;
	const struct wire_audio *audio = planes->audio;
	size_t sample = wire_sample_bytes[audio->sample_format];

	for (uint32_t channel = 0; channel < audio->channels; channel++)
		samples_put_integers((enum wire_sample_format)audio->sample_format, room + channel * sample,
		                     audio->channels * sample, planes->samples[channel] + first, count, audio->depth);
}

static session_result send_frames(struct decode *decode, const FLAC__int32 *const samples[], size_t count)
{
	struct planes planes = { .audio = &decode->audio, .samples = samples };

	return session_send_samples(decode->input.session, count, put_planes, &planes);
}

/* What lies before a good frame: the announcement, if the file has no header, and the news of a loss. */
static session_result prepare_for(struct decode *decode, const FLAC__FrameHeader *header)
{
	session_result result = WIRE_OK;

	if (!decode->announced)
		result = announce(decode, header->sample_rate, header->channels, header->bits_per_sample);
	/* Of what lacks in Ogg its pages tell, which libFLAC passes over without a word. */
	bool pages_lack = decode->ogg && decode->pages.losses < decode->pages.gaps;
	if (result == WIRE_OK && pages_lack)
		result = ogg_pages_tell_losses(&decode->pages, decode->input.session);
	else if (result == WIRE_OK && decode->damaged)
		result = session_loss(decode->input.session, WIRE_FAIL_DATA);
	decode->lossy |= pages_lack || decode->damaged;
	decode->damaged = false;
	if (result == WIRE_OK &&
	    (header->sample_rate != decode->audio.rate || header->channels != decode->audio.channels ||
	     header->bits_per_sample != decode->audio.depth))
		result = session_damage(decode->input.session, WIRE_FAIL_UNSUPPORTED);
	return result;
}

static FLAC__StreamDecoderWriteStatus take_frame(const FLAC__StreamDecoder *flac, const FLAC__Frame *frame,
                                                 const FLAC__int32 *const planes[], void *context)
{
	struct decode *decode = context;

	/* An error may have ended it; libFLAC goes on until it is told here. */
	if (decode->outcome == WIRE_OK)
		decode->outcome = prepare_for(decode, &frame->header);
	if (decode->outcome == WIRE_OK)
		decode->outcome = send_frames(decode, planes, frame->header.blocksize);
	decode->frames += frame->header.blocksize;
	if (!decode->ogg)
		(void)FLAC__stream_decoder_get_decode_position(flac, &decode->frame_end);
	return decode->outcome == WIRE_OK ? FLAC__STREAM_DECODER_WRITE_STATUS_CONTINUE
	                                  : FLAC__STREAM_DECODER_WRITE_STATUS_ABORT;
}

static void take_comments(struct decode *decode, const FLAC__StreamMetadata_VorbisComment *comments)
{
	static const char mask[] = "WAVEFORMATEXTENSIBLE_CHANNEL_MASK=";
	enum { MASK = sizeof(mask) - 1 };

	for (uint32_t i = 0; i < comments->num_comments && decode->outcome == WIRE_OK; i++) {
		/* libFLAC puts a zero byte behind each. */
		const char *comment = (const char *)comments->comments[i].entry;
		size_t length = comments->comments[i].length;
		decode->outcome = tags_comment(decode->input.session, &decode->cover, comment, length);
		if (length > MASK && strncasecmp(comment, mask, MASK) == 0) {
			unsigned long layout = strtoul(comment + MASK, NULL, 16);
			decode->layout = layout < WIRE_SPEAKER_BIT(WIRE_SPEAKERS) ? (uint32_t)layout : 0;
		}
	}
}

static void take_metadata(const FLAC__StreamDecoder *flac, const FLAC__StreamMetadata *block, void *context)
{
	struct decode *decode = context;

	(void)flac;
	if (block->type == FLAC__METADATA_TYPE_STREAMINFO) {
		const FLAC__StreamMetadata_StreamInfo *info = &block->data.stream_info;
		decode->audio.rate = info->sample_rate;
		decode->audio.channels = info->channels;
		decode->audio.depth = info->bits_per_sample;
		decode->total = info->total_samples;
	} else if (block->type == FLAC__METADATA_TYPE_VORBIS_COMMENT) {
		take_comments(decode, &block->data.vorbis_comment);
	} else if (block->type == FLAC__METADATA_TYPE_PICTURE && decode->outcome == WIRE_OK) {
		const FLAC__StreamMetadata_Picture *picture = &block->data.picture;
		decode->outcome = cover_offer(&decode->cover, decode->input.session, picture->data,
		                              picture->data_length, picture->type);
	}
}

static void take_error(const FLAC__StreamDecoder *flac, FLAC__StreamDecoderErrorStatus status, void *context)
{
	struct decode *decode = context;

	(void)flac;
	if (status == FLAC__STREAM_DECODER_ERROR_STATUS_BAD_METADATA)
		session_note(decode->input.session, WIRE_NOTE_WARNINGS);
	else if (status == FLAC__STREAM_DECODER_ERROR_STATUS_UNPARSEABLE_STREAM && decode->outcome == WIRE_OK)
		decode->outcome = session_damage(decode->input.session, WIRE_FAIL_UNSUPPORTED);
	else
		decode->damaged = true;
}

/* ---- the decode ---- */

static session_result open_decoder(struct decode *decode)
{
	FLAC__StreamDecoderInitStatus status = FLAC__STREAM_DECODER_INIT_STATUS_OK;

	decode->flac = FLAC__stream_decoder_new();
	if (!decode->flac)
		return WIRE_FAIL_LIMIT_MEMORY;
	(void)FLAC__stream_decoder_set_md5_checking(decode->flac, true);
	(void)FLAC__stream_decoder_set_metadata_respond(decode->flac, FLAC__METADATA_TYPE_VORBIS_COMMENT);
	if (session_request(decode->input.session)->operation != WIRE_DECODE)
		(void)FLAC__stream_decoder_set_metadata_respond(decode->flac, FLAC__METADATA_TYPE_PICTURE);
	if (decode->ogg)
		status = FLAC__stream_decoder_init_ogg_stream(decode->flac, read_input, NULL, NULL, NULL, NULL,
		                                              take_frame, take_metadata, take_error, decode);
	else
		status = FLAC__stream_decoder_init_stream(decode->flac, read_input, NULL, tell_input, NULL, NULL,
		                                          take_frame, take_metadata, take_error, decode);
	if (status == FLAC__STREAM_DECODER_INIT_STATUS_OK)
		return WIRE_OK;
	return status == FLAC__STREAM_DECODER_INIT_STATUS_MEMORY_ALLOCATION_ERROR ? WIRE_FAIL_LIMIT_MEMORY
	                                                                          : WIRE_FAIL_UNSUPPORTED;
}

/* Why libFLAC cannot go on, if it cannot. */
static session_result check_state(const struct decode *decode)
{
	FLAC__StreamDecoderState state = FLAC__stream_decoder_get_state(decode->flac);

	if (decode->outcome != WIRE_OK)
		return decode->outcome;
	if (state == FLAC__STREAM_DECODER_MEMORY_ALLOCATION_ERROR)
		return WIRE_FAIL_LIMIT_MEMORY;
	if (state > FLAC__STREAM_DECODER_END_OF_STREAM)
		return session_damage(decode->input.session, WIRE_FAIL_DATA);
	return WIRE_OK;
}

static bool is_over(const struct decode *decode)
{
	return FLAC__stream_decoder_get_state(decode->flac) == FLAC__STREAM_DECODER_END_OF_STREAM;
}

static session_result decode_metadata(struct decode *decode)
{
	(void)FLAC__stream_decoder_process_until_end_of_metadata(decode->flac);
	session_result result = check_state(decode);
	if (result != WIRE_OK)
		return result;
	if (decode->damaged)
		return WIRE_FAIL_SIGNATURE;
	if (is_over(decode))
		return WIRE_FAIL_TRUNCATED;
	if (session_request(decode->input.session)->operation == WIRE_COVER)
		return cover_send(&decode->cover, decode->input.session);
	/* Without a header, the first frame says what comes. */
	if (decode->audio.rate == 0)
		return WIRE_OK;
	return announce(decode, decode->audio.rate, decode->audio.channels, decode->audio.depth);
}

/* The input is at its end.  Whether the audio is, too. */
static session_result check_end(struct decode *decode)
{
	if (decode->frames == 0 && (decode->damaged || !decode->announced))
		return WIRE_FAIL_DATA;
	bool rest = !decode->ogg && decode->frames > 0 && decode->consumed > decode->frame_end;
	if (decode->total > 0 ? decode->frames < decode->total : rest)
		return session_damage(decode->input.session, WIRE_FAIL_TRUNCATED);
	if (decode->ogg && decode->total == 0) {
		session_result result = ogg_pages_check_end(&decode->pages, decode->input.session, decode->frames);
		if (result != WIRE_OK)
			return result;
	}
	/* The checksum is that of all samples. */
	if (!FLAC__stream_decoder_finish(decode->flac) && !decode->lossy)
		return session_damage(decode->input.session, WIRE_FAIL_CHECKSUM);
	return WIRE_OK;
}

static session_result decode_audio(struct decode *decode)
{
	session_result result = decode_metadata(decode);

	while (result == WIRE_OK && !is_over(decode)) {
		(void)FLAC__stream_decoder_process_single(decode->flac);
		result = check_state(decode);
	}
	return result == WIRE_OK ? check_end(decode) : result;
}

static session_result decode_flac(struct session *session)
{
	struct decode decode = { .input = { .session = session } };
	uint32_t variant = session_request(session)->variant;

	if (variant >= VARIANTS)
		return WIRE_FAIL_UNSUPPORTED;
	decode.ogg = variant == OGG;
	ogg_pages_init(&decode.pages);
	session_result result = open_decoder(&decode);
	if (result == WIRE_OK)
		result = decode_audio(&decode);
	if (decode.flac)
		FLAC__stream_decoder_delete(decode.flac);
	ogg_pages_release(&decode.pages);
	cover_release(&decode.cover);
	return result;
}

static const char *version(void)
{
	return FLAC__VERSION_STRING;
}

const struct decoder decoder = { .name = "flac", .library = "libFLAC", .version = version, .gives_covers = true, .decode = decode_flac };
