/* SPDX-License-Identifier: MIT */
/* As decoder_fuzz.c, but an allocation fails, and perhaps all after it: what it does then, the decoder must survive,
 * and it gives back all that it got. */
#include <stdlib.h>

#include "allocations.h"
#include "broker/wire/entry.h"
#include "decoder_run.h"
#include "hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a rescued decoder had is lost: only what is allocated before its library may fail. */
static size_t survived(void)
{
	enum { SESSION = 2 };

	return decoder_out_of_memory ? SESSION : decoder_survives();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t dice = hash_add(HASH_START, data, size);
	const struct format *format = NULL;

	decoder_prepare();
	for (size_t index = 0; (format = decoder_next_format(&index, data, size)) != NULL;) {
		struct decoder_run run = { .variant = format->variant, .piece = SIZE_MAX, .out_piece = SIZE_MAX };
		run.random = format->random_access && hash_dice(&dice, 2) == 0;
		/* The first few matter most, and there may be hundreds. */
		size_t failing = hash_dice(&dice, UINT32_C(1) << (2 + hash_dice(&dice, 8)));
		if (failing >= survived())
			failing %= survived();
		allocations_begin(failing, hash_dice(&dice, 2) == 0);
		(void)run_decoder(&run, data, size);
		if (allocations_end() != 0)
			abort();
	}
	return 0;
}
