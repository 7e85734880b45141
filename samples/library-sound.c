/* SPDX-License-Identifier: MIT */
/* Writes sound to standard output as it is decoded, from a file or an endless stream. */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <safe-decode.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Anything but SAFE_OK ends the decode. */
static enum safe_status take(const struct safe_event *event)
{
	switch (event->kind) {
	case SAFE_EVENT_INFO: /* info->speakers tells which channel belongs where */
		if (event->info->kind != SAFE_KIND_AUDIO) {
			fprintf(stderr, "not sound: the format is %s\n", event->info->format);
			return SAFE_UNSUPPORTED;
		}
		fprintf(stderr, "%u Hz, %u channels\n", event->info->rate, event->info->channels);
		return SAFE_OK;
	case SAFE_EVENT_TAG: /* whoever shows event->data must escape it */
		fprintf(stderr, "%s: %zu bytes\n", safe_tag_name((enum safe_tag)event->tag), event->data_size);
		return SAFE_OK;
	case SAFE_EVENT_SAMPLES: /* whole sample frames: a sample of each channel in turn */
		if (fwrite(event->data, 1, event->data_size, stdout) != event->data_size || fflush(stdout) != 0) {
			perror("standard output");
			return SAFE_IO;
		}
		return SAFE_OK;
	case SAFE_EVENT_LOSS:
		fprintf(stderr, "%" PRIu64 " damaged parts so far\n", event->losses);
		return SAFE_OK;
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
	/* A station never ends, so there is no limit on totals; memory keeps its default. */
	struct safe_limits limits = { .size = sizeof(limits),
		                      .max_output = UINT64_MAX,
		                      .max_input = UINT64_MAX,
		                      .cpu_seconds = UINT32_MAX,
		                      .work_seconds = UINT32_MAX };
	struct safe_request request = { .size = sizeof(request), .limits = &limits, .sample_format = SAFE_F32 };

	if (argc != 2) {
		fprintf(stderr, "usage: %s FILE (\"-\": standard input)\n", argv[0]);
		return SAFE_USAGE;
	}
	input.fd = strcmp(argv[1], "-") == 0 ? STDIN_FILENO : open(argv[1], O_RDONLY | O_CLOEXEC);
	if (input.fd < 0) {
		perror(argv[1]);
		return SAFE_IO;
	}
	enum safe_status status = safe_decoder_open(NULL, &decoder);
	if (status == SAFE_OK)
		status = safe_stream_open(decoder, &input, &request, &stream);
	if (status == SAFE_OK)
		status = run(stream, argv[1]);
	else
		fprintf(stderr, "%s: cannot begin: %s\n", argv[1], safe_status_name(status));
	safe_stream_close(&stream); /* wherever it is */
	safe_decoder_close(&decoder);
	(void)close(input.fd);
	return (int)status;
}
