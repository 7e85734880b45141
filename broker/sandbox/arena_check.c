/* SPDX-License-Identifier: MIT */
/* For tests and fuzzing: is an arena what it should be? */
#include "arena_blocks.h"

/* Whether a free block is in the list of its class. */
static bool is_listed(const struct arena *arena, const struct block *wanted)
{
	struct size_class class = class_of(size_of(wanted));
	const struct block *block = arena->lists[class.power][class.index];

	while (block && block != wanted)
		block = block->next;
	return block != NULL;
}

static size_t count_listed(const struct arena *arena)
{
	size_t count = 0;

	for (unsigned power = 0; power < POWERS; power++) {
		for (unsigned index = 0; index < CLASSES; index++) {
			bool any = arena->lists[power][index] != NULL;
			if (any != ((arena->classes[power] >> index & 1U) != 0))
				return SIZE_MAX;
			for (const struct block *block = arena->lists[power][index]; block; block = block->next)
				count++;
		}
		if ((arena->classes[power] != 0) != ((arena->powers >> power & 1U) != 0))
			return SIZE_MAX;
	}
	return count;
}

bool arena_check(const struct arena *arena)
{
	uint64_t previous_size = 0;
	bool previous_free = false;
	size_t used = 0, free_blocks = 0;

	for (uintptr_t at = arena->first; at != arena->top; at += previous_size) {
		const struct block *block = block_at(at);
		if (size_of(block) < BLOCK_MIN || size_of(block) > arena->top - at ||
		    block->previous_size != previous_size || size_of(block) % ARENA_ALIGNMENT != 0)
			return false;
		if (is_free(block)) {
			/* Free neighbours must have merged. */
			if (previous_free || !is_listed(arena, block))
				return false;
			free_blocks++;
		} else {
			used += size_of(block);
		}
		previous_free = is_free(block);
		previous_size = size_of(block);
	}
	return !previous_free && arena->last_size == previous_size && arena->used == used &&
	       count_listed(arena) == free_blocks && arena->top <= arena->high && arena->high <= arena->end;
}
