/* SPDX-License-Identifier: MIT */
/*
 * The lock-down: prepared by the parent, entered by the child, verified by the parent.
 *
 * Strict seccomp mode is always tried first.  Only where the kernel answers EINVAL because a filter is already in force
 * (a container, systemd, Flatpak), the child installs a filter of its own that is at least as tight.  There is no way
 * to run a decoder without one of the two.
 */
#ifndef SAFE_DECODE_SANDBOX_H
#define SAFE_DECODE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "status.h"

/* What all children of this process share. */
struct sandbox_plan {
	char *secrets; /* the arguments and the environment, as the kernel laid them out on the stack */
	size_t secrets_size;
	void *filter;     /* scmp_filter_ctx, owned: NULL where strict mode will do */
	bool filtered;    /* a seccomp filter is in force in this process, and so in its children */
	uint64_t filters; /* how many */
	bool diagnose;    /* report a forbidden system call on descriptor 2 instead of dying without a word */
};

/* Finds out what the kernel offers and prepares what children need.  `arguments` is main()'s argv.  What it allocates
 * is used by children: it must not be hidden from them.  Returns SAFE_OK or SAFE_NO_SANDBOX. */
struct safe_outcome sandbox_prepare(struct sandbox_plan *plan, char **arguments, bool diagnose);
void sandbox_release(struct sandbox_plan *plan);

/* What one child is given. */
struct sandbox_child {
	pid_t parent;
	int input, output;    /* pipe ends, above 2 */
	int report;           /* pipe end for sandbox_report, above 2; -1 unless the plan is to diagnose */
	uint32_t cpu_seconds; /* processor time */
};

/* Locks the calling process down, in the order that the table in sandbox.c gives.  Returns 0, or the number of the step
 * that failed, 1 or more: the caller must exit at once with SANDBOX_EXIT_BASE plus that number. */
int sandbox_enter(const struct sandbox_plan *plan, const struct sandbox_child *child);
#define SANDBOX_EXIT_BASE 100

/* Zeroes the stack from `frame`, its caller's frame address, to the arguments: what the parent's functions that led to
 * the fork have there.  The caller must never return.  Makes no system call. */
void sandbox_wipe_above(const struct sandbox_plan *plan, void *frame);

/* What to say of a step that failed: "cannot enter strict seccomp mode".  NULL if there is no such step. */
const char *sandbox_step_failure(int step);

/* What was verified of one child. */
struct sandbox_posture {
	bool verified;
	bool strict; /* strict mode; else a filter */
	bool no_new_privs;
	uint64_t filters;        /* in force in the child */
	uint64_t filters_before; /* of these, inherited */
};

/* Asks the kernel what is in force in child `pid`, which has said hello and waits.  Returns SAFE_OK or
 * SAFE_NO_SANDBOX. */
struct safe_outcome sandbox_verify(const struct sandbox_plan *plan, pid_t pid, struct sandbox_posture *posture);

/* What a child under a diagnosing plan writes to its report pipe before it dies. */
struct sandbox_report {
	uint32_t architecture; /* AUDIT_ARCH_... */
	uint32_t system_call;
};

/* The name of a system call, or NULL.  The caller frees it. */
char *sandbox_system_call_name(const struct sandbox_report *report);

#endif
