/* SPDX-License-Identifier: MIT */
/*
 * malloc() and its family for the whole process, libraries included, on top of arenas.
 *
 * What is allocated before main() comes from an early arena; a decoder program then selects the one that is its
 * decoder's memory, and stays with that.  Memory always goes back to the arena that it came from.
 */
#ifndef SAFE_DECODE_INTERPOSE_H
#define SAFE_DECODE_INTERPOSE_H

#include "arena.h"

/* Selects the arena of all further allocations; NULL selects the early arena.  There is one arena besides that in a
 * process: selecting another later returns -1 and changes nothing. */
int interpose_select(struct arena *arena);

#endif
