/* SPDX-License-Identifier: MIT */
/*
 * Decodes inputs through the library, for the proof, and says how each ended:
 *
 *     prove-library WAY [NAME=VALUE]...
 *
 * WAY is "call" (the one-call functions), "into" (the same into memory of the size that safe_probe() told) or "stream".
 * Each line of standard input is one input, a command for the hostile decoder.  One line is printed for each: status,
 * signal, limit, milliseconds, reason and answer, separated by tabs.  The last line says what is left behind:
 * descriptors, children, and the most memory that this process had resident, KiB.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../broker/safe-decode.h"

enum { ANSWER = 200, GUARD = 64, WAYS = 3 };

/* The last bytes of the output, which is where an attack puts its answer. */
struct answer {
	char bytes[ANSWER];
	size_t size;
};

struct way {
	struct safe_decoder *decoder;
	struct safe_request request;
	struct safe_result result;
	struct answer answer;
};

static void keep(struct answer *answer, const void *data, size_t size)
{
	size_t part = size < ANSWER ? size : ANSWER;
	size_t old = answer->size < ANSWER - part ? answer->size : ANSWER - part;

	if (part == 0)
		return;
	memmove(answer->bytes, answer->bytes + answer->size - old, old);
	memcpy(answer->bytes + old, (const char *)data + size - part, part);
	answer->size = old + part;
}

/* ---- the ways ---- */

static bool gives_bytes(const struct safe_input *input)
{
	return memcmp(input->data, "HOSTBYT ", 8) == 0;
}

static enum safe_status by_call(struct way *way, const struct safe_input *input)
{
	struct safe_image image = { .size = sizeof(image) };
	struct safe_bytes bytes = { .size = sizeof(bytes) };
	enum safe_status status = SAFE_OK;

	if (gives_bytes(input)) {
		status = safe_decode_bytes(way->decoder, input, &way->request, &bytes, &way->result);
		keep(&way->answer, bytes.data, bytes.data_size);
	} else {
		status = safe_decode_image(way->decoder, input, &way->request, &image, &way->result);
	}
	if (status != SAFE_OK && (image.pixels || bytes.data))
		keep(&way->answer, "a failure gave something", 24);
	safe_image_free(&image);
	safe_bytes_free(&bytes);
	return status;
}

/* As a caller does who believes what the decoder said first. */
static enum safe_status into_probed(struct way *way, const struct safe_input *input)
{
	struct safe_image image = { .size = sizeof(image) };
	struct safe_info info = { .size = sizeof(info) };
	enum safe_status status = safe_probe(way->decoder, input, &way->request, &info, &way->result);
	size_t stride = (size_t)info.width * 4;
	size_t size = stride * info.height;
	static const unsigned char guard[GUARD];

	if (status != SAFE_OK)
		return status;
	unsigned char *pixels = calloc(1, size + GUARD);
	if (!pixels)
		return SAFE_IO;
	status = safe_decode_image_into(way->decoder, input, &way->request, pixels, size, stride, &image, &way->result);
	if (memcmp(pixels + size, guard, GUARD) != 0)
		keep(&way->answer, "wrote behind the memory that it was given", 41);
	free(pixels);
	return status;
}

static enum safe_status by_stream(struct way *way, const struct safe_input *input)
{
	struct safe_stream *stream = NULL;
	struct safe_event event = { .size = sizeof(event) };
	enum safe_status status = safe_stream_open(way->decoder, input, &way->request, &stream);

	while (status == SAFE_OK && event.kind != SAFE_EVENT_END) {
		struct pollfd ready = { .fd = safe_stream_fd(stream), .events = POLLIN };
		if (poll(&ready, 1, -1) < 0 && errno != EINTR)
			break;
		status = safe_stream_step(stream, &event);
		if (status == SAFE_OK && (event.kind == SAFE_EVENT_BYTES || event.kind == SAFE_EVENT_ROWS))
			keep(&way->answer, event.data, event.data_size);
	}
	safe_stream_result(stream, &way->result);
	if (!gives_bytes(input))
		way->answer.size = 0;
	safe_stream_close(&stream);
	return status;
}

static const struct {
	const char *name;
	enum safe_status (*decode)(struct way *way, const struct safe_input *input);
} ways[WAYS] = { { "call", by_call }, { "into", into_probed }, { "stream", by_stream } };

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

static void decode_line(struct way *way, size_t number, const char *line)
{
	struct safe_input input = { .size = sizeof(input), .data = line, .data_size = strlen(line), .fd = -1 };
	uint64_t before = milliseconds();

	way->answer.size = 0;
	way->result = (struct safe_result){ .size = sizeof(way->result) };
	enum safe_status status = ways[number].decode(way, &input);
	printf("%s\t%d\t%u\t%llu\t%s\t", safe_status_name(status), (int)way->result.signal, way->result.limit,
	       (unsigned long long)(milliseconds() - before), way->result.reason ? way->result.reason : "");
	print_answer(&way->answer);
	putchar('\n');
	(void)fflush(stdout);
}

static size_t count_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t count = 0;

	while (folder && readdir(folder))
		count++;
	if (folder)
		(void)closedir(folder);
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

static struct safe_config config = { .size = sizeof(config) };
static struct safe_limits limits = { .size = sizeof(limits) };
static uint32_t flags;

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

/* The broker that knows the hostile decoder lies beside this program. */
static bool set_broker(void)
{
	static char path[PATH_MAX];
	static const char name[] = "/safe-decode-broker";
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - sizeof(name));

	if (length <= 0)
		return false;
	path[length] = '\0';
	memcpy(strrchr(path, '/'), name, sizeof(name));
	config.broker = path;
	return true;
}

static void decode_all(struct way *way, size_t number)
{
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		decode_line(way, number, line);
	}
	free(line);
}

int main(int argc, char **argv)
{
	struct way way = { .request = { .size = sizeof(way.request), .limits = &limits } };
	size_t number = 0;
	struct rusage usage;

	while (number < WAYS && argc > 1 && strcmp(argv[1], ways[number].name) != 0)
		number++;
	if (argc < 2 || number == WAYS || !set_broker())
		return SAFE_USAGE;
	for (int i = 2; i < argc; i++)
		if (!set(argv[i]))
			return SAFE_USAGE;
	way.request.flags = flags;
	char *secret = strdup(argv[argc - 1]); /* on the heap, too, until the end */
	size_t before = count_descriptors();
	if (safe_decoder_open(&config, &way.decoder) == SAFE_OK)
		decode_all(&way, number);
	safe_decoder_close(&way.decoder);
	free(secret);
	(void)getrusage(RUSAGE_SELF, &usage);
	printf("left\t%zd\t%zu\t%ld\n", (ssize_t)count_descriptors() - (ssize_t)before, count_children(),
	       usage.ru_maxrss);
	return SAFE_OK;
}
