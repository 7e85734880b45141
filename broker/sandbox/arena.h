/* SPDX-License-Identifier: MIT */
/*
 * A general-purpose allocator in one mapping that is reserved beforehand: no system call after arena_create().
 *
 * The arena is the memory limit: when it is full, allocation returns NULL.  Pages that were never handed out cost
 * nothing.  A guard page stands at both ends.  Not safe for threads.
 */
#ifndef SAFE_DECODE_ARENA_H
#define SAFE_DECODE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

#define ARENA_ALIGNMENT ((size_t)16)          /* of every allocation, bytes */
#define ARENA_OVERHEAD_MAX ((size_t)64 << 10) /* bytes of `size` that a single allocation cannot have */
#define ARENA_SIZE_MIN ((size_t)128 << 10)

/* Reserves an arena of `size` bytes, control structure included, guard pages not.  Returns NULL with errno set. */
struct arena *arena_create(size_t size);

/* Unmaps the arena and all that was allocated from it.  NULL is allowed. */
void arena_destroy(struct arena *arena);

/* Gives back what is above the first `size` bytes, for good.  Returns 0, or -1 with errno set: ENOMEM where something
 * was allocated there. */
int arena_shrink(struct arena *arena, size_t size);

/* As malloc, calloc, aligned_alloc (any power of two), realloc, free and malloc_usable_size; errno is ENOMEM when they
 * return NULL, EINVAL for an alignment that is no power of two.  A pointer that was not allocated here, or was freed
 * already, ends the process where the block header shows it. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_alloc_zeroed(struct arena *arena, size_t count, size_t size);
void *arena_alloc_aligned(struct arena *arena, size_t alignment, size_t size);
void *arena_resize(struct arena *arena, void *pointer, size_t size);
void arena_free(struct arena *arena, void *pointer);
size_t arena_usable_size(const struct arena *arena, const void *pointer);

/* Whether `pointer` lies inside this arena. */
bool arena_owns(const struct arena *arena, const void *pointer);

/* Bytes handed out at present, block headers included, and the most that ever were touched at once (high-water mark).
 */
size_t arena_used(const struct arena *arena);
size_t arena_peak(const struct arena *arena);

/* Walks all blocks and free lists; returns whether they are consistent.  For tests and fuzzing. */
bool arena_check(const struct arena *arena);

#endif
