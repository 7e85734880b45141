/* SPDX-License-Identifier: MIT */
/* What recognises formats by untrusted bytes and untrusted names, and what makes such text fit to be shown. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../broker/cli/escape.h"
#include "../broker/registry.h"
#include "../broker/sinks/sink.h"
#include "poison.h"

#define REQUIRE(condition)                                                                                             \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

enum { NAME_MAX_SIZE = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of the start alone, which ends where a byte more would be seen. */
static void recognise(const uint8_t *data, size_t size)
{
	static uint8_t room[2 * REGISTRY_START];
	uint8_t *start = room + REGISTRY_START - size;

	memcpy(start, data, size);
	POISON(room + REGISTRY_START, REGISTRY_START);
	const struct safe_format *format = registry_recognise(start, size);
	REQUIRE(!format || format->recognise(start, size));
	size_t prefix = registry_prefix(start, size);
	REQUIRE(prefix == 0 || prefix >= 10);
	/* The first of those that would take it is the one. */
	const struct safe_format *other = NULL;
	for (size_t i = 0; (other = registry_at(i)) != NULL && other != format; i++)
		REQUIRE(!other->recognise || !other->recognise(start, size));
	UNPOISON(room + REGISTRY_START, REGISTRY_START);
}

static void look_names_up(const char *name)
{
	const struct safe_format *format = registry_by_name(name);
	const struct sink_format *sink = sink_format_by_name(name);

	REQUIRE(!format || strcmp(format->name, name) == 0);
	REQUIRE(!sink || strcmp(sink->name, name) == 0);
	format = registry_by_file_name(name);
	REQUIRE(!format || (!format->recognise && strchr(name, '.')));
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

	recognise(data, size < REGISTRY_START ? size : REGISTRY_START);
	if (length > 0)
		memcpy(name, data, length);
	name[length] = '\0';
	look_names_up(name);
	escape(name);
	return 0;
}
