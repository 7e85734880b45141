/* SPDX-License-Identifier: MIT */
/* Writes sound to standard output as it is decoded, from a file or an endless stream. */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <safe-decode.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Anything but SDEC_OK ends the decode. */
static enum sdec_status take(const struct sdec_event *event)
{
	switch (event->kind) {
	case SDEC_EVENT_INFO: /* info->speakers tells which channel belongs where */
		if (event->info->kind != SDEC_KIND_AUDIO) {
			fprintf(stderr, "not sound: the format is %s\n", event->info->format);
			return SDEC_UNSUPPORTED;
		}
		fprintf(stderr, "%u Hz, %u channels\n", event->info->rate, event->info->channels);
		return SDEC_OK;
	case SDEC_EVENT_TAG: /* whoever shows event->data must escape it */
		fprintf(stderr, "%s: %zu bytes\n", sdec_tag_name((enum sdec_tag)event->tag), event->data_size);
		return SDEC_OK;
	case SDEC_EVENT_SAMPLES: /* whole sample frames: a sample of each channel in turn */
		if (fwrite(event->data, 1, event->data_size, stdout) != event->data_size || fflush(stdout) != 0) {
			perror("standard output");
			return SDEC_IO;
		}
		return SDEC_OK;
	case SDEC_EVENT_LOSS:
		fprintf(stderr, "%" PRIu64 " damaged parts so far\n", event->losses);
		return SDEC_OK;
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
	/* A station never ends, so there is no limit on totals; memory keeps its default. */
	struct sdec_limits limits = { .size = sizeof(limits),
		                      .max_output = UINT64_MAX,
		                      .max_input = UINT64_MAX,
		                      .cpu_seconds = UINT32_MAX,
		                      .work_seconds = UINT32_MAX };
	struct sdec_request request = { .size = sizeof(request), .limits = &limits, .sample_format = SDEC_F32 };

	if (argc != 2) {
		fprintf(stderr, "usage: %s FILE (\"-\": standard input)\n", argv[0]);
		return SDEC_USAGE;
	}
	input.fd = strcmp(argv[1], "-") == 0 ? STDIN_FILENO : open(argv[1], O_RDONLY | O_CLOEXEC);
	if (input.fd < 0) {
		perror(argv[1]);
		return SDEC_IO;
	}
	enum sdec_status status = sdec_pool_open(NULL, &decoder);
	if (status == SDEC_OK)
		status = sdec_stream_open(decoder, &input, &request, &stream);
	if (status == SDEC_OK)
		status = run(stream, argv[1]);
	else
		fprintf(stderr, "%s: cannot begin: %s\n", argv[1], sdec_status_name(status));
	sdec_stream_close(&stream); /* wherever it is */
	sdec_pool_close(&decoder);
	(void)close(input.fd);
	return (int)status;
}
