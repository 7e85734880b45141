/* SPDX-License-Identifier: MIT */
/*
 * MP3, and layers I and II, by libmpg123: without the samples that the encoder added, where the file tells how many.
 *
 * pkg-config: libmpg123
 */
#include <errno.h>
#include <mpg123.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/runtime/decoder.h"
#include "decoders/sound/samples.h"
#include "mp3_source.h"

struct decode {
	struct mp3_source source;
	struct session *session;
	mpg123_handle *mpg123;
	struct wire_audio audio;
	uint64_t next_frame; /* where the next frame should start, in what libmpg123 has read; 0: not known */
	uint64_t frames;     /* sample frames decoded */
};

/* ---- what libmpg123 calls ---- */

static ssize_t read_input(void *context, void *to, size_t size)
{
	struct decode *decode = context;

	return (ssize_t)mp3_source_read(&decode->source, to, size);
}

/* As a pipe does it.  Version 1.32 wants one. */
static off_t seek_input(void *context, off_t offset, int whence)
{
	(void)context;
	(void)offset;
	(void)whence;
	errno = ESPIPE;
	return -1;
}

/* ---- set-up ---- */

/* Why libmpg123 will not decode.  It has no code for all that it refuses. */
static session_result name_failure(int failure)
{
	switch (failure) {
	case MPG123_OUT_OF_MEM:
	case MPG123_NO_BUFFERS:
	case MPG123_ERR_16TO8TABLE:
		return WIRE_FAIL_LIMIT_MEMORY;
	case MPG123_ERR_READER:
	case MPG123_OUT_OF_SYNC:
	case MPG123_RESYNC_FAIL:
		return WIRE_FAIL_DATA;
	default:
		return WIRE_FAIL_UNSUPPORTED;
	}
}

static session_result open_decoder(struct decode *decode)
{
	int failure = MPG123_OK;

	decode->mpg123 = mpg123_new(NULL, &failure);
	if (!decode->mpg123)
		return name_failure(failure);
	/* Quiet: there is nowhere to print to.  Damage of any length is searched for the next frame. */
	const long flags = MPG123_QUIET | MPG123_SEEKBUFFER | MPG123_NO_PEEK_END | MPG123_SKIP_ID3V2;
	if (mpg123_param(decode->mpg123, MPG123_ADD_FLAGS, flags, 0) != MPG123_OK ||
	    mpg123_param(decode->mpg123, MPG123_RESYNC_LIMIT, -1, 0) != MPG123_OK ||
	    mpg123_replace_reader_handle(decode->mpg123, read_input, seek_input, NULL) != MPG123_OK ||
	    mpg123_open_handle(decode->mpg123, decode) != MPG123_OK)
		return name_failure(mpg123_errcode(decode->mpg123));
	return WIRE_OK;
}

/* Any rate and one or two channels, as they come, in the sample format of the wire. */
static session_result choose_format(struct decode *decode)
{
	static const int encodings[WIRE_SAMPLE_FORMATS] = { [WIRE_S16] = MPG123_ENC_SIGNED_16,
		                                            [WIRE_S24] = MPG123_ENC_SIGNED_24,
		                                            [WIRE_S32] = MPG123_ENC_SIGNED_32,
		                                            [WIRE_F32] = MPG123_ENC_FLOAT_32 };
	const long *rates = NULL;
	size_t count = 0;

	decode->audio.depth = 16;
	decode->audio.sample_format = session_choose_samples(decode->session, decode->audio.depth, false);
	if (decode->audio.sample_format == WIRE_SAMPLE_FORMATS || mpg123_format_none(decode->mpg123) != MPG123_OK)
		return WIRE_FAIL_UNSUPPORTED;
	mpg123_rates(&rates, &count);
	for (size_t i = 0; i < count; i++)
		if (mpg123_format(decode->mpg123, rates[i], MPG123_MONO | MPG123_STEREO,
		                  encodings[decode->audio.sample_format]) != MPG123_OK)
			return WIRE_FAIL_UNSUPPORTED;
	return WIRE_OK;
}

/* Should rate or channels change later on, libmpg123 converts to those of the start. */
static session_result keep_format(struct decode *decode)
{
	struct wire_audio *audio = &decode->audio;
	long rate = 0;
	int channels = 0, encoding = 0;

	if (mpg123_getformat(decode->mpg123, &rate, &channels, &encoding) != MPG123_OK || rate <= 0 || channels <= 0)
		return WIRE_FAIL_DATA;
	audio->rate = (uint32_t)rate;
	audio->channels = (uint32_t)channels;
	if (mpg123_format_none(decode->mpg123) != MPG123_OK ||
	    mpg123_format(decode->mpg123, rate, channels, encoding) != MPG123_OK)
		return WIRE_FAIL_UNSUPPORTED;
	return WIRE_OK;
}

/* ---- the header ---- */

/* Parses the rest without decoding it, where the file does not say how long it is. */
static off_t measure(struct decode *decode)
{
	const uint64_t rate = decode->audio.rate;
	uint64_t length = 0;

	/* The first is parsed already. */
	do {
		struct mpg123_frameinfo info;
		uint64_t samples = (uint64_t)mpg123_spf(decode->mpg123);
		/* All that comes is of the first one's rate. */
		if (mpg123_info(decode->mpg123, &info) == MPG123_OK && info.rate > 0 && (uint64_t)info.rate != rate)
			samples = samples * rate / (uint64_t)info.rate;
		length += samples;
	} while (mpg123_framebyframe_next(decode->mpg123) == MPG123_OK);
	return (off_t)length;
}

static session_result announce(struct decode *decode)
{
	const struct wire_request *request = session_request(decode->session);
	bool whole = request->operation == WIRE_INFO && (request->flags & WIRE_FINITE);
	struct wire_audio *audio = &decode->audio;
	session_result result = keep_format(decode);

	if (result != WIRE_OK)
		return result;
	/* Without a number of frames, a number of bytes would be taken for a guess. */
	(void)mpg123_set_filesize(decode->mpg123, -1);
	off_t length = mpg123_framelength(decode->mpg123) > 0 ? mpg123_length(decode->mpg123) : 0;
	if (length <= 0 && whole)
		length = measure(decode);
	if (whole && !decode->source.tagged) {
		uint8_t rest[512];
		while (mp3_source_read(&decode->source, rest, sizeof(rest)) > 0)
			;
		if (!decode->source.tagged)
			id3_take_v1(decode->session, decode->source.last);
	}
	if (decode->source.tag != WIRE_OK)
		return decode->source.tag;
	audio->channel_layout = samples_usual_layout(audio->channels);
	audio->flags = WIRE_AUDIO_LOSSY | (decode->source.cover.seen ? WIRE_AUDIO_COVER : 0);
	audio->frames = length > 0 ? (uint64_t)length : WIRE_UNKNOWN;
	return session_audio(decode->session, audio);
}

/* ---- the samples ---- */

/* Whether bytes were skipped between the last frame and this one. */
static session_result check_place(struct decode *decode)
{
	struct mpg123_frameinfo info;
	uint64_t place = (uint64_t)mpg123_framepos(decode->mpg123);
	session_result result = WIRE_OK;

	if (mpg123_info(decode->mpg123, &info) != MPG123_OK)
		return WIRE_OK;
	if (decode->next_frame > 0 && place > decode->next_frame)
		result = session_loss(decode->session, WIRE_FAIL_DATA);
	decode->next_frame = place + (uint64_t)info.framesize;
	return result;
}

/* Samples as libmpg123 gives them: as they cross the wire. */
struct bytes {
	const uint8_t *data;
	size_t frame; /* bytes of a sample frame */
};

static void put_bytes(const void *context, uint8_t *room, size_t first, size_t count)
{
	const struct bytes *bytes = context;

	memcpy(room, bytes->data + first * bytes->frame, count * bytes->frame);
}

static session_result send_bytes(struct decode *decode, const uint8_t *data, size_t size)
{
	struct bytes bytes = {
		.data = data,
		.frame = (size_t)decode->audio.channels * wire_sample_bytes[decode->audio.sample_format],
	};
	size_t count = size / bytes.frame;
	session_result result = session_send_samples(decode->session, count, put_bytes, &bytes);

	if (result == WIRE_OK)
		decode->frames += count;
	return result;
}

/* libmpg123 cannot go on. */
static session_result end_audio(struct decode *decode, int status)
{
	int failure = mpg123_errcode(decode->mpg123);

	if (status == MPG123_ERR && name_failure(failure) == WIRE_FAIL_LIMIT_MEMORY)
		return WIRE_FAIL_LIMIT_MEMORY;
	if (decode->frames == 0 && decode->audio.rate == 0)
		return WIRE_FAIL_DATA;
	bool cut = status == MPG123_ERR && failure == MPG123_ERR_READER;
	if (decode->frames == 0)
		return session_damage(decode->session, cut ? WIRE_FAIL_TRUNCATED : WIRE_FAIL_DATA);
	if (status != MPG123_DONE && !cut)
		return session_damage(decode->session, WIRE_FAIL_DATA);
	/* mpg123 takes any end for the end, and there are test vectors that it must take it for: only the strict care.
	 */
	bool short_of = decode->audio.frames != WIRE_UNKNOWN && decode->frames < decode->audio.frames;
	return cut || short_of ? session_loss(decode->session, WIRE_FAIL_TRUNCATED) : WIRE_OK;
}

static session_result decode_audio(struct decode *decode)
{
	session_result result = WIRE_OK;

	while (result == WIRE_OK) {
		unsigned char *bytes = NULL;
		size_t size = 0;
		off_t number = 0;
		int status = mpg123_decode_frame(decode->mpg123, &number, &bytes, &size);
		if (status == MPG123_NEW_FORMAT && decode->audio.rate == 0)
			result = announce(decode);
		else if (status == MPG123_OK)
			result = check_place(decode);
		else if (status != MPG123_NEW_FORMAT)
			return end_audio(decode, status);
		if (result == WIRE_OK && size > 0)
			result = send_bytes(decode, bytes, size);
	}
	return result;
}

static session_result decode_stream(struct decode *decode)
{
	session_result result = mp3_source_start(&decode->source);

	if (result == WIRE_OK && session_request(decode->session)->operation == WIRE_COVER)
		return cover_send(&decode->source.cover, decode->session);
	if (result == WIRE_OK)
		result = open_decoder(decode);
	if (result == WIRE_OK)
		result = choose_format(decode);
	return result == WIRE_OK ? decode_audio(decode) : result;
}

static session_result decode_mp3(struct session *session)
{
	struct decode decode = { .session = session, .source.input.session = session };

	decode.source.wants_tags = session_request(session)->operation == WIRE_INFO;
	session_result result = decode_stream(&decode);
	mpg123_delete(decode.mpg123);
	mp3_source_release(&decode.source);
	return result;
}

static void initialise(void)
{
	(void)mpg123_init();
}

#define STRING(number) #number
#define STRING_OF(number) STRING(number)

/* Older versions do not tell which they are: this is the interface with which the program was built. */
static const char *version(void)
{
	return "API " STRING_OF(MPG123_API_VERSION);
}

const struct decoder decoder = { .name = "mp3",
	                         .library = "libmpg123",
	                         .version = version,
	                         .initialise = initialise,
	                         .gives_covers = true,
	                         .decode = decode_mp3 };
