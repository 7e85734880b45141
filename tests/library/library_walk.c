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

static struct safe_input fd_input(int fd)
{
	return (struct safe_input){ .size = sizeof(struct safe_input), .kind = SAFE_INPUT_FD, .fd = fd };
}

static struct safe_input text_input(const char *text)
{
	return (struct safe_input){ .size = sizeof(struct safe_input),
		                    .kind = SAFE_INPUT_MEMORY,
		                    .data = text,
		                    .data_size = strlen(text),
		                    .fd = -1 };
}

static int decode_image(struct safe_decoder *decoder, int fd)
{
	struct safe_input input = fd_input(fd);
	struct safe_image image = { .size = sizeof(image) };
	enum safe_status status = safe_decode_image(decoder, &input, NULL, &image, NULL);
	bool right = status == SAFE_OK ? image.width == SIDE && image.height == SIDE && image.pixels : !image.pixels;

	safe_image_free(&image);
	return right ? (int)status : -1;
}

static int decode_image_into(struct safe_decoder *decoder, int fd)
{
	static uint8_t pixels[SIDE * SIDE * 4];
	struct safe_input input = fd_input(fd);
	struct safe_image image = { .size = sizeof(image) };
	enum safe_status status = safe_decode_image_into(decoder, &input, NULL, pixels, sizeof(pixels),
	                                                 sizeof(pixels) / SIDE, &image, NULL);

	return status != SAFE_OK || image.height == SIDE ? (int)status : -1;
}

static int decode_bytes(struct safe_decoder *decoder, int fd)
{
	struct safe_input input = fd_input(fd);
	struct safe_bytes bytes = { .size = sizeof(bytes) };
	enum safe_status status = safe_decode_bytes(decoder, &input, NULL, &bytes, NULL);
	bool right = status == SAFE_OK ? bytes.data_size == BYTES_SIZE && bytes.data : !bytes.data;

	safe_bytes_free(&bytes);
	return right ? (int)status : -1;
}

static int decode_audio(struct safe_decoder *decoder, int fd)
{
	struct safe_input input = fd_input(fd);
	struct safe_audio audio = { .size = sizeof(audio) };
	enum safe_status status = safe_decode_audio(decoder, &input, NULL, &audio, NULL);
	bool right = status == SAFE_OK ? audio.sample_frames == FRAMES && audio.samples : !audio.samples;

	safe_audio_free(&audio);
	return right ? (int)status : -1;
}

static int decode_audio_into(struct safe_decoder *decoder, int fd)
{
	static uint8_t samples[FRAMES * FRAME_BYTES];
	struct safe_input input = fd_input(fd);
	struct safe_audio audio = { .size = sizeof(audio) };
	enum safe_status status = safe_decode_audio_into(decoder, &input, NULL, samples, sizeof(samples), &audio, NULL);

	return status != SAFE_OK || audio.sample_frames == FRAMES ? (int)status : -1;
}

static int probe(struct safe_decoder *decoder, int fd)
{
	struct safe_input input = fd_input(fd);
	struct safe_info info = { .size = sizeof(info) };
	enum safe_status status = safe_probe(decoder, &input, NULL, &info, NULL);

	return status != SAFE_OK || info.width == SIDE ? (int)status : -1;
}

static int ask_posture(struct safe_decoder *decoder, int fd)
{
	struct safe_posture posture = { .size = sizeof(posture) };
	enum safe_status status = safe_decoder_posture(decoder, NULL, &posture);

	(void)fd;
	return (status == SAFE_OK) == (posture.verified != 0) ? (int)status : -1;
}

/* Rows, bytes and sample frames, whichever come. */
static uint64_t count_output(const struct safe_event *event)
{
	return event->kind == SAFE_EVENT_ROWS      ? event->rows
	       : event->kind == SAFE_EVENT_BYTES   ? event->data_size
	       : event->kind == SAFE_EVENT_SAMPLES ? event->sample_frames
	                                           : 0;
}

static int stream(struct safe_decoder *decoder, int fd)
{
	struct safe_input input = fd_input(fd);
	struct safe_stream *opened = NULL;
	struct safe_event event = { .size = sizeof(event) };
	enum safe_status status = safe_stream_open(decoder, &input, NULL, &opened);
	uint64_t came = 0;
	bool hangs = false;

	while (status == SAFE_OK && event.kind != SAFE_EVENT_END && !hangs) {
		struct pollfd ready = { .fd = safe_stream_fd(opened), .events = POLLIN };
		status = safe_stream_step(opened, &event);
		came += count_output(&event);
		if (status == SAFE_OK && event.kind == SAFE_EVENT_NONE)
			hangs = __real_poll(&ready, 1, PATIENCE) != 1;
	}
	safe_stream_close(&opened);
	bool all = came == SIDE || came == BYTES_SIZE || came == FRAMES;
	return !hangs && (status != SAFE_OK || all) ? (int)status : -1;
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

static int stream_late(struct safe_decoder *decoder, int fd)
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

static int decode_hostile(struct safe_decoder *decoder, const char *text)
{
	struct safe_input input = text_input(text);
	struct safe_image image = { .size = sizeof(image) };
	enum safe_status status = safe_decode_image(decoder, &input, NULL, &image, NULL);

	safe_image_free(&image);
	return (int)status;
}

/* After a crash there is another broker. */
static int crash(struct safe_decoder *decoder, int fd)
{
	(void)fd;
	int crashed = decode_hostile(decoder, "HOSTILE segfault 8");
	int after = decode_hostile(decoder, "HOSTILE picture 4 4");

	return crashed == SAFE_OK || after == SAFE_KILLED ? -1 : crashed;
}

/* ---- the walk ---- */

static const struct kind {
	const char *name, *path;
	int (*run)(struct safe_decoder *decoder, int fd);
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
	struct safe_config config = { .size = sizeof(config), .programs = programs };
	struct safe_decoder *decoder = NULL;
	int fd = open(kind->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	faults_begin(&state, mode, target);
	int status = (int)safe_decoder_open(&config, &decoder);
	if (status == SAFE_OK)
		status = kind->run(decoder, fd);
	safe_decoder_close(&decoder);
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
	int wanted = kind->crashes ? SAFE_KILLED : SAFE_OK;

	if (status >= SAFE_OK && status <= SAFE_EXHAUSTED && (status == wanted || !must_work) && after == before &&
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
