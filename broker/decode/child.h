/* SPDX-License-Identifier: MIT */
/* The trusted side's hold on one decoder process, wherever it came from (source.h). */
#ifndef SAFE_DECODE_CHILD_H
#define SAFE_DECODE_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "broker/sandbox/verify.h"
#include "broker/wire/status.h"

struct child;

/* What differs between those that were forked by a broker and those that were executed for one decode. */
struct child_owner {
	/* Tells what is in force in the child, which has said hello and waits.  SDEC_OK or SDEC_NO_SANDBOX. */
	struct outcome (*verify)(struct child *child, struct sandbox_posture *posture);

	/* What its end means: it has closed its output without END or FAIL.  Waits until it has ended, for so many
	 * milliseconds at most; -1: as long as that should take. */
	struct outcome (*fate)(struct child *child, bool said_hello, int milliseconds);

	/* Kills it if it still runs, leaves no zombie, and closes all descriptors.  `crashed`: it crashed or
	 * attacked, so that no later child may have its address layout. */
	void (*end)(struct child *child, bool crashed);
};

/* Neither pipe end blocks. */
struct child {
	const struct child_owner *owner; /* NULL: there is no child */
	void *context;                   /* the owner's own */
	bool verified;                   /* before it came: it need not be waited for */
	pid_t pid;                       /* to ask for its processor time */
	int pidfd;
	int input;   /* to write the request and the compressed bytes to: never raises SIGPIPE; -1 once closed */
	int output;  /* to read messages from */
	int control; /* to hear what it said before it was locked down; or -1 */
	const char *library; /* its codec library and version, once it is verified; stays until this process ends */
	uint64_t cpu_microseconds; /* once its fate was asked for, or the limit was reached; 0: not known */
	uint64_t peak_memory;      /* bytes resident, once its fate was asked for; 0: not known */
};

#define CHILD_NONE ((struct child){ .pidfd = -1, .input = -1, .output = -1, .control = -1 })

/* Closes the input pipe: the child sees the end of its input. */
void child_close_input(struct child *child);

/* Closes all descriptors. */
void child_close(struct child *child);

/* Kills it. */
void child_kill(const struct child *child);

/* Nanoseconds of processor time that it has used so far; 0: not known. */
uint64_t child_cpu_time(const struct child *child);

/* What the end of a child that was locked down means, by its status as of wait(). */
struct outcome child_outcome(int wait_status);

#endif
