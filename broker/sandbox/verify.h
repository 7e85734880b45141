/* SPDX-License-Identifier: MIT */
/* Whether the kernel confirms that a decoder is locked down.  Nothing is sent to one that was not verified. */
#ifndef SAFE_DECODE_VERIFY_H
#define SAFE_DECODE_VERIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "broker/wire/status.h"

/* What was verified of one decoder. */
struct sandbox_posture {
	bool verified;
	bool strict; /* strict mode; else a filter */
	bool no_new_privs;
	uint64_t filters;        /* in force in the decoder */
	uint64_t filters_before; /* of these, inherited */
};

/* What the kernel must say. */
struct verify_expectation {
	pid_t pid, parent;
	uint64_t filters_before; /* in force in the process that made it */
	bool diagnosing;         /* it has a filter although strict mode could be had */
};

enum verify_failure {
	VERIFY_CONFIRMED,
	VERIFY_NO_PROC,       /* what it handed over is no status of /proc */
	VERIFY_OTHER_PROC,    /* /proc is of another pid namespace */
	VERIFY_NOT_CONFIRMED, /* the kernel says that it is not locked down */
	VERIFY_FAILURES,
};

/* How many seccomp filters are in force in the calling thread.  Returns VERIFY_CONFIRMED, or VERIFY_NO_PROC with errno.
 */
enum verify_failure verify_filters(uint64_t *filters);

/* Reads `status`, a descriptor of the decoder's /proc/PID/status that was opened before it gave up being dumpable. Sets
 * *posture.  With VERIFY_NO_PROC, errno says why. */
enum verify_failure verify_status(int status, const struct verify_expectation *expected,
                                  struct sandbox_posture *posture);

/* SDEC_OK or SDEC_NO_SANDBOX. */
struct outcome verify_outcome(enum verify_failure failure, int error_number);

#endif
