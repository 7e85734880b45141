/* SPDX-License-Identifier: MIT */
/*
 * A server of thumbnails: reads paths, one a line, from standard input, and answers each with a line.  Its 16 threads
 * share one pool.  What a real server would store or send is image.pixels.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <safe-decode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 16, SIDE = 256 };

static struct sdec_pool *pool;
static pthread_mutex_t input_lock = PTHREAD_MUTEX_INITIALIZER;
static enum sdec_status worst = SDEC_OK; /* under the output's lock, which stdio has */

/* The largest reduction that leaves SIDE pixels or more: the rest is for a good filter. */
static uint32_t scale_for(const struct sdec_info *info)
{
	uint32_t longer = info->width > info->height ? info->width : info->height;
	uint32_t scale = 8;

	while (scale > 1 && longer / scale < SIDE)
		scale /= 2;
	return scale;
}

static enum sdec_status decode(int fd, const char *name, struct sdec_image *image, struct sdec_result *result)
{
	struct sdec_input input = { .size = sizeof(input), .kind = SDEC_INPUT_FD, .fd = fd, .name = name };
	/* For uploads of strangers: small limits, and pictures only of formats that are expected. */
	struct sdec_limits limits = { .size = sizeof(limits),
		                      .max_pixels = 64 << 20,
		                      .max_input = 64 << 20,
		                      .memory = 256 << 20,
		                      .cpu_seconds = 5,
		                      .deadline_milliseconds = 10000 };
	struct sdec_request request = {
		.size = sizeof(request), .limits = &limits, .pixel_format = SDEC_RGBA, .allow = "jpeg,png,webp,gif"
	};
	struct sdec_info info = { .size = sizeof(info) };

	enum sdec_status status = sdec_probe(pool, &input, &request, &info, result);
	if (status != SDEC_OK)
		return status;
	if (lseek(fd, 0, SEEK_SET) != 0) {
		result->reason = "cannot be read twice";
		return SDEC_IO;
	}
	request.scale = scale_for(&info);
	return sdec_decode_image(pool, &input, &request, image, result);
}

static void answer(const char *path)
{
	struct sdec_image image = { .size = sizeof(image) };
	struct sdec_result result = { .size = sizeof(result) };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	enum sdec_status status = SDEC_IO;
	if (fd >= 0)
		status = decode(fd, path, &image, &result);
	else
		result.reason = strerror(errno);
	flockfile(stdout);
	if (status == SDEC_OK)
		(void)printf("%s: %u x %u\n", path, image.width, image.height);
	else
		(void)printf("%s: %s: %s\n", path, sdec_status_name(status), result.reason ? result.reason : "");
	if (status != SDEC_OK)
		worst = status;
	funlockfile(stdout);
	sdec_image_free(&image);
	if (fd >= 0)
		(void)close(fd);
}

static void *serve(void *nothing)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t length = 0;

	for (;;) {
		(void)pthread_mutex_lock(&input_lock);
		length = getline(&line, &size, stdin);
		(void)pthread_mutex_unlock(&input_lock);
		if (length <= 0)
			break;
		line[strcspn(line, "\n")] = '\0';
		answer(line);
	}
	free(line);
	return nothing;
}

int main(void)
{
	pthread_t threads[THREADS];
	int started = 0;
	/* As many waiting children as there are threads would be quicker, and cost memory while nobody asks. */
	struct sdec_config config = { .size = sizeof(config), .spares = 4, .memory = 256 << 20 };

	if (sdec_pool_open(&config, &pool) != SDEC_OK) {
		fprintf(stderr, "no memory\n");
		return SDEC_IO;
	}
	while (started < THREADS && pthread_create(&threads[started], NULL, serve, NULL) == 0)
		started++;
	for (int i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
	sdec_pool_close(&pool);
	if (started == 0 || fflush(stdout) != 0) {
		perror(started == 0 ? "no threads" : "standard output");
		return SDEC_IO;
	}
	return (int)worst;
}
