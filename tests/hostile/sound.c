/* SPDX-License-Identifier: MIT */
/*
 * A decoder of sound that attacks, for the tests alone.  Its input is "HOSTAUD " and a command:
 *
 *     announce R C L N  announce a rate, channels, a layout and a number of frames, and say END
 *     tone N            be good: announce stereo of 16 bits at 8000 Hz, and send N frames
 *     promise N         announce N frames and send 100
 *     part              send a part of a frame
 *     flood             send samples without end
 *     crash N M         send N frames, then write to address M
 *     spin N            send N frames, then use processor time for ever
 *     tags N            send N tags before the sound
 *     binary N          send a tag of kind N whose value has a zero byte in it
 *     losses N M        say that N parts were lost, then that M were
 *     picture           announce a picture
 */
#include <stdlib.h>
#include <string.h>

#include "decoders/runtime/session.h"

enum { ARGUMENTS = 4, PIECE = 512 };

static session_result announce(struct session *session, const struct wire_audio *given)
{
	struct wire_audio audio = *given;

	audio.depth = 16;
	audio.sample_format = session_choose_samples(session, 16, false);
	session->sample_frame = (size_t)audio.channels * wire_sample_bytes[audio.sample_format];
	session->bytes_left = UINT64_MAX;
	return session_put(session, WIRE_AUDIO, &audio, sizeof(audio));
}

static session_result announce_anything(struct session *session, const uint64_t *arguments)
{
	return announce(session, &(struct wire_audio){ .rate = (uint32_t)arguments[0],
	                                               .channels = (uint32_t)arguments[1],
	                                               .channel_layout = (uint32_t)arguments[2],
	                                               .frames = arguments[3] });
}

static session_result announce_tone(struct session *session, uint64_t frames)
{
	return announce(session, &(struct wire_audio){ .rate = 8000, .channels = 2, .frames = frames });
}

static void put_tone(const void *context, uint8_t *room, size_t first, size_t count)
{
	const struct session *session = context;

	for (size_t i = 0; i < count * session->sample_frame; i++)
		room[i] = (uint8_t)(first * session->sample_frame + i);
}

static session_result send_tone(struct session *session, uint64_t frames)
{
	session_result result = announce_tone(session, frames);

	return result == WIRE_OK ? session_send_samples(session, frames, put_tone, session) : result;
}

static session_result tone(struct session *session, const uint64_t *arguments)
{
	return send_tone(session, arguments[0]);
}

static session_result promise(struct session *session, const uint64_t *arguments)
{
	session_result result = announce_tone(session, arguments[0]);

	return result == WIRE_OK ? session_send_samples(session, 100, put_tone, session) : result;
}

static session_result part(struct session *session, const uint64_t *arguments)
{
	static const uint8_t samples[3];

	(void)arguments;
	(void)announce_tone(session, WIRE_UNKNOWN);
	return session_put(session, WIRE_SAMPLES, samples, sizeof(samples));
}

static session_result flood(struct session *session, const uint64_t *arguments)
{
	session_result result = announce_tone(session, WIRE_UNKNOWN);

	(void)arguments;
	while (result == WIRE_OK)
		result = session_send_samples(session, PIECE, put_tone, session);
	return result;
}

static session_result crash(struct session *session, const uint64_t *arguments)
{
	volatile char *nowhere = (volatile char *)arguments[1];
	session_result result = send_tone(session, arguments[0]);

	*nowhere = 1;
	return result;
}

static session_result spin(struct session *session, const uint64_t *arguments)
{
	session_result result = send_tone(session, arguments[0]);

	while (session)
		__asm__ volatile("");
	return result;
}

static session_result tags(struct session *session, const uint64_t *arguments)
{
	static const struct wire_metadata metadata = { .tag = WIRE_TAG_TITLE, .value = "more" };

	for (uint64_t i = 0; i < arguments[0]; i++)
		(void)session_put(session, WIRE_METADATA, &metadata, offsetof(struct wire_metadata, value) + 4);
	return send_tone(session, 10);
}

static session_result binary(struct session *session, const uint64_t *arguments)
{
	const struct wire_metadata metadata = { .tag = (uint32_t)arguments[0], .value = "a\0b" };

	return session_put(session, WIRE_METADATA, &metadata, offsetof(struct wire_metadata, value) + 3);
}

static session_result losses(struct session *session, const uint64_t *arguments)
{
	session_result result = send_tone(session, 10);

	for (int i = 0; i < 2; i++) {
		struct wire_loss loss = { .parts = arguments[i] };
		(void)session_put(session, WIRE_LOSS, &loss, sizeof(loss));
	}
	return result;
}

static session_result picture(struct session *session, const uint64_t *arguments)
{
	struct wire_image image = {
		.width = 4, .height = 4, .frames = 1, .color = WIRE_COLOR_RGB, .channels = 3, .depth = 8
	};

	(void)arguments;
	image.pixel_format = session_choose_format(session, &image);
	return session_image(session, &image);
}

static const struct {
	const char *name;
	session_result (*run)(struct session *session, const uint64_t *arguments);
} commands[] = {
	{ "announce", announce_anything },
	{ "tone", tone },
	{ "promise", promise },
	{ "part", part },
	{ "flood", flood },
	{ "crash", crash },
	{ "spin", spin },
	{ "tags", tags },
	{ "binary", binary },
	{ "losses", losses },
	{ "picture", picture },
};

static session_result decode(struct session *session)
{
	const uint8_t *data = NULL;
	uint64_t arguments[ARGUMENTS];
	char line[128] = "";
	size_t size = 0;
	size_t got = 0;

	while ((got = session_read(session, &data)) > 0)
		for (size_t i = 0; i < got && size < sizeof(line) - 1; i++)
			line[size++] = (char)data[i];
	char *command = line + strlen("HOSTAUD ");
	size_t length = strcspn(command, " \n");
	char *rest = command + length;
	for (int i = 0; i < ARGUMENTS; i++)
		arguments[i] = strtoull(rest, &rest, 10);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strlen(commands[i].name) == length && memcmp(commands[i].name, command, length) == 0)
			return commands[i].run(session, arguments);
	return WIRE_FAIL_HEADER;
}

const struct decoder decoder = { .name = "hostile_sound", .decode = decode };
