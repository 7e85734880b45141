/* SPDX-License-Identifier: MIT */
/* Text, so that a bare header of zlib or of a frame does not win over it. */
#include <string.h>
#include <strings.h>

#include "look.h"

enum { ENOUGH = 1024 };

/* The size of the UTF-8 sequence of several bytes at `bytes`; 0: it is none.  One that the end cuts is one. */
static size_t sequence_size(const uint8_t *bytes, size_t left)
{
	size_t size = bytes[0] >= 0xf5 ? 0 : bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : bytes[0] >= 0xc2 ? 2 : 0;

	for (size_t i = 1; i < size && i < left; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	return size;
}

static bool is_control(uint8_t byte)
{
	return (byte < 0x20 && !strchr("\t\n\f\r\x1b", byte)) || byte == 0x7f || byte == 0;
}

bool look_is_utf8(const struct look_view *view)
{
	for (size_t i = 0; i < view->size; i++) {
		size_t sequence = 1;
		if (is_control(view->bytes[i]))
			return false;
		if (view->bytes[i] >= 0x80)
			sequence = sequence_size(view->bytes + i, view->size - i);
		if (sequence == 0)
			return false;
		i += sequence - 1;
	}
	return true;
}

/* A code of one byte a character that is ASCII for the most part.  0x80 to 0x9f are less usual in such. */
static bool is_old_text(const struct look_view *view)
{
	size_t plain = 0, high = 0;

	for (size_t i = 0; i < view->size; i++) {
		uint8_t byte = view->bytes[i];
		if (is_control(byte))
			return false;
		plain += byte < 0x80;
		high += byte < 0x80 ? 0 : byte < 0xa0 ? 3 : 1;
	}
	return plain / 3 >= high;
}

size_t guess_text(const struct look_view *view)
{
	struct look_view start = *view;

	start.size = view->size < ENOUGH ? view->size : ENOUGH;
	if (start.size < ENOUGH && !view->ended)
		return 0;
	return look_is_utf8(&start) || is_old_text(&start) ? start.size : 0;
}

/* With a byte order mark, and no character that text does not have. */
size_t guess_utf16(const struct look_view *view)
{
	size_t size = view->size < ENOUGH ? view->size : ENOUGH;

	if (size < 4 || (size < ENOUGH && !view->ended))
		return 0;
	bool little_endian = view->bytes[0] == 0xff && view->bytes[1] == 0xfe;
	if (!little_endian && !(view->bytes[0] == 0xfe && view->bytes[1] == 0xff))
		return 0;
	unsigned before = 0;
	for (size_t i = 2; i + 1 < size; i += 2) {
		unsigned unit = (unsigned)view->bytes[i + little_endian] << 8 | view->bytes[i + !little_endian];
		bool low = unit >= 0xdc00 && unit < 0xe000, after_high = before >= 0xd800 && before < 0xdc00;
		if (low != after_high || (unit < 0x80 && is_control((uint8_t)unit)) ||
		    (unit >= 0xe000 && unit < 0xf900) || unit >= 0xfffe)
			return 0;
		before = unit;
	}
	return size;
}

static bool starts_with(const char *text, size_t size, const char *word)
{
	size_t length = strlen(word);

	return size >= length && strncasecmp(text, word, length) == 0;
}

const char *look_name_text(const struct look_view *view)
{
	static const struct {
		const char *start, *name;
	} rows[] = {
		{ "<!DOCTYPE html", "HTML" },
		{ "<html", "HTML" },
		{ "<head", "HTML" },
		{ "<body", "HTML" },
		{ "<svg", "SVG" },
		{ "<!DOCTYPE svg", "SVG" },
		{ "<?xml", "XML" },
		{ "{\\rtf", "RTF" },
		{ "%!PS", "PostScript" },
		{ "#EXTM3U", "a playlist" },
		{ "[playlist]", "a playlist" },
		{ "#!", "a script" },
		{ "/* XPM */", "XPM" },
		{ "WEBVTT", "subtitles" },
		{ "-----BEGIN ", "text with a key, a certificate or a signature" },
	};
	const char *text = (const char *)view->bytes;
	size_t size = view->size < ENOUGH ? view->size : ENOUGH;
	size_t start = size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	while (start < size && strchr(" \t\r\n", text[start]))
		start++;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!starts_with(text + start, size - start, rows[i].start))
			continue;
		bool is_svg = strcmp(rows[i].name, "XML") == 0 && memmem(text, size, "<svg", 4);
		return is_svg ? "SVG" : rows[i].name;
	}
	return "text";
}
