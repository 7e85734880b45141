/* SPDX-License-Identifier: MIT */
/*
 * Sound cards, by libasound, as a module: only what plays sound loads it.  Only samples that the wire reader has
 * counted come here.
 *
 * The device is opened behind a plug, ALSA's own layer that converts formats, rates and channels where the device needs
 * it and does nothing where it does not.
 */
#include <alsa/asoundlib.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "speaker.h"

extern const struct speaker_driver safe_decode_speaker;

/* Enough that nothing which delays a decoder for a moment is heard. */
enum { BUFFER_MICROSECONDS = 1000000, PERIOD_MICROSECONDS = 125000 };

struct alsa {
	snd_pcm_t *pcm;
	bool started;  /* it has a format, */
	size_t stride; /* and a sample frame has so many bytes */
};

static struct outcome failed(const char *reason, int error)
{
	return outcome_of_errno(SDEC_IO, reason, -error);
}

static void say_nothing(const char *file, int line, const char *function, int error, const char *format, ...)
{
	(void)file, (void)line, (void)function, (void)error, (void)format; /* the outcome says it */
}

/* Defines the plug, and only then says what is behind it, so that no name can be more than a name. */
static int define_plug(snd_config_t *top, const char *name)
{
	static const char text[] = "pcm.safe_decode { type plug slave.pcm \"\" }";
	snd_config_t *slave = NULL;
	snd_input_t *input = NULL;
	int error = snd_input_buffer_open(&input, text, sizeof(text) - 1);

	if (error < 0)
		return error;
	error = snd_config_load(top, input);
	(void)snd_input_close(input);
	if (error >= 0)
		error = snd_config_search(top, "pcm.safe_decode.slave.pcm", &slave);
	return error < 0 ? error : snd_config_set_string(slave, name);
}

static int open_plug(struct alsa *alsa, const char *name)
{
	snd_config_t *top = NULL;
	int error = snd_config_update();

	if (error >= 0)
		error = snd_config_copy(&top, snd_config);
	if (error < 0)
		return error; /* a copy that was not finished is gone already */
	error = define_plug(top, name);
	/* A card that is busy is an error, and nothing to wait for. */
	if (error >= 0)
		error = snd_pcm_open_lconf(&alsa->pcm, "safe_decode", SND_PCM_STREAM_PLAYBACK, SND_PCM_NONBLOCK, top);
	if (error >= 0)
		error = snd_pcm_nonblock(alsa->pcm, 0);
	(void)snd_config_delete(top);
	return error;
}

static struct outcome open_card(const char *name, void **context)
{
	struct alsa *alsa = calloc(1, sizeof(*alsa));
	int error = 0;

	*context = alsa;
	if (!alsa)
		return failed("no memory for the sound card", -ENOMEM);
	(void)snd_lib_error_set_handler(say_nothing);
	error = open_plug(alsa, name);
	return error < 0 ? failed("cannot open the sound card", error) : outcome_ok();
}

static int set_format(snd_pcm_t *pcm, const struct wire_audio *audio)
{
	static const snd_pcm_format_t formats[WIRE_SAMPLE_FORMATS] = {
		[WIRE_S16] = SND_PCM_FORMAT_S16_LE,
		[WIRE_S24] = SND_PCM_FORMAT_S24_3LE,
		[WIRE_S32] = SND_PCM_FORMAT_S32_LE,
		[WIRE_F32] = SND_PCM_FORMAT_FLOAT_LE,
	};
	unsigned buffer = BUFFER_MICROSECONDS, period = PERIOD_MICROSECONDS;
	snd_pcm_hw_params_t *wanted = NULL;
	int error = snd_pcm_hw_params_malloc(&wanted);

	if (error == 0)
		error = snd_pcm_hw_params_any(pcm, wanted);
	if (error >= 0)
		error = snd_pcm_hw_params_set_access(pcm, wanted, SND_PCM_ACCESS_RW_INTERLEAVED);
	if (error >= 0)
		error = snd_pcm_hw_params_set_format(pcm, wanted, formats[audio->sample_format]);
	if (error >= 0)
		error = snd_pcm_hw_params_set_channels(pcm, wanted, audio->channels);
	if (error >= 0)
		error = snd_pcm_hw_params_set_rate(pcm, wanted, audio->rate, 0);
	if (error >= 0)
		error = snd_pcm_hw_params_set_buffer_time_near(pcm, wanted, &buffer, NULL);
	if (error >= 0)
		error = snd_pcm_hw_params_set_period_time_near(pcm, wanted, &period, NULL);
	if (error >= 0)
		error = snd_pcm_hw_params(pcm, wanted);
	snd_pcm_hw_params_free(wanted);
	return error;
}

/* It starts by itself when the buffer is full but for a period, so that it starts with as much as it can have.  What
 * was played is overwritten with silence: else a card that runs on for a moment after the end plays old samples again.
 */
static int set_start(snd_pcm_t *pcm)
{
	snd_pcm_uframes_t buffer = 0, period = 0, boundary = 0;
	snd_pcm_sw_params_t *wanted = NULL;
	int error = snd_pcm_get_params(pcm, &buffer, &period);

	if (error == 0)
		error = snd_pcm_sw_params_malloc(&wanted);
	if (error == 0)
		error = snd_pcm_sw_params_current(pcm, wanted);
	if (error == 0)
		error = snd_pcm_sw_params_set_start_threshold(pcm, wanted, buffer > period ? buffer - period : 1);
	if (error == 0)
		error = snd_pcm_sw_params_set_avail_min(pcm, wanted, period);
	if (error == 0)
		error = snd_pcm_sw_params_get_boundary(wanted, &boundary);
	if (error == 0)
		error = snd_pcm_sw_params_set_silence_threshold(pcm, wanted, 0);
	if (error == 0)
		error = snd_pcm_sw_params_set_silence_size(pcm, wanted, boundary);
	if (error == 0)
		error = snd_pcm_sw_params(pcm, wanted);
	snd_pcm_sw_params_free(wanted);
	return error;
}

static struct outcome start(void *context, const struct wire_audio *audio)
{
	struct alsa *alsa = context;

	/* That of the sound before. */
	if (alsa->started)
		(void)snd_pcm_hw_free(alsa->pcm);
	alsa->started = true;
	alsa->stride = (size_t)audio->channels * wire_sample_bytes[audio->sample_format];
	int error = set_format(alsa->pcm, audio);
	if (error >= 0)
		error = set_start(alsa->pcm);
	return error < 0 ? failed("the sound card does not take this rate and number of channels", error)
	                 : outcome_ok();
}

static struct outcome play(void *context, const uint8_t *samples, size_t frames, uint64_t *gaps)
{
	struct alsa *alsa = context;

	while (frames > 0) {
		snd_pcm_sframes_t put = snd_pcm_writei(alsa->pcm, samples, frames);
		if (put == -EAGAIN || put == -EINTR)
			continue;
		if (put == -EPIPE)
			(*gaps)++;
		if (put < 0) {
			/* An underrun, or the machine was asleep: it goes on from here. */
			int error = snd_pcm_recover(alsa->pcm, (int)put, 1);
			if (error < 0)
				return failed("cannot play", error);
			continue;
		}
		samples += (size_t)put * alsa->stride;
		frames -= (size_t)put;
	}
	return outcome_ok();
}

static uint64_t pending(void *context)
{
	struct alsa *alsa = context;
	snd_pcm_sframes_t delay = 0;

	return snd_pcm_delay(alsa->pcm, &delay) == 0 && delay > 0 ? (uint64_t)delay : 0;
}

static struct outcome drain(void *context)
{
	struct alsa *alsa = context;
	int error = snd_pcm_drain(alsa->pcm);

	/* An underrun after the last sample is none. */
	return error < 0 && error != -EPIPE ? failed("cannot play", error) : outcome_ok();
}

static void stop(void *context)
{
	struct alsa *alsa = context;

	(void)snd_pcm_drop(alsa->pcm);
}

static void close_card(void *context)
{
	struct alsa *alsa = context;

	if (alsa->pcm)
		(void)snd_pcm_close(alsa->pcm);
	free(alsa);
}

__attribute__((visibility("default"))) const struct speaker_driver safe_decode_speaker = {
	.open = open_card,
	.start = start,
	.play = play,
	.pending = pending,
	.drain = drain,
	.stop = stop,
	.close = close_card,
};
