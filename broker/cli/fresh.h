/* SPDX-License-Identifier: MIT */
/*
 * Children with an address layout of their own.
 *
 * Children are forked from one process and share its layout.  A decoder that crashed may have told an attacker
 * something about it; so that no later one can use it, from then on each child executes the program anew before it
 * loads its module and locks itself down.
 */
#ifndef SAFE_DECODE_FRESH_H
#define SAFE_DECODE_FRESH_H

#include <stdint.h>

#include "../sandbox.h"

struct fresh {
	const char *module;
	uint64_t memory; /* bytes of the arena */
};

/* In a forked child: executes the program again as a decoder.  Returns only if that fails. */
void fresh_execute(const struct sandbox_child *child, const struct fresh *fresh);

/* In main(): becomes a decoder, and does not return, if that is what the program was executed for. */
void fresh_become_child(int argc, char **argv);

#endif
