/* SPDX-License-Identifier: MIT */
/* Takes a picture's rows as they are decoded, in a poll() loop. */
#include <fcntl.h>
#include <poll.h>
#include <safe-decode.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum safe_status output_failed(void)
{
	perror("standard output");
	return SAFE_IO;
}

/* Anything but SAFE_OK ends the decode. */
static enum safe_status take(const struct safe_event *event)
{
	switch (event->kind) {
	case SAFE_EVENT_INFO:
		if (event->info->kind != SAFE_KIND_IMAGE) {
			fprintf(stderr, "not a picture: the format is %s\n", event->info->format);
			return SAFE_UNSUPPORTED;
		}
		if (printf("%u x %u pixels\n", event->info->width, event->info->height) < 0)
			return output_failed();
		return SAFE_OK;
	case SAFE_EVENT_ROWS: /* row y is at event->data + (y - event->first_row) * event->stride */
		if (printf("rows %u to %u\n", event->first_row, event->first_row + event->rows - 1) < 0)
			return output_failed();
		return SAFE_OK;
	case SAFE_EVENT_END:
		return fflush(stdout) == 0 ? SAFE_OK : output_failed();
	default: /* there may be more kinds in the future */
		return SAFE_OK;
	}
}

/* Why the decode has failed; what `reason` says is text of the library's, and safe to print. */
static void complain(const char *path, const struct safe_stream *stream)
{
	struct safe_result result = { .size = sizeof(result) };

	safe_stream_result(stream, &result);
	fprintf(stderr, "%s: %s", path, safe_status_name((enum safe_status)result.status));
	if (result.reason)
		fprintf(stderr, ": %s", result.reason);
	if (result.error_number != 0)
		fprintf(stderr, ": %s", strerror(result.error_number));
	fputc('\n', stderr);
}

static enum safe_status run(struct safe_stream *stream, const char *path)
{
	struct safe_event event = { .size = sizeof(event) };
	enum safe_status status = SAFE_OK;

	do {
		struct pollfd ready = { .fd = safe_stream_fd(stream), .events = POLLIN };
		(void)poll(&ready, 1, -1); /* with whatever else the program waits for */
		status = safe_stream_step(stream, &event);
		if (status == SAFE_OK)
			status = take(&event);
		else
			complain(path, stream);
	} while (status == SAFE_OK && event.kind != SAFE_EVENT_END);
	return status;
}

int main(int argc, char **argv)
{
	struct safe_decoder *decoder = NULL;
	struct safe_stream *stream = NULL;
	struct safe_input input = { .size = sizeof(input), .kind = SAFE_INPUT_FD };

	if (argc != 2) {
		fprintf(stderr, "usage: %s FILE\n", argv[0]);
		return SAFE_USAGE;
	}
	input.fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (input.fd < 0) {
		perror(argv[1]);
		return SAFE_IO;
	}
	enum safe_status status = safe_decoder_open(NULL, &decoder);
	if (status == SAFE_OK)
		status = safe_stream_open(decoder, &input, NULL, &stream);
	if (status == SAFE_OK)
		status = run(stream, argv[1]);
	else
		fprintf(stderr, "%s: cannot begin: %s\n", argv[1], safe_status_name(status));
	safe_stream_close(&stream); /* wherever it is */
	safe_decoder_close(&decoder);
	(void)close(input.fd);
	return (int)status;
}
