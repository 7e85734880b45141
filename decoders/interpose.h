/* SPDX-License-Identifier: MIT */
/*
 * malloc() and its family for the whole process, libraries included, on top of arenas.
 *
 * The process starts on a host arena of its own, which is hidden from children.  What a child needs (the decoder module
 * that dlopen() loads, its tables) is allocated while the decode arena is selected.  Memory always goes back to the
 * arena that it came from.  A process forks while it has one thread; one that does not fork may have others, such as a
 * library starts that talks to a sound server.
 */
#ifndef SAFE_DECODE_INTERPOSE_H
#define SAFE_DECODE_INTERPOSE_H

#include "arena.h"

/* Selects the arena of all further allocations; NULL selects the host arena.  There is one arena besides the host arena
 * in a process: selecting another later returns -1 and changes nothing. */
int interpose_select(struct arena *arena);

/* To be called first in a forked child: the host arena is gone there.  What was allocated from it is never freed. */
void interpose_enter_child(void);

#endif
