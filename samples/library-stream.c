/* SPDX-License-Identifier: MIT */
/* Takes a picture's rows as they are decoded, in a poll() loop. */
#include <fcntl.h>
#include <poll.h>
#include <safe-decode.h>
#include <stdio.h>
#include <unistd.h>

/* Returns false when it is over. */
static int take(const struct safe_event *event)
{
	switch (event->kind) {
	case SAFE_EVENT_INFO:
		printf("%u x %u pixels\n", event->info->width, event->info->height);
		return 1;
	case SAFE_EVENT_ROWS: /* row y is at event->data + (y - event->first_row) * event->stride */
		printf("rows %u to %u\n", event->first_row, event->first_row + event->rows - 1);
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

	if (argc != 2 || safe_decoder_open(NULL, &decoder) != SAFE_OK)
		return SAFE_USAGE;
	input.fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	enum safe_status status = safe_stream_open(decoder, &input, NULL, &stream);
	if (status == SAFE_OK)
		status = run(stream);
	safe_stream_close(&stream); /* wherever it is */
	if (input.fd >= 0)
		(void)close(input.fd);
	safe_decoder_close(&decoder);
	return (int)status;
}
