/* SPDX-License-Identifier: MIT */
#include "fresh.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../decoders/arena.h"
#include "../../decoders/interpose.h"
#include "../loader.h"

#define CHILD_NAME "safe-decode: fresh child"

/* The arguments of a fresh child, after its name. */
enum { MODULE = 1, MEMORY, CPU_SECONDS, PARENT, INPUT, OUTPUT, ARGUMENTS };

enum { NUMBER_SIZE = 24 };

void fresh_execute(const struct sandbox_child *child, const struct fresh *fresh)
{
	char numbers[ARGUMENTS][NUMBER_SIZE];
	char name[] = CHILD_NAME;
	char module[64];
	char *arguments[ARGUMENTS + 1] = { name, module };
	char *environment[] = { NULL };
	const uint64_t values[ARGUMENTS] = { [MEMORY] = fresh->memory,
		                             [CPU_SECONDS] = child->cpu_seconds,
		                             [PARENT] = (uint64_t)child->parent,
		                             [INPUT] = (uint64_t)child->input,
		                             [OUTPUT] = (uint64_t)child->output };

	/* On the stack: the heap is hidden from this process. */
	if ((size_t)snprintf(module, sizeof(module), "%s", fresh->module) >= sizeof(module))
		return;
	for (int i = MEMORY; i < ARGUMENTS; i++) {
		(void)snprintf(numbers[i], NUMBER_SIZE, "%" PRIu64, values[i]);
		arguments[i] = numbers[i];
	}
	if (fcntl(child->input, F_SETFD, 0) == 0 && fcntl(child->output, F_SETFD, 0) == 0)
		(void)execve("/proc/self/exe", arguments, environment);
}

/* Takes the same steps as the parent and its forked child do together. */
static int lock_down(char **argv, void (**run)(void))
{
	struct sandbox_child child = { .parent = (pid_t)strtoul(argv[PARENT], NULL, 10),
		                       .input = (int)strtoul(argv[INPUT], NULL, 10),
		                       .output = (int)strtoul(argv[OUTPUT], NULL, 10),
		                       .report = -1,
		                       .cpu_seconds = (uint32_t)strtoul(argv[CPU_SECONDS], NULL, 10) };
	struct arena *arena = arena_create(strtoull(argv[MEMORY], NULL, 10));
	struct sandbox_plan plan;

	if (!arena || interpose_select(arena) != 0 || loader_load_decoder(argv[MODULE], run).status != SAFE_OK ||
	    sandbox_prepare(&plan, argv, false).status != SAFE_OK)
		return 0;
	interpose_enter_child();
	return sandbox_enter(&plan, &child) == 0 ? 1 : 0;
}

void fresh_become_child(int argc, char **argv)
{
	void (*run)(void) = NULL;

	if (argc != ARGUMENTS || strcmp(argv[0], CHILD_NAME) != 0)
		return;
	if (lock_down(argv, &run) && run)
		run();
	for (;;)
		syscall(SYS_exit, SANDBOX_EXIT_BASE);
}
