/* SPDX-License-Identifier: MIT */
/* The inside of an arena, for arena.c and arena_check.c alone. */
#ifndef SAFE_DECODE_ARENA_BLOCKS_H
#define SAFE_DECODE_ARENA_BLOCKS_H

#include <stdint.h>

#include "arena.h"

enum {
	CLASS_BITS = 4, /* each power of two is divided into 16 classes */
	CLASSES = 1 << CLASS_BITS,
	POWERS = 48, /* no block is larger than 2^48 bytes */
	GUARD = 4096,
};

#define HUGE_PAGE ((uintptr_t)2 << 20)
#define HUGE_START ((size_t)8 << 20) /* a small picture must not cost a huge page */

/* A block's header.  Its tag is its size, header included, and in the upper 16 bits whether it is in use. */
struct block {
	uint64_t previous_size; /* of the block below; 0: there is none */
	uint64_t tag;
	/* While the block is free, its payload starts with these. */
	struct block *next, *previous;
};

#define HEADER offsetof(struct block, next)
#define BLOCK_MIN sizeof(struct block)
#define SIZE_MASK ((UINT64_C(1) << POWERS) - 1)
#define TAG_USED (UINT64_C(0x5afe) << POWERS)
#define TAG_FREE (UINT64_C(0xf4ee) << POWERS)

struct arena {
	size_t mapped; /* bytes, guard pages included */
	uintptr_t first, end;
	uintptr_t top;      /* blocks lie below */
	uintptr_t high;     /* highest top ever: everything above is still zero */
	uint64_t last_size; /* of the block just below top; 0: there is none */
	size_t used;
	uint64_t powers;          /* bit map: which powers have a class with a block */
	uint16_t classes[POWERS]; /* bit maps: which classes have one */
	struct block *lists[POWERS][CLASSES];
};

_Static_assert(HEADER == ARENA_ALIGNMENT && BLOCK_MIN % ARENA_ALIGNMENT == 0, "payloads are aligned");
_Static_assert(sizeof(struct arena) + BLOCK_MIN <= ARENA_OVERHEAD_MAX, "what a single allocation cannot have");

static inline uint64_t size_of(const struct block *block)
{
	return block->tag & SIZE_MASK;
}

static inline bool is_free(const struct block *block)
{
	return (block->tag & ~SIZE_MASK) == TAG_FREE;
}

static inline struct block *block_at(uintptr_t address)
{
	return (struct block *)address; /* NOLINT(performance-no-int-to-ptr) */
}

static inline void *payload_of(struct block *block)
{
	return (char *)block + HEADER;
}

static inline uintptr_t end_of(const struct block *block)
{
	return (uintptr_t)block + size_of(block);
}

struct size_class {
	unsigned power, index;
};

static inline struct size_class class_of(uint64_t size)
{
	unsigned power = 63U - (unsigned)__builtin_clzll(size);

	return (struct size_class){ power, (unsigned)(size >> (power - CLASS_BITS)) & (CLASSES - 1) };
}

#endif
