/* SPDX-License-Identifier: MIT */
/*
 * As decoder_fuzz.c, but in the memory that a child has: the program's malloc() is an arena, of which a part that the
 * input chooses is taken already.  After each input the arena must be whole and hold what it held before.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "broker/sandbox/arena.h"
#include "broker/sandbox/interpose.h"
#include "decoder_run.h"
#include "decoders/runtime/rescue.h"
#include "hash.h"

enum { ARENA_SIZE = 8 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- whoever reports a crash needs memory for it ---- */

static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGALRM };

enum { CRASHES = sizeof(crashes) / sizeof(crashes[0]) };

static struct sigaction reporters[CRASHES];

static void give_memory_back(int signal, siginfo_t *info, void *context)
{
	(void)interpose_select(NULL);
	for (size_t i = 0; i < CRASHES; i++) {
		if (crashes[i] != signal)
			continue;
		if ((reporters[i].sa_flags & SA_SIGINFO) && reporters[i].sa_sigaction)
			reporters[i].sa_sigaction(signal, info, context);
		else
			(void)sigaction(signal, &reporters[i], NULL); /* the same happens again */
	}
}

static void watch_crashes(void)
{
	for (size_t i = 0; i < CRASHES; i++) {
		struct sigaction action = { .sa_sigaction = give_memory_back };
		if (sigaction(crashes[i], NULL, &reporters[i]) != 0)
			abort();
		action.sa_flags = SA_SIGINFO | (reporters[i].sa_flags & SA_ONSTACK);
		if (sigaction(crashes[i], &action, NULL) != 0)
			abort();
	}
}

/* ---- the harness ---- */

static uint8_t first[ARENA_SIZE]; /* the arena before the first input */

static struct arena *the_arena(void)
{
	static struct arena *arena;

	if (!arena) {
		watch_crashes();
		arena = arena_create(ARENA_SIZE);
		if (!arena || interpose_select(arena) != 0)
			abort();
		decoder_prepare();
		(void)interpose_select(NULL);
		memcpy(first, arena, ARENA_SIZE);
	}
	return arena;
}

/* Takes what there is but for a part; for half of all inputs, and where the decoder does not look whether it gets what
 * it asks for, nothing. */
static void *take_most(struct arena *arena, uint64_t *dice)
{
	size_t room = ARENA_SIZE - arena_used(arena) - ARENA_OVERHEAD_MAX;
	size_t left = hash_dice(dice, UINT32_C(1) << (10 + hash_dice(dice, 12)));

	if (hash_dice(dice, 2) == 0 || left > room || decoder_survives() < SIZE_MAX)
		return NULL;
	return arena_alloc(arena, room - left);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t dice = hash_add(HASH_START, data, size);
	struct arena *arena = the_arena();
	const struct format *format = NULL;

	for (size_t index = 0; (format = decoder_next_format(&index, data, size)) != NULL;) {
		struct decoder_run run = { .variant = format->variant, .piece = SIZE_MAX, .out_piece = SIZE_MAX };
		run.random = format->random_access && hash_dice(&dice, 2) == 0;
		size_t before = arena_used(arena);
		void *ballast = take_most(arena, &dice);
		(void)interpose_select(arena);
		(void)run_decoder(&run, data, size);
		(void)interpose_select(NULL);
		/* Such a decoder's process would end now: what it has is lost. */
		if (rescue_happened())
			memcpy(arena, first, ARENA_SIZE);
		else
			arena_free(arena, ballast);
		if (arena_used(arena) != before || !arena_check(arena))
			abort();
	}
	return 0;
}
