/* SPDX-License-Identifier: MIT */
/* Profiles, EXIF, XMP, texts and the density.  What is compressed is unpacked only if somebody wants it. */
#include "png_text.h"

#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#include "decoders/picture/exif_tags.h"
#include "decoders/picture/icc.h"
#include "decoders/runtime/input.h"

enum { KEYWORD_MAX = 79, DENSITY_SIZE = 9 };

static const char xmp_keyword[] = "XML:com.adobe.xmp";

/* What zlib makes of it, and *size.  What is longer than `most` is cut off if `cut`.  NULL: nothing good, or more, or
 * no memory, or so much was unpacked before that it is enough.  The caller frees it. */
static uint8_t *unpack(struct png_texts *texts, const uint8_t *from, size_t from_size, size_t most, bool cut,
                       size_t *size)
{
	enum { TIMES = 8 }; /* that the limit on metadata may be unpacked */
	z_stream stream = { .next_in = from, .avail_in = (uInt)from_size };
	uint8_t *to = NULL;
	size_t room = 0;

	if (texts->unpacked >= TIMES * (uint64_t)session_request(texts->session)->max_metadata)
		return NULL;
	int result = inflateInit(&stream);
	while (result == Z_OK) {
		if (cut && stream.total_out == most)
			break;
		if (stream.total_out == room) {
			size_t larger = room == 0 ? 4096 : room * 2;
			uint8_t *grown = room < most ? realloc(to, larger < most ? larger : most) : NULL;
			if (!grown)
				break;
			to = grown;
			room = larger < most ? larger : most;
		}
		stream.next_out = to + stream.total_out;
		stream.avail_out = (uInt)(room - stream.total_out);
		result = inflate(&stream, Z_NO_FLUSH);
		if (result == Z_BUF_ERROR && stream.avail_out == 0)
			result = Z_OK;
	}
	*size = stream.total_out;
	texts->unpacked += stream.total_out;
	(void)inflateEnd(&stream);
	if (result == Z_STREAM_END || (cut && stream.total_out == most))
		return to;
	free(to);
	return NULL;
}

static size_t most_of(const struct session *session)
{
	return session_request(session)->max_metadata;
}

/* A name, a zero, the number of the method, and the packed profile. */
static void take_profile(struct png_texts *texts, const uint8_t *data, size_t size)
{
	struct session *session = texts->session;
	size_t name = strnlen((const char *)data, size), unpacked_size = 0;

	if (texts->has_profile || !icc_is_wanted(session))
		return;
	texts->has_profile = true;
	if (name == 0 || name > KEYWORD_MAX || size - name < 2 || data[name + 1] != 0)
		return;
	uint8_t *unpacked = unpack(texts, data + name + 2, size - name - 2, most_of(session), false, &unpacked_size);
	if (unpacked)
		icc_send(session, unpacked, unpacked_size);
	free(unpacked);
}

/* The tag that a keyword stands for; WIRE_TAGS: none. */
static enum wire_tag tag_of(const char *keyword)
{
	static const struct {
		const char *keyword;
		enum wire_tag tag;
	} keywords[] = {
		{ "Title", WIRE_TAG_TITLE },
		{ "Author", WIRE_TAG_ARTIST },
		{ "Description", WIRE_TAG_DESCRIPTION },
		{ "Copyright", WIRE_TAG_COPYRIGHT },
		{ "Software", WIRE_TAG_SOFTWARE },
		{ "Comment", WIRE_TAG_COMMENT },
		{ "Creation Time", WIRE_TAG_TAKEN },
	};

	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		if (strcmp(keyword, keywords[i].keyword) == 0)
			return keywords[i].tag;
	return WIRE_TAGS;
}

/* Text of ISO 8859-1, as UTF-8. */
static void tell_latin(struct session *session, enum wire_tag tag, const uint8_t *text, size_t size)
{
	char value[2 * WIRE_VALUE_MAX];
	size_t filled = 0;

	for (size_t i = 0; i < size && i < WIRE_VALUE_MAX; i++) {
		if (text[i] >= 0x80)
			value[filled++] = (char)(0xc0 | text[i] >> 6);
		value[filled++] = (char)(text[i] >= 0x80 ? 0x80 | (text[i] & 63) : text[i]);
	}
	session_picture_tag(session, tag, value, filled);
}

static void take_text(struct session *session, const char *keyword, const uint8_t *text, size_t size, bool latin)
{
	enum wire_tag tag = tag_of(keyword);

	if (strcmp(keyword, xmp_keyword) == 0 && !latin)
		session_blob(session, WIRE_BLOB_XMP, text, size);
	else if (tag != WIRE_TAGS && latin)
		tell_latin(session, tag, text, size);
	else if (tag != WIRE_TAGS)
		session_picture_tag(session, tag, (const char *)text, size);
}

/* Of a tag, the wire takes no more than its longest value. */
static void take_packed_text(struct png_texts *texts, const char *keyword, const uint8_t *data, size_t size, bool latin)
{
	bool tag = tag_of(keyword) != WIRE_TAGS;
	size_t text_size = 0;
	uint8_t *text = unpack(texts, data, size, tag ? WIRE_VALUE_MAX + 4 : most_of(texts->session), tag, &text_size);

	if (text)
		take_text(texts->session, keyword, text, text_size, latin);
	free(text);
}

/* iTXt has, behind the keyword: whether it is packed, how, a language, and the keyword in that language. */
static void take_international(struct png_texts *texts, const char *keyword, const uint8_t *data, size_t size)
{
	size_t at = 2;

	if (size < 2 || data[0] > 1 || data[1] != 0)
		return;
	for (int i = 0; i < 2; i++) {
		at += strnlen((const char *)data + at, size - at) + 1;
		if (at > size)
			return;
	}
	if (data[0])
		take_packed_text(texts, keyword, data + at, size - at, false);
	else
		take_text(texts->session, keyword, data + at, size - at, false);
}

/* The keyword's zero has been seen. */
static void take_keyword(struct png_texts *texts, const uint8_t name[4], const uint8_t *data, size_t size)
{
	struct session *session = texts->session;
	const char *keyword = (const char *)data;
	size_t length = strnlen(keyword, size);

	if (length == 0 || length > KEYWORD_MAX || length == size)
		return;
	/* What nobody wants is not unpacked. */
	if (strcmp(keyword, xmp_keyword) == 0 ? !session_wants_blob(session, WIRE_BLOB_XMP)
	                                      : tag_of(keyword) == WIRE_TAGS || !session_wants_tags(session))
		return;
	const uint8_t *rest = data + length + 1;
	size_t left = size - length - 1;
	if (memcmp(name, "tEXt", 4) == 0)
		take_text(session, keyword, rest, left, true);
	else if (memcmp(name, "iTXt", 4) == 0)
		take_international(texts, keyword, rest, left);
	else if (left > 0 && rest[0] == 0)
		take_packed_text(texts, keyword, rest + 1, left - 1, true);
}

void png_send_chunk(struct png_texts *texts, const uint8_t name[4], const uint8_t *data, size_t size)
{
	enum { BY_METRE = 1 };
	const double inch = 0.0254; /* metres */
	struct session *session = texts->session;

	if (size == 0)
		return;

	if (memcmp(name, "iCCP", 4) == 0)
		take_profile(texts, data, size);
	else if (memcmp(name, "eXIf", 4) == 0)
		exif_send(session, data, size);
	else if (memcmp(name, "tEXt", 4) == 0 || memcmp(name, "zTXt", 4) == 0 || memcmp(name, "iTXt", 4) == 0)
		take_keyword(texts, name, data, size);
	else if (memcmp(name, "sRGB", 4) == 0)
		session_picture_tag(session, WIRE_TAG_PROFILE, "sRGB", 4);
	else if (memcmp(name, "pHYs", 4) == 0 && size >= DENSITY_SIZE && data[8] == BY_METRE)
		exif_send_density(session, input_be32(data) * inch, input_be32(data + 4) * inch);
}
