/* SPDX-License-Identifier: MIT */
/* An arena whose blocks were overwritten, which must end the process; and a kernel that has no memory for an arena. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>

#include "broker/sandbox/arena.h"

enum { SIZE = 1 << 20, BLOCK = 100 };

#define TRAP SIGILL /* what __builtin_trap() raises on x86 */

/* What lies around a block's memory, in words of 64 bits. */
enum { SIZE_BELOW = -2, TAG = -1, NEXT = 0, PREVIOUS = 1 };

static struct arena *arena;

static void set_up(void)
{
	arena = arena_create(SIZE);
	cr_assert_not_null(arena);
}

static uint64_t *take(void)
{
	uint64_t *memory = arena_alloc_zeroed(arena, 1, BLOCK);

	cr_assert_not_null(memory);
	return memory;
}

/* Free blocks of one class, with blocks between them that are not. */
static void take_and_free(uint64_t *blocks[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		blocks[i] = take();
		(void)take();
	}
	for (size_t i = 0; i < count; i++)
		arena_free(arena, blocks[i]);
}

/* ---- damage ---- */

TestSuite(misuse, .init = set_up);

Test(misuse, free_of_what_lies_below_all_blocks, .signal = TRAP)
{
	arena_free(arena, (char *)arena + BLOCK / ARENA_ALIGNMENT * ARENA_ALIGNMENT);
}

Test(misuse, free_of_what_lies_above_all_blocks, .signal = TRAP)
{
	char *memory = (char *)take();

	arena_free(arena, memory + SIZE / 2);
}

Test(misuse, free_of_what_is_not_aligned, .signal = TRAP)
{
	char *memory = (char *)take();

	arena_free(arena, memory + 1);
}

Test(misuse, a_size_that_passes_the_top, .signal = TRAP)
{
	uint64_t *memory = take();

	memory[TAG] += SIZE;
	arena_free(arena, memory);
}

Test(misuse, a_size_that_the_block_above_does_not_know, .signal = TRAP)
{
	uint64_t *memory = take();

	(void)take();
	memory[TAG] += ARENA_ALIGNMENT;
	arena_free(arena, memory);
}

Test(misuse, a_size_that_the_top_does_not_know, .signal = TRAP)
{
	uint64_t *memory = take();

	memory[TAG] -= ARENA_ALIGNMENT;
	arena_free(arena, memory);
}

Test(misuse, a_free_block_of_another_size_below, .signal = TRAP)
{
	uint64_t *below = take(), *memory = take();

	(void)take();
	arena_free(arena, below);
	below[TAG] += ARENA_ALIGNMENT;
	arena_free(arena, memory);
}

Test(misuse, a_free_block_that_points_to_another, .signal = TRAP)
{
	uint64_t *blocks[2];

	take_and_free(blocks, 2);
	blocks[1][NEXT] = (uintptr_t)(blocks[1] + SIZE_BELOW);
	(void)take();
}

Test(misuse, a_free_block_whose_neighbour_in_the_list_does_not_know_it, .signal = TRAP)
{
	uint64_t *blocks[3];

	take_and_free(blocks, 3);
	blocks[0][PREVIOUS] = blocks[1][PREVIOUS]; /* the list is 2, 1, 0 */
	arena_free(arena, blocks[0] + (blocks[1] - blocks[0]) / 2);
}

Test(misuse, a_free_block_that_says_it_is_the_first, .signal = TRAP)
{
	uint64_t *blocks[2];

	take_and_free(blocks, 2);
	blocks[0][PREVIOUS] = 0;
	arena_free(arena, blocks[0] + (blocks[1] - blocks[0]) / 2);
}

/* ---- lists that are as they should be ---- */

TestSuite(lists, .init = set_up);

/* Merges with a free block below it that is neither the first nor the only one of its list. */
Test(lists, a_block_in_the_middle_of_its_list_is_taken_out)
{
	uint64_t *blocks[3];

	take_and_free(blocks, 3);
	for (size_t i = 0; i < 2; i++) {
		arena_free(arena, blocks[i] + (blocks[i + 1] - blocks[i]) / 2);
		cr_expect(arena_check(arena));
	}
	arena_destroy(arena);
}

/* ---- what the kernel may refuse, and shrinking ---- */

static bool refuse_mprotect, refuse_munmap; /* the next call */

int __real_mprotect(void *start, size_t size, int protection);
int __wrap_mprotect(void *start, size_t size, int protection);
int __real_munmap(void *start, size_t size);
int __wrap_munmap(void *start, size_t size);

static bool refuses(bool *next)
{
	bool refused = *next;

	*next = false;
	if (refused)
		errno = ENOMEM;
	return refused;
}

int __wrap_mprotect(void *start, size_t size, int protection)
{
	return refuses(&refuse_mprotect) ? -1 : __real_mprotect(start, size, protection);
}

int __wrap_munmap(void *start, size_t size)
{
	return refuses(&refuse_munmap) ? -1 : __real_munmap(start, size);
}

TestSuite(kernel, .init = set_up);

Test(kernel, refuses_memory_for_an_arena)
{
	refuse_mprotect = true;
	errno = 0;
	cr_expect_null(arena_create(SIZE));
	cr_expect_eq(errno, ENOMEM);
	cr_expect_null(arena_create(((size_t)1 << 47) - SIZE)); /* mmap() does */
	cr_expect_eq(errno, ENOMEM);
	arena_destroy(NULL);
}

Test(kernel, refuses_to_shrink)
{
	refuse_mprotect = true;
	cr_expect_eq(arena_shrink(arena, SIZE / 2), -1);
	refuse_munmap = true;
	cr_expect_eq(arena_shrink(arena, SIZE / 2), -1);
	cr_expect_eq(errno, ENOMEM);
}

Test(kernel, gives_way_to_what_is_in_use_only)
{
	void *most = arena_alloc(arena, SIZE / 4 * 3);

	cr_assert_not_null(most);
	cr_expect_eq(arena_shrink(arena, SIZE / 2), -1);
	cr_expect_eq(errno, ENOMEM);
	arena_free(arena, most);
	cr_expect_eq(arena_shrink(arena, SIZE), 0);
	cr_expect_eq(arena_shrink(arena, SIZE / 2), 0);
	cr_expect_null(arena_alloc(arena, SIZE / 2));
	/* What was above is gone, and what is below can be had, and is zero. */
	char *rest = arena_alloc_zeroed(arena, 1, SIZE / 2 - ARENA_OVERHEAD_MAX);
	cr_assert_not_null(rest);
	for (size_t i = 0; i < SIZE / 2 - ARENA_OVERHEAD_MAX; i++)
		cr_assert_eq(rest[i], 0);
	cr_expect(arena_check(arena));
	cr_expect_eq(arena_usable_size(arena, NULL), 0);
	arena_destroy(arena);
}
