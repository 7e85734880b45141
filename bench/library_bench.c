/* SPDX-License-Identifier: MIT */
/*
 * Measures the library against the same codec called in-process, in turns, in one program.
 *
 *     library-bench THUMBNAIL [LARGE_PICTURE]...
 *
 * Prints lines "KEY VALUE", times in microseconds.  bench/run makes tables of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "broker/safe-decode.h"
#include "in_process.h"

enum {
	SMALL_ROUNDS = 1000,
	LARGE_ROUNDS = 15,
	RATE_MILLISECONDS = 1500, /* for decodes per second */
	RATE_ROUNDS = 5,
	RESIDENT = 1 << 30, /* bytes of a large caller */
};

struct file {
	void *data;
	size_t size;
	const char *name;
};

static double now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double percentile(double *values, size_t count, unsigned percent)
{
	qsort(values, count, sizeof(*values), compare);
	return values[(count - 1) * percent / 100];
}

static void print(const char *what, const char *name, double value)
{
	printf("%s%s%s %.3f\n", what, name ? ":" : "", name ? name : "", value);
	(void)fflush(stdout);
}

static void print_spread(const char *what, double *values, size_t count)
{
	print(what, "p50", percentile(values, count, 50));
	print(what, "p99", percentile(values, count, 99));
}

static struct file load(const char *path)
{
	struct stat status;
	const char *slash = strrchr(path, '/');
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &status) != 0)
		abort();
	struct file file = { malloc((size_t)status.st_size), (size_t)status.st_size, slash ? slash + 1 : path };
	if (!file.data || read(fd, file.data, file.size) != (ssize_t)file.size)
		abort();
	(void)close(fd);
	return file;
}

static struct sdec_pool *open_decoder(uint32_t spares)
{
	struct sdec_config config = { .size = sizeof(config), .spares = spares, .no_spares = spares == 0 };
	struct sdec_pool *decoder = NULL;

	if (sdec_pool_open(&config, &decoder) != SDEC_OK)
		abort();
	return decoder;
}

static void decode(struct sdec_pool *decoder, const struct file *file)
{
	struct sdec_input input = {
		.size = sizeof(input), .kind = SDEC_INPUT_MEMORY, .data = file->data, .data_size = file->size
	};
	struct sdec_image image = { .size = sizeof(image) };
	struct sdec_result result = { .size = sizeof(result) };

	if (sdec_decode_image(decoder, &input, NULL, &image, &result) != SDEC_OK) {
		fprintf(stderr, "library-bench: %s: %s\n", file->name, result.reason);
		exit(EXIT_FAILURE);
	}
	sdec_image_free(&image);
}

/* A viewer does something between two pictures; spares are refilled meanwhile, on slow machines, too. */
static void pause_between(void)
{
	const struct timespec moment = { .tv_nsec = 8000000 };

	(void)nanosleep(&moment, NULL);
}

/* ---- a pipe ping-pong: one byte to another process and back ---- */

static int ping[2], pong[2];
static pid_t partner;

static void start_partner(void)
{
	char byte = 0;

	if (pipe(ping) != 0 || pipe(pong) != 0)
		abort();
	partner = fork();
	if (partner < 0)
		abort();
	if (partner == 0) {
		(void)close(ping[1]);
		while (read(ping[0], &byte, 1) == 1)
			if (write(pong[1], &byte, 1) != 1)
				break;
		_exit(0);
	}
	(void)close(ping[0]);
}

static void play(void)
{
	char byte = 0;

	if (write(ping[1], &byte, 1) != 1 || read(pong[0], &byte, 1) != 1)
		abort();
}

static void end_partner(void)
{
	(void)close(ping[1]);
	(void)waitpid(partner, NULL, 0);
}

/* ---- small pictures ---- */

static void measure_small(const struct file *file)
{
	static double inside[SMALL_ROUNDS], warm[SMALL_ROUNDS], cold[SMALL_ROUNDS / 10], trips[SMALL_ROUNDS];
	struct sdec_pool *with = open_decoder(2), *without = open_decoder(0);
	double start = now();

	decode(with, file);
	print("thumbnail first call", NULL, now() - start);
	decode(without, file);
	start_partner();
	for (size_t i = 0; i < SMALL_ROUNDS; i++) {
		pause_between();
		start = now();
		in_process_decode(file->data, file->size);
		inside[i] = now() - start;
		pause_between();
		start = now();
		decode(with, file);
		warm[i] = now() - start;
		pause_between();
		start = now();
		play();
		trips[i] = now() - start;
		if (i % 10 != 0)
			continue;
		pause_between();
		start = now();
		decode(without, file);
		cold[i / 10] = now() - start;
	}
	end_partner();
	print_spread("thumbnail in-process", inside, SMALL_ROUNDS);
	print_spread("thumbnail warm", warm, SMALL_ROUNDS);
	print_spread("thumbnail no spare", cold, SMALL_ROUNDS / 10);
	print_spread("pipe ping-pong", trips, SMALL_ROUNDS);
	sdec_pool_close(&with);
	sdec_pool_close(&without);
}

/* The same in a caller with much resident memory, which must make no difference. */
static void measure_large_caller(const struct file *file)
{
	static double small[SMALL_ROUNDS], large[SMALL_ROUNDS];
	struct sdec_pool *decoder = open_decoder(2);
	enum { TURNS = 4 };

	decode(decoder, file);
	for (size_t turn = 0, i = 0; turn < TURNS; turn++) {
		void *ballast = mmap(NULL, RESIDENT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (ballast == MAP_FAILED)
			abort();
		for (size_t end = (turn + 1) * SMALL_ROUNDS / TURNS; i < end; i++) {
			pause_between();
			double start = now();
			decode(decoder, file);
			small[i] = now() - start;
		}
		i = turn * SMALL_ROUNDS / TURNS;
		memset(ballast, 1, RESIDENT);
		for (size_t end = (turn + 1) * SMALL_ROUNDS / TURNS; i < end; i++) {
			pause_between();
			double start = now();
			decode(decoder, file);
			large[i] = now() - start;
		}
		(void)munmap(ballast, RESIDENT);
	}
	print("small caller", "p50", percentile(small, SMALL_ROUNDS, 50));
	print("large caller", "p50", percentile(large, SMALL_ROUNDS, 50));
	sdec_pool_close(&decoder);
}

/* ---- decodes per second ---- */

struct worker {
	struct sdec_pool *decoder; /* NULL: in-process */
	const struct file *file;
	double until;
	size_t done;
};

static void *work(void *argument)
{
	struct worker *worker = argument;

	while (now() < worker->until) {
		if (worker->decoder)
			decode(worker->decoder, worker->file);
		else
			in_process_decode(worker->file->data, worker->file->size);
		worker->done++;
	}
	return NULL;
}

static double rate(struct sdec_pool *decoder, const struct file *file, size_t threads)
{
	pthread_t handles[64];
	struct worker workers[64];
	double start = now();
	size_t done = 0;

	for (size_t i = 0; i < threads; i++) {
		workers[i] = (struct worker){ decoder, file, start + RATE_MILLISECONDS * 1e3, 0 };
		if (pthread_create(&handles[i], NULL, work, &workers[i]) != 0)
			abort();
	}
	for (size_t i = 0; i < threads; i++) {
		(void)pthread_join(handles[i], NULL);
		done += workers[i].done;
	}
	return (double)done / (now() - start) * 1e6;
}

static void measure_rate(const struct file *file)
{
	double inside[RATE_ROUNDS], ours[RATE_ROUNDS];
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t threads = processors < 1 ? 1 : processors > 32 ? 32 : (size_t)processors;
	struct sdec_pool *decoder = open_decoder((uint32_t)threads * 2);

	decode(decoder, file);
	for (size_t i = 0; i < RATE_ROUNDS; i++) {
		inside[i] = rate(NULL, file, threads);
		ours[i] = rate(decoder, file, threads);
	}
	print("decodes per second in-process", NULL, percentile(inside, RATE_ROUNDS, 50));
	print("decodes per second", NULL, percentile(ours, RATE_ROUNDS, 50));
	sdec_pool_close(&decoder);
}

/* ---- the processes behind the library ---- */

/* The first child of a process, or of this one if `parent` is 0; 0: none. */
static pid_t first_child(pid_t parent)
{
	char path[64] = "/proc/thread-self/children";
	long pid = 0;

	if (parent != 0)
		(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent, (int)parent);
	FILE *stream = fopen(path, "re");
	if (!stream)
		return 0;
	if (fscanf(stream, "%ld", &pid) != 1) /* NOLINT(cert-err34-c): the kernel writes it */
		pid = 0;
	(void)fclose(stream);
	return (pid_t)pid;
}

/* Kibibytes that belong to the process alone. */
static double private_memory(pid_t pid)
{
	char path[64], line[128];
	long sum = 0, value = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	FILE *stream = fopen(path, "re");
	while (stream && fgets(line, sizeof(line), stream))
		if (sscanf(line, "Private_%*[A-Za-z]: %ld", &value) == 1) /* NOLINT(cert-err34-c) */
			sum += value;
	if (stream)
		(void)fclose(stream);
	return (double)sum;
}

static void measure_memory(const struct file *file)
{
	const struct timespec settled = { .tv_nsec = 200000000 };
	struct sdec_pool *decoder = open_decoder(2);

	decode(decoder, file);
	(void)nanosleep(&settled, NULL);
	pid_t broker = first_child(0);
	print("private KiB of a broker", NULL, private_memory(broker));
	print("private KiB of a spare", NULL, private_memory(first_child(broker)));
	sdec_pool_close(&decoder);
}

/* Processor time of this process, and of the broker with the children that it has reaped, microseconds. */
static double processor_time(pid_t broker)
{
	struct rusage usage;
	char path[64];
	unsigned long times[4] = { 0 };

	(void)getrusage(RUSAGE_SELF, &usage);
	double sum = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
	             (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)broker);
	FILE *stream = broker ? fopen(path, "re") : NULL;
	if (stream &&
	    fscanf(stream, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %lu %lu", /* NOLINT */
	           &times[0], &times[1], &times[2], &times[3]) != 4)
		abort();
	if (stream)
		(void)fclose(stream);
	for (size_t i = 0; i < 4; i++)
		sum += (double)times[i] * 1e6 / (double)sysconf(_SC_CLK_TCK);
	return sum;
}

/* ---- large pictures ---- */

static void measure_large(const struct file *file)
{
	double inside[LARGE_ROUNDS], ours[LARGE_ROUNDS], inside_cpu = 0, our_cpu = 0;
	struct sdec_pool *decoder = open_decoder(2);

	decode(decoder, file);
	in_process_decode(file->data, file->size);
	pid_t broker = first_child(0);
	for (size_t i = 0; i < LARGE_ROUNDS; i++) {
		pause_between();
		double cpu = processor_time(broker), start = now();
		in_process_decode(file->data, file->size);
		inside[i] = now() - start;
		pause_between();
		double between = processor_time(broker);
		inside_cpu += between - cpu;
		start = now();
		decode(decoder, file);
		ours[i] = now() - start;
		pause_between();
		our_cpu += processor_time(broker) - between;
	}
	printf("large %s in-process %.1f ours %.1f in-process-cpu %.1f our-cpu %.1f\n", file->name,
	       percentile(inside, LARGE_ROUNDS, 50), percentile(ours, LARGE_ROUNDS, 50), inside_cpu / LARGE_ROUNDS,
	       our_cpu / LARGE_ROUNDS);
	(void)fflush(stdout);
	sdec_pool_close(&decoder);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return EXIT_FAILURE;
	/* Brokers are no children of their caller's: so they become this process's, to be looked at. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	struct file thumbnail = load(argv[1]);
	measure_small(&thumbnail);
	measure_rate(&thumbnail);
	measure_memory(&thumbnail);
	measure_large_caller(&thumbnail);
	free(thumbnail.data);
	for (int i = 2; i < argc; i++) {
		struct file file = load(argv[i]);
		measure_large(&file);
		free(file.data);
	}
	return EXIT_SUCCESS;
}
