/* SPDX-License-Identifier: MIT */
/* Writes sound to standard output as it is decoded, from a file or an endless stream. */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <safe-decode.h>
#include <stdio.h>
#include <unistd.h>

/* Returns false when it is over. */
static int take(const struct safe_event *event)
{
	switch (event->kind) {
	case SAFE_EVENT_INFO: /* info->speakers tells which channel belongs where */
		fprintf(stderr, "%u Hz, %u channels\n", event->info->rate, event->info->channels);
		return 1;
	case SAFE_EVENT_TAG: /* whoever shows event->data must escape it */
		fprintf(stderr, "%s: %zu bytes\n", safe_tag_name((enum safe_tag)event->tag), event->data_size);
		return 1;
	case SAFE_EVENT_SAMPLES: /* whole sample frames: a sample of each channel in turn */
		return fwrite(event->data, 1, event->data_size, stdout) == event->data_size;
	case SAFE_EVENT_LOSS:
		fprintf(stderr, "%" PRIu64 " damaged parts so far\n", event->losses);
		return 1;
	default:
		return event->kind != SAFE_EVENT_END;
	}
}

static enum safe_status run(struct safe_stream *stream)
{
	struct safe_event event = { .size = sizeof(event) };
	enum safe_status status = SAFE_OK;

	do {
		struct pollfd ready = { .fd = safe_stream_fd(stream), .events = POLLIN };
		(void)poll(&ready, 1, -1); /* with whatever else the program waits for */
		status = safe_stream_step(stream, &event);
	} while (status == SAFE_OK && take(&event));
	return status;
}

int main(int argc, char **argv)
{
	struct safe_decoder *decoder = NULL;
	struct safe_stream *stream = NULL;
	struct safe_input input = { .size = sizeof(input) };
	/* A station never ends: what counts what has passed has no limit, and memory needs none that is higher. */
	struct safe_limits limits = {
		.size = sizeof(limits), .max_input = UINT64_MAX, .max_output = UINT64_MAX, .cpu_seconds = UINT32_MAX
	};
	struct safe_request request = { .size = sizeof(request), .limits = &limits, .sample_format = SAFE_F32 };

	if (argc > 2 || safe_decoder_open(NULL, &decoder) != SAFE_OK)
		return SAFE_USAGE;
	input.fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	enum safe_status status = safe_stream_open(decoder, &input, &request, &stream);
	if (status == SAFE_OK)
		status = run(stream);
	safe_stream_close(&stream); /* wherever it is */
	if (argc == 2 && input.fd >= 0)
		(void)close(input.fd);
	safe_decoder_close(&decoder);
	return (int)status;
}
