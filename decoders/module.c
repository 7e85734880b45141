/* SPDX-License-Identifier: MIT */
/* What turns a decoder into a module: its one exported symbol, and the main function of the child. */
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "decoder.h"

static ssize_t read_input(void *context, void *data, size_t size)
{
	(void)context;
	return read(STDIN_FILENO, data, size);
}

static ssize_t write_output(void *context, const void *data, size_t size)
{
	(void)context;
	return write(STDOUT_FILENO, data, size);
}

enum { TOUCHED = 64 << 10 }; /* bytes: what a small picture takes, and each spare costs twice */

/* The request and the sample, as if from a pipe. */
struct rehearsal {
	struct wire_request request;
	size_t request_given;
	const uint8_t *sample;
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
		given = take(data, size, rehearsal->sample, (size_t)(decoder.sample_end - rehearsal->sample));
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

static void warm_up(void)
{
	struct rehearsal rehearsal = {
		.request = { .version = WIRE_VERSION,
		             .operation = WIRE_DECODE,
		             .variant = decoder.sample_variant,
		             .pixel_formats = WIRE_FORMAT_BIT(WIRE_BGRA) | WIRE_FORMAT_BIT(WIRE_RGB) |
		                              WIRE_FORMAT_BIT(WIRE_GRAY),
		             .max_side = 65535,
		             .max_frames = 1,
		             .max_metadata = UINT32_C(1) << 20,
		             .max_pixels = UINT64_C(1) << 20,
		             .max_output = UINT64_C(1) << 20,
		             .scale = 1 },
		.sample = decoder.sample,
	};
	struct session_io io = { .read = read_sample, .write = drop_output, .context = &rehearsal, .touch = TOUCHED };

	if (decoder.sample)
		(void)session_serve(&decoder, &io);
}

static void run(void)
{
	static const struct session_io io = { .read = read_input, .write = write_output };

	(void)session_serve(&decoder, &io);
	/* Not _exit(): that is exit_group, which strict mode does not have. */
	for (;;)
		syscall(SYS_exit, 0);
}

__attribute__((visibility("default"))) const struct decoder_module safe_decode_module = {
	.abi = DECODER_ABI,
	.decoder = &decoder,
	.warm_up = warm_up,
	.run = run,
};
