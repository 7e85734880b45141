/* SPDX-License-Identifier: MIT */
/* One child for one decode: forked, locked down, ended, reaped. */
#ifndef SAFE_DECODE_SPAWN_H
#define SAFE_DECODE_SPAWN_H

#include <stdint.h>
#include <sys/types.h>

#include "sandbox.h"
#include "status.h"

struct spawn_plan {
	const struct sandbox_plan *sandbox;
	uint32_t cpu_seconds;
	void (*after_fork)(void); /* called in the child first; NULL is allowed */
	void (*run)(void);        /* called in the child after lock-down; must not return */

	/* If not NULL, called in the child instead of all this: it must execute a program that locks itself down as it
	 * was to be done here.  If it returns, there is no child. */
	void (*execute)(const struct sandbox_child *child, void *context);
	void *context;
};

/* The trusted side's ends.  Both pipe ends do not block.  All are closed by spawn_end(). */
struct spawned {
	pid_t pid; /* 0: there is none, or it was reaped */
	int pidfd;
	int input;  /* to write the request and the compressed bytes to; -1 once closed */
	int output; /* to read messages from */
	int report; /* to read a struct sandbox_report from; -1 unless the plan is to diagnose */
};

#define SPAWNED_NONE ((struct spawned){ .pid = 0, .pidfd = -1, .input = -1, .output = -1, .report = -1 })

/* Forks a child that locks itself down and runs plan->run.  It is not verified yet.  Returns SAFE_OK, or
 * SAFE_NO_SANDBOX with nothing left behind. */
struct safe_outcome spawn_child(const struct spawn_plan *plan, struct spawned *child);

/* Closes the input pipe: the child sees the end of its input. */
void spawn_close_input(struct spawned *child);

/* Kills the child if it still runs, reaps it, and closes all descriptors.  Returns its wait status as of waitpid().
 * Does nothing and returns 0 if there is no child. */
int spawn_end(struct spawned *child);

/* Waits for a child that has closed its output, and reaps it as spawn_end() does, without killing it first unless it
 * does not end within a moment. */
int spawn_end_gently(struct spawned *child);

/* What a child's end without END or FAIL means.  `said_hello`: it was locked down when it ended. */
struct safe_outcome spawn_outcome(int wait_status, bool said_hello);

#endif
