/* SPDX-License-Identifier: MIT */
/* Takes a picture's rows as they are decoded, in a poll() loop. */
#include <fcntl.h>
#include <poll.h>
#include <safe-decode.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum sdec_status output_failed(void)
{
	perror("standard output");
	return SDEC_IO;
}

/* Anything but SDEC_OK ends the decode. */
static enum sdec_status take(const struct sdec_event *event)
{
	switch (event->kind) {
	case SDEC_EVENT_INFO:
		if (event->info->kind != SDEC_KIND_IMAGE) {
			fprintf(stderr, "not a picture: the format is %s\n", event->info->format);
			return SDEC_UNSUPPORTED;
		}
		if (printf("%u x %u pixels\n", event->info->width, event->info->height) < 0)
			return output_failed();
		return SDEC_OK;
	case SDEC_EVENT_ROWS: /* row y is at event->data + (y - event->first_row) * event->stride */
		if (printf("rows %u to %u\n", event->first_row, event->first_row + event->rows - 1) < 0)
			return output_failed();
		return SDEC_OK;
	case SDEC_EVENT_END:
		return fflush(stdout) == 0 ? SDEC_OK : output_failed();
	default: /* there may be more kinds in the future */
		return SDEC_OK;
	}
}

/* Why the decode has failed; what `reason` says is text of the library's, and safe to print. */
static void complain(const char *path, const struct sdec_stream *stream)
{
	struct sdec_result result = { .size = sizeof(result) };

	sdec_stream_result(stream, &result);
	fprintf(stderr, "%s: %s", path, sdec_status_name((enum sdec_status)result.status));
	if (result.reason)
		fprintf(stderr, ": %s", result.reason);
	if (result.error_number != 0)
		fprintf(stderr, ": %s", strerror(result.error_number));
	fputc('\n', stderr);
}

static enum sdec_status run(struct sdec_stream *stream, const char *path)
{
	struct sdec_event event = { .size = sizeof(event) };
	enum sdec_status status = SDEC_OK;

	do {
		struct pollfd ready = { .fd = sdec_stream_fd(stream), .events = POLLIN };
		(void)poll(&ready, 1, -1); /* with whatever else the program waits for */
		status = sdec_stream_step(stream, &event);
		if (status == SDEC_OK)
			status = take(&event);
		else
			complain(path, stream);
	} while (status == SDEC_OK && event.kind != SDEC_EVENT_END);
	return status;
}

int main(int argc, char **argv)
{
	struct sdec_pool *decoder = NULL;
	struct sdec_stream *stream = NULL;
	struct sdec_input input = { .size = sizeof(input), .kind = SDEC_INPUT_FD };

	if (argc != 2) {
		fprintf(stderr, "usage: %s FILE\n", argv[0]);
		return SDEC_USAGE;
	}
	input.fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (input.fd < 0) {
		perror(argv[1]);
		return SDEC_IO;
	}
	enum sdec_status status = sdec_pool_open(NULL, &decoder);
	if (status == SDEC_OK)
		status = sdec_stream_open(decoder, &input, NULL, &stream);
	if (status == SDEC_OK)
		status = run(stream, argv[1]);
	else
		fprintf(stderr, "%s: cannot begin: %s\n", argv[1], sdec_status_name(status));
	sdec_stream_close(&stream); /* wherever it is */
	sdec_pool_close(&decoder);
	(void)close(input.fd);
	return (int)status;
}
