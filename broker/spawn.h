/* SPDX-License-Identifier: MIT */
/* Forks children that lock themselves down, and ends and reaps them. */
#ifndef SAFE_DECODE_SPAWN_H
#define SAFE_DECODE_SPAWN_H

#include <stdint.h>
#include <sys/types.h>

#include "child.h"
#include "sandbox.h"
#include "status.h"

struct spawn_plan {
	const struct sandbox_plan *sandbox; /* must outlive the child */
	uint32_t cpu_seconds;
	bool keep_input_peer;             /* see struct child */
	int (*after_fork)(void *context); /* called in the child first: 0, or -1, which ends it; NULL is allowed */
	void *context;
	void (*warm_up)(void); /* called in the child after lock-down; NULL is allowed */
	void (*run)(void);     /* called in the child after that; must not return */
};

/* Forks a child that locks itself down and runs plan->run.  It is not verified yet.  Returns SAFE_OK, or
 * SAFE_NO_SANDBOX with nothing left behind. */
struct safe_outcome spawn_child(const struct spawn_plan *plan, struct child *child);

#endif
