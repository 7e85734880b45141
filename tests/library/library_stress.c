/* SPDX-License-Identifier: MIT */
/*
 * library_stress DECODES THREADS KILLS: many decodes through one handle.
 *
 * One input in ten is damaged or attacks; brokers are killed at random in between.  Each call must be answered with the
 * status that its input asks for, and the right bytes; only one that was in flight at a kill may say SDEC_KILLED.  In
 * the end there are no more descriptors, processes and memory than after the first decodes.
 */
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "broker/safe-decode.h"
#include "tests/support/counting.h"

enum {
	FIRST = 1000, /* decodes before the first count */
#ifdef __SANITIZE_THREAD__
	MEMORY_MORE = 64 << 20, /* ThreadSanitizer's own */
#else
	MEMORY_MORE = 4 << 20,
#endif
	DESCRIPTORS_MORE = 4 * 10 * 4, /* of four brokers, spares and surplus may come and go */
};

struct sample {
	const char *path, *text; /* one of them */
	enum sdec_status status;
	uint8_t *data; /* owned */
	size_t size;
	void *wanted; /* owned; what it gives */
	size_t wanted_size;
};

static struct sample good[] = {
	{ .path = "samples/jpeg/pjw-thumbnail.jpeg" },
	{ .path = "samples/jpeg/peacock.progressive.jpeg" },
	{ .path = "samples/png/hippopotamus.regular.png" },
	{ .path = "samples/png/rgb-alpha-8.png" },
	{ .path = "samples/gzip/romeo.txt.gz" },
	{ .text = "HOSTILE picture 64 64" },
};

static struct sample bad[] = {
	{ .path = "samples/jpeg/invalid-441b7667.jpg", .status = SDEC_MALFORMED },
	{ .path = "samples/png/invalid-becf685a.png", .status = SDEC_MALFORMED },
	{ .path = "samples/gzip/invalid-8edb6132.gz", .status = SDEC_MALFORMED },
	{ .text = "HOSTILE segfault 8", .status = SDEC_KILLED },
	{ .text = "HOSTILE call 57", .status = SDEC_KILLED },
	{ .text = "HOSTILE exit 0", .status = SDEC_KILLED },
	{ .text = "HOSTILE long 16 16", .status = SDEC_KILLED },
	{ .text = "this is nothing", .status = SDEC_UNSUPPORTED },
};

enum { GOOD = sizeof(good) / sizeof(good[0]), BAD = sizeof(bad) / sizeof(bad[0]) };

static struct sdec_pool *decoder;
static atomic_ulong next, until;             /* decodes */
static atomic_ulong kills_begun, kills_done; /* a kill is done when the broker is gone */
static atomic_ulong failed, met_a_kill;
static atomic_bool over;

static void fail(const char *what, const struct sample *sample, enum sdec_status status, const char *reason)
{
	atomic_fetch_add(&failed, 1);
	printf("FAIL library_stress: %s: %s: %s: %s\n", what, sample ? sample->path ? sample->path : sample->text : "-",
	       sdec_status_name(status), reason ? reason : "");
}

/* ---- one decode ---- */

struct output {
	struct sdec_image image;
	struct sdec_bytes bytes;
	const void *data;
	size_t size;
};

static enum sdec_status decode(const struct sample *sample, struct output *output, struct sdec_result *result)
{
	struct sdec_input input = {
		.size = sizeof(input), .kind = SDEC_INPUT_MEMORY, .data = sample->data, .data_size = sample->size
	};
	enum sdec_status status = SDEC_OK;
	const char *ending = sample->path ? strrchr(sample->path, '.') : "";

	*output = (struct output){ .image = { .size = sizeof(output->image) },
		                   .bytes = { .size = sizeof(output->bytes) } };
	*result = (struct sdec_result){ .size = sizeof(*result) };
	if (strcmp(ending, ".gz") == 0) {
		status = sdec_decode_bytes(decoder, &input, NULL, &output->bytes, result);
		output->data = output->bytes.data;
		output->size = output->bytes.data_size;
	} else {
		status = sdec_decode_image(decoder, &input, NULL, &output->image, result);
		output->data = output->image.pixels;
		output->size = output->image.stride * output->image.height;
	}
	return status;
}

static void release(struct output *output)
{
	sdec_image_free(&output->image);
	sdec_bytes_free(&output->bytes);
}

static void decode_and_judge(const struct sample *sample)
{
	struct output output;
	struct sdec_result result;
	unsigned long kills = atomic_load(&kills_done);
	enum sdec_status status = decode(sample, &output, &result);
	bool in_flight = atomic_load(&kills_begun) != kills;

	if (status == SDEC_OK && sample->status == SDEC_OK &&
	    (output.size != sample->wanted_size || memcmp(output.data, sample->wanted, output.size) != 0))
		fail("wrong bytes", sample, status, NULL);
	if (status != sample->status && !(in_flight && status == SDEC_KILLED))
		fail("wrong status", sample, status, result.reason);
	else if (status != sample->status)
		atomic_fetch_add(&met_a_kill, 1);
	release(&output);
}

/* ---- threads ---- */

static void *work(void *unused)
{
	unsigned long mine = 0;

	(void)unused;
	while ((mine = atomic_fetch_add(&next, 1)) < atomic_load(&until)) {
		bool is_bad = mine % 10 == 0;
		decode_and_judge(is_bad ? &bad[mine / 10 % BAD] : &good[mine % GOOD]);
	}
	return NULL;
}

static void sleep_milliseconds(long milliseconds)
{
	const struct timespec time = { .tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000 };

	(void)nanosleep(&time, NULL);
}

static void *kill_brokers(void *context)
{
	unsigned long kills = *(const unsigned long *)context;
	unsigned long every = kills > 0 ? (atomic_load(&until) - atomic_load(&next)) / kills : 0;
	unsigned long due = atomic_load(&next);
	unsigned seed = 1;

	for (unsigned long i = 0; i < kills && !atomic_load(&over); i++) {
		pid_t pids[16];
		due += every / 2 + (unsigned long)rand_r(&seed) % (every + 1);
		while (atomic_load(&next) < due && !atomic_load(&over))
			sleep_milliseconds(1);
		size_t count = list_children(pids, 16);
		if (count == 0)
			continue;
		pid_t pid = pids[(unsigned)rand_r(&seed) % (count < 16 ? count : 16)];
		atomic_fetch_add(&kills_begun, 1);
		(void)kill(pid, SIGKILL);
		while (is_running(pid))
			sleep_milliseconds(1);
		atomic_fetch_add(&kills_done, 1);
	}
	return NULL;
}

static void run(unsigned long decodes, unsigned long threads, unsigned long kills)
{
	pthread_t workers[64];
	pthread_t killer;

	if (threads > 64)
		threads = 64;
	atomic_store(&next, 0);
	atomic_store(&until, decodes);
	atomic_store(&over, false);
	if (pthread_create(&killer, NULL, kill_brokers, &kills) != 0)
		abort();
	for (unsigned long i = 0; i < threads; i++)
		if (pthread_create(&workers[i], NULL, work, NULL) != 0)
			abort();
	for (unsigned long i = 0; i < threads; i++)
		(void)pthread_join(workers[i], NULL);
	atomic_store(&over, true);
	(void)pthread_join(killer, NULL);
}

/* ---- counting ---- */

struct count {
	size_t descriptors, children, memory;
};

/* Once those brokers are gone that have been given up. */
static struct count settle(const char *when)
{
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < GOOD; i++)
			decode_and_judge(&good[i]);
		sleep_milliseconds(200);
	}
	struct count count = { count_descriptors(), list_children(NULL, 0), resident() };
	printf("# %s: %zu descriptors, %zu children, %zu KiB\n", when, count.descriptors, count.children,
	       count.memory / 1024);
	return count;
}

static void expect(bool holds, const char *name)
{
	printf("%s %s\n", holds ? "ok" : "FAIL", name);
	if (!holds)
		atomic_fetch_add(&failed, 1);
}

/* ---- set-up ---- */

static void load(struct sample *sample)
{
	enum { MOST = 1 << 20 };
	FILE *file = sample->path ? fopen(sample->path, "rb") : NULL;

	sample->size = sample->text ? strlen(sample->text) : 0;
	sample->data = malloc(MOST);
	if (!sample->data || (sample->path && !file))
		abort();
	if (sample->text)
		memcpy(sample->data, sample->text, sample->size);
	if (file) {
		sample->size = fread(sample->data, 1, MOST, file);
		(void)fclose(file);
	}
}

static void open_decoder(void)
{
	char path[PATH_MAX] = "";
	struct sdec_config config = { .size = sizeof(config), .programs = path };
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 64);
	char *slash = length > 0 ? strrchr(path, '/') : NULL;

	if (!slash)
		abort();
	memcpy(slash, "/bin-hostile/decoders", sizeof("/bin-hostile/decoders"));
	if (sdec_pool_open(&config, &decoder) != SDEC_OK)
		abort();
}

/* What it gives when nothing else happens. */
static void learn(struct sample *sample)
{
	struct output output;
	struct sdec_result result;
	enum sdec_status status = decode(sample, &output, &result);

	sample->wanted = malloc(output.size + 1);
	if (status != SDEC_OK || !sample->wanted) {
		fail("the first decode", sample, status, result.reason);
		exit(1);
	}
	memcpy(sample->wanted, output.data, output.size);
	sample->wanted_size = output.size;
	release(&output);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 1;
	unsigned long decodes = strtoul(argv[1], NULL, 10);
	unsigned long threads = strtoul(argv[2], NULL, 10);
	unsigned long kills = strtoul(argv[3], NULL, 10);
	size_t descriptors = count_descriptors();

	/* Brokers are no children of their caller; here they are, to be counted and killed. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		return 1;
	open_decoder();
	for (size_t i = 0; i < BAD; i++)
		load(&bad[i]);
	for (size_t i = 0; i < GOOD; i++) {
		load(&good[i]);
		learn(&good[i]);
	}
	run(decodes < FIRST ? decodes : FIRST, threads, 1);
	struct count first = settle("after the first decodes");
	run(decodes > FIRST ? decodes - FIRST : 0, threads, kills);
	struct count last = settle("after the last");
	printf("# %lu decodes, %lu threads, %lu kills, %lu decodes met a kill\n", decodes, threads,
	       atomic_load(&kills_done), atomic_load(&met_a_kill));
	expect(atomic_load(&failed) == 0, "each call has its status and its bytes");
	expect(last.descriptors <= first.descriptors + DESCRIPTORS_MORE, "descriptors stay");
	expect(last.children <= first.children + 1, "no broker stays behind");
	expect(last.memory <= first.memory + MEMORY_MORE, "memory stays");
	sdec_pool_close(&decoder);
	expect(count_descriptors() == descriptors, "no descriptor is left at the end");
	expect(list_children(NULL, 0) == 0, "no process is left at the end");
	for (size_t i = 0; i < GOOD; i++) {
		free(good[i].data);
		free(good[i].wanted);
	}
	for (size_t i = 0; i < BAD; i++)
		free(bad[i].data);
	return atomic_load(&failed) == 0 ? 0 : 1;
}
