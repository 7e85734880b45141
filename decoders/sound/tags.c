/* SPDX-License-Identifier: MIT */
#include "tags.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "decoders/runtime/input.h"

/* ---- the cover ---- */

enum { FRONT_COVER = 3 };

session_result cover_offer(struct cover *cover, struct session *session, const uint8_t *data, size_t size,
                           uint32_t type)
{
	bool front = type == FRONT_COVER;

	if (size == 0)
		return WIRE_OK;
	cover->seen = true;
	if (session_request(session)->operation != WIRE_COVER || (cover->data && (cover->front || !front)))
		return WIRE_OK;
	if (size > session_request(session)->max_output)
		return WIRE_FAIL_LIMIT_OUTPUT;
	uint8_t *copy = malloc(size);
	if (!copy)
		return WIRE_FAIL_LIMIT_MEMORY;
	memcpy(copy, data, size);
	free(cover->data);
	cover->data = copy;
	cover->size = size;
	cover->front = front;
	return WIRE_OK;
}

session_result cover_send(const struct cover *cover, struct session *session)
{
	if (!cover->data)
		return WIRE_FAIL_ABSENT;
	session_result result = session_bytes(session);
	for (size_t sent = 0; sent < cover->size && result == WIRE_OK;) {
		uint8_t *room = NULL;
		size_t size = 0;
		result = session_data(session, &room, &size);
		if (result != WIRE_OK)
			break;
		if (size > cover->size - sent)
			size = cover->size - sent;
		memcpy(room, cover->data + sent, size);
		sent += size;
		result = session_commit_data(session, size);
	}
	return result == WIRE_OK ? SESSION_STOP : result;
}

void cover_release(struct cover *cover)
{
	free(cover->data);
	cover->data = NULL;
}

/* Takes a big-endian length off the front of a block and moves past it and, if `body`, what it is the length of.
 * Returns false if there is not so much. */
static bool pass(const uint8_t **block, size_t *size, bool body, uint32_t *value)
{
	if (*size < 4)
		return false;
	*value = input_be32(*block);
	*block += 4;
	*size -= 4;
	if (!body)
		return true;
	if (*size < *value)
		return false;
	*block += *value;
	*size -= *value;
	return true;
}

session_result tags_picture_block(struct session *session, struct cover *cover, const uint8_t *block, size_t size)
{
	uint32_t type = 0, ignored = 0, length = 0;
	bool whole = pass(&block, &size, false, &type);

	/* Media type and description, then width, height, depth and colours. */
	for (int i = 0; i < 6 && whole; i++)
		whole = pass(&block, &size, i < 2, &ignored);
	if (!whole || !pass(&block, &size, false, &length) || length > size)
		return WIRE_OK;
	return cover_offer(cover, session, block, length, type);
}

/* ---- base64 ---- */

static int base64_digit(char letter)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *found = letter ? strchr(digits, letter) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* Decodes up to the first letter that is none of the digits.  Returns the number of bytes. */
static size_t decode_base64(uint8_t *to, const char *from, size_t size)
{
	uint32_t bits = 0;
	size_t count = 0;

	for (size_t i = 0; i < size; i++) {
		int digit = base64_digit(from[i]);
		if (digit < 0)
			break;
		bits = bits << 6 | (uint32_t)digit;
		if (i % 4 != 0)
			to[count++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
	}
	return count;
}

/* ---- comments ---- */

static const struct {
	const char *key;
	enum wire_tag tag;
} keys[] = {
	{ "TITLE", WIRE_TAG_TITLE },
	{ "ARTIST", WIRE_TAG_ARTIST },
	{ "ALBUM", WIRE_TAG_ALBUM },
	{ "ALBUMARTIST", WIRE_TAG_ALBUM_ARTIST },
	{ "ALBUM ARTIST", WIRE_TAG_ALBUM_ARTIST },
	{ "COMPOSER", WIRE_TAG_COMPOSER },
	{ "PERFORMER", WIRE_TAG_PERFORMER },
	{ "TRACKNUMBER", WIRE_TAG_TRACK },
	{ "DISCNUMBER", WIRE_TAG_DISC },
	{ "DATE", WIRE_TAG_DATE },
	{ "GENRE", WIRE_TAG_GENRE },
	{ "COMMENT", WIRE_TAG_COMMENT },
	{ "DESCRIPTION", WIRE_TAG_COMMENT },
	{ "COPYRIGHT", WIRE_TAG_COPYRIGHT },
	{ "ORGANIZATION", WIRE_TAG_PUBLISHER },
	{ "PUBLISHER", WIRE_TAG_PUBLISHER },
	{ "ISRC", WIRE_TAG_ISRC },
	{ "LANGUAGE", WIRE_TAG_LANGUAGE },
	{ "ENCODER", WIRE_TAG_ENCODER },
};

static bool has_key(const char *key, const char *comment, size_t length)
{
	return strlen(key) == length && strncasecmp(key, comment, length) == 0;
}

/* A picture in base64: in a FLAC block, or as older files have it, bare. */
static session_result take_picture(struct session *session, struct cover *cover, const char *text, size_t size,
                                   bool block)
{
	if (session_request(session)->operation != WIRE_COVER) {
		cover->seen = true;
		return WIRE_OK;
	}
	uint8_t *bytes = malloc(size / 4 * 3 + 3);
	if (!bytes)
		return WIRE_FAIL_LIMIT_MEMORY;
	size_t count = decode_base64(bytes, text, size);
	session_result result =
	        block ? tags_picture_block(session, cover, bytes, count) : cover_offer(cover, session, bytes, count, 0);
	free(bytes);
	return result;
}

session_result tags_comment(struct session *session, struct cover *cover, const char *comment, size_t size)
{
	const char *equals = size > 0 ? memchr(comment, '=', size) : NULL; /* libFLAC has no text for none */

	if (!equals)
		return WIRE_OK;
	size_t length = (size_t)(equals - comment);
	const char *value = equals + 1;
	size -= length + 1;
	if (has_key("METADATA_BLOCK_PICTURE", comment, length))
		return take_picture(session, cover, value, size, true);
	if (has_key("COVERART", comment, length))
		return take_picture(session, cover, value, size, false);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (has_key(keys[i].key, comment, length))
			session_tag(session, keys[i].tag, value, size);
	return WIRE_OK;
}
