/* SPDX-License-Identifier: MIT */
/*
 * The trusted side's hold on one decoder child, whoever forked it: this process (spawn.c) or a broker
 * (library/link.c).
 */
#ifndef SAFE_DECODE_CHILD_H
#define SAFE_DECODE_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sandbox.h"
#include "status.h"

struct child;

/* What differs between those who fork children. */
struct child_owner {
	/* Tells what is in force in the child, which has said hello and waits.  SAFE_OK or SAFE_NO_SANDBOX. */
	struct safe_outcome (*verify)(struct child *child, struct sandbox_posture *posture);

	/* What its end means: it has closed its output without END or FAIL.  Waits until it has ended. */
	struct safe_outcome (*fate)(struct child *child, bool said_hello);

	/* Kills it if it still runs, leaves no zombie, and closes all descriptors.  `crashed`: it crashed or
	 * attacked, so that no later child may have its address layout. */
	void (*end)(struct child *child, bool crashed);
};

/* Both pipe ends do not block. */
struct child {
	const struct child_owner *owner; /* NULL: there is no child */
	void *context;                   /* the owner's own */
	pid_t pid;                       /* 0: it was reaped */
	int pidfd;
	int input;                 /* to write the request and the compressed bytes to; -1 once closed */
	int input_peer;            /* where the child reads from, kept open so that no write can raise SIGPIPE; or -1 */
	int output;                /* to read messages from */
	int report;                /* to read a struct sandbox_report from; -1 unless the sandbox is to diagnose */
	int wait_status;           /* as of waitpid(), once its fate is known */
	uint64_t cpu_microseconds; /* once its fate is known and was asked for; 0: not known */
	uint64_t peak_memory;      /* bytes resident, likewise */
};

#define CHILD_NONE ((struct child){ .pidfd = -1, .input = -1, .input_peer = -1, .output = -1, .report = -1 })

/* Closes the input pipe: the child sees the end of its input. */
void child_close_input(struct child *child);

/* Closes all descriptors. */
void child_close(struct child *child);

/* What the end of a child that was locked down means, by its wait status as of waitpid(). */
struct safe_outcome child_outcome(int wait_status);

#endif
