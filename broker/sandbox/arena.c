/* SPDX-License-Identifier: MIT */
/*
 * Two-level segregated fit: free blocks hang in lists by size class, two levels of bit maps find the first class that
 * has one, and neighbours merge at once.  Memory above `top` was never handed out, or has all come back; it is used
 * last.
 *
 *     guard page | struct arena | block | block | ... | block | top: untouched | guard page
 */
#include "arena_blocks.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A caller has broken the arena; whatever it does next would make it worse.  There is no system call left to say so. */
static _Noreturn void broken(void)
{
	__builtin_trap();
}

/* ---- blocks ---- */

/* Tells the block above, or the top, how large this one is. */
static inline void note_size(struct arena *arena, const struct block *block)
{
	uintptr_t above = end_of(block);

	if (above == arena->top)
		arena->last_size = size_of(block);
	else
		block_at(above)->previous_size = size_of(block);
}

/* The block of an allocation, after all that can be checked of it. */
static struct block *check_used(const struct arena *arena, const void *pointer)
{
	uintptr_t address = (uintptr_t)pointer - HEADER;

	if (address % ARENA_ALIGNMENT != 0 || address < arena->first || address >= arena->top)
		broken();
	struct block *block = block_at(address);
	if ((block->tag & ~SIZE_MASK) != TAG_USED || size_of(block) > arena->top - address)
		broken();
	uintptr_t above = end_of(block);
	uint64_t noted = above == arena->top ? arena->last_size : block_at(above)->previous_size;
	if (noted != size_of(block))
		broken();
	return block;
}

/* ---- lists of free blocks ---- */

static void link_block(struct arena *arena, struct block *block)
{
	struct size_class class = class_of(size_of(block));
	struct block **list = &arena->lists[class.power][class.index];

	block->previous = NULL;
	block->next = *list;
	if (*list)
		(*list)->previous = block;
	*list = block;
	arena->classes[class.power] = (uint16_t)(arena->classes[class.power] | 1U << class.index);
	arena->powers |= UINT64_C(1) << class.power;
}

static void unlink_block(struct arena *arena, struct block *block)
{
	struct size_class class = class_of(size_of(block));
	struct block **list = &arena->lists[class.power][class.index];

	if ((block->next && block->next->previous != block) ||
	    (block->previous ? block->previous->next != block : *list != block))
		broken();
	if (block->next)
		block->next->previous = block->previous;
	if (block->previous) {
		block->previous->next = block->next;
		return;
	}
	*list = block->next;
	if (*list)
		return;
	arena->classes[class.power] = (uint16_t)(arena->classes[class.power] & ~(1U << class.index));
	if (arena->classes[class.power] == 0)
		arena->powers &= ~(UINT64_C(1) << class.power);
}

/* A block from the first class whose blocks are all large enough. */
static struct block *find_good_fit(const struct arena *arena, uint64_t size)
{
	struct size_class class = class_of(size);
	uint64_t step = UINT64_C(1) << (class.power - CLASS_BITS);

	class = class_of(size + step - 1);
	unsigned found = arena->classes[class.power] & (~0U << class.index);
	if (found == 0) {
		uint64_t powers = arena->powers & (~UINT64_C(0) << class.power << 1);
		if (powers == 0)
			return NULL;
		class.power = (unsigned)__builtin_ctzll(powers);
		found = arena->classes[class.power];
	}
	return arena->lists[class.power][__builtin_ctz(found)];
}

/* A block of the size's own class, where only some are large enough. */
static struct block *find_close_fit(const struct arena *arena, uint64_t size)
{
	struct size_class class = class_of(size);
	struct block *block = arena->lists[class.power][class.index];

	while (block && size_of(block) < size)
		block = block->next;
	return block;
}

/* ---- taking and giving back ---- */

/* Makes a free block of what lies at `address`, merged with what is free around it. */
static void release_range(struct arena *arena, struct block *block, uint64_t size)
{
	uint64_t below_size = block->previous_size;

	if (below_size > 0) {
		struct block *below = block_at((uintptr_t)block - below_size);
		if (is_free(below)) {
			if (size_of(below) != below_size)
				broken();
			unlink_block(arena, below);
			size += below_size;
			block = below;
		}
	}
	uintptr_t above = (uintptr_t)block + size;
	if (above != arena->top && is_free(block_at(above))) {
		unlink_block(arena, block_at(above));
		size += size_of(block_at(above));
		above = (uintptr_t)block + size;
	}
	if (above == arena->top) {
		arena->top = (uintptr_t)block;
		arena->last_size = block->previous_size;
		return;
	}
	block->tag = TAG_FREE | size;
	note_size(arena, block);
	link_block(arena, block);
}

/* Cuts what is more than `size` off a block in use and gives it back. */
static void trim(struct arena *arena, struct block *block, uint64_t size)
{
	uint64_t rest = size_of(block) - size;

	if (rest < BLOCK_MIN)
		return;
	block->tag = TAG_USED | size;
	struct block *tail = block_at((uintptr_t)block + size);
	tail->previous_size = size;
	tail->tag = TAG_USED | rest;
	/* The block above must know the tail before it can merge with it. */
	note_size(arena, tail);
	arena->used -= rest;
	release_range(arena, tail, rest);
}

static struct block *take_from_top(struct arena *arena, uint64_t size)
{
	if (size > arena->end - arena->top)
		return NULL;
	struct block *block = block_at(arena->top);
	block->previous_size = arena->last_size;
	block->tag = TAG_USED | size;
	arena->top += size;
	arena->last_size = size;
	if (arena->high < arena->top)
		arena->high = arena->top;
	return block;
}

/* The size of the block for an allocation, or 0 if there can be none. */
static uint64_t block_size(size_t size)
{
	if (size > SIZE_MASK / 2)
		return 0;
	uint64_t needed = (HEADER + size + ARENA_ALIGNMENT - 1) & ~(uint64_t)(ARENA_ALIGNMENT - 1);
	return needed < BLOCK_MIN ? BLOCK_MIN : needed;
}

static struct block *take(struct arena *arena, uint64_t size)
{
	struct block *block = NULL;

	if (size > 0) {
		block = find_good_fit(arena, size);
		if (!block)
			block = find_close_fit(arena, size);
	}
	if (block) {
		unlink_block(arena, block);
		block->tag = TAG_USED | size_of(block);
	} else if (size > 0) {
		block = take_from_top(arena, size);
	}
	if (!block) {
		errno = ENOMEM;
		return NULL;
	}
	arena->used += size_of(block);
	trim(arena, block, size);
	return block;
}

/* ---- the interface ---- */

struct arena *arena_create(size_t size)
{
	size_t rounded = (size + GUARD - 1) / GUARD * GUARD;

	if (size < ARENA_SIZE_MIN || size > SIZE_MASK / 2) {
		errno = EINVAL;
		return NULL;
	}
	size_t mapped = rounded + 2 * (size_t)GUARD;
	char *map = mmap(NULL, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return NULL;
	struct arena *arena = (struct arena *)(map + GUARD);
	if (mprotect(arena, rounded, PROT_READ | PROT_WRITE) != 0) {
		int saved = errno;
		(void)munmap(map, mapped);
		errno = saved;
		return NULL;
	}
	uintptr_t huge = ((uintptr_t)arena + HUGE_START + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	uintptr_t end = (uintptr_t)arena + rounded;
	if (huge < end) {
		/* Only a matter of speed. */
		(void)madvise((char *)arena + (huge - (uintptr_t)arena), end - huge, MADV_HUGEPAGE);
	}
	arena->mapped = mapped;
	arena->first = ((uintptr_t)arena + sizeof(*arena) + ARENA_ALIGNMENT - 1) & ~(uintptr_t)(ARENA_ALIGNMENT - 1);
	arena->top = arena->high = arena->first;
	arena->end = end;
	return arena;
}

void arena_destroy(struct arena *arena)
{
	if (arena)
		(void)munmap((char *)arena - GUARD, arena->mapped);
}

int arena_shrink(struct arena *arena, size_t size)
{
	uintptr_t old_guard = arena->end;
	uintptr_t new_end = ((uintptr_t)arena + size) & ~(uintptr_t)(GUARD - 1);

	if (size >= arena->end - (uintptr_t)arena)
		return 0;
	if (new_end < arena->top) {
		errno = ENOMEM;
		return -1;
	}
	char *guard = (char *)arena + (new_end - (uintptr_t)arena);
	if (mprotect(guard, GUARD, PROT_NONE) != 0 || munmap(guard + GUARD, old_guard - new_end) != 0)
		return -1;
	arena->mapped -= old_guard - new_end;
	arena->end = new_end;
	if (arena->high > new_end)
		arena->high = new_end;
	return 0;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct block *block = take(arena, block_size(size));

	return block ? payload_of(block) : NULL;
}

void *arena_alloc_zeroed(struct arena *arena, size_t count, size_t size)
{
	size_t total = 0;
	uintptr_t high = arena->high;

	if (__builtin_mul_overflow(count, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	char *memory = arena_alloc(arena, total);
	if (memory && (uintptr_t)memory < high) {
		size_t touched = high - (uintptr_t)memory;
		memset(memory, 0, touched < total ? touched : total);
	}
	return memory;
}

void *arena_alloc_aligned(struct arena *arena, size_t alignment, size_t size)
{
	size_t padded = 0;

	if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
		errno = EINVAL;
		return NULL;
	}
	if (alignment <= ARENA_ALIGNMENT)
		return arena_alloc(arena, size);
	/* Room to move the payload up, and to leave a whole block below it. */
	if (__builtin_add_overflow(size, alignment + BLOCK_MIN, &padded)) {
		errno = ENOMEM;
		return NULL;
	}
	struct block *block = take(arena, block_size(padded));
	if (!block)
		return NULL;
	uintptr_t payload = (uintptr_t)payload_of(block);
	if (payload % alignment != 0) {
		uintptr_t aligned = (payload + BLOCK_MIN + alignment - 1) & ~(alignment - 1);
		uint64_t front = aligned - payload;
		struct block *moved = block_at((uintptr_t)block + front);
		moved->tag = TAG_USED | (size_of(block) - front);
		moved->previous_size = front;
		block->tag = TAG_USED | front;
		note_size(arena, moved);
		arena->used -= front;
		release_range(arena, block, front);
		block = moved;
	}
	trim(arena, block, block_size(size));
	return payload_of(block);
}

/* Lets a block in use grow into what is free above it.  Returns whether there was enough. */
static bool grow(struct arena *arena, struct block *block, uint64_t size)
{
	uint64_t missing = size - size_of(block);
	uintptr_t above = end_of(block);

	if (above == arena->top) {
		if (missing > arena->end - above)
			return false;
		arena->top += missing;
		if (arena->high < arena->top)
			arena->high = arena->top;
		block->tag = TAG_USED | size;
		arena->last_size = size;
		arena->used += missing;
		return true;
	}
	struct block *next = block_at(above);
	if (!is_free(next) || size_of(next) < missing)
		return false;
	unlink_block(arena, next);
	arena->used += size_of(next);
	block->tag = TAG_USED | (size_of(block) + size_of(next));
	note_size(arena, block);
	trim(arena, block, size);
	return true;
}

void *arena_resize(struct arena *arena, void *pointer, size_t size)
{
	if (!pointer)
		return arena_alloc(arena, size);
	struct block *block = check_used(arena, pointer);
	uint64_t needed = block_size(size);
	if (size == 0) {
		arena_free(arena, pointer);
		return NULL;
	}
	if (needed > 0 && needed <= size_of(block)) {
		trim(arena, block, needed);
		return pointer;
	}
	if (needed > 0 && grow(arena, block, needed))
		return pointer;
	void *moved = arena_alloc(arena, size);
	if (moved) {
		memcpy(moved, pointer, size_of(block) - HEADER);
		arena_free(arena, pointer);
	}
	return moved;
}

void arena_free(struct arena *arena, void *pointer)
{
	if (!pointer)
		return;
	struct block *block = check_used(arena, pointer);
	uint64_t size = size_of(block);
	arena->used -= size;
	/* So that a second free is seen even where the block melts into another. */
	block->tag = 0;
	release_range(arena, block, size);
}

size_t arena_usable_size(const struct arena *arena, const void *pointer)
{
	return pointer ? size_of(check_used(arena, pointer)) - HEADER : 0;
}

bool arena_owns(const struct arena *arena, const void *pointer)
{
	return (uintptr_t)pointer >= (uintptr_t)arena && (uintptr_t)pointer < arena->end;
}

size_t arena_used(const struct arena *arena)
{
	return arena->used;
}

size_t arena_peak(const struct arena *arena)
{
	return arena->high - (uintptr_t)arena;
}
