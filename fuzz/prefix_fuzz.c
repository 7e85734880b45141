/* SPDX-License-Identifier: MIT */
/*
 * What a caller who takes partial results gets of an input that ends early, for every place where it may end: a longer
 * prefix never gives fewer rows or bytes, nor others.  And an input gives the same in whatever pieces it comes, which
 * is all that is tried where PIECES_ONLY is set.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consumer.h"
#include "decoder_run.h"
#include "decoders/runtime/decoder.h"
#include "hash.h"
#include "poison.h"

/* Bytes that all prefixes of one input have, about: fuzzing gets further with many inputs. */
#ifdef HAS_ADDRESS_SANITIZER
#define WORK_MAX (1 << 16)
#else
#define WORK_MAX (32 << 20)
#endif

enum {
	OUTPUT_MAX = 1 << 20,
	PAGE = 4096,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct wire_request request;
	struct wire_reader reader;
	const uint8_t *input;
	size_t input_left, piece, request_sent;
	const uint8_t *message;
	size_t message_left;

	/* What came of it. */
	bool is_image;
	struct wire_image image;
	enum wire_failure damage;
	uint32_t notes;
	size_t size;
	uint8_t output[OUTPUT_MAX];
};

/* ---- the consumer ---- */

static struct outcome take_hello(void *context)
{
	(void)context;
	return outcome_ok();
}

static struct outcome take_image(void *context, const struct wire_image *image)
{
	struct run *run = context;

	run->is_image = true;
	run->image = *image;
	return outcome_ok();
}

static struct outcome take_frame(void *context, const struct wire_frame *frame)
{
	(void)context;
	(void)frame;
	return outcome_ok();
}

static struct outcome take_bytes(void *context)
{
	(void)context;
	return outcome_ok();
}

static void *reserve(void *context, size_t *size)
{
	struct run *run = context;

	REQUIRE(run->size < OUTPUT_MAX);
	*size = OUTPUT_MAX - run->size;
	return run->output + run->size;
}

static struct outcome commit(void *context, size_t size)
{
	((struct run *)context)->size += size;
	return outcome_ok();
}

static struct outcome take_end(void *context, enum wire_failure damage, uint32_t notes)
{
	struct run *run = context;

	run->damage = damage;
	run->notes = notes;
	return outcome_ok();
}

/* ---- one decode ---- */

static ssize_t give_input(void *context, void *data, size_t size)
{
	struct run *run = context;
	size_t request_left = sizeof(run->request) - run->request_sent;
	bool request = request_left > 0;
	size_t part = request ? request_left : run->input_left < run->piece ? run->input_left : run->piece;

	if (part > size)
		part = size;
	if (part > 0)
		memcpy(data, request ? (const uint8_t *)&run->request + run->request_sent : run->input, part);
	if (request) {
		run->request_sent += part;
	} else {
		run->input += part;
		run->input_left -= part;
	}
	return (ssize_t)part;
}

static ssize_t give_message(void *context, void *data, size_t size)
{
	struct run *run = context;
	size_t part = size < run->message_left ? size : run->message_left;

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

struct plan {
	uint32_t variant, flags, scale;
};

static void decode(struct run *run, const struct plan *plan, const uint8_t *data, size_t size, size_t piece)
{
	const struct wire_consumer consumer = { .context = run,
		                                .hello = take_hello,
		                                .image = take_image,
		                                .frame = take_frame,
		                                .bytes = take_bytes,
		                                .reserve = reserve,
		                                .commit = commit,
		                                .end = take_end };
	const struct session_io io = { .read = give_input, .write = take_output, .context = run };

	run->request = (struct wire_request){ .version = WIRE_VERSION,
		                              .operation = WIRE_DECODE,
		                              .variant = plan->variant,
		                              .pixel_formats = WIRE_FORMAT_BIT(WIRE_RGBA),
		                              .flags = plan->flags,
		                              .max_side = 65535,
		                              .max_frames = 1,
		                              .max_metadata = 1 << 16,
		                              .max_pixels = OUTPUT_MAX / 4,
		                              .max_output = OUTPUT_MAX,
		                              .scale = plan->scale };
	run->input = data;
	run->input_left = size;
	run->piece = piece;
	run->request_sent = run->message_left = run->size = run->notes = 0;
	run->is_image = false;
	run->damage = WIRE_OK;
	wire_reader_init(&run->reader, &run->request, &consumer);
	REQUIRE(session_serve(&decoder, &io));
	REQUIRE(run->reader.state == WIRE_STATE_OVER && run->reader.outcome.status != SDEC_KILLED);
}

/* ---- what must hold ---- */

static void tell(const char *what, const struct run *run)
{
	const char *reason =
	        run->damage != WIRE_OK ? outcome_of_failure(run->damage).reason : run->reader.outcome.reason;

	fprintf(stderr, "%s: status %d, %s, notes %u, %zu bytes\n", what, (int)run->reader.outcome.status,
	        reason ? reason : "whole", run->notes, run->size);
}

static void compare_pieces(const struct run *whole, const struct run *pieces)
{
	bool same_output = whole->size == pieces->size && memcmp(whole->output, pieces->output, whole->size) == 0;
	bool same_end = whole->reader.outcome.status == pieces->reader.outcome.status &&
	                whole->reader.outcome.reason == pieces->reader.outcome.reason &&
	                whole->damage == pieces->damage && whole->notes == pieces->notes;

	/* What came before a refusal is of no use to those who do not take partial results. */
	bool refused = whole->reader.outcome.status != SDEC_OK && !(whole->request.flags & WIRE_PARTIAL);
	/* A zstd frame without content may be judged in another way where the library has it whole. */
	bool lenient = same_output && strcmp(decoder.name, "zstd") == 0;
	if ((same_end && (same_output || refused)) || lenient)
		return;
	tell("whole", whole);
	tell("pieces", pieces);
	abort();
}

static void try_pieces(struct run *whole, struct run *pieces, const struct plan *plan, const uint8_t *data, size_t size)
{
	static const size_t sizes[] = { 1, PAGE };

	decode(whole, plan, data, size, SIZE_MAX);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		decode(pieces, plan, data, size, sizes[i]);
		compare_pieces(whole, pieces);
	}
}

/* Pictures that come in several passes get better.  If a JPEG begins one anew, which is odd, and that is damaged, what
 * it replaced is lost.  An arithmetic coder leaves zeros at the end out, so that a shorter prefix may look whole.
 * Limits are no damage: they leave nothing. */
static void compare_prefixes(const struct run *shorter, const struct run *longer, size_t size)
{
	bool refined = longer->is_image && (longer->image.flags & WIRE_IMAGE_PROGRESSIVE) != 0;
	bool begun_anew = strcmp(decoder.name, "jpeg") == 0 && (longer->notes & WIRE_NOTE_WARNINGS) != 0;

	bool looks_whole = (shorter->image.flags & WIRE_IMAGE_ARITHMETIC) != 0 && shorter->notes & WIRE_NOTE_END;

	if (longer->reader.outcome.status == SDEC_LIMIT || begun_anew || (shorter->is_image && looks_whole))
		return;
	if (longer->size >= shorter->size && (refined || memcmp(longer->output, shorter->output, shorter->size) == 0))
		return;
	fprintf(stderr, "prefix of %zu bytes:\n", size);
	tell("shorter", shorter);
	tell("longer", longer);
	abort();
}

static void try_prefixes(struct run *one, struct run *other, const struct plan *plan, const uint8_t *data, size_t size)
{
	size_t step = 1 + (size_t)((uint64_t)size * size / 2 / WORK_MAX);
	struct run *shorter = one, *longer = other;

	decode(shorter, plan, data, 0, SIZE_MAX);
	/* So that the last one is the whole. */
	for (size_t prefix = size % step; prefix <= size; prefix += step) {
		decode(longer, plan, data, prefix, SIZE_MAX);
		compare_prefixes(shorter, longer, prefix);
		struct run *swapped = shorter;
		shorter = longer;
		longer = swapped;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run one, other;
	uint64_t dice = hash_add(HASH_START, data, size);
	const struct format *format = NULL;

	decoder_prepare();
	for (size_t index = 0; (format = decoder_next_format(&index, data, size)) != NULL;) {
		/* Anything may be a stream without a magic, and some of those that are not take long. */
		if (!decoder_is_told(format, data, size))
			continue;
		struct plan plan = { .variant = format->variant, .scale = 1U << hash_dice(&dice, 4) };
		try_pieces(&one, &other, &plan, data, size);
		plan.flags = WIRE_STRICT;
		try_pieces(&one, &other, &plan, data, size);
		plan.flags = WIRE_PARTIAL;
		try_pieces(&one, &other, &plan, data, size);
		if (getenv("PIECES_ONLY"))
			continue;
		try_prefixes(&one, &other, &plan, data, size);
		plan.scale = 1;
		try_prefixes(&one, &other, &plan, data, size);
	}
	return 0;
}
