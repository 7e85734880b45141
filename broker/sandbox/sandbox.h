/* SPDX-License-Identifier: MIT */
/*
 * The lock-down of a decoder: prepared once in its program, entered by the process that decodes.  Who made it verifies
 * it (verify.h).
 *
 * Strict seccomp mode is always tried first.  Only where the kernel answers EINVAL because a filter is already in force
 * (a container, systemd, Flatpak), the process installs a filter of its own that is at least as tight.  There is no way
 * to run a decoder without one of the two.
 */
#ifndef SAFE_DECODE_SANDBOX_H
#define SAFE_DECODE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sandbox_steps.h"

/* What all decoders of this process share. */
struct sandbox_plan {
	char *secrets; /* the arguments and the environment, as the kernel laid them out on the stack */
	size_t secrets_size;
	bool filtered; /* a seccomp filter is in force in this process, and so in those that it forks */
	bool diagnose; /* a filter in any case, which tells of a forbidden system call */
};

/* Finds out what the kernel offers, and lets the kernel's out-of-memory killer take this process, and those that it
 * forks, first.  `arguments` is main()'s argv.  Returns SANDBOX_STEP_NONE, or the step that failed, with errno. */
enum sandbox_step sandbox_prepare(struct sandbox_plan *plan, char **arguments);

/* Gives this process a stack protector's canary and a pointer guard of its own, of which the dynamic linker and those
 * who know the kernel's random bytes know nothing.  The caller must never return.  Returns 0, or -1 with errno set. */
int sandbox_replace_guards(void);

/* What one decoder is given. */
struct sandbox_child {
	pid_t parent;
	bool forked;                  /* else executed */
	int input, output;            /* pipe ends, above 2 */
	int control;                  /* socket to who made it, for struct protocol_lockdown; above 2 */
	uint32_t cpu_seconds;         /* processor time */
	int (*shrink)(void *context); /* gives back memory: 0, or -1 with errno; NULL is allowed */
	void *context;
};

/* Locks the calling process down.  Returns where that succeeded; else reports on the control socket what failed, and
 * ends the process. */
void sandbox_enter(const struct sandbox_plan *plan, const struct sandbox_child *child);

/* Reports on a control socket, unless that is -1, which step failed, and ends the process. */
_Noreturn void sandbox_give_up(int control, enum sandbox_step step, int error_number);

/* Zeroes the stack from `frame`, its caller's frame address, to the arguments: what the parent's functions that led to
 * the fork have there.  The caller must never return.  Makes no system call. */
void sandbox_wipe_above(const struct sandbox_plan *plan, void *frame);

#endif
