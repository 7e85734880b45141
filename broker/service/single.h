/* SPDX-License-Identifier: MIT */
/* A source of one child at a time: a decoder program that is executed for it, and locks itself down.  Nothing starts
 * faster. */
#ifndef SAFE_DECODE_SINGLE_H
#define SAFE_DECODE_SINGLE_H

#include "broker/decode/source.h"

struct single {
	struct child_source source; /* first */
	const char *folder;         /* of decoder programs; borrowed */
	uint64_t filters;           /* seccomp filters that were in force when the child was started */
	bool diagnoses;             /* the child tells of a forbidden system call */
};

/* Must outlive its child. */
void single_init(struct single *single, const char *folder);

#endif
