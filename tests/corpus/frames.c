/* SPDX-License-Identifier: MIT */
/*
 * Runs the decoder of pictures that it is linked with in this process, and writes all frames of a file as RGBA:
 *
 *     frames FILE [PIECE]
 *
 * PIECE is how many bytes of the input come at a time.  The delays go to standard error, one a line.  Ends with 1 where
 * the decoder fails.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/runtime/decoder.h"

struct bytes {
	uint8_t *data; /* owned */
	size_t size, room;
};

struct run {
	struct wire_request request;
	size_t request_sent;
	const uint8_t *input;
	size_t left, piece;
	struct bytes output;
};

static void append(struct bytes *bytes, const void *data, size_t size)
{
	if (bytes->room - bytes->size < size) {
		bytes->room = 2 * (bytes->size + size);
		bytes->data = realloc(bytes->data, bytes->room);
		if (!bytes->data)
			abort();
	}
	if (size > 0)
		memcpy(bytes->data + bytes->size, data, size);
	bytes->size += size;
}

static ssize_t give(void *context, void *data, size_t size)
{
	struct run *run = context;
	size_t request_left = sizeof(run->request) - run->request_sent;

	if (request_left > 0) {
		size = size < request_left ? size : request_left;
		memcpy(data, (const uint8_t *)&run->request + run->request_sent, size);
		run->request_sent += size;
		return (ssize_t)size;
	}
	size = size < run->left ? size : run->left;
	size = size < run->piece ? size : run->piece;
	if (size > 0)
		memcpy(data, run->input, size);
	run->input += size;
	run->left -= size;
	return (ssize_t)size;
}

static ssize_t take(void *context, const void *data, size_t size)
{
	append(&((struct run *)context)->output, data, size);
	return (ssize_t)size;
}

/* Returns whether the decode is complete. */
static bool show(const struct bytes *output)
{
	struct wire_header header;
	bool complete = false;

	for (size_t at = 0; at + sizeof(header) <= output->size; at += header.length) {
		memcpy(&header, output->data + at, sizeof(header));
		at += sizeof(header);
		const uint8_t *payload = output->data + at;
		uint32_t value = 0;
		if (header.length >= sizeof(value))
			memcpy(&value, payload, sizeof(value));
		if (header.kind == WIRE_FRAME)
			fprintf(stderr, "%" PRIu32 "\n", value);
		else if (header.kind == WIRE_PIXELS)
			fwrite(payload, 1, header.length, stdout);
		complete = header.kind == WIRE_END;
	}
	return complete;
}

static void read_file(const char *path, struct bytes *bytes)
{
	FILE *file = fopen(path, "rb");
	uint8_t piece[4096];
	size_t size = 0;

	if (!file)
		exit(2);
	while ((size = fread(piece, 1, sizeof(piece), file)) > 0)
		append(bytes, piece, size);
	fclose(file);
}

int main(int argc, char **argv)
{
	struct bytes input = { .size = 0 };

	if (argc < 2)
		return 2;
	read_file(argv[1], &input);
	struct run run = {
		.request = { .version = WIRE_VERSION,
		             .operation = WIRE_DECODE,
		             .pixel_formats = WIRE_FORMAT_BIT(WIRE_RGBA),
		             .max_side = WIRE_SIDE_MAX,
		             .max_frames = UINT32_MAX,
		             .max_metadata = 1 << 20,
		             .max_pixels = UINT64_C(1) << 40,
		             .max_output = UINT64_C(1) << 40,
		             .scale = 1 },
		.input = input.data,
		.left = input.size,
		.piece = argc > 2 ? strtoul(argv[2], NULL, 10) : SIZE_MAX,
	};
	const struct session_io io = { .read = give, .write = take, .context = &run };
	if (decoder.initialise)
		decoder.initialise();
	if (!session_serve(&decoder, &io))
		return 2;
	bool complete = show(&run.output);
	free(run.output.data);
	free(input.data);
	return complete ? 0 : 1;
}
