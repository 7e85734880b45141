/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/sandbox/arena.h"

enum { SIZE = 1 << 20 };

static struct arena *arena;

static void set_up(void)
{
	arena = arena_create(SIZE);
	cr_assert_not_null(arena);
}

static void tear_down(void)
{
	cr_expect(arena_check(arena));
	arena_destroy(arena);
}

TestSuite(arena, .init = set_up, .fini = tear_down);

Test(arena, every_size_is_aligned)
{
	for (size_t size = 0; size <= 4096; size++) {
		void *memory = arena_alloc(arena, size);
		cr_assert_not_null(memory);
		cr_assert_eq((uintptr_t)memory % ARENA_ALIGNMENT, 0, "size %zu", size);
		cr_assert_geq(arena_usable_size(arena, memory), size);
		memset(memory, 0xff, size);
		arena_free(arena, memory);
	}
}

Test(arena, every_alignment)
{
	void *kept[17];

	for (unsigned bits = 0; bits <= 16; bits++) {
		size_t alignment = (size_t)1 << bits;
		kept[bits] = arena_alloc_aligned(arena, alignment, 100);
		cr_assert_not_null(kept[bits], "alignment %zu", alignment);
		cr_expect_eq((uintptr_t)kept[bits] % alignment, 0);
		cr_expect(arena_check(arena));
	}
	for (unsigned bits = 0; bits <= 16; bits++)
		arena_free(arena, kept[bits]);
	cr_expect_eq(arena_used(arena), 0);
	cr_expect_null(arena_alloc_aligned(arena, 3, 1));
	cr_expect_eq(errno, EINVAL);
	cr_expect_null(arena_alloc_aligned(arena, 0, 1));
	cr_expect_null(arena_alloc_aligned(arena, (size_t)1 << 62, 1));
	cr_expect_eq(errno, ENOMEM);
	cr_expect_null(arena_alloc_aligned(arena, 64, SIZE_MAX - 32));
}

Test(arena, overhead_is_bounded)
{
	void *all = arena_alloc(arena, SIZE - ARENA_OVERHEAD_MAX);

	cr_expect_not_null(all);
	arena_free(arena, all);
	cr_expect_null(arena_alloc(arena, SIZE));
	cr_expect_eq(errno, ENOMEM);
}

Test(arena, exhaustion_and_recovery)
{
	static void *blocks[SIZE / 1000];
	size_t count = 0;

	while ((blocks[count] = arena_alloc(arena, 1000)) != NULL)
		count++;
	cr_expect_eq(errno, ENOMEM);
	/* Nothing is lost but headers and the control structure. */
	cr_expect_gt(count * 1024, SIZE - ARENA_OVERHEAD_MAX);
	for (size_t i = 0; i < count; i += 2)
		arena_free(arena, blocks[i]);
	cr_expect_null(arena_alloc(arena, 4000)); /* only holes of 1000 bytes */
	cr_expect_not_null(blocks[0] = arena_alloc(arena, 1000));
	for (size_t i = 1; i < count; i += 2)
		arena_free(arena, blocks[i]);
	arena_free(arena, blocks[0]);
	cr_expect_eq(arena_used(arena), 0);
	cr_expect_not_null(arena_alloc(arena, SIZE - ARENA_OVERHEAD_MAX));
}

Test(arena, requests_beyond_reason)
{
	cr_expect_null(arena_alloc(arena, SIZE_MAX));
	cr_expect_null(arena_alloc(arena, SIZE_MAX - 8));
	cr_expect_null(arena_alloc_zeroed(arena, SIZE_MAX / 2, 3));
	cr_expect_null(arena_alloc_zeroed(arena, (size_t)1 << 32, (size_t)1 << 32));
	cr_expect_eq(errno, ENOMEM);
	void *memory = arena_alloc(arena, 10);
	cr_expect_null(arena_resize(arena, memory, SIZE_MAX - 64));
	arena_free(arena, memory);
	cr_expect_null(arena_create(0));
	cr_expect_null(arena_create(SIZE_MAX));
}

Test(arena, freed_memory_is_reused)
{
	/* A long run of mixed sizes that never holds more than a few at once stays where it is. */
	static void *slots[16];
	unsigned random = 1;

	for (int i = 0; i < 200000; i++) {
		random = random * 1103515245 + 12345;
		size_t slot = random >> 16 & 15;
		arena_free(arena, slots[slot]);
		slots[slot] = arena_alloc(arena, (random >> 20) % 3000);
		cr_assert_not_null(slots[slot]);
	}
	cr_expect_lt(arena_peak(arena), (size_t)128 << 10);
	for (size_t i = 0; i < 16; i++)
		arena_free(arena, slots[i]);
}

Test(arena, an_exact_fit_is_found)
{
	/* The hole is of the right size, but of a class in which not all blocks are large enough. */
	void *rest[2];
	void *hole = arena_alloc(arena, 100000);
	rest[0] = arena_alloc(arena, 16);
	rest[1] = arena_alloc(arena, SIZE - ARENA_OVERHEAD_MAX - 101000);
	cr_assert(rest[0] && rest[1]);
	arena_free(arena, hole);
	cr_expect_eq(arena_alloc(arena, 100000), hole);
}

Test(arena, resizing_in_place)
{
	char *first = arena_alloc(arena, 1000);
	char *second = arena_alloc(arena, 1000);
	char *third = arena_alloc(arena, 1000);

	memset(first, 'a', 1000);
	arena_free(arena, second);
	cr_expect_eq(arena_resize(arena, first, 1900), first, "grows into the free neighbour");
	cr_expect_eq(arena_resize(arena, first, 100), first, "shrinks");
	cr_expect_eq(arena_resize(arena, third, 50000), third, "grows into untouched memory");
	char *moved = arena_resize(arena, first, 10000);
	cr_assert_not_null(moved);
	cr_expect_neq(moved, first);
	for (size_t i = 0; i < 100; i++)
		cr_assert_eq(moved[i], 'a');
	cr_expect_null(arena_resize(arena, moved, 0));
	arena_free(arena, third);
	cr_expect_eq(arena_used(arena), 0);
}

Test(arena, zeroed_memory_is_zero_even_when_reused)
{
	for (size_t size = 1; size < 200000; size = size * 3 + 1) {
		char *dirty = arena_alloc(arena, size);
		memset(dirty, 0xff, size);
		arena_free(arena, dirty);
		char *clean = arena_alloc_zeroed(arena, 1, size + 100);
		for (size_t i = 0; i < size + 100; i++)
			cr_assert_eq(clean[i], 0);
		arena_free(arena, clean);
	}
}

/* ---- what ends the process ---- */

Test(arena, guard_page_below, .signal = SIGSEGV)
{
	((volatile char *)arena)[-1] = 1;
}

Test(arena, guard_page_above, .signal = SIGSEGV)
{
	((volatile char *)arena)[SIZE] = 1;
}

#define TRAP SIGILL /* what __builtin_trap() raises on x86 */

Test(arena, double_free, .signal = TRAP)
{
	void *memory = arena_alloc(arena, 100);
	void *keep = arena_alloc(arena, 100);

	cr_assert(memory && keep);
	arena_free(arena, memory);
	arena_free(arena, memory);
}

Test(arena, double_free_at_the_top, .signal = TRAP)
{
	void *memory = arena_alloc(arena, 100);

	arena_free(arena, memory);
	arena_free(arena, memory);
}

Test(arena, free_inside_a_block, .signal = TRAP)
{
	char *memory = arena_alloc(arena, 100);

	memset(memory, 0, 100);
	arena_free(arena, memory + 32);
}

Test(arena, overrun_into_the_next_header, .signal = TRAP)
{
	char *memory = arena_alloc(arena, 32);
	void *next = arena_alloc(arena, 32);

	memset(memory, 'x', 48);
	arena_free(arena, next);
}

/* ---- children ---- */

/* A decoder has what its broker allocated, and the broker sees nothing of what becomes of that. */
Test(arena, children_have_a_copy_of_their_own)
{
	char *kept = arena_alloc(arena, 100);

	strcpy(kept, "before the fork");
	pid_t child = fork();
	cr_assert(child >= 0);
	if (child == 0) {
		bool whole = strcmp(kept, "before the fork") == 0;
		memset(kept, 'x', 100);
		arena_free(arena, kept);
		whole = whole && arena_alloc(arena, SIZE / 2) != NULL && arena_check(arena);
		_exit(whole ? 0 : 1);
	}
	int status = 0;
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", (unsigned)status);
	cr_expect_str_eq(kept, "before the fork");
	cr_expect_geq(arena_usable_size(arena, kept), 100);
}
