/* SPDX-License-Identifier: MIT */
/*
 * Runs the decoder that it is linked with over the input, in this process, and lets the trusted wire reader judge what
 * the decoder says: a message that the reader refuses is a bug, too.
 */
#include <string.h>

#include "../broker/registry.h"
#include "../decoders/decoder.h"
#include "consumer.h"

struct run {
	struct checked checked;
	struct wire_reader reader;
	const uint8_t *input;
	size_t input_left;
	size_t request_sent;
	const uint8_t *message; /* bytes that the reader has not taken yet */
	size_t message_left;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The request first, then the input. */
static ssize_t give_input(void *context, void *data, size_t size)
{
	struct run *run = context;
	size_t request_left = sizeof(run->checked.request) - run->request_sent;

	if (request_left > 0) {
		size_t part = size < request_left ? size : request_left;
		memcpy(data, (const uint8_t *)&run->checked.request + run->request_sent, part);
		run->request_sent += part;
		return (ssize_t)part;
	}
	size_t part = size < run->input_left ? size : run->input_left;
	if (part > 0)
		memcpy(data, run->input, part);
	run->input += part;
	run->input_left -= part;
	return (ssize_t)part;
}

static ssize_t give_message(void *context, void *data, size_t size)
{
	struct run *run = context;
	size_t part = size < run->message_left ? size : run->message_left;

	REQUIRE(part > 0);
	memcpy(data, run->message, part);
	run->message += part;
	run->message_left -= part;
	return (ssize_t)part;
}

static ssize_t take_output(void *context, const void *data, size_t size)
{
	struct run *run = context;

	run->message = data;
	run->message_left = size;
	while (run->message_left > 0) {
		enum wire_progress progress = wire_reader_step(&run->reader, give_message, run);
		REQUIRE(progress == WIRE_PROGRESS_MORE || (progress == WIRE_PROGRESS_OVER && run->message_left == 0));
	}
	return (ssize_t)size;
}

/* The size of the input stands for what is asked for. */
static uint32_t choose_operation(size_t size)
{
	if (!decoder.gives_covers)
		return WIRE_DECODE;
	return size % 16 == 1 ? WIRE_INFO : size % 16 == 2 ? WIRE_COVER : WIRE_DECODE;
}

static uint32_t choose_flags(size_t size)
{
	return (size & 8 ? WIRE_PARTIAL : 0) | (size & 32 ? WIRE_STRICT : 0) | (size & 64 ? WIRE_FINITE : 0);
}

static void decode(const uint8_t *data, size_t size, uint32_t variant)
{
	struct run run = {
		.checked.request = { .version = WIRE_VERSION,
		                     .operation = choose_operation(size),
		                     .variant = variant,
		                     .pixel_formats = WIRE_FORMAT_BIT(size % WIRE_PIXEL_FORMATS),
		                     .flags = choose_flags(size),
		                     .max_side = 65535,
		                     .max_frames = 1,
		                     .max_metadata = 1 << 20,
		                     .max_pixels = 1 << 20,
		                     /* A few bytes can stand for hours of silence. */
		                     .max_output = decoder.gives_covers ? 1 << 20 : 1 << 24,
		                     .scale = 1U << (size / 16 % 4),
		                     .sample_formats = WIRE_FORMAT_BIT(size % WIRE_SAMPLE_FORMATS) },
		.input = data,
		.input_left = size,
	};
	const struct wire_consumer consumer = checked_consumer(&run.checked);
	const struct session_io io = { .read = give_input, .write = take_output, .context = &run };

	wire_reader_init(&run.reader, &run.checked.request, &consumer);
	REQUIRE(session_serve(&decoder, &io));
	/* It had the last word, and what it said was no lie. */
	REQUIRE(run.reader.state == WIRE_STATE_OVER && run.reader.outcome.status != SAFE_KILLED);
}

/* By content, or, if nothing recognises it, by name. */
static bool may_be(const struct safe_format *format, const uint8_t *data, size_t size)
{
	if (strcmp(format->module, decoder.name) != 0)
		return false;
	return registry_recognise(data, size) ? format->recognise && format->recognise(data, size) : true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct safe_format *format = NULL;
	static int initialised;

	if (!initialised && decoder.initialise)
		decoder.initialise();
	initialised = 1;
	for (size_t i = 0; (format = registry_at(i)) != NULL; i++)
		if (may_be(format, data, size))
			decode(data, size, format->variant);
	return 0;
}
