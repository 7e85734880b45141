/* SPDX-License-Identifier: MIT */
#include "library_support.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- bytes ---- */

static struct blob read_stream(FILE *stream)
{
	struct blob blob = { .data = NULL };
	size_t room = 0;
	size_t got = 0;

	do {
		if (blob.size == room) {
			room = room > 0 ? 2 * room : 1 << 16;
			blob.data = realloc(blob.data, room);
			cr_assert_not_null(blob.data);
		}
		got = fread(blob.data + blob.size, 1, room - blob.size, stream);
		blob.size += got;
	} while (got > 0);
	cr_assert(!ferror(stream));
	return blob;
}

struct blob read_blob(const char *path)
{
	FILE *stream = fopen(path, "rb");

	cr_assert_not_null(stream, "%s", path);
	struct blob blob = read_stream(stream);
	cr_assert_eq(fclose(stream), 0);
	return blob;
}

struct blob command_line(const char *arguments)
{
	char command[PATH_MAX + 256];
	int length = snprintf(command, sizeof(command), "%s -q %s", built_program("safe-decode"), arguments);

	cr_assert(length > 0 && (size_t)length < sizeof(command));
	FILE *stream = popen(command, "r");
	cr_assert_not_null(stream);
	struct blob blob = read_stream(stream);
	cr_assert_eq(pclose(stream), 0, "%s", command);
	return blob;
}

void free_blob(struct blob *blob)
{
	free(blob->data);
	*blob = (struct blob){ .data = NULL };
}

/* ---- decoders and inputs ---- */

const char *built_program(const char *name)
{
	static char path[PATH_MAX];
	char self[PATH_MAX / 2];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	cr_assert(length > 0);
	self[length] = '\0';
	*strrchr(self, '/') = '\0'; /* the test program lies in the build's tests/ */
	cr_assert((size_t)snprintf(path, sizeof(path), "%s/../%s", self, name) < sizeof(path));
	return path;
}

static struct sdec_pool *open_on(const char *folder, const struct sdec_config *config)
{
	struct sdec_config mine = config ? *config : (struct sdec_config){ .size = sizeof(mine) };
	struct sdec_pool *decoder = NULL;

	/* Brokers are no children of their caller; the tests find them, and count them, because they are adopted. */
	cr_assert_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	mine.programs = built_program(folder);
	cr_assert_eq(sdec_pool_open(&mine, &decoder), SDEC_OK);
	cr_assert_not_null(decoder);
	return decoder;
}

struct sdec_pool *open_decoder(const struct sdec_config *config)
{
	return open_on("decoders", config);
}

struct sdec_pool *open_hostile(const struct sdec_config *config)
{
	return open_on("tests/bin-hostile/decoders", config);
}

struct sdec_input memory_input(const void *data, size_t size)
{
	return (struct sdec_input){
		.size = sizeof(struct sdec_input), .kind = SDEC_INPUT_MEMORY, .data = data, .data_size = size, .fd = -1
	};
}

struct sdec_input text_input(const char *text)
{
	return memory_input(text, strlen(text));
}

struct sdec_input fd_input(int fd)
{
	return (struct sdec_input){ .size = sizeof(struct sdec_input), .kind = SDEC_INPUT_FD, .fd = fd };
}

void expect_works(struct sdec_pool *decoder)
{
	struct blob blob = read_blob(THUMBNAIL);
	struct sdec_input input = memory_input(blob.data, blob.size);
	struct sdec_image image = { .size = sizeof(image) };
	struct sdec_result result = { .size = sizeof(result) };
	uint32_t sum = 0;

	enum sdec_status status = sdec_decode_image(decoder, &input, NULL, &image, &result);
	cr_assert_eq(status, SDEC_OK, "%s: %s (%d)", sdec_status_name(status), result.reason, result.error_number);
	cr_assert_eq(image.width, 32);
	cr_assert_eq(image.height, 32);
	/* Opaque BGRA that is not all of one value. */
	const uint8_t *pixels = image.pixels;
	for (size_t i = 0; i < (size_t)32 * 32; i++) {
		cr_assert_eq(pixels[4 * i + 3], 255);
		sum |= pixels[4 * i] ^ (uint32_t)pixels[0];
	}
	cr_assert_neq(sum, 0);
	sdec_image_free(&image);
	free_blob(&blob);
}

/* ---- processes and descriptors ---- */

pid_t the_broker(void)
{
	pid_t pid = 0;
	size_t count = list_children(&pid, 1);

	cr_assert_eq(count, 1, "%zu children where the broker alone should be", count);
	return pid;
}

void expect_gone(pid_t pid, unsigned milliseconds)
{
	uint64_t until = now_milliseconds() + milliseconds;

	while (is_running(pid)) {
		cr_assert_lt(now_milliseconds(), until, "process %d is still there", (int)pid);
		sleep_milliseconds(2);
	}
}

uint64_t now_milliseconds(void)
{
	struct timespec now;

	cr_assert_eq(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void sleep_milliseconds(unsigned milliseconds)
{
	struct timespec left = { .tv_sec = milliseconds / 1000, .tv_nsec = (long)(milliseconds % 1000) * 1000000 };

	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

bool others_can_run_this(void)
{
	char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	bool reached = geteuid() == 0 && length > 0;

	for (ssize_t end = length; reached && end > 0; end--) {
		struct stat status;
		if (end < length && path[end] != '/')
			continue;
		path[end] = '\0';
		reached = stat(path, &status) == 0 && (status.st_mode & S_IXOTH) != 0;
	}
	return reached;
}
