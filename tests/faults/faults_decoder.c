/* SPDX-License-Identifier: MIT */
/*
 * Of decoder programs: their allocations fail on demand, and nothing does any more once they are locked down.  What
 * decoders do then is for the fuzz harnesses to try.
 */
#include <stddef.h>

#include "broker/sandbox/arena.h"
#include "decoders/runtime/decoder.h"
#include "faults.h"

void *__real_arena_alloc(struct arena *arena, size_t size);
void *__wrap_arena_alloc(struct arena *arena, size_t size);
void *__wrap_arena_alloc(struct arena *arena, size_t size)
{
	return faults_fails("arena_alloc") ? NULL : __real_arena_alloc(arena, size);
}

void *__real_arena_alloc_zeroed(struct arena *arena, size_t count, size_t size);
void *__wrap_arena_alloc_zeroed(struct arena *arena, size_t count, size_t size);
void *__wrap_arena_alloc_zeroed(struct arena *arena, size_t count, size_t size)
{
	return faults_fails("arena_alloc_zeroed") ? NULL : __real_arena_alloc_zeroed(arena, count, size);
}

void *__real_arena_alloc_aligned(struct arena *arena, size_t alignment, size_t size);
void *__wrap_arena_alloc_aligned(struct arena *arena, size_t alignment, size_t size);
void *__wrap_arena_alloc_aligned(struct arena *arena, size_t alignment, size_t size)
{
	return faults_fails("arena_alloc_aligned") ? NULL : __real_arena_alloc_aligned(arena, alignment, size);
}

void *__real_arena_resize(struct arena *arena, void *pointer, size_t size);
void *__wrap_arena_resize(struct arena *arena, void *pointer, size_t size);
void *__wrap_arena_resize(struct arena *arena, void *pointer, size_t size)
{
	return faults_fails("arena_resize") ? NULL : __real_arena_resize(arena, pointer, size);
}

void __real_decoder_warm_up(void);
void __wrap_decoder_warm_up(void);
void __wrap_decoder_warm_up(void)
{
	faults_end();
	__real_decoder_warm_up();
}

void __real_decoder_run(void);
void __wrap_decoder_run(void);
void __wrap_decoder_run(void)
{
	faults_end();
	__real_decoder_run();
}
