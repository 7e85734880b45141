/* SPDX-License-Identifier: MIT */
/* Forks decoders that lock themselves down. */
#ifndef SAFE_DECODE_SPAWN_H
#define SAFE_DECODE_SPAWN_H

#include <stdint.h>
#include <sys/types.h>

#include "sandbox.h"

struct spawn_plan {
	const struct sandbox_plan *sandbox;
	int control; /* the decoder's end of the socket for struct protocol_lockdown */
	uint32_t cpu_seconds;
	int (*shrink)(void *context); /* see struct sandbox_child */
	void *context;
	void (*warm_up)(void); /* called in the decoder after lock-down */
	void (*run)(void);     /* called in the decoder after that; must not return */
};

/* A decoder that was forked; the descriptors are its parent's ends. */
struct spawned {
	pid_t pid;
	int pidfd;
	int input; /* does not block, and can be read, too, so that writing to it never raises SIGPIPE */
	int output;
};

#define SPAWNED_NONE ((struct spawned){ .pidfd = -1, .input = -1, .output = -1 })

/* Forks a decoder that locks itself down and runs plan->run.  It is not verified yet.  Returns SANDBOX_STEP_NONE; or
 * the step that failed, with errno and nothing left behind. */
enum sandbox_step spawn_decoder(const struct spawn_plan *plan, struct spawned *spawned);

void spawned_close(struct spawned *spawned);

#endif
