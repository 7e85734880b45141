/* SPDX-License-Identifier: MIT */
/*
 * library_walk FOLDER [STEP]: with the decoder programs of a folder, the hostile one among them, every call that the
 * library makes to the system fails once, or each STEPth, and every allocation, in each kind of decode from opening a
 * decoder to closing it.  Whatever fails, the answer is a status of the list; what is said to be complete is; no
 * descriptor, no process and, where AddressSanitizer looks, no memory is left behind.  Calls that are interrupted, or
 * move one byte at a time, change nothing.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "broker/safe-decode.h"
#include "tests/faults/faults.h"
#include "tests/support/counting.h"

#define IMAGE "samples/jpeg/pjw-thumbnail.jpeg"
#define BYTES "samples/gzip/romeo.txt.gz"
#define SOUND "samples/wav/tone-s16.wav"

enum { SIDE = 32, BYTES_SIZE = 942, FRAMES = 400, FRAME_BYTES = 4, PATIENCE = 15000 };

int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
int __real_pipe2(int ends[2], int flags);
int __real_close(int fd);
int __real_nanosleep(const struct timespec *time, struct timespec *left);
ssize_t __real_read(int fd, void *data, size_t size);
ssize_t __real_write(int fd, const void *data, size_t size);

static struct faults state;
static const char *programs;

/* ---- kinds of decodes: each returns its status, or -1 where what it gives is wrong ---- */

static struct sdec_input fd_input(int fd)
{
	return (struct sdec_input){ .size = sizeof(struct sdec_input), .kind = SDEC_INPUT_FD, .fd = fd };
}

static struct sdec_input text_input(const char *text)
{
	return (struct sdec_input){ .size = sizeof(struct sdec_input),
		                    .kind = SDEC_INPUT_MEMORY,
		                    .data = text,
		                    .data_size = strlen(text),
		                    .fd = -1 };
}

static int decode_image(struct sdec_pool *decoder, int fd)
{
	struct sdec_input input = fd_input(fd);
	struct sdec_image image = { .size = sizeof(image) };
	enum sdec_status status = sdec_decode_image(decoder, &input, NULL, &image, NULL);
	bool right = status == SDEC_OK ? image.width == SIDE && image.height == SIDE && image.pixels : !image.pixels;

	sdec_image_free(&image);
	return right ? (int)status : -1;
}

static int decode_image_into(struct sdec_pool *decoder, int fd)
{
	static uint8_t pixels[SIDE * SIDE * 4];
	struct sdec_input input = fd_input(fd);
	struct sdec_image image = { .size = sizeof(image) };
	enum sdec_status status = sdec_decode_image_into(decoder, &input, NULL, pixels, sizeof(pixels),
	                                                 sizeof(pixels) / SIDE, &image, NULL);

	return status != SDEC_OK || image.height == SIDE ? (int)status : -1;
}

static int decode_bytes(struct sdec_pool *decoder, int fd)
{
	struct sdec_input input = fd_input(fd);
	struct sdec_bytes bytes = { .size = sizeof(bytes) };
	enum sdec_status status = sdec_decode_bytes(decoder, &input, NULL, &bytes, NULL);
	bool right = status == SDEC_OK ? bytes.data_size == BYTES_SIZE && bytes.data : !bytes.data;

	sdec_bytes_free(&bytes);
	return right ? (int)status : -1;
}

static int decode_audio(struct sdec_pool *decoder, int fd)
{
	struct sdec_input input = fd_input(fd);
	struct sdec_audio audio = { .size = sizeof(audio) };
	enum sdec_status status = sdec_decode_audio(decoder, &input, NULL, &audio, NULL);
	bool right = status == SDEC_OK ? audio.sample_frames == FRAMES && audio.samples : !audio.samples;

	sdec_audio_free(&audio);
	return right ? (int)status : -1;
}

static int decode_audio_into(struct sdec_pool *decoder, int fd)
{
	static uint8_t samples[FRAMES * FRAME_BYTES];
	struct sdec_input input = fd_input(fd);
	struct sdec_audio audio = { .size = sizeof(audio) };
	enum sdec_status status = sdec_decode_audio_into(decoder, &input, NULL, samples, sizeof(samples), &audio, NULL);

	return status != SDEC_OK || audio.sample_frames == FRAMES ? (int)status : -1;
}

static int probe(struct sdec_pool *decoder, int fd)
{
	struct sdec_input input = fd_input(fd);
	struct sdec_info info = { .size = sizeof(info) };
	enum sdec_status status = sdec_probe(decoder, &input, NULL, &info, NULL);

	return status != SDEC_OK || info.width == SIDE ? (int)status : -1;
}

static int ask_posture(struct sdec_pool *decoder, int fd)
{
	struct sdec_posture posture = { .size = sizeof(posture) };
	enum sdec_status status = sdec_pool_posture(decoder, NULL, &posture);

	(void)fd;
	return (status == SDEC_OK) == (posture.verified != 0) ? (int)status : -1;
}

/* Rows, bytes and sample frames, whichever come. */
static uint64_t count_output(const struct sdec_event *event)
{
	return event->kind == SDEC_EVENT_ROWS      ? event->rows
	       : event->kind == SDEC_EVENT_BYTES   ? event->data_size
	       : event->kind == SDEC_EVENT_SAMPLES ? event->sample_frames
	                                           : 0;
}

static int stream(struct sdec_pool *decoder, int fd)
{
	struct sdec_input input = fd_input(fd);
	struct sdec_stream *opened = NULL;
	struct sdec_event event = { .size = sizeof(event) };
	enum sdec_status status = sdec_stream_open(decoder, &input, NULL, &opened);
	uint64_t came = 0;
	bool hangs = false;

	while (status == SDEC_OK && event.kind != SDEC_EVENT_END && !hangs) {
		struct pollfd ready = { .fd = sdec_stream_fd(opened), .events = POLLIN };
		status = sdec_stream_step(opened, &event);
		came += count_output(&event);
		if (status == SDEC_OK && event.kind == SDEC_EVENT_NONE)
			hangs = __real_poll(&ready, 1, PATIENCE) != 1;
	}
	sdec_stream_close(&opened);
	bool all = came == SIDE || came == BYTES_SIZE || came == FRAMES;
	return !hangs && (status != SDEC_OK || all) ? (int)status : -1;
}

/* An input that comes late, in two pieces. */
struct late {
	pthread_t thread;
	int end; /* of a pipe, to write to */
	uint8_t data[4096];
	size_t size;
};

static void *write_late(void *context)
{
	struct late *late = context;
	const struct timespec moment = { .tv_nsec = 15000000 };
	size_t half = late->size / 2;

	(void)__real_nanosleep(&moment, NULL);
	if (__real_write(late->end, late->data, half) == (ssize_t)half) {
		(void)__real_nanosleep(&moment, NULL);
		(void)!__real_write(late->end, late->data + half, late->size - half);
	}
	(void)__real_close(late->end);
	return NULL;
}

static int stream_late(struct sdec_pool *decoder, int fd)
{
	struct late late;
	int ends[2];
	ssize_t size = __real_read(fd, late.data, sizeof(late.data));

	if (size <= 0 || __real_pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	late.size = (size_t)size;
	late.end = ends[1];
	if (pthread_create(&late.thread, NULL, write_late, &late) != 0)
		return -1;
	int status = stream(decoder, ends[0]);
	(void)pthread_join(late.thread, NULL);
	(void)__real_close(ends[0]);
	return status;
}

static int decode_hostile(struct sdec_pool *decoder, const char *text)
{
	struct sdec_input input = text_input(text);
	struct sdec_image image = { .size = sizeof(image) };
	enum sdec_status status = sdec_decode_image(decoder, &input, NULL, &image, NULL);

	sdec_image_free(&image);
	return (int)status;
}

/* After a crash there is another broker. */
static int crash(struct sdec_pool *decoder, int fd)
{
	(void)fd;
	int crashed = decode_hostile(decoder, "HOSTILE segfault 8");
	int after = decode_hostile(decoder, "HOSTILE picture 4 4");

	return crashed == SDEC_OK || after == SDEC_KILLED ? -1 : crashed;
}

/* ---- the walk ---- */

static const struct kind {
	const char *name, *path;
	int (*run)(struct sdec_pool *decoder, int fd);
	bool crashes, moves_nothing;
} kinds[] = {
	{ .name = "image", .path = IMAGE, .run = decode_image },
	{ .name = "image_into", .path = IMAGE, .run = decode_image_into },
	{ .name = "bytes", .path = BYTES, .run = decode_bytes },
	{ .name = "audio", .path = SOUND, .run = decode_audio },
	{ .name = "audio_into", .path = SOUND, .run = decode_audio_into },
	{ .name = "probe", .path = IMAGE, .run = probe },
	{ .name = "posture", .path = IMAGE, .run = ask_posture, .moves_nothing = true },
	{ .name = "stream", .path = IMAGE, .run = stream },
	{ .name = "stream_of_bytes", .path = BYTES, .run = stream },
	{ .name = "stream_of_sound", .path = SOUND, .run = stream },
	{ .name = "stream_that_is_late", .path = IMAGE, .run = stream_late },
	{ .name = "crash", .path = IMAGE, .run = crash, .crashes = true },
};

/* Opens a decoder, decodes, and closes it, with faults. */
static int run(const struct kind *kind, enum faults_mode mode, uint32_t target)
{
	struct sdec_config config = { .size = sizeof(config), .programs = programs };
	struct sdec_pool *decoder = NULL;
	int fd = open(kind->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	faults_begin(&state, mode, target);
	int status = (int)sdec_pool_open(&config, &decoder);
	if (status == SDEC_OK)
		status = kind->run(decoder, fd);
	sdec_pool_close(&decoder);
	faults_end();
	(void)close(fd);
	return status;
}

/* The same, and whether that ended as it may, and left nothing. */
static bool is_sane(const struct kind *kind, enum faults_mode mode, uint32_t target)
{
	size_t before = count_descriptors();
	int status = run(kind, mode, target);
	size_t after = count_descriptors();
	size_t children = list_children(NULL, 0);
	bool must_work = mode != FAULTS_FAIL || atomic_load(&state.fired) == 0;
	int wanted = kind->crashes ? SDEC_KILLED : SDEC_OK;

	if (status >= SDEC_OK && status <= SDEC_EXHAUSTED && (status == wanted || !must_work) && after == before &&
	    children == 0)
		return true;
	printf("# %s, call %u, %s: status %d, %zu descriptors instead of %zu, %zu children\n", kind->name, target,
	       state.name, status, after, before, children);
	return false;
}

static bool walk(const struct kind *kind, uint32_t step)
{
	uint32_t failed = 0;

	for (uint32_t target = 0;; target += step) {
		if (!is_sane(kind, FAULTS_FAIL, target))
			return false;
		if (atomic_load(&state.fired) == 0)
			break;
		failed++;
	}
	printf("# %s: %u calls failed\n", kind->name, failed);
	return failed > 0;
}

/* Fails no call, but has them interrupted, or move little. */
static bool hamper(const struct kind *kind, enum faults_mode mode)
{
	enum { ROUNDS = 3 };

	if (mode == FAULTS_SHORT && kind->moves_nothing)
		return true;
	for (int round = 0; round < ROUNDS; round++)
		if (!is_sane(kind, mode, 0) || atomic_load(&state.fired) == 0)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	uint32_t step = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;
	bool all = true;

	if (argc < 2 || step == 0)
		return 1;
	programs = realpath(argv[1], NULL);
	/* Brokers are no children of their caller; here they are, to be counted. */
	if (!programs || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		return 1;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		bool passed = walk(&kinds[i], step);
		passed = hamper(&kinds[i], FAULTS_INTERRUPT) && passed;
		passed = hamper(&kinds[i], FAULTS_SHORT) && passed;
		printf("%s library_walk_%s\n", passed ? "ok" : "FAIL", kinds[i].name);
		all = all && passed;
	}
	return all ? 0 : 1;
}
