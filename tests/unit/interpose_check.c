/* SPDX-License-Identifier: MIT */
/* A whole process on the interposed allocator: what its libraries allocate, and what its children see. */
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/sandbox/interpose.h"

static int failures;

static void check(bool good, const char *name)
{
	printf("%s interpose: %s\n", good ? "ok" : "FAIL", name);
	failures += !good;
}

/* The compiler must not reason about what the allocator returns. */
static void *volatile memory;
static volatile size_t most = SIZE_MAX;

static void check_standard_names(void)
{
	void *aligned = NULL;

	memory = malloc(most);
	check(!memory, "malloc refuses what no pointer can span");
	memory = calloc(most / 2, 3);
	check(!memory, "calloc refuses a product that overflows");
	memory = reallocarray(NULL, most / 2, 3);
	check(!memory, "reallocarray refuses a product that overflows");
	check(posix_memalign(&aligned, 3, 8) != 0, "posix_memalign refuses an alignment of 3");
	check(posix_memalign(&aligned, 4096, 8) == 0 && (uintptr_t)aligned % 4096 == 0, "posix_memalign aligns");
	free(aligned);
	memory = aligned_alloc(256, 512);
	check((uintptr_t)memory % 256 == 0 && malloc_usable_size(memory) >= 512, "aligned_alloc aligns");
	void *grown = realloc(memory, 5000);
	memory = grown;
	check(memory && malloc_usable_size(memory) >= 5000, "realloc grows");
	free(memory);
	free(NULL);
	check(malloc_usable_size(NULL) == 0, "malloc_usable_size of nothing is 0");
}

static void check_libraries(struct arena *arena)
{
	size_t before = arena_used(arena);

	check(interpose_select(arena) == 0, "an arena can be selected");
	check(interpose_select((struct arena *)&before) == -1, "a second one cannot");
	memory = strdup("text");
	check(arena_owns(arena, memory), "strdup allocates in the arena");
	free(memory);
	FILE *file = fopen("/dev/null", "r");
	check(file && arena_owns(arena, file), "fopen allocates in the arena");
	if (file)
		(void)fclose(file);
	void *library = dlopen("libjpeg.so.62", RTLD_NOW | RTLD_LOCAL);
	check(library != NULL, "a library with thread-local storage can be loaded");
	check(arena_used(arena) > before, "the dynamic linker allocates in the arena");
	memory = malloc(10);
	check(interpose_select(NULL) == 0 && arena_owns(arena, memory), "the early arena can be selected again");
	free(memory); /* goes back to where it came from */
	memory = malloc(10);
	check(!arena_owns(arena, memory), "then memory comes from the early arena");
	check(arena_check(arena), "the arena is sound");
}

/* Both arenas work on in a child: it allocates from the one that is selected, and frees what came from either. */
static int use_in_child(struct arena *arena, char *early, char *late)
{
	bool good = strcmp(early, "early") == 0 && strcmp(late, "late") == 0;

	memory = malloc(10);
	good = good && memory && arena_owns(arena, memory);
	free(memory);
	size_t used = arena_used(arena);
	free(late);
	good = good && arena_used(arena) < used;
	used = arena_used(arena);
	free(early);
	return good && arena_used(arena) == used && arena_check(arena) ? 0 : 1;
}

static void check_child(struct arena *arena)
{
	bool selected = interpose_select(NULL) == 0;
	char *early = strdup("early");
	selected = selected && interpose_select(arena) == 0;
	char *late = strdup("late");
	int status = 0;

	check(selected && early && late, "there is memory to test with");
	if (!early || !late)
		abort();
	check(!arena_owns(arena, early) && arena_owns(arena, late), "memory comes from the arena that is selected");
	(void)fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		_exit(use_in_child(arena, early, late));
	check(child > 0 && waitpid(child, &status, 0) == child && status == 0, "a child has both arenas");
	check(strcmp(early, "early") == 0 && strcmp(late, "late") == 0, "what a child frees stays its parent's");
	free(early);
	free(late);
}

enum { THREADS = 4, ROUNDS = 200000, HELD = 64 };

static void *allocate_much(void *seed)
{
	unsigned state = (unsigned)(uintptr_t)seed;
	char *held[HELD] = { NULL };
	bool good = true;

	for (int i = 0; i < ROUNDS; i++) {
		size_t place = (size_t)rand_r(&state) % HELD;
		size_t size = (size_t)rand_r(&state) % 2000 + 1;
		good = good && (!held[place] || *held[place] == (char)place);
		free(i % 3 == 0 ? held[place] : NULL);
		held[place] = i % 3 == 0 ? malloc(size) : realloc(held[place], size);
		if (held[place])
			*held[place] = (char)place;
	}
	for (size_t place = 0; place < HELD; place++)
		free(held[place]);
	return good ? NULL : seed;
}

static void check_threads(struct arena *arena)
{
	pthread_t threads[THREADS];
	size_t running = 0;
	bool good = interpose_select(arena) == 0;

	while (running < THREADS &&
	       pthread_create(&threads[running], NULL, allocate_much, (void *)(uintptr_t)(running + 1)) == 0)
		running++;
	for (size_t i = 0; i < running; i++) {
		void *result = NULL;
		good = pthread_join(threads[i], &result) == 0 && !result && good;
	}
	check(good && running == THREADS && arena_check(arena), "threads can allocate at once");
}

int main(void)
{
	struct arena *arena = arena_create((size_t)16 << 20);

	check(arena != NULL, "an arena can be made");
	if (!arena)
		return EXIT_FAILURE;
	check_standard_names();
	check_libraries(arena);
	check_child(arena);
	check_threads(arena);
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
