/* SPDX-License-Identifier: MIT */
/*
 * Takes the sandbox out of a broker, for comparison alone: this is linked into a broker of its own, in the folder of
 * the tests.  Its children decode as plain processes do, with the C library's memory; the library is none the wiser.
 */
#include <unistd.h>

#include "../broker/sandbox.h"
#include "../decoders/interpose.h"

int __wrap_sandbox_enter(const struct sandbox_plan *plan, const struct sandbox_child *child);
int __wrap_sandbox_enter(const struct sandbox_plan *plan, const struct sandbox_child *child)
{
	(void)plan;
	return dup2(child->input, STDIN_FILENO) == STDIN_FILENO && dup2(child->output, STDOUT_FILENO) == STDOUT_FILENO
	               ? 0
	               : 1;
}

struct safe_outcome __wrap_sandbox_verify(const struct sandbox_plan *plan, pid_t pid, struct sandbox_posture *posture);
struct safe_outcome __wrap_sandbox_verify(const struct sandbox_plan *plan, pid_t pid, struct sandbox_posture *posture)
{
	(void)plan;
	(void)pid;
	*posture = (struct sandbox_posture){ .verified = true, .strict = true, .no_new_privs = true };
	return outcome_ok();
}

/* malloc() is the C library's. */
int interpose_select(struct arena *arena)
{
	(void)arena;
	return 0;
}

void interpose_enter_child(void)
{
}
