/* SPDX-License-Identifier: MIT */
/*
 * Runs the decoder that it is linked with over the input, in this process, and lets the trusted wire reader judge what
 * the decoder says: a message that the reader refuses is a bug, too.  One input in four comes and goes in small pieces
 * as well: what is sound must be so then, and give the same.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoder_run.h"
#include "hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the codecs make of damage may hang on where the pieces end.  Whether there is any must not. */
static void compare(const struct decoder_answer *whole, const struct decoder_answer *pieces)
{
	bool same = whole->sound == pieces->sound &&
	            (!whole->sound || (whole->size == pieces->size && whole->hash == pieces->hash));

	if (same)
		return;
	fprintf(stderr, "whole:  %d %s, %llu bytes, hash %llx\n", (int)whole->status, whole->reason,
	        (unsigned long long)whole->size, (unsigned long long)whole->hash);
	fprintf(stderr, "pieces: %d %s, %llu bytes, hash %llx\n", (int)pieces->status, pieces->reason,
	        (unsigned long long)pieces->size, (unsigned long long)pieces->hash);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t dice = hash_add(HASH_START, data, size);
	const struct safe_format *format = NULL;

	decoder_prepare();
	for (size_t index = 0; (format = decoder_next_format(&index, data, size)) != NULL;) {
		struct decoder_run run = { .variant = format->variant, .piece = SIZE_MAX, .out_piece = SIZE_MAX };
		struct decoder_answer whole = decoder_run(&run, data, size);
		if (hash_dice(&dice, 4) != 0)
			continue;
		run.piece = 1 + hash_dice(&dice, UINT32_C(1) << hash_dice(&dice, 10));
		run.out_piece = 1 + hash_dice(&dice, 8000);
		struct decoder_answer pieces = decoder_run(&run, data, size);
		compare(&whole, &pieces);
	}
	return 0;
}
