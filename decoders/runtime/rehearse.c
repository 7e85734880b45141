/* SPDX-License-Identifier: MIT */
/* A decode of the decoder's own sample, from memory to nowhere. */
#include <string.h>

#include "decoder.h"

/* The request and the sample, as if from a pipe. */
struct rehearsal {
	struct wire_request request;
	size_t request_given;
	const uint8_t *sample, *sample_end;
};

static size_t take(void *data, size_t size, const void *from, size_t left)
{
	if (size > left)
		size = left;
	memcpy(data, from, size);
	return size;
}

static ssize_t read_sample(void *context, void *data, size_t size)
{
	struct rehearsal *rehearsal = context;
	size_t left = sizeof(rehearsal->request) - rehearsal->request_given;
	size_t given = 0;

	if (left > 0) {
		given = take(data, size, (uint8_t *)&rehearsal->request + rehearsal->request_given, left);
		rehearsal->request_given += given;
	} else {
		given = take(data, size, rehearsal->sample, (size_t)(rehearsal->sample_end - rehearsal->sample));
		rehearsal->sample += given;
	}
	return (ssize_t)given;
}

static ssize_t drop_output(void *context, const void *data, size_t size)
{
	(void)context;
	(void)data;
	return (ssize_t)size;
}

void session_rehearse(const struct decoder *the_decoder, size_t touch)
{
	struct rehearsal rehearsal = {
		.request = { .version = WIRE_VERSION,
		             .operation = WIRE_DECODE,
		             .variant = the_decoder->sample_variant,
		             .pixel_formats = WIRE_FORMAT_BIT(WIRE_BGRA) | WIRE_FORMAT_BIT(WIRE_RGB) |
		                              WIRE_FORMAT_BIT(WIRE_GRAY),
		             .max_side = 65535,
		             .max_frames = 1,
		             .max_metadata = UINT32_C(1) << 20,
		             .max_pixels = UINT64_C(1) << 20,
		             .max_output = UINT64_C(1) << 20,
		             .scale = 1 },
		.sample = the_decoder->sample,
		.sample_end = the_decoder->sample_end,
	};
	struct session_io io = { .read = read_sample, .write = drop_output, .context = &rehearsal, .touch = touch };

	if (the_decoder->sample)
		(void)session_serve(the_decoder, &io);
}
