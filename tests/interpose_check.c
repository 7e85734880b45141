/* SPDX-License-Identifier: MIT */
/* A whole process on the interposed allocator: what its libraries allocate, and what its children see. */
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../decoders/interpose.h"

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
	check(interpose_select(NULL) == 0 && arena_owns(arena, memory), "the host arena can be selected again");
	free(memory); /* goes back to where it came from */
	memory = malloc(10);
	check(!arena_owns(arena, memory), "then memory comes from the host arena");
	check(arena_check(arena), "the arena is sound");
}

static int see_in_child(const volatile char *secret)
{
	interpose_enter_child();
	void *mine = malloc(10);
	memory = (void *)(uintptr_t)secret;
	void *out_of_reach = memory;
	free(out_of_reach); /* nothing happens */
	free(mine);
	/* Output buffers are the parent's, too. */
	return *secret == 's' ? 1 : 2; /* NOLINT(clang-analyzer-unix.Malloc): it was not freed */
}

static void check_child(void)
{
	char *secret = malloc(100);
	int status = 0;

	*secret = 's';
	(void)fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		_exit(see_in_child(secret));
	check(child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV,
	      "a child cannot read the host arena");
	free(secret);
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
	check_child();
	check_threads(arena);
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
