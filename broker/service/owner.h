/* SPDX-License-Identifier: MIT */
/* Which process a handle belongs to. */
#ifndef SAFE_DECODE_OWNER_H
#define SAFE_DECODE_OWNER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct owner {
	pid_t pid;
	uint64_t mark;
};

/* This process.  May be called by any thread. */
struct owner owner_self(void);

/* Whether this process is the one.  In one that was forked from it, by whatever system call, it is not; even where both
 * have the same number, each in a namespace of its own. */
bool owner_is_self(const struct owner *owner);

#endif
