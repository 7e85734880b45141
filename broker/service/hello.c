/* SPDX-License-Identifier: MIT */
#include "hello.h"

#include <stdio.h>
#include <string.h>

#include "broker/base/reasons.h"

/* Text of a program of the trusted side, which need not be in order where something is wrong. */
static void copy_printable(char *to, size_t size, const char *from, size_t length)
{
	size_t filled = 0;

	for (size_t i = 0; i < length && from[i] && filled + 1 < size; i++)
		if (from[i] >= 0x20 && from[i] < 0x7f)
			to[filled++] = from[i];
	to[filled] = '\0';
}

/* "NAME: error while loading shared libraries: LIBRARY: cannot open ..." */
static struct outcome complaint(const struct packet *packet)
{
	char text[HELLO_ROOM];
	char reason[HELLO_ROOM + 64];

	copy_printable(text, sizeof(text), packet->data, packet->got);
	(void)snprintf(reason, sizeof(reason), "the decoder does not start: %s", text);
	return outcome_of(SDEC_UNSUPPORTED, reasons_keep(reason, "the decoder does not start"));
}

struct outcome hello_judge(const struct packet *packet)
{
	struct protocol_hello hello;
	char build[sizeof(hello.build) + 1];
	char reason[160];

	if (packet->got < sizeof(hello) || memcmp(packet->data, PROTOCOL_MAGIC, sizeof(hello.magic)) != 0)
		return complaint(packet);
	memcpy(&hello, packet->data, sizeof(hello));
	copy_printable(build, sizeof(build), hello.build, sizeof(hello.build));
	if (strcmp(build, PROTOCOL_BUILD_ID) == 0)
		return outcome_ok();
	(void)snprintf(reason, sizeof(reason), "the decoder program is of version %s, and this is %s", build,
	               PROTOCOL_BUILD_ID);
	return outcome_of(SDEC_NO_SANDBOX, reasons_keep(reason, "the decoder program is of another version"));
}

struct outcome hello_missing(void)
{
	return outcome_of(
	        SDEC_NO_SANDBOX,
	        "the decoder program ended before it said hello: is it of another version than " PROTOCOL_BUILD_ID "?");
}

const char *hello_library(const struct protocol_hello *hello)
{
	char library[sizeof(hello->library) + 1];

	copy_printable(library, sizeof(library), hello->library, sizeof(hello->library));
	return reasons_keep(library, "unknown");
}
