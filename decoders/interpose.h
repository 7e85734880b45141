/* SPDX-License-Identifier: MIT */
/*
 * malloc() and its family for the whole process, libraries included, on top of arenas.
 *
 * The process starts on a host arena of its own, which is hidden from children.  What a child needs (the decoder module
 * that dlopen() loads, its tables) is allocated while the decode arena is selected.  Memory is always freed to the
 * arena that it came from.
 */
#ifndef SAFE_DECODE_INTERPOSE_H
#define SAFE_DECODE_INTERPOSE_H

#include "arena.h"

/* Selects the arena of all further allocations; NULL selects the host arena.  At most one arena other than the host
 * arena can exist in a process: selecting a second one, while the first was not given up with interpose_forget(),
 * is an error that returns -1. */
int interpose_select(struct arena *arena);

/* The decode arena is about to be destroyed. */
void interpose_forget(struct arena *arena);

#endif
