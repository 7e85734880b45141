/* SPDX-License-Identifier: MIT */
/* What recognises formats by untrusted bytes and untrusted names, and what makes such text fit to be shown. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/cli/escape.h"
#include "broker/output/sink.h"
#include "broker/recognise/recognise.h"
#include "broker/recognise/registry.h"
#include "poison.h"

#define REQUIRE(condition)                                                                                             \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

enum { NAME_MAX_SIZE = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = RECOGNISE_MOST + 4096 };

static bool same(const struct recognition *one, const struct recognition *other)
{
	return one->format == other->format && one->looks_like == other->looks_like;
}

/* Of bytes that end where a byte more would be seen. */
static enum recognise_answer ask(const uint8_t *data, size_t size, bool ended, const char *name,
                                 struct recognition *result)
{
	static uint8_t room[ROOM + 64];
	uint8_t *start = room + ROOM - size;

	if (size > 0)
		memcpy(start, data, size);
	POISON(room + ROOM, 64);
	enum recognise_answer answer = recognise(start, size, ended, name, result);
	UNPOISON(room + ROOM, 64);
	REQUIRE((answer == RECOGNISE_KNOWN) == (result->format != NULL));
	REQUIRE(answer == RECOGNISE_UNKNOWN || !result->looks_like);
	REQUIRE(!result->looks_like || strlen(result->looks_like) < 64);
	REQUIRE(answer != RECOGNISE_MORE || (!ended && size < RECOGNISE_MOST));
	REQUIRE(answer != RECOGNISE_MORE || (result->more > size && result->more <= RECOGNISE_MOST));
	return answer;
}

/* Once it is decided, more bytes change nothing, nor does the end. */
static void recognise_stably(const uint8_t *data, size_t size, const char *name)
{
	struct recognition first = { 0 }, result;
	enum recognise_answer decided = RECOGNISE_MORE, answer = RECOGNISE_MORE;
	/* Byte by byte at the start, where most are decided, and then in the steps that it asks for, and between them.
	 */
	for (size_t part = 0; part <= size;) {
		answer = ask(data, part, false, name, &result);
		REQUIRE(decided == RECOGNISE_MORE || (answer == decided && same(&first, &result)));
		if (decided == RECOGNISE_MORE && answer != RECOGNISE_MORE) {
			decided = answer;
			first = result;
		}
		part += part < 64 ? 1 : 1 + part % 31 + part / 4;
	}
	answer = ask(data, size, true, name, &result);
	REQUIRE(answer != RECOGNISE_MORE);
	REQUIRE(decided == RECOGNISE_MORE || (answer == decided && same(&first, &result)));
	REQUIRE(name || !result.format || result.format->look || result.format->marks || result.format->guess);
}

static void read_tags(const uint8_t *data, size_t size)
{
	size_t prefix = registry_prefix(data, size);

	REQUIRE(prefix == 0 || prefix >= 10);
}

static void look_names_up(const char *name)
{
	const struct format *format = registry_by_name(name);
	const struct sink_format *sink = sink_format_by_name(name);

	REQUIRE(!format || strcmp(format->name, name) == 0);
	REQUIRE(!sink || strcmp(sink->name, name) == 0);
	format = registry_by_file_name(name);
	REQUIRE(!format || (!format->look && !format->guess && !format->marks && strchr(name, '.')));
	sink = sink_format_by_file_name(name);
	REQUIRE(!sink || strchr(name, '.'));
}

/* Writes the text by `escape` into memory; returns how many bytes that are, all of which can be shown. */
static size_t show(void (*escape)(FILE *stream, const char *text), const char *text, char *shown, size_t room)
{
	static FILE *stream;
	static char *first;

	if (!stream)
		stream = fmemopen(first = shown, room, "w");
	REQUIRE(stream && shown == first);
	rewind(stream);
	escape(stream, text);
	long length = ftell(stream);
	REQUIRE(length >= 0 && fflush(stream) == 0);
	for (long i = 0; i < length; i++)
		REQUIRE(shown[i] >= 0x20 && shown[i] < 0x7f);
	return (size_t)length;
}

static void escape(const char *text)
{
	static char shown[12 * NAME_MAX_SIZE + 16];
	size_t length = show(escape_text, text, shown, sizeof(shown));

	REQUIRE(length >= strlen(text));
	length = show(escape_json, text, shown, sizeof(shown));
	REQUIRE(length >= 2 && shown[0] == '"' && shown[length - 1] == '"');
	/* No quote ends the string before its end. */
	for (size_t i = 1; i < length - 1; i++) {
		REQUIRE(shown[i] != '"');
		i += shown[i] == '\\';
	}
	REQUIRE(shown[length - 1] == '"');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[NAME_MAX_SIZE + 1];
	size_t length = size < NAME_MAX_SIZE ? size : NAME_MAX_SIZE;

	if (size > ROOM)
		size = ROOM;
	recognise_stably(data, size, NULL);
	/* Some extensions decide between equals. */
	static const char *const names[] = { "a.br", "a.mp3", "a.zlib", "a.lz4", "b/c.flac", "a.deflate", ".", "" };
	recognise_stably(data, size, names[size % (sizeof(names) / sizeof(names[0]))]);
	read_tags(data, size);
	if (length > 0)
		memcpy(name, data, length);
	name[length] = '\0';
	look_names_up(name);
	escape(name);
	return 0;
}
