/* SPDX-License-Identifier: MIT */
/* Takes the input for a list of operations on an arena, and checks all that an allocator promises. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "broker/sandbox/arena_blocks.h"

#define REQUIRE(condition)                                                                                             \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

enum { SLOTS = 32, ARENA_SIZE = 256 << 10, OPERATION = 4 /* bytes of input */ };

struct slot {
	uint8_t *memory;
	size_t size;
	uint8_t pattern; /* that fills it */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each byte is this one: the first is, and each is like the one before it. */
static void require_bytes(const uint8_t *memory, uint8_t byte, size_t size)
{
	REQUIRE(size == 0 || (memory[0] == byte && memcmp(memory, memory + 1, size - 1) == 0));
}

static void check_pattern(const struct slot *slot, size_t size)
{
	require_bytes(slot->memory, slot->pattern, size);
}

static void fill(struct arena *arena, struct slot *slot, uint8_t *memory, size_t size, uint8_t pattern)
{
	*slot = (struct slot){ .memory = memory, .size = size, .pattern = pattern };
	if (!memory)
		return;
	REQUIRE((uintptr_t)memory % ARENA_ALIGNMENT == 0);
	REQUIRE(arena_owns(arena, memory) && arena_usable_size(arena, memory) >= size);
	memset(memory, pattern, size);
}

static void operate(struct arena *arena, struct slot *slot, const uint8_t *operation)
{
	uint8_t kind = operation[0] % 5;
	/* Small and large, and now and then more than there is. */
	size_t size = (size_t)operation[2] << (operation[3] % 14);
	uint8_t pattern = (uint8_t)(operation[1] ^ operation[2]);

	if (slot->memory)
		check_pattern(slot, slot->size);
	if (kind == 4) {
		size_t old = slot->size;
		uint8_t *moved = arena_resize(arena, slot->memory, size);
		if (!moved && size > 0)
			return; /* the old memory stays what it was */
		if (moved && slot->memory) {
			slot->memory = moved;
			check_pattern(slot, old < size ? old : size);
		}
		fill(arena, slot, moved, size, pattern);
		return;
	}
	arena_free(arena, slot->memory);
	slot->memory = NULL;
	if (kind == 1) {
		fill(arena, slot, arena_alloc(arena, size), size, pattern);
	} else if (kind == 2) {
		uint8_t *memory = arena_alloc_zeroed(arena, size, 1);
		if (memory)
			require_bytes(memory, 0, size);
		fill(arena, slot, memory, size, pattern);
	} else if (kind == 3) {
		size_t alignment = (size_t)1 << (operation[1] % 16);
		uint8_t *memory = arena_alloc_aligned(arena, alignment, size);
		REQUIRE((uintptr_t)memory % alignment == 0);
		fill(arena, slot, memory, size, pattern);
	}
}

/* All of it can be had, in one piece. */
static void expect_empty(struct arena *arena)
{
	REQUIRE(arena_check(arena) && arena_used(arena) == 0);
	void *whole = arena_alloc(arena, ARENA_SIZE - ARENA_OVERHEAD_MAX);
	REQUIRE(whole);
	arena_free(arena, whole);
}

/* An arena as if new: a mapping for each input would cost more than most inputs do. */
static struct arena *fresh_arena(void)
{
	static struct arena *arena;

	if (!arena)
		arena = arena_create(ARENA_SIZE);
	REQUIRE(arena && arena->top == arena->first);
	memset((char *)arena + (arena->first - (uintptr_t)arena), 0, arena->high - arena->first);
	arena->high = arena->first;
	return arena;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = fresh_arena();
	struct slot slots[SLOTS] = { 0 };

	for (; size >= OPERATION; data += OPERATION, size -= OPERATION) {
		operate(arena, &slots[data[1] % SLOTS], data);
		REQUIRE(arena_check(arena));
	}
	for (size_t i = 0; i < SLOTS; i++) {
		if (slots[i].memory)
			check_pattern(&slots[i], slots[i].size);
		arena_free(arena, slots[i].memory);
	}
	expect_empty(arena);
	return 0;
}
