/* SPDX-License-Identifier: MIT */
/* Sound that is hostile, endless, or given up: what holds of pictures holds of it. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/recognise/registry.h"
#include "tests/support/library_sound.h"

#define TONE "samples/wav/tone-s16.wav"

static enum sdec_status decode(struct sdec_pool *decoder, const char *text, struct sdec_audio *audio,
                               struct sdec_result *result)
{
	static const struct sdec_limits limits = { .size = sizeof(limits), .max_output = 16 << 20, .stall_seconds = 1 };
	struct sdec_request request = { .size = sizeof(request), .limits = &limits };
	struct sdec_input input = text_input(text);

	*audio = (struct sdec_audio){ .size = sizeof(*audio) };
	*result = (struct sdec_result){ .size = sizeof(*result) };
	return sdec_decode_audio(decoder, &input, &request, audio, result);
}

Test(library_sound_attacks, lies)
{
	static const char *const lies[] = {
		"announce 0 2 0 100",             /* no rate */
		"announce 1048576 2 0 100",       /* too high */
		"announce 4294967295 2 0 100",    /* absurd */
		"announce 8000 0 0 100",          /* no channels */
		"announce 8000 65 0 100",         /* too many */
		"announce 8000 4294967295 0 100", /* absurd */
		"announce 8000 2 7 100",          /* three speakers for two channels */
		"announce 8000 2 4294967295 100", /* speakers that do not exist */
		"part",
		"picture",
		"losses 0 1",
		"losses 2 1",
		"losses 1 1", /* half a frame; not sound; no more than before */
		"tags 129",
		"binary 0",
		"binary 99",
	};
	struct sdec_pool *decoder = open_hostile(NULL);

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct sdec_audio audio;
		struct sdec_result result;
		char text[64];
		(void)snprintf(text, sizeof(text), "HOSTAUD %s", lies[i]);
		cr_assert_eq(decode(decoder, text, &audio, &result), SDEC_KILLED, "%s: %s", lies[i], result.reason);
		cr_assert_not_null(strstr(result.reason, "lied"), "%s: %s", lies[i], result.reason);
		cr_assert_null(audio.samples);
		cr_assert_eq(audio.allocated, 0);
		cr_assert_eq(audio.sample_frames, 0);
	}
	expect_works(decoder);
	sdec_pool_close(&decoder);
}

/* What a header promises is a hint: nothing is allocated for it. */
Test(library_sound_attacks, a_length_without_samples)
{
	struct sdec_pool *decoder = open_hostile(NULL);
	struct sdec_audio audio;
	struct sdec_result result;

	cr_assert_eq(decode(decoder, "HOSTAUD promise 18446744073709551614", &audio, &result), SDEC_OK, "%s",
	             result.reason);
	cr_assert_eq(audio.sample_frames, 100);
	cr_assert_eq(audio.samples_size, 400);
	cr_assert_lt(audio.allocated, 1 << 20);
	sdec_audio_free(&audio);
	cr_assert_eq(decode(decoder, "HOSTAUD promise 1", &audio, &result), SDEC_OK);
	cr_assert_eq(audio.sample_frames, 100);
	sdec_audio_free(&audio);
	cr_assert_eq(decode(decoder, "HOSTAUD tags 128", &audio, &result), SDEC_OK);
	sdec_audio_free(&audio);
	sdec_pool_close(&decoder);
}

Test(library_sound_attacks, crashes_floods_and_stalls)
{
	static const struct {
		const char *text;
		enum sdec_status status;
		uint32_t limit;
	} attacks[] = {
		{ "HOSTAUD crash 100000 8", SDEC_KILLED, SDEC_LIMIT_NONE },
		{ "HOSTAUD crash 0 8", SDEC_KILLED, SDEC_LIMIT_NONE },
		{ "HOSTAUD flood", SDEC_KILLED, SDEC_LIMIT_NONE }, /* a decoder that keeps the limit says so itself */
		{ "HOSTAUD spin 100000", SDEC_LIMIT, SDEC_LIMIT_STALL },
	};
	struct sdec_pool *decoder = open_hostile(NULL);

	expect_works(decoder);
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		struct sdec_audio audio;
		struct sdec_result result;
		uint64_t before = now_milliseconds();
		cr_assert_eq(decode(decoder, attacks[i].text, &audio, &result), attacks[i].status, "%s: %s",
		             attacks[i].text, result.reason);
		cr_assert_eq(result.limit, attacks[i].limit);
		cr_assert_null(audio.samples);
		cr_assert_lt(now_milliseconds() - before, 15000);
	}
	expect_works(decoder);
	sdec_pool_close(&decoder);
	cr_assert_eq(list_children(NULL, 0), 0);
}

/* What came before a crash was told, and is whole frames. */
Test(library_sound_attacks, a_stream_that_crashes)
{
	struct sdec_pool *decoder = open_hostile(NULL);
	struct sdec_input input = text_input("HOSTAUD crash 100000 8");
	struct heard heard = listen_to(decoder, &input, NULL);

	cr_assert_eq(heard.status, SDEC_KILLED);
	cr_assert_gt(heard.frames, 60000); /* what a decoder has not sent yet is gone */
	for (size_t i = 0; i < heard.size; i++)
		cr_assert_eq(heard.data[i] % 4, i % 4);
	cr_assert_eq(heard.result.signal, SIGSEGV);
	free(heard.data);
	sdec_pool_close(&decoder);
}

Test(library_sound_attacks, its_broker_is_killed)
{
	struct sdec_pool *decoder = open_hostile(NULL);
	struct sdec_limits limits = { .size = sizeof(limits), .max_output = UINT64_MAX };
	struct sdec_request request = { .size = sizeof(request), .limits = &limits };
	struct sdec_input input = text_input("HOSTAUD flood");
	struct sdec_stream *stream = NULL;
	struct heard heard = { .status = SDEC_OK };

	cr_assert_eq(sdec_stream_open(decoder, &input, &request, &stream), SDEC_OK);
	listen_on(&heard, stream, 4);
	cr_assert_gt(heard.frames, 0);
	cr_assert_eq(kill(the_broker(), SIGKILL), 0);
	listen_on(&heard, stream, -1);
	cr_assert_eq(heard.status, SDEC_KILLED);
	free(heard.data);
	sdec_stream_close(&stream);
	expect_works(decoder);
	sdec_pool_close(&decoder);
}

/* ---- endless ---- */

static long peak_kib(void)
{
	struct rusage usage;

	cr_assert_eq(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

/* A radio station that sends what `header` begins and silence follows, until nobody listens any more. */
static pid_t broadcast(const void *header, size_t size, int *listener, size_t piece)
{
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		static const uint8_t silence[1 << 16];
		(void)close(ends[0]);
		(void)signal(SIGPIPE, SIG_DFL);
		if (write(ends[1], header, size) != (ssize_t)size)
			_exit(1);
		while (write(ends[1], silence, piece) > 0)
			;
		_exit(1);
	}
	(void)close(ends[1]);
	*listener = ends[0];
	return pid;
}

/* 44100 Hz, stereo, 16 bits; the length is what a recorder writes that does not know it. */
static const uint8_t endless_wav[] = "RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\1\0\2\0\x44\xac\0\0\x10\xb1\2\0\4\0\x10\0"
                                     "data\xff\xff\xff\xff";

static const struct sdec_limits no_end = {
	.size = sizeof(no_end), .max_input = UINT64_MAX, .max_output = UINT64_MAX, .cpu_seconds = UINT32_MAX
};

Test(library_sound_endless, in_constant_memory)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct sdec_request request = { .size = sizeof(request), .limits = &no_end };
	struct sdec_event event = { .size = sizeof(event) };
	struct sdec_stream *stream = NULL;
	uint64_t frames = 0;
	long before = 0;
	int listener = -1;
	int status = 0;
	pid_t station = broadcast(endless_wav, sizeof(endless_wav) - 1, &listener, 1 << 16);
	struct sdec_input input = fd_input(listener);

	cr_assert_eq(sdec_stream_open(decoder, &input, &request, &stream), SDEC_OK);
	while (frames < 40000000) { /* 160 MB, a quarter of an hour */
		cr_assert_eq(sdec_stream_step(stream, &event), SDEC_OK);
		if (event.kind == SDEC_EVENT_INFO)
			cr_assert_eq(event.info->sample_frames, SDEC_UNKNOWN);
		frames += event.kind == SDEC_EVENT_SAMPLES ? event.sample_frames : 0;
		if (before == 0 && frames > 4000000)
			before = peak_kib();
	}
	cr_assert_lt(peak_kib() - before, 1024);
	sdec_stream_close(&stream);
	cr_assert_eq(close(listener), 0);
	cr_assert_eq(waitpid(station, &status, 0), station);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
	sdec_pool_close(&decoder);
}

/* Somebody listens: what has come is not kept back until there is more. */
Test(library_sound_endless, comes_at_once)
{
	enum { SECONDS = 1, PIECE = 4410 * 4 };
	static const uint8_t silence[PIECE];
	struct sdec_pool *decoder = open_decoder(NULL);
	struct sdec_request request = { .size = sizeof(request), .limits = &no_end };
	struct sdec_event event = { .size = sizeof(event) };
	struct sdec_stream *stream = NULL;
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(write(ends[1], endless_wav, sizeof(endless_wav) - 1), sizeof(endless_wav) - 1);
	struct sdec_input input = fd_input(ends[0]);
	cr_assert_eq(sdec_stream_open(decoder, &input, &request, &stream), SDEC_OK);
	for (uint64_t frames = 0, sent = 0; sent < 10 * PIECE;) {
		cr_assert_eq(write(ends[1], silence, PIECE), PIECE);
		sent += PIECE;
		uint64_t until = now_milliseconds() + 5000;
		while (frames < sent / 4) {
			cr_assert_eq(sdec_stream_step(stream, &event), SDEC_OK);
			frames += event.kind == SDEC_EVENT_SAMPLES ? event.sample_frames : 0;
			cr_assert_lt(now_milliseconds(), until, "%d frames of %d", (int)frames, (int)(sent / 4));
		}
	}
	sdec_stream_close(&stream);
	cr_assert_eq(close(ends[0]) + close(ends[1]), 0);
	sdec_pool_close(&decoder);
}

/* ---- given up ---- */

Test(library_sound, cancelled_at_every_event)
{
	static const char *const files[] = { "samples/flac/flac-multiple-album-artists-tags.flac",
		                             "samples/mp3/testcase-0star.mp3", "samples/opus/testcase.opus" };
	struct sdec_pool *decoder = open_decoder(NULL);

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct blob file = read_blob(files[i]);
		struct sdec_input input = memory_input(file.data, file.size);
		struct heard heard = { .status = SDEC_OK };
		size_t descriptors = 0;
		for (int events = 0; heard.ends == 0; events++) {
			struct sdec_stream *stream = NULL;
			heard = (struct heard){ .status = SDEC_OK };
			cr_assert_eq(sdec_stream_open(decoder, &input, NULL, &stream), SDEC_OK);
			listen_on(&heard, stream, events);
			cr_assert_eq(heard.status, SDEC_OK);
			free(heard.data);
			sdec_stream_close(&stream);
		}
		cr_assert_eq(list_children(NULL, 0), i + 1); /* a broker for each program */
		descriptors = count_descriptors();
		cr_assert_lt(descriptors, 64);
		free_blob(&file);
	}
	sdec_pool_close(&decoder);
	cr_assert_eq(list_children(NULL, 0), 0);
}

Test(library_sound_endless, a_deadline)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct sdec_limits limits = no_end;
	struct sdec_request request = { .size = sizeof(request), .limits = &limits };
	int listener = -1;

	limits.deadline_milliseconds = 500;
	pid_t station = broadcast(endless_wav, sizeof(endless_wav) - 1, &listener, 1 << 10);
	struct sdec_input input = fd_input(listener);
	struct sdec_stream *stream = NULL;
	struct sdec_event event = { .size = sizeof(event) };
	struct sdec_result result = { .size = sizeof(result) };
	enum sdec_status status = SDEC_OK;
	uint64_t until = now_milliseconds() + 15000;
	cr_assert_eq(sdec_stream_open(decoder, &input, &request, &stream), SDEC_OK);
	while ((status = sdec_stream_step(stream, &event)) == SDEC_OK)
		cr_assert_lt(now_milliseconds(), until);
	cr_assert_eq(status, SDEC_LIMIT);
	sdec_stream_result(stream, &result);
	cr_assert_eq(result.limit, SDEC_LIMIT_DEADLINE);
	sdec_stream_close(&stream);
	cr_assert_eq(close(listener), 0);
	cr_assert_eq(waitpid(station, NULL, 0), station);
	sdec_pool_close(&decoder);
}
