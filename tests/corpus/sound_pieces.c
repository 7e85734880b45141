/* SPDX-License-Identifier: MIT */
/*
 * Runs the decoder of sound that it is linked with in this process, many times over one file:
 *
 *     sound_pieces pieces VARIANT FILE      what an input gives does not hang on how its bytes arrive
 *     sound_pieces prefixes VARIANT FILE    more of an input never gives fewer or other sample frames
 *
 * Prints what is not so, and then ends with 1.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/runtime/decoder.h"

enum {
	PREFIXES = 400, /* at most, besides those of the first and last bytes */
	EDGE = 100,     /* each of which is tried */
};

struct bytes {
	uint8_t *data; /* owned */
	size_t size, room;
};

/* All that a decode says, but for when it says it. */
struct answer {
	struct wire_audio audio;
	struct bytes samples; /* or those of a cover */
	struct bytes tags;
	uint64_t losses;
	uint32_t damage, failure, notes, end;
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

/* ---- one decode ---- */

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

static void take_message(struct answer *answer, uint32_t kind, const uint8_t *payload, size_t size)
{
	struct wire_loss loss;

	switch (kind) {
	case WIRE_AUDIO:
		memcpy(&answer->audio, payload, sizeof(answer->audio));
		return;
	case WIRE_SAMPLES:
	case WIRE_DATA:
		append(&answer->samples, payload, size);
		return;
	case WIRE_METADATA:
		append(&answer->tags, payload, size);
		return;
	case WIRE_LOSS:
		memcpy(&loss, payload, sizeof(loss));
		answer->losses = loss.parts;
		return;
	case WIRE_DAMAGE:
		memcpy(&answer->damage, payload, sizeof(answer->damage));
		return;
	case WIRE_FAIL:
		memcpy(&answer->failure, payload, sizeof(answer->failure));
		return;
	case WIRE_END:
		memcpy(&answer->notes, payload, sizeof(answer->notes));
		answer->end = 1;
		return;
	default:
		return;
	}
}

static struct answer decode(const struct wire_request *request, const uint8_t *input, size_t size, size_t piece)
{
	struct run run = { .request = *request, .input = input, .left = size, .piece = piece };
	const struct session_io io = { .read = give, .write = take, .context = &run };
	struct answer answer = { .losses = 0 };
	struct wire_header header;

	if (!session_serve(&decoder, &io))
		abort();
	for (size_t at = 0; at + sizeof(header) <= run.output.size;) {
		memcpy(&header, run.output.data + at, sizeof(header));
		at += sizeof(header);
		take_message(&answer, header.kind, run.output.data + at, header.length);
		at += header.length;
	}
	free(run.output.data);
	return answer;
}

static void release(struct answer *answer)
{
	free(answer->samples.data);
	free(answer->tags.data);
}

static struct wire_request make_request(uint32_t variant, uint32_t operation, uint32_t flags)
{
	return (struct wire_request){
		.version = WIRE_VERSION,
		.operation = operation,
		.variant = variant,
		.pixel_formats = WIRE_FORMAT_BIT(WIRE_RGBA),
		.sample_formats = WIRE_FORMAT_BIT(WIRE_SAMPLE_FORMATS) - 1,
		.flags = flags,
		.max_side = 65535,
		.max_frames = 1,
		.max_metadata = 1 << 20,
		.max_pixels = 1 << 20,
		.max_output = UINT64_C(1) << 30,
		.scale = 1,
	};
}

/* ---- what must hold ---- */

static bool same_bytes(const struct bytes *one, const struct bytes *other)
{
	return one->size == other->size && (one->size == 0 || memcmp(one->data, other->data, one->size) == 0);
}

static void print_answer(const char *what, const struct answer *answer)
{
	printf("  %s: %zu bytes, %zu of tags, %llu frames announced, %llu losses, damage %u, failure %u, notes %u\n",
	       what, answer->samples.size, answer->tags.size, (unsigned long long)answer->audio.frames,
	       (unsigned long long)answer->losses, answer->damage, answer->failure, answer->notes);
}

static bool is_same(const struct answer *one, const struct answer *other)
{
	return memcmp(&one->audio, &other->audio, sizeof(one->audio)) == 0 && one->losses == other->losses &&
	       one->damage == other->damage && one->failure == other->failure && one->notes == other->notes &&
	       one->end == other->end && same_bytes(&one->samples, &other->samples) &&
	       same_bytes(&one->tags, &other->tags);
}

static bool check_pieces(uint32_t variant, const struct bytes *file)
{
	static const struct {
		uint32_t operation, flags;
	} modes[] = {
		{ WIRE_DECODE, 0 }, { WIRE_DECODE, WIRE_PARTIAL | WIRE_STRICT },
		{ WIRE_INFO, 0 },   { WIRE_INFO, WIRE_FINITE },
		{ WIRE_COVER, 0 },
	};
	static const size_t pieces[] = { 1, 4096 };
	bool good = true;

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct wire_request request = make_request(variant, modes[i].operation, modes[i].flags);
		struct answer whole = decode(&request, file->data, file->size, SIZE_MAX);
		for (size_t j = 0; j < sizeof(pieces) / sizeof(pieces[0]); j++) {
			struct answer some = decode(&request, file->data, file->size, pieces[j]);
			if (!is_same(&whole, &some)) {
				printf("operation %u, flags %u, pieces of %zu bytes\n", request.operation,
				       request.flags, pieces[j]);
				print_answer("whole", &whole);
				print_answer("pieces", &some);
				good = false;
			}
			release(&some);
		}
		release(&whole);
	}
	return good;
}

static size_t next_length(size_t length, size_t size)
{
	size_t step = length < EDGE || length + EDGE >= size ? 1 : 1 + size / PREFIXES;

	return length + step < size || length == size ? length + step : size;
}

static bool check_prefixes(uint32_t variant, const struct bytes *file)
{
	struct wire_request request = make_request(variant, WIRE_DECODE, WIRE_PARTIAL);
	struct answer before = { .losses = 0 };
	bool good = true;

	for (size_t length = 1; length <= file->size; length = next_length(length, file->size)) {
		/* In memory of its own, so that a checker of memory sees what is read behind its end. */
		uint8_t *prefix = malloc(length);
		if (!prefix)
			abort();
		memcpy(prefix, file->data, length);
		struct answer answer = decode(&request, prefix, length, SIZE_MAX);
		free(prefix);
		if (answer.samples.size < before.samples.size ||
		    (before.samples.size > 0 &&
		     memcmp(answer.samples.data, before.samples.data, before.samples.size) != 0)) {
			printf("the first %zu bytes\n", length);
			print_answer("fewer", &before);
			print_answer("more", &answer);
			good = false;
		}
		release(&before);
		before = answer;
	}
	release(&before);
	return good;
}

int main(int argc, char **argv)
{
	struct bytes file = { .data = NULL };
	uint8_t buffer[65536];
	size_t got = 0;

	FILE *stream = argc == 4 ? fopen(argv[3], "rb") : NULL;
	while (stream && (got = fread(buffer, 1, sizeof(buffer), stream)) > 0)
		append(&file, buffer, got);
	bool good = stream && fclose(stream) == 0 && file.size > 0;
	if (good && decoder.initialise)
		decoder.initialise();
	if (good) {
		uint32_t variant = (uint32_t)strtoul(argv[2], NULL, 10);
		good = strcmp(argv[1], "pieces") == 0 ? check_pieces(variant, &file) : check_prefixes(variant, &file);
	}
	free(file.data);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
