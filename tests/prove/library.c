/* SPDX-License-Identifier: MIT */
/*
 * Decodes inputs through the library, for the proof, and says how each ended:
 *
 *     prove-library WAY [NAME=VALUE]...
 *
 * WAY is "call", "into" or "stream" (ways.h).  Each line of standard input is one input, a command for the hostile
 * decoder.  One line is printed for each: status (or what the library promises and did not hold), signal, limit,
 * milliseconds, reason and answer, separated by tabs.  The last line says what is left behind: descriptors, children,
 * and the most memory that this process had resident, KiB.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ways.h"

enum {
	DESCRIPTORS = 1024,
	LONG_ENOUGH = 4000, /* an input of so many bytes is recognised though there may come more */
};

/* Not 0: each input comes through a pipe, whose other end stays open behind the line. */
static uint32_t stays_open;

/* Not 0: each input has so many bytes, of which the line is the first ones. */
static size_t input_size;

/* ---- what to say ---- */

static uint64_t milliseconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The last line of an answer, as far as it can be shown. */
static void print_answer(const struct answer *answer)
{
	size_t start = answer->size;

	while (start > 0 && answer->bytes[start - 1] != '\n')
		start--;
	for (; start < answer->size; start++)
		putchar(answer->bytes[start] >= 0x20 && answer->bytes[start] < 0x7f ? answer->bytes[start] : '.');
}

/* The line, and what makes it as long as it is to be. */
static bool lengthen(const char *line, struct sdec_input *input)
{
	static char *longer;
	size_t length = strlen(line);

	free(longer);
	longer = length < input_size ? malloc(input_size) : NULL;
	if (!longer)
		return false;
	memset(longer, 'x', input_size);
	memcpy(longer, line, length);
	longer[length] = '\n';
	input->data = longer;
	input->data_size = input_size;
	return true;
}

/* The line, in memory or in a pipe.  Returns false if there cannot be one. */
static bool open_input(const char *line, struct sdec_input *input, int ends[2])
{
	*input = (struct sdec_input){
		.size = sizeof(*input), .kind = SDEC_INPUT_MEMORY, .data = line, .data_size = strlen(line)
	};
	if (input_size > 0)
		return lengthen(line, input);
	if (!stays_open)
		return true;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	input->kind = SDEC_INPUT_FD;
	input->data_size = 0;
	input->fd = ends[0];
	return dprintf(ends[1], "%-*s\n", LONG_ENOUGH, line) > 0;
}

static void decode_line(struct way *way, way_decode *decode, const char *line)
{
	struct sdec_input input;
	int ends[2] = { -1, -1 };
	uint64_t before = milliseconds();

	if (!open_input(line, &input, ends))
		exit(SDEC_IO);
	way->line = line;
	way->answer.size = 0;
	way->broken = NULL;
	way->result = (struct sdec_result){ .size = sizeof(way->result) };
	enum sdec_status status = decode(way, &input);
	for (int i = 0; i < 2 && ends[i] >= 0; i++)
		(void)close(ends[i]);
	printf("%s\t%d\t%u\t%llu\t%s\t", way->broken ? way->broken : sdec_status_name(status), (int)way->result.signal,
	       way->result.limit, (unsigned long long)(milliseconds() - before),
	       way->result.reason ? way->result.reason : "");
	print_answer(&way->answer);
	putchar('\n');
	(void)fflush(stdout);
}

/* Not by /proc, which may not be there. */
static int count_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < DESCRIPTORS; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static size_t count_children(void)
{
	size_t count = 0;

	while (waitpid(-1, NULL, WNOHANG) >= 0 && count < 1000)
		count++;
	return count;
}

/* ---- settings ---- */

static struct sdec_config config = { .size = sizeof(config) };
static struct sdec_limits limits = { .size = sizeof(limits) };
static uint32_t flags, pixel_format;

static bool set(const char *argument)
{
	static const struct {
		const char *name;
		void *value;
		size_t size;
	} settings[] = {
		{ "memory=", &config.memory, sizeof(config.memory) },
		{ "no-spares=", &config.no_spares, sizeof(config.no_spares) },
		{ "output=", &limits.max_output, sizeof(limits.max_output) },
		{ "cpu=", &limits.cpu_seconds, sizeof(limits.cpu_seconds) },
		{ "stall=", &limits.stall_seconds, sizeof(limits.stall_seconds) },
		{ "deadline=", &limits.deadline_milliseconds, sizeof(limits.deadline_milliseconds) },
		{ "flags=", &flags, sizeof(flags) },
		{ "pixels=", &pixel_format, sizeof(pixel_format) },
		{ "size=", &input_size, sizeof(input_size) },
		{ "stays-open=", &stays_open, sizeof(stays_open) },
	};
	/* Arguments that mean nothing are secrets of the caller's. */
	static const char secret[] = "secret=";

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		size_t length = strlen(settings[i].name);
		if (strncmp(argument, settings[i].name, length) != 0)
			continue;
		uint64_t value = strtoull(argument + length, NULL, 10);
		memcpy(settings[i].value, &value, settings[i].size);
		return true;
	}
	return strncmp(argument, secret, strlen(secret)) == 0;
}

/* The programs that know the hostile decoder lie beside this one, whose path is its name. */
static bool set_programs(const char *program)
{
	static char path[PATH_MAX];
	const char *slash = strrchr(program, '/');

	if (!slash)
		return false;
	config.programs = path;
	return snprintf(path, sizeof(path), "%.*s/decoders", (int)(slash - program), program) < PATH_MAX;
}

static void decode_all(struct way *way, way_decode *decode)
{
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		decode_line(way, decode, line);
	}
	free(line);
}

int main(int argc, char **argv)
{
	struct way way = { .request = { .size = sizeof(way.request), .limits = &limits } };
	way_decode *decode = argc > 1 ? way_by_name(argv[1]) : NULL;
	struct rusage usage;

	if (!decode || !set_programs(argv[0]) || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		return SDEC_USAGE;
	for (int i = 2; i < argc; i++)
		if (!set(argv[i]))
			return SDEC_USAGE;
	way.request.flags = flags;
	way.request.pixel_format = pixel_format;
	char *secret = strdup(argv[argc - 1]); /* on the heap, too, until the end */
	int before = count_descriptors();
	if (sdec_pool_open(&config, &way.decoder) == SDEC_OK)
		decode_all(&way, decode);
	sdec_pool_close(&way.decoder);
	free(secret);
	(void)getrusage(RUSAGE_SELF, &usage);
	printf("left\t%d\t%zu\t%ld\n", count_descriptors() - before, count_children(), usage.ru_maxrss);
	return SDEC_OK;
}
