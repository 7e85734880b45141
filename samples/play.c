/* SPDX-License-Identifier: MIT */
/*
 * A player that need not trust what it plays: an example of how sound comes from libsafe-decode.
 *
 *     play FILE...       "-" is standard input, which may have no end
 *
 * What is decoded waits in a queue of half a second.  While that is full no step is made: so the decoder waits, too,
 * and memory stays the same however long the sound is.  ^C ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <SDL2/SDL.h>

#include "broker/safe-decode.h"

enum {
	DEVICE_FRAMES = 2048, /* that the device takes at once */
	CHANNELS_MOST = 8,    /* as SDL has it */
	PATIENCE = 20,        /* milliseconds in which ^C may wait */
	INTERRUPTED = 130,    /* the exit code for it, as shells have it */
};

struct player {
	struct sdec_info info;
	SDL_AudioDeviceID device; /* 0: none yet */
	uint32_t frame_bytes, queue_most;
	uint8_t places[CHANNELS_MOST]; /* where SDL wants each channel */
	bool reorders;
	uint64_t frames, losses;
	enum sdec_status status; /* of this side; SDEC_OK: nothing has failed here, */
	const char *failure;     /* else what has */
};

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

/* Names and tags are the attacker's: nothing of them may reach the terminal but what it shows. */
static void print_escaped(const char *text, FILE *stream)
{
	for (; *text; text++)
		(void)fputc(*text >= 0x20 && *text < 0x7f ? *text : '?', stream);
}

/* ---- the device ---- */

/* SDL has the channels in the order of WAV: that of the speakers' numbers. */
static void find_places(struct player *player)
{
	const struct sdec_info *info = &player->info;

	player->reorders = info->channel_layout != 0;
	for (uint32_t channel = 0; channel < info->channels && player->reorders; channel++) {
		uint32_t before = 0;
		for (uint32_t other = 0; other < info->channels; other++)
			before += info->speakers[other] < info->speakers[channel];
		player->places[channel] = (uint8_t)before;
	}
}

static bool fail(struct player *player, enum sdec_status status, const char *failure)
{
	player->status = status;
	player->failure = failure;
	return false;
}

/* The header was read.  Returns false where there is no such device. */
static bool open_device(struct player *player, const struct sdec_info *info)
{
	SDL_AudioSpec wanted = {
		.freq = (int)info->rate,
		.format = AUDIO_F32LSB,
		.channels = (uint8_t)info->channels,
		.samples = DEVICE_FRAMES,
	};

	player->info = *info;
	if (info->kind == SDEC_KIND_IMAGE)
		return fail(player, SDEC_UNSUPPORTED, "no sound in it: it is a picture");
	if (info->kind != SDEC_KIND_AUDIO)
		return fail(player, SDEC_UNSUPPORTED, "no sound in it: it is compressed data");
	if (info->channels > CHANNELS_MOST)
		return fail(player, SDEC_UNSUPPORTED, "it has too many channels");
	player->frame_bytes = info->channels * (uint32_t)sizeof(float);
	player->queue_most = info->rate / 2 * player->frame_bytes;
	find_places(player);
	player->device = SDL_OpenAudioDevice(NULL, 0, &wanted, NULL, 0);
	return player->device != 0 || fail(player, SDEC_IO, SDL_GetError());
}

/* Puts the channels of some frames where SDL wants them. */
static void reorder(const struct player *player, float *samples, const float *given, size_t frames)
{
	uint32_t channels = player->info.channels;

	for (size_t frame = 0; frame < frames; frame++)
		for (uint32_t channel = 0; channel < channels; channel++)
			samples[frame * channels + player->places[channel]] = given[frame * channels + channel];
}

static bool queue(struct player *player, const struct sdec_event *event)
{
	static float ordered[DEVICE_FRAMES * CHANNELS_MOST];
	const uint8_t *data = event->data;
	size_t left = (size_t)event->sample_frames;

	player->frames += left;
	while (left > 0) {
		size_t part = player->reorders && left > DEVICE_FRAMES ? DEVICE_FRAMES : left;
		if (player->reorders)
			reorder(player, ordered, (const float *)(const void *)data, part);
		if (SDL_QueueAudio(player->device, player->reorders ? (const void *)ordered : data,
		                   (uint32_t)part * player->frame_bytes) != 0)
			return fail(player, SDEC_IO, SDL_GetError());
		data += part * player->frame_bytes;
		left -= part;
	}
	return true;
}

/* Whether there is enough to play for now.  It starts when that is so for the first time. */
static bool is_full(const struct player *player)
{
	if (player->device == 0 || SDL_GetQueuedAudioSize(player->device) < player->queue_most)
		return false;
	SDL_PauseAudioDevice(player->device, 0);
	return true;
}

/* Plays what is there to its end: the queue, and two buffers that the device may have. */
static void drain(const struct player *player)
{
	if (player->device == 0)
		return;
	SDL_PauseAudioDevice(player->device, 0);
	while (!interrupted && SDL_GetQueuedAudioSize(player->device) > 0)
		SDL_Delay(PATIENCE);
	if (!interrupted)
		SDL_Delay(2 * DEVICE_FRAMES * 1000 / player->info.rate);
}

/* ---- the stream ---- */

/* Returns false where it is over. */
static bool take(struct player *player, const struct sdec_event *event)
{
	switch (event->kind) {
	case SDEC_EVENT_INFO:
		return open_device(player, event->info);
	case SDEC_EVENT_TAG:
		printf("%s: ", sdec_tag_name((enum sdec_tag)event->tag));
		print_escaped(event->data, stdout);
		(void)putchar('\n');
		return true;
	case SDEC_EVENT_SAMPLES:
		return queue(player, event);
	case SDEC_EVENT_LOSS:
		player->losses = event->losses;
		return true;
	default:
		return event->kind != SDEC_EVENT_END;
	}
}

static enum sdec_status follow(struct player *player, struct sdec_stream *stream)
{
	struct sdec_event event = { .size = sizeof(event) };
	enum sdec_status status = SDEC_OK;

	while (!interrupted) {
		struct pollfd ready = { .fd = sdec_stream_fd(stream), .events = POLLIN };
		if (is_full(player)) {
			SDL_Delay(PATIENCE);
			continue;
		}
		if (poll(&ready, 1, PATIENCE) <= 0)
			continue;
		status = sdec_stream_step(stream, &event);
		if (status != SDEC_OK || !take(player, &event))
			break;
	}
	return status;
}

/* Why it has failed: here, or as the library tells. */
static void report_failure(const struct player *player, const struct sdec_result *result)
{
	if (player->failure)
		(void)fprintf(stderr, ": %s", player->failure);
	else
		(void)fprintf(stderr, ": %s: %s", sdec_status_name((enum sdec_status)result->status),
		              result->reason ? result->reason : "it cannot be started");
	if (result->error_number != 0)
		(void)fprintf(stderr, ": %s", strerror(result->error_number));
}

static void report(const struct player *player, const char *path, const struct sdec_result *result)
{
	FILE *stream = result->status == SDEC_OK ? stdout : stderr;

	print_escaped(path, stream);
	if (player->info.rate > 0)
		(void)fprintf(stream, ": %u Hz, %u channels, %.3f s", player->info.rate, player->info.channels,
		              (double)player->frames / player->info.rate);
	if (player->losses > 0)
		(void)fprintf(stream, ", %llu damaged parts", (unsigned long long)player->losses);
	if (result->status != SDEC_OK)
		report_failure(player, result);
	(void)fputc('\n', stream);
}

/* Returns how it ended. */
static enum sdec_status play(struct sdec_pool *decoder, const char *path)
{
	/* What counts what has passed has no limit: a radio station never ends. */
	static const struct sdec_limits limits = { .size = sizeof(limits),
		                                   .max_output = UINT64_MAX,
		                                   .max_input = UINT64_MAX,
		                                   .cpu_seconds = UINT32_MAX,
		                                   .work_seconds = UINT32_MAX };
	struct sdec_request request = { .size = sizeof(request), .limits = &limits, .sample_format = SDEC_F32 };
	struct sdec_input input = { .size = sizeof(input), .kind = SDEC_INPUT_FD, .fd = STDIN_FILENO, .name = path };
	struct sdec_result result = { .size = sizeof(result) };
	struct player player = { .device = 0 };
	struct sdec_stream *stream = NULL;

	if (strcmp(path, "-") != 0)
		input.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (input.fd < 0) {
		result.status = SDEC_IO;
		result.error_number = errno;
		(void)fail(&player, SDEC_IO, "cannot open it");
		report(&player, path, &result);
		return SDEC_IO;
	}
	enum sdec_status status = sdec_stream_open(decoder, &input, &request, &stream);
	if (status == SDEC_OK)
		status = follow(&player, stream);
	sdec_stream_result(stream, &result);
	result.status = player.failure ? player.status : status;
	sdec_stream_close(&stream);
	if (input.fd != STDIN_FILENO)
		(void)close(input.fd);
	drain(&player);
	if (player.device != 0)
		SDL_CloseAudioDevice(player.device);
	if (!interrupted)
		report(&player, path, &result);
	return (enum sdec_status)result.status;
}

static const char usage[] = "usage: play FILE...\n"
                            "\n"
                            "Plays sound, one file after the other.  \"-\" is standard input, which may have no end.\n"
                            "^C ends.\n";

static bool start(struct sdec_pool **decoder)
{
	if (SDL_Init(SDL_INIT_AUDIO) != 0) {
		(void)fprintf(stderr, "play: no sound output: %s\n", SDL_GetError());
		return false;
	}
	enum sdec_status status = sdec_pool_open(NULL, decoder);
	if (status != SDEC_OK)
		(void)fprintf(stderr, "play: no decoder: %s\n", sdec_status_name(status));
	return status == SDEC_OK;
}

int main(int argc, char **argv)
{
	struct sdec_pool *decoder = NULL;
	enum sdec_status worst = SDEC_OK;
	bool help = argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);

	if (argc < 2 || help) {
		(void)fputs(usage, help ? stdout : stderr);
		return help ? SDEC_OK : SDEC_USAGE;
	}
	(void)signal(SIGINT, interrupt);
	(void)signal(SIGTERM, interrupt);
	(void)SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
	if (!start(&decoder))
		return SDEC_IO;
	for (int i = 1; i < argc && !interrupted; i++) {
		enum sdec_status status = play(decoder, argv[i]);
		worst = status > worst ? status : worst;
	}
	sdec_pool_close(&decoder);
	SDL_Quit();
	return interrupted ? INTERRUPTED : (int)worst;
}
