/* SPDX-License-Identifier: MIT */
/*
 * A decoder that attacks, for the tests alone.  Its input is "HOSTILE " and a command:
 *
 *     call N            try system call N
 *     segfault N        write to address N
 *     spin              use processor time for ever
 *     exit N            end without a last word
 *     message K L       send a message of kind K that claims a length of L
 *     picture W H       be good: announce a picture and send it
 *     short W H         announce a picture, send half of it, and say END
 *     long W H          announce a picture and send one row too many
 *     flood             send bytes without end
 *     drip W H          announce a picture and send each byte of it in a message of its own
 *     allocate N        allocate N MiB, touch it, and be good
 *     where             be good, with a picture of one pixel whose eight bytes are an address of this code
 *     twice             say END twice
 */
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../decoders/decoder.h"

struct arguments {
	unsigned long first, second;
};

static void say(uint32_t kind, uint32_t length, const void *payload, size_t size)
{
	struct wire_header header = { .kind = kind, .length = length };

	if (write(STDOUT_FILENO, &header, sizeof(header)) < 0 || (size > 0 && write(STDOUT_FILENO, payload, size) < 0))
		syscall(SYS_exit, 1);
}

static session_result try_call(struct session *session, const struct arguments *arguments)
{
	(void)session;
	syscall((long)arguments->first, 0, 0, 0, 0, 0, 0);
	return WIRE_OK;
}

static session_result segfault(struct session *session, const struct arguments *arguments)
{
	volatile char *nowhere = (volatile char *)arguments->first;

	(void)session;
	*nowhere = 1;
	return WIRE_OK;
}

static session_result spin(struct session *session, const struct arguments *arguments)
{
	(void)session;
	while (arguments)
		__asm__ volatile("");
	return WIRE_OK;
}

static session_result leave(struct session *session, const struct arguments *arguments)
{
	(void)session;
	syscall(SYS_exit, (long)arguments->first);
	return WIRE_OK;
}

static session_result message(struct session *session, const struct arguments *arguments)
{
	static const uint8_t payload[4096];

	(void)session;
	say((uint32_t)arguments->first, (uint32_t)arguments->second, payload,
	    arguments->second < sizeof(payload) ? arguments->second : sizeof(payload));
	return WIRE_OK;
}

static session_result announce(struct session *session, const struct arguments *arguments, struct wire_image *image)
{
	*image = (struct wire_image){ .width = (uint32_t)arguments->first,
		                      .height = (uint32_t)arguments->second,
		                      .frames = 1,
		                      .file_frames = 1,
		                      .color = WIRE_COLOR_RGB,
		                      .channels = 3,
		                      .depth = 8 };
	image->pixel_format = session_choose_format(session, image);
	session_result result = session_image(session, image);
	return result == WIRE_OK ? session_frame(session, 0) : result;
}

static session_result send_rows(struct session *session, uint32_t rows)
{
	while (rows > 0) {
		uint8_t *room = NULL;
		size_t count = 0;
		session_result result = session_rows(session, &room, &count);
		if (result != WIRE_OK)
			return result;
		if (count > rows)
			count = rows;
		memset(room, 0x5a, count);
		result = session_commit_rows(session, count);
		if (result != WIRE_OK)
			return result;
		rows -= (uint32_t)count;
	}
	return WIRE_OK;
}

static session_result picture(struct session *session, const struct arguments *arguments)
{
	struct wire_image image;
	session_result result = announce(session, arguments, &image);

	return result == WIRE_OK ? send_rows(session, image.height) : result;
}

static session_result too_short(struct session *session, const struct arguments *arguments)
{
	struct wire_image image;
	session_result result = announce(session, arguments, &image);

	return result == WIRE_OK ? send_rows(session, image.height / 2) : result;
}

/* Not through the session, which would not do such a thing. */
static void say_picture(struct session *session, const struct arguments *arguments, unsigned long rows)
{
	struct wire_image image = { .width = (uint32_t)arguments->first,
		                    .height = (uint32_t)arguments->second,
		                    .frames = 1,
		                    .file_frames = 1,
		                    .color = WIRE_COLOR_RGB,
		                    .channels = 3,
		                    .depth = 8 };
	struct wire_frame frame = { .delay = 0 };
	static const uint8_t pixels[4096];

	image.pixel_format = session_choose_format(session, &image);
	say(WIRE_IMAGE, sizeof(image), &image, sizeof(image));
	say(WIRE_FRAME, sizeof(frame), &frame, sizeof(frame));
	uint32_t row = image.width * wire_pixel_bytes[image.pixel_format];
	for (unsigned long i = 0; i < rows; i++)
		say(WIRE_PIXELS, row, pixels, row);
}

static session_result too_long(struct session *session, const struct arguments *arguments)
{
	say_picture(session, arguments, arguments->second + 1);
	return WIRE_OK;
}

static session_result flood(struct session *session, const struct arguments *arguments)
{
	static const uint8_t data[4096];

	(void)session;
	say(WIRE_BYTES, 0, NULL, 0);
	while (arguments)
		say(WIRE_DATA, sizeof(data), data, sizeof(data));
	return WIRE_OK;
}

/* The picture in messages of one byte, many of them a write, so that they cost this side next to nothing. */
static session_result drip(struct session *session, const struct arguments *arguments)
{
	enum { SIZE = sizeof(struct wire_header) + 1, MESSAGES = 7000 };
	static const struct wire_header header = { .kind = WIRE_PIXELS, .length = 1 };
	static uint8_t drops[MESSAGES * SIZE];

	for (size_t i = 0; i < MESSAGES; i++)
		memcpy(drops + i * SIZE, &header, sizeof(header));
	say_picture(session, arguments, 0);
	while (write(STDOUT_FILENO, drops, sizeof(drops)) > 0)
		;
	return WIRE_OK;
}

static session_result allocate(struct session *session, const struct arguments *arguments)
{
	static const struct arguments small = { 4, 4 };
	size_t size = arguments->first << 20;
	char *memory = malloc(size);

	if (!memory)
		return WIRE_FAIL_LIMIT_MEMORY;
	for (size_t i = 0; i < size; i += 4096)
		((volatile char *)memory)[i] = 1;
	session_result result = picture(session, &small);
	free(memory);
	return result;
}

static session_result decode(struct session *session);

static session_result where(struct session *session, const struct arguments *arguments)
{
	static const struct arguments one_pixel = { 1, 1 };
	struct wire_image image;
	uint8_t *room = NULL;
	size_t count = 0;
	uintptr_t address = (uintptr_t)decode;

	(void)arguments;
	session_result result = announce(session, &one_pixel, &image);
	if (result == WIRE_OK)
		result = session_rows(session, &room, &count);
	if (result != WIRE_OK)
		return result;
	memcpy(room, &address, wire_pixel_bytes[image.pixel_format]);
	return session_commit_rows(session, 1);
}

static session_result twice(struct session *session, const struct arguments *arguments)
{
	static const struct wire_end the_end;

	(void)arguments;
	say_picture(session, &(struct arguments){ 4, 4 }, 4);
	say(WIRE_END, sizeof(the_end), &the_end, sizeof(the_end));
	return WIRE_OK;
}

static const struct {
	const char *name;
	session_result (*run)(struct session *session, const struct arguments *arguments);
} commands[] = {
	{ "call", try_call },   { "segfault", segfault }, { "spin", spin },       { "exit", leave },
	{ "message", message }, { "picture", picture },   { "short", too_short }, { "long", too_long },
	{ "flood", flood },     { "allocate", allocate }, { "twice", twice },     { "where", where },
	{ "drip", drip },
};

static session_result decode(struct session *session)
{
	const uint8_t *data = NULL;
	char line[128] = "";
	char *rest = NULL;
	struct arguments arguments;
	size_t size = 0;
	size_t got = 0;

	while ((got = session_read(session, &data)) > 0)
		for (size_t i = 0; i < got && size < sizeof(line) - 1; i++)
			line[size++] = (char)data[i];
	char *command = line + strlen("HOSTILE ");
	size_t length = strcspn(command, " \n");
	arguments.first = strtoul(command + length, &rest, 10);
	arguments.second = strtoul(rest, NULL, 10);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strlen(commands[i].name) == length && memcmp(commands[i].name, command, length) == 0)
			return commands[i].run(session, &arguments);
	return WIRE_FAIL_HEADER;
}

const struct decoder decoder = { .name = "hostile", .decode = decode };
