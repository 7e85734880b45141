/* SPDX-License-Identifier: MIT */
/*
 * library_walk BROKER [STEP]: every call that the library makes to the system fails once, or each STEPth, and every
 * allocation, in each kind of decode from opening a decoder to closing it.  Whatever fails, the answer is a status of
 * the list; what is said to be complete is; no descriptor, no process and, where AddressSanitizer looks, no memory is
 * left behind.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../broker/safe-decode.h"
#include "counting.h"
#include "faults.h"

#define IMAGE "samples/jpeg/pjw-thumbnail.jpeg"
#define BYTES "samples/gzip/romeo.txt.gz"

int __real_poll(struct pollfd *fds, nfds_t count, int timeout);

static struct faults state;
static const char *broker;

/* ---- allocations, which the linker leads here ---- */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	return faults_fails("malloc") ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
	return faults_fails("calloc") ? NULL : __real_calloc(count, size);
}

void *__real_realloc(void *pointer, size_t size);
void *__wrap_realloc(void *pointer, size_t size);
void *__wrap_realloc(void *pointer, size_t size)
{
	return faults_fails("realloc") ? NULL : __real_realloc(pointer, size);
}

/* ---- kinds of decodes: each returns its status, or -1 where what it gives is wrong ---- */

static struct safe_input fd_input(int fd)
{
	return (struct safe_input){ .size = sizeof(struct safe_input), .fd = fd };
}

static int decode_image(struct safe_decoder *decoder, int fd)
{
	struct safe_input input = fd_input(fd);
	struct safe_image image = { .size = sizeof(image) };
	enum safe_status status = safe_decode_image(decoder, &input, NULL, &image, NULL);
	bool right = status == SAFE_OK ? image.width == 32 && image.height == 32 && image.pixels : !image.pixels;

	safe_image_free(&image);
	return right ? (int)status : -1;
}

static int decode_bytes(struct safe_decoder *decoder, int fd)
{
	struct safe_input input = fd_input(fd);
	struct safe_bytes bytes = { .size = sizeof(bytes) };
	enum safe_status status = safe_decode_bytes(decoder, &input, NULL, &bytes, NULL);
	bool right = status == SAFE_OK ? bytes.data_size == 942 && bytes.data : !bytes.data;

	safe_bytes_free(&bytes);
	return right ? (int)status : -1;
}

static int probe(struct safe_decoder *decoder, int fd)
{
	struct safe_input input = fd_input(fd);
	struct safe_info info = { .size = sizeof(info) };
	enum safe_status status = safe_probe(decoder, &input, NULL, &info, NULL);

	return status != SAFE_OK || info.width == 32 ? (int)status : -1;
}

static int stream(struct safe_decoder *decoder, int fd)
{
	struct safe_input input = fd_input(fd);
	struct safe_stream *opened = NULL;
	struct safe_event event = { .size = sizeof(event) };
	enum safe_status status = safe_stream_open(decoder, &input, NULL, &opened);
	uint32_t rows = 0;

	while (status == SAFE_OK && event.kind != SAFE_EVENT_END && rows != UINT32_MAX) {
		struct pollfd ready = { .fd = safe_stream_fd(opened), .events = POLLIN };
		status = safe_stream_step(opened, &event);
		rows += event.kind == SAFE_EVENT_ROWS ? event.rows : 0;
		if (status == SAFE_OK && event.kind == SAFE_EVENT_NONE && __real_poll(&ready, 1, 30000) != 1)
			rows = UINT32_MAX; /* it hangs */
	}
	safe_stream_close(&opened);
	return status != SAFE_OK || rows == 32 ? (int)status : -1;
}

/* ---- the walk ---- */

static const struct kind {
	const char *name, *path;
	int (*run)(struct safe_decoder *decoder, int fd);
} kinds[] = {
	{ "image", IMAGE, decode_image },
	{ "bytes", BYTES, decode_bytes },
	{ "probe", IMAGE, probe },
	{ "stream", IMAGE, stream },
};

/* Opens a decoder, decodes, and closes it, while call number `target` fails. */
static int run(const struct kind *kind, uint32_t target)
{
	struct safe_config config = { .size = sizeof(config), .broker = broker };
	struct safe_decoder *decoder = NULL;
	int fd = open(kind->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	faults_begin(&state, target);
	int status = (int)safe_decoder_open(&config, &decoder);
	if (status == SAFE_OK)
		status = kind->run(decoder, fd);
	safe_decoder_close(&decoder);
	faults_end();
	(void)close(fd);
	return status;
}

static bool walk(const struct kind *kind, uint32_t step)
{
	size_t descriptors = count_descriptors();
	uint32_t failed = 0;

	if (run(kind, UINT32_MAX) != SAFE_OK)
		return false;
	for (uint32_t target = 0;; target += step) {
		int status = run(kind, target);
		bool sane = status >= SAFE_OK && status <= SAFE_UNSUPPORTED;
		size_t now = count_descriptors();
		size_t children = list_children(NULL, 0);
		if (!sane || now != descriptors || children != 0) {
			printf("# %s, call %u, %s: status %d, %zu descriptors instead of %zu, %zu children\n",
			       kind->name, target, state.name, status, now, descriptors, children);
			return false;
		}
		if (atomic_load(&state.fired) == 0)
			break;
		failed++;
	}
	printf("# %s: %u calls failed\n", kind->name, failed);
	return failed > 0;
}

int main(int argc, char **argv)
{
	uint32_t step = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;
	bool all = true;

	if (argc < 2 || step == 0)
		return 1;
	broker = argv[1];
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		bool passed = walk(&kinds[i], step);
		printf("%s library_walk_%s\n", passed ? "ok" : "FAIL", kinds[i].name);
		all = all && passed;
	}
	return all ? 0 : 1;
}
