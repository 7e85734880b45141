/* SPDX-License-Identifier: MIT */
#include "interpose.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/single_threaded.h>
#include <unistd.h>

#include "broker/wire/entry.h"

static struct arena *early;    /* for what is allocated before the decoder's memory is there */
static struct arena *decode;   /* the one other arena, once it was selected */
static struct arena *selected; /* one of these two */

enum { NO_SANDBOX = 6 }; /* exit code */

/* Address space for the early arena; less where the process may not have as much. */
static const size_t early_sizes[] = { (size_t)1 << 30, (size_t)256 << 20, (size_t)16 << 20 };

static struct arena *create_early(void)
{
	for (size_t i = 0; i < sizeof(early_sizes) / sizeof(early_sizes[0]) && !early; i++)
		early = arena_create(early_sizes[i]);
	if (!early) {
		static const char text[] = "safe-decode: no address space to begin with\n";
		if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0) {
			/* There is no other place to say so. */
		}
		_exit(NO_SANDBOX);
	}
	return early;
}

static inline struct arena *current(void)
{
	if (selected)
		return selected;
	selected = early ? early : create_early();
	return selected;
}

/* The arena that memory came from; NULL if it is none.  (Before relocation the dynamic linker has an allocator of its
 * own, and may pass what that gave to us.) */
static inline struct arena *owner_of(const void *pointer)
{
	if (decode && arena_owns(decode, pointer))
		return decode;
	return early && arena_owns(early, pointer) ? early : NULL;
}

int interpose_select(struct arena *arena)
{
	if (arena && decode && arena != decode)
		return -1;
	if (arena)
		decode = arena;
	selected = arena;
	return 0;
}

/* ---- threads: hardly ever is there more than one, and then nothing is locked ---- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* Returns whether there is something to unlock. */
static inline bool lock(void)
{
	return !__libc_single_threaded && pthread_mutex_lock(&mutex) == 0;
}

static inline void unlock(bool locked)
{
	if (locked)
		(void)pthread_mutex_unlock(&mutex);
}

/* ---- the standard names ---- */

#define EXPORT __attribute__((visibility("default")))

/* As glibc does: what pointer differences cannot span is refused. */
static bool is_absurd(size_t size)
{
	if (size <= PTRDIFF_MAX)
		return false;
	errno = ENOMEM;
	return true;
}

/* What is given: where that is nothing, some codecs must not see it. */
static inline void *give(void *memory)
{
	if (__builtin_expect(!memory, false) && decoder_out_of_memory)
		decoder_out_of_memory();
	return memory;
}

EXPORT void *malloc(size_t size)
{
	if (is_absurd(size))
		return give(NULL);
	bool locked = lock();
	void *memory = arena_alloc(current(), size);
	unlock(locked);
	return give(memory);
}

EXPORT void *calloc(size_t count, size_t size)
{
	bool locked = lock();
	void *memory = arena_alloc_zeroed(current(), count, size);
	unlock(locked);
	return give(memory);
}

EXPORT void free(void *pointer)
{
	int saved = errno;
	struct arena *owner = owner_of(pointer);
	bool locked = lock();

	if (owner)
		arena_free(owner, pointer);
	unlock(locked);
	errno = saved;
}

EXPORT void *realloc(void *pointer, size_t size)
{
	if (!pointer)
		return malloc(size);
	struct arena *owner = owner_of(pointer);
	if (!owner) {
		/* How much there is to copy cannot be known. */
		errno = ENOMEM;
		return NULL;
	}
	if (is_absurd(size))
		return give(NULL);
	bool locked = lock();
	void *memory = arena_resize(owner, pointer, size);
	unlock(locked);
	return give(memory);
}

EXPORT void *reallocarray(void *pointer, size_t count, size_t size)
{
	size_t total = 0;

	if (__builtin_mul_overflow(count, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(pointer, total);
}

EXPORT void *memalign(size_t alignment, size_t size)
{
	if (is_absurd(size))
		return give(NULL);
	bool locked = lock();
	void *memory = arena_alloc_aligned(current(), alignment, size);
	unlock(locked);
	return give(memory);
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

EXPORT int posix_memalign(void **pointer, size_t alignment, size_t size)
{
	int saved = errno;

	if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0)
		return EINVAL;
	void *memory = memalign(alignment, size);
	errno = saved;
	if (!memory)
		return ENOMEM;
	*pointer = memory;
	return 0;
}

EXPORT void *valloc(size_t size)
{
	return memalign((size_t)sysconf(_SC_PAGESIZE), size);
}

EXPORT void *pvalloc(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t rounded = 0;

	if (__builtin_add_overflow(size, page - 1, &rounded)) {
		errno = ENOMEM;
		return NULL;
	}
	return memalign(page, rounded & ~(page - 1));
}

EXPORT size_t malloc_usable_size(void *pointer)
{
	struct arena *owner = owner_of(pointer);

	return owner ? arena_usable_size(owner, pointer) : 0;
}
