/* SPDX-License-Identifier: MIT */
#include "allocations.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "poison.h"

/* What is under these names. */
#ifdef HAS_ADDRESS_SANITIZER
#define BELOW(name) __interceptor_##name
#else
#define BELOW(name) __libc_##name
#endif

void *BELOW(malloc)(size_t size);
void *BELOW(calloc)(size_t count, size_t size);
void *BELOW(realloc)(void *pointer, size_t size);
void *BELOW(memalign)(size_t alignment, size_t size);
void BELOW(free)(void *pointer);

/* ---- counting and failing ---- */

static bool counting;
static size_t left, outstanding;
static bool goes_on;

void allocations_begin(size_t failing, bool all_after)
{
	left = failing;
	goes_on = all_after;
	outstanding = 0;
	counting = true;
}

size_t allocations_end(void)
{
	counting = false;
	return outstanding;
}

static bool fails(void)
{
	if (!counting || left == ALLOCATIONS_NONE_FAILS)
		return false;
	if (left > 0) {
		left--;
		return false;
	}
	if (!goes_on)
		left = ALLOCATIONS_NONE_FAILS;
	errno = ENOMEM;
	return true;
}

static void *count(void *pointer)
{
	if (counting && pointer)
		outstanding++;
	return pointer;
}

/* ---- large blocks ---- */

enum { SLOTS = 16, LARGE = 32 << 10, LARGEST = 16 << 20, FILL = 0xbe };

static struct slot {
	uint8_t *memory;
	size_t room, size; /* size: of the block that is given; 0: free */
} slots[SLOTS];

static struct slot *slot_of(const void *pointer)
{
	for (size_t i = 0; i < SLOTS && pointer; i++)
		if (slots[i].memory == pointer)
			return &slots[i];
	return NULL;
}

static void set_size(struct slot *slot, size_t size)
{
	slot->size = size;
	UNPOISON(slot->memory, size);
	POISON(slot->memory + size, slot->room - size);
}

/* The smallest free slot that has room, or one that is made; NULL: all are taken. */
static struct slot *find_slot(size_t size)
{
	struct slot *best = NULL;
	size_t room = LARGE;

	while (room < size)
		room *= 2;
	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *slot = &slots[i];
		if (slot->memory && slot->size == 0 && slot->room == room)
			return slot;
		if (!slot->memory)
			best = slot;
	}
	if (best) {
		best->memory = BELOW(malloc)(room);
		best->room = room;
	}
	return best && best->memory ? best : NULL;
}

static void *allocate(size_t size)
{
	struct slot *slot = size > LARGE / 2 && size <= LARGEST ? find_slot(size) : NULL;

	if (!slot)
		return BELOW(malloc)(size);
	set_size(slot, size);
	/* A library shows what it has not written where its data is damaged: that is the same each time, and no older
	 * input. */
	memset(slot->memory, FILL, size);
	return slot->memory;
}

/* ---- the standard names ---- */

#ifdef ALLOCATIONS_SHARED
#pragma GCC visibility push(default)
#endif

void *malloc(size_t size)
{
	return fails() ? NULL : count(allocate(size));
}

void *calloc(size_t number, size_t size)
{
	size_t total = 0;

	if (fails())
		return NULL;
	if (__builtin_mul_overflow(number, size, &total) || total <= LARGE / 2)
		return count(BELOW(calloc)(number, size));
	void *memory = allocate(total);
	return memory ? count(memset(memory, 0, total)) : NULL;
}

void free(void *pointer)
{
	struct slot *slot = slot_of(pointer);

	if (pointer && counting)
		outstanding--;
	if (!slot) {
		BELOW(free)(pointer);
		return;
	}
	if (slot->size == 0)
		__builtin_trap(); /* a second time */
	slot->size = 0;
	POISON(slot->memory, slot->room);
}

void *realloc(void *pointer, size_t size)
{
	struct slot *slot = slot_of(pointer);

	if (!pointer)
		return malloc(size);
	if (size == 0) {
		free(pointer);
		return NULL;
	}
	if (fails())
		return NULL;
	if (!slot)
		return BELOW(realloc)(pointer, size);
	if (size <= slot->room) {
		set_size(slot, size);
		return pointer;
	}
	void *moved = allocate(size);
	if (moved) {
		memcpy(moved, pointer, slot->size);
		count(moved);
		free(pointer);
	}
	return moved;
}

void *memalign(size_t alignment, size_t size)
{
	return fails() ? NULL : count(BELOW(memalign)(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

int posix_memalign(void **pointer, size_t alignment, size_t size)
{
	void *memory = memalign(alignment, size);

	if (!memory)
		return ENOMEM;
	*pointer = memory;
	return 0;
}

#ifdef ALLOCATIONS_SHARED
#pragma GCC visibility pop
#endif
