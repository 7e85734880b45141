/* SPDX-License-Identifier: MIT */
/*
 * Runs the decoder that it is linked with over the input, in this process, and lets the trusted wire reader judge what
 * the decoder says: a message that the reader refuses is a bug, too.  One input in four comes and goes in small pieces
 * as well: what is sound must be so then, and give the same.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoder_run.h"
#include "decoders/runtime/decoder.h"
#include "hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libzstd is more lenient with a frame that it has whole: one that says it has no content may have a block that is
 * none. Some encoders make such frames, and nothing comes of them. */
static bool may_judge_otherwise(void)
{
	return strcmp(decoder.name, "zstd") == 0;
}

/* What the codecs make of damage may hang on where the pieces end.  Whether there is any must not. */
static void compare(const struct decoder_answer *whole, const struct decoder_answer *pieces)
{
	bool same_output = whole->size == pieces->size && whole->hash == pieces->hash;
	bool same = whole->sound == pieces->sound ? !whole->sound || same_output : same_output && may_judge_otherwise();

	if (same)
		return;
	fprintf(stderr, "whole:  %d %s, %llu bytes, hash %llx\n", (int)whole->status, whole->reason,
	        (unsigned long long)whole->size, (unsigned long long)whole->hash);
	fprintf(stderr, "pieces: %d %s, %llu bytes, hash %llx\n", (int)pieces->status, pieces->reason,
	        (unsigned long long)pieces->size, (unsigned long long)pieces->hash);
	abort();
}

/* What the decoder does must not hang on how it gets at its input. */
static void compare_random(const struct decoder_run *plan, const struct decoder_answer *whole, const uint8_t *data,
                           size_t size)
{
	struct decoder_run run = *plan;

	run.random = true;
	struct decoder_answer parts = run_decoder(&run, data, size);
	if (parts.status == whole->status && parts.sound == whole->sound && parts.size == whole->size &&
	    parts.hash == whole->hash)
		return;
	fprintf(stderr, "in parts: %d %s, %llu bytes, and not: %d %s, %llu bytes\n", (int)parts.status, parts.reason,
	        (unsigned long long)parts.size, (int)whole->status, whole->reason, (unsigned long long)whole->size);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t dice = hash_add(HASH_START, data, size);
	const struct format *format = NULL;

	decoder_prepare();
	for (size_t index = 0; (format = decoder_next_format(&index, data, size)) != NULL;) {
		struct decoder_run run = { .variant = format->variant, .piece = SIZE_MAX, .out_piece = SIZE_MAX };
		struct decoder_answer whole = run_decoder(&run, data, size);
		if (format->random_access)
			compare_random(&run, &whole, data, size);
		if (hash_dice(&dice, 4) != 0)
			continue;
		run.random = format->random_access && hash_dice(&dice, 2) == 0;
		run.piece = 1 + hash_dice(&dice, UINT32_C(1) << hash_dice(&dice, 10));
		run.out_piece = 1 + hash_dice(&dice, 8000);
		struct decoder_answer pieces = run_decoder(&run, data, size);
		compare(&whole, &pieces);
	}
	return 0;
}
