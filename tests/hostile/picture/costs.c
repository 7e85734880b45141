/* SPDX-License-Identifier: MIT */
/* Attacks on the trusted side's time: all is as the wire wants it, and costs as much as it can. */
#include <string.h>

#include "hostile.h"

static void fill(uint8_t *bytes, size_t size, uint64_t *state)
{
	for (size_t i = 0; i < size; i++) {
		*state ^= *state << 13;
		*state ^= *state >> 7;
		*state ^= *state << 17;
		bytes[i] = (uint8_t)(*state >> 32);
	}
}

session_result noise(struct session *session, const struct arguments *arguments)
{
	uint64_t state = 88172645463325252;
	struct wire_image image;
	session_result result = begin_picture(session, arguments, &image);

	for (size_t left = image.height; left > 0 && result == WIRE_OK;) {
		uint8_t *room = NULL;
		size_t count = 0;
		result = session_rows(session, &room, &count);
		if (count > left)
			count = left;
		if (result == WIRE_OK) {
			fill(room, count * image.width * wire_pixel_bytes[image.pixel_format], &state);
			result = session_commit_rows(session, count);
		}
		left -= count;
	}
	return result;
}

session_result damaged(struct session *session, const struct arguments *arguments)
{
	struct wire_image image;
	uint8_t *room = NULL;
	size_t count = 0;
	session_result result = begin_picture(session, arguments, &image);

	if (result == WIRE_OK)
		result = session_rows(session, &room, &count);
	if (result == WIRE_OK) {
		memset(room, 0, (size_t)image.width * wire_pixel_bytes[image.pixel_format]);
		result = session_commit_rows(session, 1);
	}
	return result == WIRE_OK ? session_damage(session, WIRE_FAIL_DATA) : result;
}

session_result relay(struct session *session, const struct arguments *arguments)
{
	const uint8_t *data = NULL;
	size_t size = 0;

	(void)arguments;
	say(WIRE_BYTES, 0, NULL, 0);
	while ((size = session_read(session, &data)) > 0)
		say(WIRE_DATA, (uint32_t)size, data, size);
	return SESSION_STOP;
}
