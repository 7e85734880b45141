/* SPDX-License-Identifier: MIT */
/*
 * The process's malloc() family, which can be told to fail, and counts.
 *
 * Large blocks are kept and given again instead of being mapped anew for each input, which would cost more than most
 * inputs do; AddressSanitizer knows their bounds and whether they are in use all the same.
 */
#ifndef SAFE_DECODE_FUZZ_ALLOCATIONS_H
#define SAFE_DECODE_FUZZ_ALLOCATIONS_H

#include <stdbool.h>
#include <stddef.h>

#define ALLOCATIONS_NONE_FAILS ((size_t)-1)

/* Starts to count.  Allocation number `failing`, from 0 on, fails, and so do those after it if `all_after`. */
void allocations_begin(size_t failing, bool all_after);

/* Ends that.  Returns how many blocks that were allocated meanwhile were not given back. */
size_t allocations_end(void);

#endif
