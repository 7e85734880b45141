/* SPDX-License-Identifier: MIT */
/*
 * soak SECONDS THREADS KEPT PATH...: decodes damaged files, with random limits, for so long.
 *
 * Of every 16 decodes one is done again by children without a sandbox, on the C library's memory: what that gives must
 * be the same, byte for byte.  Counts endings.  An input whose decoder was killed, and one that came out otherwise, is
 * kept in the folder KEPT.  In the end there are no more descriptors, processes and memory than after the first
 * decodes.
 */
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "broker/safe-decode.h"
#include "fuzz/hash.h"
#include "tests/support/counting.h"
#include "tests/support/mutate.h"

enum {
	THREADS_MAX = 64,
	FILES_MAX = 4096,
	SIZE_LARGEST = 256 << 10, /* larger files only make it slow */
	ROOM = SIZE_LARGEST + 4096,
	STATUSES = SDEC_WRONG_KIND + 1,
	MEMORY_MORE = 8 << 20,
	BROKERS_MOST = 2 * 32, /* one for each program and decoder, and some that are on their way out */
	OF_A_BROKER = 20,      /* descriptors, with its spares */
};

static struct file {
	char *name; /* owned, as the next */
	uint8_t *data;
	size_t size;
} files[FILES_MAX];
static size_t file_count;

static struct sdec_pool *sandboxed, *plain;
static const char *kept;
static atomic_ulong decodes, compared, different, endings[STATUSES];
static atomic_bool over;

/* ---- one decode ---- */

struct plan {
	struct sdec_input input;
	struct sdec_limits limits;
	struct sdec_request request;
	bool is_picture, probes;
};

struct answer {
	enum sdec_status status;
	struct sdec_result result;
	struct sdec_image image;
	struct sdec_bytes bytes;
	const void *data;
	size_t size;
};

static void decode(struct sdec_pool *decoder, const struct plan *plan, struct answer *answer)
{
	struct sdec_info info = { .size = sizeof(info) };

	*answer = (struct answer){ .result = { .size = sizeof(answer->result) },
		                   .image = { .size = sizeof(answer->image) },
		                   .bytes = { .size = sizeof(answer->bytes) } };
	if (plan->probes) {
		answer->status = sdec_probe(decoder, &plan->input, &plan->request, &info, &answer->result);
	} else if (plan->is_picture) {
		answer->status =
		        sdec_decode_image(decoder, &plan->input, &plan->request, &answer->image, &answer->result);
		answer->data = answer->image.pixels;
		answer->size = answer->data ? answer->image.stride * answer->image.height : 0;
	} else {
		answer->status =
		        sdec_decode_bytes(decoder, &plan->input, &plan->request, &answer->bytes, &answer->result);
		answer->data = answer->bytes.data;
		answer->size = answer->bytes.data_size;
	}
}

static void release(struct answer *answer)
{
	sdec_image_free(&answer->image);
	sdec_bytes_free(&answer->bytes);
}

/* ---- what is wanted ---- */

static uint64_t some(uint64_t *dice, uint64_t usual, uint64_t little)
{
	return hash_dice(dice, 8) == 0 ? 1 + hash_dice(dice, (uint32_t)little) : usual;
}

static void make_plan(struct plan *plan, const char *name, uint64_t *dice)
{
	static const char *const pictures[] = { "/jpeg/", "/png/", ".jpg", ".png" };
	static const char *const sounds[] = { "/flac/", "/mp3/", "/opus/", "/vorbis/", "/wav/", "/aiff/", "/au/" };

	*plan = (struct plan){ .input = { .size = sizeof(plan->input), .kind = SDEC_INPUT_MEMORY, .name = name } };
	for (size_t i = 0; i < sizeof(pictures) / sizeof(pictures[0]); i++)
		plan->is_picture |= strstr(name, pictures[i]) != NULL;
	for (size_t i = 0; i < sizeof(sounds) / sizeof(sounds[0]); i++)
		plan->probes |= strstr(name, sounds[i]) != NULL;
	plan->probes |= hash_dice(dice, 16) == 0;
	plan->limits = (struct sdec_limits){
		.size = sizeof(plan->limits),
		.max_pixels = some(dice, 1 << 22, 100000),
		.max_output = some(dice, 1 << 24, 100000),
		.max_input = some(dice, 0, 100000),
		.memory = hash_dice(dice, 32) == 0 ? UINT64_C(1) << (20 + hash_dice(dice, 9)) : 0,
		.max_side = (uint32_t)some(dice, 0, 1000),
		.max_metadata = (uint32_t)some(dice, 0, 1000),
		.cpu_seconds = hash_dice(dice, 32) == 0 ? 1 : 0,
		.deadline_milliseconds = (uint32_t)some(dice, 60000, 2000),
	};
	plan->request = (struct sdec_request){
		.size = sizeof(plan->request),
		.limits = &plan->limits,
		.pixel_format = hash_dice(dice, SDEC_RGBA_F32 + 1),
		.flags = hash_dice(dice, 2) ? SDEC_PARTIAL : 0,
		.scale = hash_dice(dice, 4) == 0 ? 1U << hash_dice(dice, 4) : 0,
	};
}

/* ---- judging ---- */

static void keep(const char *why, const char *name, const struct plan *plan, const struct answer *answer)
{
	char path[PATH_MAX];
	static atomic_uint number;
	const char *slash = strrchr(name, '/');

	(void)snprintf(path, sizeof(path), "%s/%s-%u-%s", kept, why, atomic_fetch_add(&number, 1),
	               slash ? slash + 1 : name);
	printf("# %s: %s: %s: %s, signal %d, format %u, scale %u, flags %u, memory %" PRIu64 "\n", why, path,
	       sdec_status_name(answer->status), answer->result.reason ? answer->result.reason : "",
	       answer->result.signal, plan->request.pixel_format, plan->request.scale, plan->request.flags,
	       plan->limits.memory);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0 || write(fd, plan->input.data, plan->input.data_size) != (ssize_t)plan->input.data_size)
		perror(path);
	if (fd >= 0)
		(void)close(fd);
}

/* Time and memory are not the same outside: then nothing can be said. */
static bool is_comparable(const struct answer *answer)
{
	return answer->status != SDEC_KILLED &&
	       !(answer->status == SDEC_LIMIT && answer->result.limit >= SDEC_LIMIT_MEMORY);
}

static void compare(const char *name, const struct plan *plan, const struct answer *inside)
{
	struct answer outside;

	decode(plain, plan, &outside);
	if (is_comparable(inside) && is_comparable(&outside)) {
		bool same = inside->status == outside.status && inside->result.reason == outside.result.reason &&
		            inside->size == outside.size &&
		            (inside->size == 0 || memcmp(inside->data, outside.data, inside->size) == 0);
		atomic_fetch_add(&compared, 1);
		if (!same) {
			atomic_fetch_add(&different, 1);
			keep("different", name, plan, inside);
		}
	}
	release(&outside);
}

static void decode_one(uint8_t *room, uint64_t *dice)
{
	const struct file *file = &files[hash_dice(dice, (uint32_t)file_count)];
	const struct file *other = &files[hash_dice(dice, (uint32_t)file_count)];
	struct plan plan;
	struct answer answer;

	memcpy(room, file->data, file->size);
	make_plan(&plan, file->name, dice);
	plan.input.data = room;
	plan.input.data_size = mutate(room, file->size, ROOM, other->data, other->size, dice);
	decode(sandboxed, &plan, &answer);
	atomic_fetch_add(&decodes, 1);
	atomic_fetch_add(&endings[answer.status], 1);
	if (answer.status == SDEC_KILLED)
		keep("killed", file->name, &plan, &answer);
	if (hash_dice(dice, 16) == 0)
		compare(file->name, &plan, &answer);
	release(&answer);
}

/* ---- threads ---- */

static void *work(void *context)
{
	uint64_t dice = *(const uint64_t *)context;
	uint8_t *room = malloc(ROOM);

	while (room && !atomic_load(&over))
		decode_one(room, &dice);
	free(room);
	return NULL;
}

static void run(unsigned long seconds, unsigned long threads, uint64_t seed)
{
	pthread_t workers[THREADS_MAX];
	uint64_t seeds[THREADS_MAX];
	const struct timespec second = { .tv_sec = 1 };

	atomic_store(&over, false);
	for (unsigned long i = 0; i < threads; i++) {
		seeds[i] = seed + i;
		if (pthread_create(&workers[i], NULL, work, &seeds[i]) != 0)
			abort();
	}
	for (unsigned long i = 0; i < seconds; i++)
		(void)nanosleep(&second, NULL);
	atomic_store(&over, true);
	for (unsigned long i = 0; i < threads; i++)
		(void)pthread_join(workers[i], NULL);
}

static void report(const char *when)
{
	printf("# %s: %lu decodes:", when, atomic_load(&decodes));
	for (int i = 0; i < STATUSES; i++)
		printf(" %s %lu%s", sdec_status_name((enum sdec_status)i), atomic_load(&endings[i]),
		       i < STATUSES - 1 ? "," : "\n");
	printf("# %zu descriptors, %zu children, %zu KiB; %lu compared, %lu different\n", count_descriptors(),
	       list_children(NULL, 0), resident() / 1024, atomic_load(&compared), atomic_load(&different));
	(void)fflush(stdout);
}

/* ---- set-up ---- */

static int load(const char *path, const struct stat *status, int type, struct FTW *position)
{
	(void)position;
	if (type != FTW_F || status->st_size == 0 || status->st_size > SIZE_LARGEST || file_count == FILES_MAX)
		return 0;
	struct file *file = &files[file_count];
	FILE *stream = fopen(path, "rb");
	file->size = (size_t)status->st_size;
	file->data = malloc(file->size);
	file->name = strdup(path);
	bool whole = stream && file->data && file->name && fread(file->data, 1, file->size, stream) == file->size;
	if (stream)
		(void)fclose(stream);
	file_count += whole;
	return whole ? 0 : -1;
}

/* On decoder programs in a folder that lies beside the folder of this program. */
static struct sdec_pool *open_on(const char *name)
{
	char path[PATH_MAX] = "";
	struct sdec_config config = { .size = sizeof(config), .programs = path };
	struct sdec_pool *decoder = NULL;
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 64);
	char *slash = length > 0 ? strrchr(path, '/') : NULL;

	if (!slash)
		abort();
	(void)snprintf(slash + 1, sizeof(path) - (size_t)(slash + 1 - path), "%s", name);
	if (sdec_pool_open(&config, &decoder) != SDEC_OK)
		abort();
	return decoder;
}

static bool expect(bool holds, const char *name)
{
	printf("%s soak: %s\n", holds ? "ok" : "FAIL", name);
	return holds;
}

struct count {
	size_t descriptors, children, memory;
};

/* Once those brokers are gone that have been given up. */
static struct count settle(unsigned long threads)
{
	run(1, threads, 1);
	/* What the C library keeps of large pictures is none of the library's. */
	(void)malloc_trim(0);
	const struct timespec moment = { .tv_sec = 1 };
	(void)nanosleep(&moment, NULL);
	return (struct count){ count_descriptors(), list_children(NULL, 0), resident() };
}

int main(int argc, char **argv)
{
	if (argc < 5)
		return 1;
	unsigned long seconds = strtoul(argv[1], NULL, 10);
	unsigned long threads = strtoul(argv[2], NULL, 10);
	uint64_t seed = (uint64_t)time(NULL);
	size_t descriptors = count_descriptors();

	/* Brokers are no children of their caller; here they are, to be counted. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		return 1;
	if (threads < 1 || threads > THREADS_MAX)
		return 1;
	kept = argv[3];
	for (int i = 4; i < argc; i++)
		(void)nftw(argv[i], load, 16, FTW_PHYS);
	if (file_count == 0)
		return 1;
	sandboxed = open_on("../decoders");
	plain = open_on("bin-plain");
	printf("# %zu files, seed %" PRIu64 "\n", file_count, seed);
	/* Every program's brokers are there after a while. */
	run(seconds / 10 + 1, threads, seed);
	struct count first = settle(threads);
	report("at first");
	for (unsigned long done = 0; done < seconds; done += 30) {
		run(seconds - done < 30 ? seconds - done : 30, threads, seed + 1000 + done);
		report("on the way");
	}
	struct count last = settle(threads);
	report("at last");
	bool all = expect(atomic_load(&endings[SDEC_KILLED]) == 0, "no decoder was killed");
	all &= expect(atomic_load(&endings[SDEC_IO]) + atomic_load(&endings[SDEC_NO_SANDBOX]) +
	                              atomic_load(&endings[SDEC_EXHAUSTED]) ==
	                      0,
	              "none failed for us");
	all &= expect(atomic_load(&compared) > 0 && atomic_load(&different) == 0, "without a sandbox it is the same");
	all &= expect(last.children <= BROKERS_MOST, "no broker stays behind");
	all &= expect(last.descriptors <= descriptors + last.children * OF_A_BROKER, "descriptors stay");
	all &= expect(last.memory <= first.memory + MEMORY_MORE, "memory stays");
	sdec_pool_close(&sandboxed);
	sdec_pool_close(&plain);
	all &= expect(count_descriptors() == descriptors, "no descriptor is left at the end");
	all &= expect(list_children(NULL, 0) == 0, "no process is left at the end");
	for (size_t i = 0; i < file_count; i++) {
		free(files[i].name);
		free(files[i].data);
	}
	return all ? 0 : 1;
}
