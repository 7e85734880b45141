/* SPDX-License-Identifier: MIT */
#include "id3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	HEADER_SIZE = 10,
	TEXT_MAX = 4 << 10, /* bytes of a text frame that are looked at */

	/* Flags of the header, and of frames in version 3 and 4. */
	UNSYNCHRONISED = 0x80,
	EXTENDED = 0x40,
	FOOTER = 0x10,
	V3_COMPRESSED_OR_ENCRYPTED = 0xc0,
	V3_GROUPED = 0x20,
	V4_COMPRESSED_OR_ENCRYPTED = 0x0c,
	V4_GROUPED = 0x40,
	V4_UNSYNCHRONISED = 0x02,
	V4_LENGTH = 0x01,
};

enum encoding { LATIN_1, UTF_16, UTF_16_BE, UTF_8 };

/* How version 4 has the sizes of frames: seven bits a byte, but old versions of iTunes wrote plain numbers. */
enum sizes { UNDECIDED, SYNCSAFE, PLAIN };

struct id3 {
	struct input *input;
	struct cover *cover;
	uint64_t left; /* bytes of the tag as they are in the input */
	uint8_t version;
	bool unsynchronised; /* a zero byte after 255 is to be left out */
	bool after_255;
	enum sizes sizes;
	uint8_t *held;       /* owned; all that is left of the tag, if it had to be looked at before; else NULL */
	const uint8_t *next; /* of these bytes */
};

struct frame {
	char name[5];
	uint32_t size; /* bytes of the body */
	uint8_t flags;
};

/* Seven bits a byte. */
static uint32_t read_syncsafe(const uint8_t *bytes)
{
	return (uint32_t)(bytes[0] & 0x7f) << 21 | (uint32_t)(bytes[1] & 0x7f) << 14 |
	       (uint32_t)(bytes[2] & 0x7f) << 7 | (bytes[3] & 0x7f);
}

/* ---- the bytes of a tag ---- */

static size_t take_held(struct id3 *id3, uint8_t *to, size_t size)
{
	if (to)
		memcpy(to, id3->next, size);
	id3->next += size;
	return size;
}

/* Copies `size` bytes, or passes over them if `to` is NULL.  Returns how many there were. */
static size_t take(struct id3 *id3, uint8_t *to, size_t size)
{
	size_t taken = 0;

	if (!id3->unsynchronised) {
		if (size > id3->left)
			size = (size_t)id3->left;
		if (id3->held)
			taken = take_held(id3, to, size);
		else
			taken = to ? input_take(id3->input, to, size) : (size_t)input_skip(id3->input, size);
		id3->left -= taken;
		return taken;
	}
	while (taken < size && id3->left > 0) {
		uint8_t byte = 0;
		if (input_take(id3->input, &byte, 1) == 0)
			break;
		id3->left--;
		bool stuffed = id3->after_255 && byte == 0;
		id3->after_255 = byte == 0xff;
		if (stuffed)
			continue;
		if (to)
			to[taken] = byte;
		taken++;
	}
	return taken;
}

/* Undoes in one frame of version 4 what take() undoes in older tags.  Returns the size that is left. */
static size_t synchronise(uint8_t *body, size_t size)
{
	size_t kept = 0;

	for (size_t i = 0; i < size; i++)
		if (i == 0 || body[i] != 0 || body[i - 1] != 0xff)
			body[kept++] = body[i];
	return kept;
}

/* ---- text ---- */

static size_t put_utf8(char *to, uint32_t code_point)
{
	if (code_point < 0x80) {
		to[0] = (char)code_point;
		return 1;
	}
	if (code_point < 0x800) {
		to[0] = (char)(0xc0 | code_point >> 6);
		to[1] = (char)(0x80 | (code_point & 0x3f));
		return 2;
	}
	if (code_point < 0x10000) {
		to[0] = (char)(0xe0 | code_point >> 12);
		to[1] = (char)(0x80 | (code_point >> 6 & 0x3f));
		to[2] = (char)(0x80 | (code_point & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | code_point >> 18);
	to[1] = (char)(0x80 | (code_point >> 12 & 0x3f));
	to[2] = (char)(0x80 | (code_point >> 6 & 0x3f));
	to[3] = (char)(0x80 | (code_point & 0x3f));
	return 4;
}

/* A lone surrogate becomes what UTF-8 would make of it: whoever shows it escapes it. */
static size_t utf8_from_utf16(char *to, const uint8_t *from, size_t size, bool big_endian)
{
	size_t length = 0;

	for (size_t i = 0; i + 1 < size; i += 2) {
		uint32_t unit = big_endian ? input_be16(from + i) : input_le16(from + i);
		if (unit >> 10 == 0xd800 >> 10 && i + 3 < size) {
			uint32_t low = big_endian ? input_be16(from + i + 2) : input_le16(from + i + 2);
			if (low >> 10 == 0xdc00 >> 10) {
				unit = 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff);
				i += 2;
			}
		}
		length += put_utf8(to + length, unit);
	}
	return length;
}

/* Turns text into UTF-8: at most 2 bytes for each.  Returns the length. */
static size_t utf8_from(char *to, enum encoding encoding, const uint8_t *from, size_t size)
{
	size_t length = 0;

	switch (encoding) {
	case LATIN_1:
		for (size_t i = 0; i < size; i++)
			length += put_utf8(to + length, from[i]);
		return length;
	case UTF_16:
		if (size < 2)
			return 0;
		return utf8_from_utf16(to, from + 2, size - 2, from[0] == 0xfe);
	case UTF_16_BE:
		return utf8_from_utf16(to, from, size, true);
	default:
		memcpy(to, from, size);
		return size;
	}
}

/* Bytes of a text that ends with a zero, the zero included; all of it if there is none. */
static size_t terminated_size(enum encoding encoding, const uint8_t *text, size_t size)
{
	size_t unit = encoding == UTF_16 || encoding == UTF_16_BE ? 2 : 1;

	for (size_t i = 0; i + unit <= size; i += unit)
		if (text[i] == 0 && (unit == 1 || text[i + 1] == 0))
			return i + unit;
	return size;
}

/* One tag for each text that is there; they are separated by zeros. */
static void tell_text(struct id3 *id3, enum wire_tag tag, enum encoding encoding, const uint8_t *text, size_t size)
{
	char *utf8 = malloc(2 * size + 1);

	if (!utf8)
		return;
	size_t length = utf8_from(utf8, encoding, text, size);
	for (size_t start = 0; start < length;) {
		size_t part = strnlen(utf8 + start, length - start);
		session_tag(id3->input->session, tag, utf8 + start, part);
		start += part + 1;
	}
	free(utf8);
}

/* ---- frames ---- */

enum kind { TEXT, COMMENT, PICTURE };

static const struct known {
	const char *name, *name_v2;
	enum kind kind;
	enum wire_tag tag;
} known_frames[] = {
	{ "TIT2", "TT2", TEXT, WIRE_TAG_TITLE },     { "TPE1", "TP1", TEXT, WIRE_TAG_ARTIST },
	{ "TALB", "TAL", TEXT, WIRE_TAG_ALBUM },     { "TPE2", "TP2", TEXT, WIRE_TAG_ALBUM_ARTIST },
	{ "TCOM", "TCM", TEXT, WIRE_TAG_COMPOSER },  { "TRCK", "TRK", TEXT, WIRE_TAG_TRACK },
	{ "TPOS", "TPA", TEXT, WIRE_TAG_DISC },      { "TDRC", "TYE", TEXT, WIRE_TAG_DATE },
	{ "TYER", "TYE", TEXT, WIRE_TAG_DATE },      { "TCON", "TCO", TEXT, WIRE_TAG_GENRE },
	{ "TCOP", "TCR", TEXT, WIRE_TAG_COPYRIGHT }, { "TPUB", "TPB", TEXT, WIRE_TAG_PUBLISHER },
	{ "TSRC", "TRC", TEXT, WIRE_TAG_ISRC },      { "TLAN", "TLA", TEXT, WIRE_TAG_LANGUAGE },
	{ "TSSE", "TSS", TEXT, WIRE_TAG_ENCODER },   { "COMM", "COM", COMMENT, WIRE_TAG_COMMENT },
	{ "APIC", "PIC", PICTURE, WIRE_TAGS },
};

static const struct known *find_frame(const struct id3 *id3, const struct frame *frame)
{
	for (size_t i = 0; i < sizeof(known_frames) / sizeof(known_frames[0]); i++)
		if (strcmp(frame->name, id3->version == 2 ? known_frames[i].name_v2 : known_frames[i].name) == 0)
			return &known_frames[i];
	return NULL;
}

static session_result take_picture(struct id3 *id3, const uint8_t *body, size_t size)
{
	enum encoding encoding = (enum encoding)body[0];
	/* A media type, in version 2 three letters; a byte of type; a description; the picture. */
	size_t at = 1 + (id3->version == 2 ? 3 : terminated_size(LATIN_1, body + 1, size - 1));

	if (at >= size)
		return WIRE_OK;
	uint8_t type = body[at++];
	at += terminated_size(encoding, body + at, size - at);
	return cover_offer(id3->cover, id3->input->session, body + at, size - at, type);
}

static session_result use_body(struct id3 *id3, const struct known *known, const uint8_t *body, size_t size)
{
	enum { LANGUAGE = 3 };

	if (size < 2 || body[0] > UTF_8)
		return WIRE_OK;
	enum encoding encoding = (enum encoding)body[0];
	size_t skipped = 1;
	if (known->kind == PICTURE)
		return take_picture(id3, body, size);
	if (known->kind == COMMENT) {
		if (size < 1 + LANGUAGE)
			return WIRE_OK;
		skipped = 1 + LANGUAGE;
		skipped += terminated_size(encoding, body + skipped, size - skipped);
	}
	tell_text(id3, known->tag, encoding, body + skipped, size - skipped);
	return WIRE_OK;
}

/* What of the flags stands before the body proper, in bytes; SIZE_MAX if the body cannot be read. */
static size_t body_prefix(const struct id3 *id3, const struct frame *frame)
{
	if (id3->version == 3) {
		if (frame->flags & V3_COMPRESSED_OR_ENCRYPTED)
			return SIZE_MAX;
		return frame->flags & V3_GROUPED ? 1 : 0;
	}
	if (id3->version == 4) {
		if (frame->flags & V4_COMPRESSED_OR_ENCRYPTED)
			return SIZE_MAX;
		return (frame->flags & V4_GROUPED ? 1U : 0U) + (frame->flags & V4_LENGTH ? 4U : 0U);
	}
	return 0;
}

/* How much of a frame's body is worth holding: nothing of what is not known, and of a picture that nobody asked for. */
static size_t wanted_size(struct id3 *id3, const struct frame *frame, const struct known *known, size_t prefix)
{
	uint64_t size = frame->size < id3->left ? frame->size : id3->left;

	if (!known || prefix >= size)
		return 0;
	if (known->kind != PICTURE)
		return size < TEXT_MAX ? (size_t)size : TEXT_MAX;
	id3->cover->seen = true;
	return session_request(id3->input->session)->operation == WIRE_COVER ? (size_t)size : 0;
}

static session_result take_body(struct id3 *id3, const struct frame *frame)
{
	const struct known *known = find_frame(id3, frame);
	size_t prefix = body_prefix(id3, frame);
	size_t size = wanted_size(id3, frame, known, prefix);
	session_result result = WIRE_OK;

	if (size > 0) {
		uint8_t *body = malloc(size);
		if (!body)
			return WIRE_FAIL_LIMIT_MEMORY;
		size_t got = take(id3, body, size);
		if (id3->version == 4 && (frame->flags & V4_UNSYNCHRONISED))
			got = synchronise(body, got);
		if (got > prefix)
			result = use_body(id3, known, body + prefix, got - prefix);
		free(body);
	}
	(void)take(id3, NULL, frame->size - size);
	return result;
}

/* What of a tag makes sense if its sizes are read one way. */
struct walk {
	size_t frames; /* with a name that one could have */
	int64_t past;  /* bytes by which the last frame goes past the end; not above zero: it does not */
};

static bool is_name(const uint8_t *name)
{
	for (size_t i = 0; i < 4; i++)
		if (!(name[i] >= 'A' && name[i] <= 'Z') && (i == 0 || !(name[i] >= '0' && name[i] <= '9')))
			return false;
	return true;
}

static struct walk walk_frames(const uint8_t *tag, size_t size, enum sizes sizes)
{
	static const uint8_t padding[HEADER_SIZE];
	struct walk walk = { .frames = 0 };
	uint64_t at = 0;

	while (at + HEADER_SIZE < size) {
		const uint8_t *frame = tag + at;
		if (memcmp(frame, padding, sizeof(padding)) == 0)
			return walk;
		walk.frames += is_name(frame);
		at += HEADER_SIZE + (uint64_t)(sizes == PLAIN ? input_be32(frame + 4) : read_syncsafe(frame + 4));
	}
	walk.past = (int64_t)at - (int64_t)size;
	return walk;
}

/* Decides by what the rest of the tag, from the frame with this header on, looks like: by the rule of mutagen.  It has
 * to be held for that; where there is no memory, only a byte that no seven bits make decides. */
static void decide_sizes(struct id3 *id3, const uint8_t header[HEADER_SIZE])
{
	bool high = ((header[4] | header[5] | header[6] | header[7]) & 0x80) != 0;
	uint8_t *held = malloc((size_t)id3->left + HEADER_SIZE);

	id3->sizes = high ? PLAIN : SYNCSAFE;
	if (!held)
		return;
	memcpy(held, header, HEADER_SIZE);
	id3->left = input_take(id3->input, held + HEADER_SIZE, (size_t)id3->left);
	id3->held = held;
	id3->next = held + HEADER_SIZE;
	struct walk syncsafe = walk_frames(held, (size_t)id3->left + HEADER_SIZE, SYNCSAFE);
	struct walk plain = walk_frames(held, (size_t)id3->left + HEADER_SIZE, PLAIN);
	bool as_many = plain.frames == syncsafe.frames && syncsafe.past >= 1 && plain.past <= 1;
	id3->sizes = plain.frames > syncsafe.frames || as_many ? PLAIN : SYNCSAFE;
}

static uint32_t frame_size(struct id3 *id3, const uint8_t header[HEADER_SIZE])
{
	if (id3->version == 2)
		return (uint32_t)header[3] << 16 | input_be16(header + 4);
	if (id3->version == 3)
		return input_be32(header + 4);
	/* One that is the same both ways decides nothing. */
	if (id3->sizes == UNDECIDED && input_be32(header + 4) != read_syncsafe(header + 4))
		decide_sizes(id3, header);
	return id3->sizes == PLAIN ? input_be32(header + 4) : read_syncsafe(header + 4);
}

/* Returns false at the end of the frames: padding, or no room for one. */
static bool take_frame_header(struct id3 *id3, struct frame *frame)
{
	uint8_t header[HEADER_SIZE];
	size_t name = id3->version == 2 ? 3 : 4;
	size_t size = id3->version == 2 ? 6 : HEADER_SIZE;

	if (take(id3, header, size) < size || header[0] == 0)
		return false;
	memcpy(frame->name, header, name);
	frame->name[name] = '\0';
	frame->size = frame_size(id3, header);
	frame->flags = id3->version == 2 ? 0 : header[9];
	return true;
}

static void skip_extended_header(struct id3 *id3)
{
	uint8_t size[4];

	if (take(id3, size, sizeof(size)) < sizeof(size))
		return;
	/* In version 4 the size counts itself. */
	uint32_t rest = id3->version == 3 ? input_be32(size) : read_syncsafe(size) - (uint32_t)sizeof(size);
	(void)take(id3, NULL, rest);
}

/* If the input goes on with a tag, takes its header, of at most `limit` bytes. */
static bool take_header(struct input *input, uint64_t limit, uint8_t header[HEADER_SIZE])
{
	if (limit < HEADER_SIZE || input_peek(input, header, HEADER_SIZE) < HEADER_SIZE ||
	    memcmp(header, "ID3", 3) != 0 || header[3] == 0xff || header[4] == 0xff ||
	    ((header[6] | header[7] | header[8] | header[9]) & 0x80))
		return false;
	input_used(input, HEADER_SIZE);
	return true;
}

static size_t footer_size(const uint8_t header[HEADER_SIZE])
{
	return header[3] == 4 && (header[5] & FOOTER) ? HEADER_SIZE : 0;
}

session_result id3_take(struct input *input, struct cover *cover, uint64_t limit, bool *found)
{
	uint8_t header[HEADER_SIZE];
	struct frame frame;
	session_result result = WIRE_OK;

	if (!take_header(input, limit, header))
		return WIRE_OK;
	*found = true;
	struct id3 id3 = { .input = input, .cover = cover, .left = read_syncsafe(header + 6), .version = header[3] };
	limit -= sizeof(header);
	if (id3.left > limit)
		id3.left = limit;
	bool known = id3.version >= 2 && id3.version <= 4;
	id3.unsynchronised = id3.version < 4 && (header[5] & UNSYNCHRONISED);
	if (known && id3.version > 2 && (header[5] & EXTENDED))
		skip_extended_header(&id3);
	while (known && result == WIRE_OK && id3.left > 0 && take_frame_header(&id3, &frame))
		result = take_body(&id3, &frame);
	bool footer = limit > read_syncsafe(header + 6);
	(void)input_skip(input, (id3.held ? 0 : id3.left) + (footer ? footer_size(header) : 0));
	free(id3.held);
	return result;
}

bool id3_skip(struct input *input)
{
	uint8_t header[HEADER_SIZE];

	if (!take_header(input, UINT64_MAX, header))
		return false;
	(void)input_skip(input, read_syncsafe(header + 6) + footer_size(header));
	return true;
}

/* ---- version 1 ---- */

static void tell_v1(struct session *session, enum wire_tag tag, const uint8_t *text, size_t size)
{
	char utf8[64]; /* twice the longest field, and more */

	size = strnlen((const char *)text, size);
	while (size > 0 && text[size - 1] == ' ')
		size--;
	session_tag(session, tag, utf8, utf8_from(utf8, LATIN_1, text, size));
}

void id3_take_v1(struct session *session, const uint8_t tag[ID3_V1_SIZE])
{
	static const struct {
		enum wire_tag tag;
		uint8_t start, size;
	} fields[] = {
		{ WIRE_TAG_TITLE, 3, 30 }, { WIRE_TAG_ARTIST, 33, 30 },  { WIRE_TAG_ALBUM, 63, 30 },
		{ WIRE_TAG_DATE, 93, 4 },  { WIRE_TAG_COMMENT, 97, 28 },
	};
	char number[8];

	if (memcmp(tag, "TAG", 3) != 0)
		return;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		tell_v1(session, fields[i].tag, tag + fields[i].start, fields[i].size);
	/* Version 1.1 has the track where 1.0 has the end of the comment. */
	if (tag[125] == 0 && tag[126] != 0)
		session_tag(session, WIRE_TAG_TRACK, number, (size_t)snprintf(number, sizeof(number), "%u", tag[126]));
	if (tag[127] != 0xff)
		session_tag(session, WIRE_TAG_GENRE, number,
		            (size_t)snprintf(number, sizeof(number), "(%u)", tag[127]));
}
