/* SPDX-License-Identifier: MIT */
/*
 * For libraries that do not survive a lack of memory: they abort, trap, or throw what nobody catches.  A decoder that
 * runs such a library in here ends with the limit instead, and its process is of no use for anything else afterwards:
 * nothing that the library had is given back.
 */
#ifndef SAFE_DECODE_RESCUE_H
#define SAFE_DECODE_RESCUE_H

#include <stdbool.h>

#include "decoder.h"

/* Returns what `work` returns, or WIRE_FAIL_LIMIT_MEMORY as soon as an allocation fails while it runs. */
session_result rescue_run(session_result (*work)(void *context), void *context);

/* Whether that happened: for fuzz harnesses, which then forget what was allocated. */
bool rescue_happened(void);

#endif
