/* SPDX-License-Identifier: MIT */
/* Allocations that fail on demand, of programs that have the C library's allocator: the linker leads them here. */
#include <stdlib.h>

#include "faults.h"

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	return faults_fails("malloc") ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
	return faults_fails("calloc") ? NULL : __real_calloc(count, size);
}

void *__real_realloc(void *pointer, size_t size);
void *__wrap_realloc(void *pointer, size_t size);
void *__wrap_realloc(void *pointer, size_t size)
{
	return faults_fails("realloc") ? NULL : __real_realloc(pointer, size);
}
