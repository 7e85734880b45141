/* SPDX-License-Identifier: MIT */
/*
 * FLAC, by libFLAC: bare and in Ogg.
 *
 * pkg-config: flac ogg
 */
#include <FLAC/stream_decoder.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/runtime/decoder.h"
#include "decoders/runtime/input.h"
#include "decoders/sound/id3.h"
#include "decoders/sound/samples.h"
#include "decoders/sound/tags.h"
#include "flac_bare.h"
#include "flac_ogg.h"

/* As in broker/recognise/registry.c. */
enum variant {
	NATIVE,
	OGG,
	VARIANTS,
};

struct decode {
	struct input input;
	FLAC__StreamDecoder *flac;
	struct flac_bare bare; /* of NATIVE */
	struct flac_ogg links; /* of OGG */
	bool ogg;
	struct wire_audio audio; /* as it was announced */
	uint32_t layout;         /* that a comment names, or 0 */
	bool announced;
	struct cover cover;

	/* Of a bare file, or of one link in Ogg. */
	bool later;               /* it is not the first */
	struct wire_audio header; /* rate, channels and depth; all 0: there is no header */
	uint64_t total;           /* sample frames that the header announces; 0: it does not say */
	uint64_t frames;          /* sample frames decoded */
	uint64_t consumed;        /* bytes that libFLAC read, */
	uint64_t frame_end;       /* and where the last good frame ended */
	enum wire_failure damage; /* since the last good frame */

	uint64_t all_frames;    /* of all links */
	session_result outcome; /* why libFLAC was told to stop; else WIRE_OK */
};

/* ---- what libFLAC calls ---- */

/* What is there now: a stream that comes slowly is not waited for. */
static size_t read_some(struct decode *decode, FLAC__byte *to, size_t size)
{
	if (decode->ogg)
		return flac_ogg_read(&decode->links, to, size);
	/* Behind frames that were counted before, libFLAC reads nothing. */
	return flac_bare_read(&decode->bare, to, size, decode->total == 0 ? decode->frame_end : 0);
}

static FLAC__StreamDecoderReadStatus read_input(const FLAC__StreamDecoder *flac, FLAC__byte *to, size_t *size,
                                                void *context)
{
	struct decode *decode = context;

	(void)flac;
	*size = read_some(decode, to, *size);
	decode->consumed += *size;
	return *size > 0 ? FLAC__STREAM_DECODER_READ_STATUS_CONTINUE : FLAC__STREAM_DECODER_READ_STATUS_END_OF_STREAM;
}

static FLAC__StreamDecoderTellStatus tell_input(const FLAC__StreamDecoder *flac, FLAC__uint64 *position, void *context)
{
	const struct decode *decode = context;

	(void)flac;
	*position = decode->consumed;
	return FLAC__STREAM_DECODER_TELL_STATUS_OK;
}

static bool is_over(const struct decode *decode)
{
	return FLAC__stream_decoder_get_state(decode->flac) >= FLAC__STREAM_DECODER_END_OF_STREAM;
}

/* Counts the sample frames of a bare file without decoding them. */
static uint64_t count_frames(struct decode *decode)
{
	uint64_t frames = 0;

	while (!is_over(decode) && FLAC__stream_decoder_skip_single_frame(decode->flac)) {
		if (is_over(decode))
			break;
		frames += FLAC__stream_decoder_get_blocksize(decode->flac);
		(void)FLAC__stream_decoder_get_decode_position(decode->flac, &decode->frame_end);
	}
	return frames;
}

/* How long the sound is.  What the header of a link says is not all, if others follow. */
static uint64_t find_length(struct decode *decode)
{
	const struct wire_request *request = session_request(decode->input.session);
	uint64_t frames = decode->total;

	if (request->operation == WIRE_INFO && (request->flags & WIRE_FINITE) && !decode->announced) {
		uint64_t measured = decode->ogg ? ogg_pages_measure(&decode->links.pages) : 0;
		if (decode->links.pages.length > 0 || frames == 0)
			frames = decode->ogg ? measured : count_frames(decode);
	}
	return frames > 0 ? frames : WIRE_UNKNOWN;
}

static session_result announce(struct decode *decode)
{
	struct wire_audio *audio = &decode->audio;

	*audio = decode->header;
	audio->sample_format = session_choose_samples(decode->input.session, audio->depth, false);
	audio->channel_layout = samples_usual_layout(audio->channels);
	if (decode->layout != 0 && (uint32_t)__builtin_popcount(decode->layout) == audio->channels)
		audio->channel_layout = decode->layout;
	audio->frames = find_length(decode);
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

/* Nothing is concealed: lossless sound with a part missing is another sound. */
static session_result check_damage(struct decode *decode)
{
	const struct ogg_pages *pages = &decode->links.pages;

	if (decode->damage == WIRE_OK && pages->gaps == 0)
		return WIRE_OK;
	return session_damage(decode->input.session, decode->damage != WIRE_OK ? decode->damage : WIRE_FAIL_DATA);
}

/* What lies before a good frame: damage, and the announcement if the file has no header. */
static session_result prepare_for(struct decode *decode, const FLAC__FrameHeader *frame)
{
	struct wire_audio *header = &decode->header;
	session_result result = check_damage(decode);

	if (result != WIRE_OK)
		return result;
	if (header->rate == 0) {
		header->rate = frame->sample_rate;
		header->channels = frame->channels;
		header->depth = frame->bits_per_sample;
	}
	if (!decode->announced)
		result = announce(decode);
	if (result == WIRE_OK &&
	    (frame->sample_rate != decode->audio.rate || frame->channels != decode->audio.channels ||
	     frame->bits_per_sample != decode->audio.depth))
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
		decode->header.rate = info->sample_rate;
		decode->header.channels = info->channels;
		decode->header.depth = info->bits_per_sample;
		decode->total = info->total_samples;
	} else if (decode->later) {
		return; /* what the first link says goes for all */
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
	else if (decode->damage == WIRE_OK)
		decode->damage = status == FLAC__STREAM_DECODER_ERROR_STATUS_FRAME_CRC_MISMATCH ? WIRE_FAIL_CHECKSUM
		                                                                                : WIRE_FAIL_DATA;
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
	status = FLAC__stream_decoder_init_stream(decode->flac, read_input, NULL, tell_input, NULL, NULL, take_frame,
	                                          take_metadata, take_error, decode);
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
	if (state == FLAC__STREAM_DECODER_MEMORY_ALLOCATION_ERROR || decode->links.failed || decode->links.pages.failed)
		return WIRE_FAIL_LIMIT_MEMORY;
	if (decode->links.unsupported)
		return session_damage(decode->input.session, WIRE_FAIL_UNSUPPORTED);
	if (state > FLAC__STREAM_DECODER_END_OF_STREAM)
		return session_damage(decode->input.session, WIRE_FAIL_DATA);
	return WIRE_OK;
}

/* Whether there was a header, as far as that is needed. */
static session_result check_metadata(const struct decode *decode)
{
	session_result result = WIRE_OK;

	if (decode->damage != WIRE_OK)
		result = decode->later ? WIRE_FAIL_DATA : WIRE_FAIL_SIGNATURE;
	else if (is_over(decode))
		result = decode->ogg ? ogg_pages_name_failure(&decode->links.pages, WIRE_FAIL_TRUNCATED)
		                     : WIRE_FAIL_TRUNCATED;
	return result == WIRE_OK ? WIRE_OK : session_damage(decode->input.session, (enum wire_failure)result);
}

static session_result decode_metadata(struct decode *decode)
{
	(void)FLAC__stream_decoder_process_until_end_of_metadata(decode->flac);
	session_result result = check_state(decode);
	if (result == WIRE_OK)
		result = check_metadata(decode);
	if (result != WIRE_OK)
		return result;
	if (session_request(decode->input.session)->operation == WIRE_COVER)
		return cover_send(&decode->cover, decode->input.session);
	/* Without a header, the first frame says what comes. */
	return decode->header.rate == 0 || decode->announced ? WIRE_OK : announce(decode);
}

/* Whether something that is neither a frame nor a tag follows the last frame of a bare file. */
static bool has_rest(struct decode *decode)
{
	if (decode->ogg || decode->frames == 0)
		return false;
	if (!decode->bare.over)
		return decode->consumed > decode->frame_end;
	/* What libFLAC made of the tags, as far as it got them, hangs on how they came. */
	decode->damage = decode->bare.more ? WIRE_FAIL_DATA : WIRE_OK;
	return decode->bare.more;
}

/* libFLAC is at the end.  Whether the sound is, too. */
static session_result check_end(struct decode *decode)
{
	session_result result = WIRE_OK;

	if (decode->frames == 0 && (decode->damage != WIRE_OK || !decode->announced))
		return session_damage(decode->input.session, WIRE_FAIL_DATA);
	bool short_of = decode->total > 0 ? decode->frames < decode->total : has_rest(decode);
	if (short_of || decode->ogg)
		result = check_damage(decode);
	if (result == WIRE_OK && short_of)
		result = session_damage(decode->input.session, WIRE_FAIL_TRUNCATED);
	/* The checksum is that of all samples. */
	if (result == WIRE_OK && !FLAC__stream_decoder_finish(decode->flac))
		result = session_damage(decode->input.session, WIRE_FAIL_CHECKSUM);
	return result;
}

static session_result decode_link(struct decode *decode)
{
	session_result result = open_decoder(decode);

	if (result == WIRE_OK)
		result = decode_metadata(decode);
	while (result == WIRE_OK && !is_over(decode)) {
		(void)FLAC__stream_decoder_process_single(decode->flac);
		result = check_state(decode);
	}
	if (result == WIRE_OK)
		result = check_end(decode);
	if (decode->flac)
		FLAC__stream_decoder_delete(decode->flac);
	decode->flac = NULL;
	decode->all_frames += decode->frames;
	return result;
}

static session_result decode_links(struct decode *decode)
{
	struct flac_ogg *links = &decode->links;
	session_result result = decode_link(decode);

	while (result == WIRE_OK && flac_ogg_next_link(links)) {
		decode->later = true;
		decode->header = (struct wire_audio){ .rate = 0 };
		decode->total = decode->frames = 0;
		result = decode_link(decode);
	}
	if (links->failed || links->pages.failed)
		return WIRE_FAIL_LIMIT_MEMORY;
	if (result == WIRE_OK)
		result = check_damage(decode);
	/* What a header announced is there. */
	if (result != WIRE_OK || decode->total > 0)
		return result;
	return ogg_pages_check_end(&links->pages, decode->input.session, decode->all_frames);
}

static session_result decode_flac(struct session *session)
{
	struct decode decode = { .input = { .session = session } };
	uint32_t variant = session_request(session)->variant;

	if (variant >= VARIANTS)
		return WIRE_FAIL_UNSUPPORTED;
	decode.ogg = variant == OGG;
	decode.bare.input = &decode.input;
	flac_ogg_init(&decode.links, &decode.input);
	while (!decode.ogg && id3_skip(&decode.input))
		;
	session_result result = decode.ogg ? decode_links(&decode) : decode_link(&decode);
	flac_ogg_release(&decode.links);
	cover_release(&decode.cover);
	return result;
}

static const char *version(void)
{
	return FLAC__VERSION_STRING;
}

const struct decoder decoder = {
	.name = "flac", .library = "libFLAC", .version = version, .gives_covers = true, .decode = decode_flac
};
