/* SPDX-License-Identifier: MIT */
/* Attacks on memory: what it must not hold, and where it must end. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hostile.h"

enum { PAGE = 4096, RANGES = 512, SECRETS = 16, SECRET_MOST = 64, PROBES = 4096 };

/* Deeper and deeper, until the guard below the stack. */
__attribute__((noinline)) static unsigned long deeper(unsigned long levels)
{
	volatile char frame[PAGE];

	frame[levels % PAGE] = (char)levels;
	return levels == 0 ? 0 : deeper(levels - 1) + (unsigned char)frame[(levels + 1) % PAGE];
}

session_result recurse(struct session *session, const struct arguments *arguments)
{
	(void)session;
	return deeper(arguments->first) == 0 ? answer("came back") : answer("came back with something");
}

/* Takes and touches all memory that malloc() gives, in ever smaller pieces, and then goes on behind the highest. */
session_result exhaust(struct session *session, const struct arguments *arguments)
{
	char *highest = NULL;

	(void)session;
	for (size_t size = (size_t)64 << 20; size >= PAGE;) {
		char *memory = malloc(size);
		if (!memory) {
			size /= 2;
			continue;
		}
		memset(memory, 0x5a, size);
		if (memory + size > highest)
			highest = memory + size;
	}
	for (size_t i = 0; arguments->first != 0; i += PAGE)
		((volatile char *)highest)[i] = 1;
	return WIRE_FAIL_LIMIT_MEMORY;
}

session_result execute_heap(struct session *session, const struct arguments *arguments)
{
	uint8_t *code = malloc(PAGE);

	(void)session;
	(void)arguments;
	if (!code)
		return WIRE_FAIL_LIMIT_MEMORY;
	memset(code, 0xc3, PAGE); /* ret */
	((void (*)(void))(uintptr_t)code)();
	free(code);
	return answer("executed the heap");
}

/* ---- searching all of memory ---- */

/* What is mapped, as of before the lock-down: an attacker would have to find that out. */
static struct {
	uintptr_t start, end;
} ranges[RANGES];
static size_t range_count;
static char map_text[256 << 10];

void prepare_search(void)
{
	size_t filled = 0;
	ssize_t got = 0;
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && (got = read(fd, map_text + filled, sizeof(map_text) - 1 - filled)) > 0)
		filled += (size_t)got;
	if (fd >= 0)
		(void)close(fd);
	map_text[filled] = '\0';
	for (char *line = map_text; *line && range_count < RANGES;) {
		char *rest = NULL;
		ranges[range_count].start = strtoul(line, &rest, 16);
		ranges[range_count].end = strtoul(rest + 1, NULL, 16);
		range_count++;
		line = strchr(line, '\n');
		if (!line)
			break;
		line++;
	}
	/* What it says is not to be found by the search. */
	memset(map_text, 0, sizeof(map_text));
}

/* Secrets, every bit of them inverted, so that what is found is never this list. */
static struct {
	uint8_t inverted[SECRET_MOST];
	size_t size, found;
} secrets[SECRETS];
static size_t secret_count;

/* Takes secrets in hexadecimal digits, with spaces between them, up to a "-". */
static void take_secrets(const char *text)
{
	secret_count = 0;
	for (;;) {
		while (*text == ' ')
			text++;
		if (!*text || *text == '-' || secret_count == SECRETS)
			return;
		size_t size = 0;
		for (; text[0] && text[0] != ' ' && text[1] && size < SECRET_MOST; text += 2) {
			char digits[3] = { text[0], text[1], '\0' };
			secrets[secret_count].inverted[size++] = (uint8_t)~strtoul(digits, NULL, 16);
		}
		while (*text && *text != ' ')
			text++;
		secrets[secret_count].size = size;
		secrets[secret_count++].found = 0;
	}
}

static bool is_secret(const uint8_t *bytes, size_t left, size_t secret)
{
	size_t size = secrets[secret].size;

	if (size == 0 || size > left)
		return false;
	for (size_t i = 0; i < size; i++)
		if ((bytes[i] ^ secrets[secret].inverted[i]) != 0xff)
			return false;
	return true;
}

static void search_run(const uint8_t *start, const uint8_t *end)
{
	static const uint8_t zeros[PAGE];

	for (const uint8_t *page = start; page < end; page += PAGE) {
		if (memcmp(page, zeros, PAGE) == 0)
			continue;
		for (const uint8_t *byte = page; byte < page + PAGE; byte++)
			for (size_t i = 0; *byte != 0 && i < secret_count; i++)
				secrets[i].found += is_secret(byte, (size_t)(end - byte), i);
	}
}

/* Whether a page can be read: the kernel refuses to write it to the pipe if not.  One byte of a message goes there in
 * either case. */
static bool probe(const uint8_t *page)
{
	if (write(STDOUT_FILENO, page, 1) == 1)
		return true;
	if (write(STDOUT_FILENO, "-", 1) != 1)
		_Exit(1);
	return false;
}

/* Not what this file itself holds: its ranges and secrets. */
static void search_range(uintptr_t start, uintptr_t end)
{
	const uint8_t *run = NULL;

	for (uintptr_t page = start; page < end; page += PAGE) {
		if ((page - start) / PAGE % PROBES == 0) {
			uintptr_t pages = (end - page) / PAGE;
			say(WIRE_DATA, pages < PROBES ? (uint32_t)pages : PROBES, NULL, 0);
		}
		bool readable = probe((const uint8_t *)page);
		if (readable && !run)
			run = (const uint8_t *)page;
		if (!readable && run)
			search_run(run, (const uint8_t *)page);
		if (!readable)
			run = NULL;
	}
	if (run)
		search_run(run, (const uint8_t *)end);
}

/* Looks for secrets in all of its memory, and says which it found.  The first one is where it can be found. */
session_result search(struct session *session, const struct arguments *arguments)
{
	char text[256] = "\nfound:";

	(void)session;
	take_secrets(arguments->text);
	say(WIRE_BYTES, 0, NULL, 0);
	for (size_t i = 0; i < range_count; i++)
		search_range(ranges[i].start, ranges[i].end);
	for (size_t i = 0, length = strlen(text); i < secret_count; i++)
		if (secrets[i].found > 0)
			length += (size_t)snprintf(text + length, sizeof(text) - length, " %zu", i);
	say(WIRE_DATA, (uint32_t)strlen(text), text, strlen(text));
	return SESSION_STOP;
}
