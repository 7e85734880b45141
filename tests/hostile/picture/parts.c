/* SPDX-License-Identifier: MIT */
/* Attacks by way of the input: what a decoder asks for that may read it in any order. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hostile.h"

static bool take(void *to, size_t size)
{
	size_t taken = 0;
	ssize_t got = 1;

	for (; taken < size && got > 0; taken += got > 0 ? (size_t)got : 0)
		got = read(STDIN_FILENO, (uint8_t *)to + taken, size - taken);
	return taken == size;
}

static void ask(uint64_t offset, uint32_t length)
{
	const struct wire_read read = { .offset = offset, .length = length };

	say(WIRE_READ, sizeof(read), &read, sizeof(read));
}

/* OFFSET LENGTH: one part, which is as long as it says. */
session_result part(struct session *session, const struct arguments *arguments)
{
	static uint8_t bytes[WIRE_READ_MAX];
	struct wire_part found;
	char text[64];

	(void)session;
	ask(arguments->first, (uint32_t)arguments->second);
	if (!take(&found, sizeof(found)) || found.length > sizeof(bytes) || !take(bytes, found.length))
		return answer("no part");
	(void)snprintf(text, sizeof(text), "%u bytes", found.length);
	return answer(text);
}

/* N: so many, none of which it takes; 0: one, and then it computes for ever. */
session_result parts_untaken(struct session *session, const struct arguments *arguments)
{
	(void)session;
	say(WIRE_BYTES, 0, NULL, 0);
	for (unsigned long i = 0; i < arguments->first || i == 0; i++)
		ask(0, WIRE_READ_MAX);
	while (arguments->first == 0)
		__asm__ volatile("");
	return WIRE_OK;
}

/* The same part again and again. */
session_result parts_without_end(struct session *session, const struct arguments *arguments)
{
	static uint8_t bytes[WIRE_READ_MAX];

	while (arguments && session_read_at(session, 0, bytes, sizeof(bytes)) > 0)
		;
	return answer("no part");
}
