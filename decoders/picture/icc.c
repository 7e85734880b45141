/* SPDX-License-Identifier: MIT */
#include "icc.h"

#include <string.h>

#include "decoders/runtime/input.h"

enum {
	HEADER_SIZE = 128,
	ENTRY_SIZE = 12,
	ENTRIES_MAX = 1000,
	NAME_MAX_UNITS = 256, /* of UTF-16 */
	TEXT_AT = 12,         /* in a description of version 2 */
	RECORD_AT = 16,       /* in one of version 4: the first of its languages */
};

/* The element with a name of four letters, and its size; NULL: there is none. */
static const uint8_t *find(const uint8_t *data, size_t *size, const char *name)
{
	if (*size < HEADER_SIZE + 4)
		return NULL;
	uint32_t left = input_be32(data + HEADER_SIZE);
	left = left < ENTRIES_MAX ? left : ENTRIES_MAX;
	for (size_t at = HEADER_SIZE + 4; left > 0 && *size - at >= ENTRY_SIZE; left--, at += ENTRY_SIZE) {
		uint32_t offset = input_be32(data + at + 4), length = input_be32(data + at + 8);
		if (memcmp(data + at, name, 4) != 0 || offset > *size || length > *size - offset)
			continue;
		*size = length;
		return data + offset;
	}
	return NULL;
}

static size_t put_utf8(char *to, uint32_t unit)
{
	if (unit < 0x80) {
		to[0] = (char)unit;
		return 1;
	}
	if (unit < 0x800) {
		to[0] = (char)(0xc0 | unit >> 6);
		to[1] = (char)(0x80 | (unit & 63));
		return 2;
	}
	/* Of two units, the character is none that a name has. */
	unit = unit >= 0xd800 && unit < 0xe000 ? 0xfffd : unit;
	to[0] = (char)(0xe0 | unit >> 12);
	to[1] = (char)(0x80 | (unit >> 6 & 63));
	to[2] = (char)(0x80 | (unit & 63));
	return 3;
}

static void tell_wide(struct session *session, const uint8_t *text, size_t units)
{
	char name[NAME_MAX_UNITS * 3];
	size_t size = 0;

	for (size_t i = 0; i < units && i < NAME_MAX_UNITS; i++)
		size += put_utf8(name + size, input_be16(text + 2 * i));
	session_picture_tag(session, WIRE_TAG_PROFILE, name, size);
}

static void tell_name(struct session *session, const uint8_t *data, size_t size)
{
	const uint8_t *element = find(data, &size, "desc");

	if (element && size > TEXT_AT && memcmp(element, "desc", 4) == 0) {
		uint32_t length = input_be32(element + 8);
		size_t most = size - TEXT_AT;
		session_picture_tag(session, WIRE_TAG_PROFILE, (const char *)element + TEXT_AT,
		                    length < most ? length : most);
	} else if (element && size >= RECORD_AT + ENTRY_SIZE && memcmp(element, "mluc", 4) == 0) {
		uint32_t length = input_be32(element + RECORD_AT + 4), offset = input_be32(element + RECORD_AT + 8);
		if (offset <= size && length <= size - offset)
			tell_wide(session, element + offset, length / 2);
	}
}

bool icc_is_wanted(const struct session *session)
{
	return session_wants_tags(session) || session_wants_blob(session, WIRE_BLOB_ICC);
}

void icc_send(struct session *session, const uint8_t *data, size_t size)
{
	session_blob(session, WIRE_BLOB_ICC, data, size);
	if (session_wants_tags(session))
		tell_name(session, data, size);
}
