/* SPDX-License-Identifier: MIT */
/* Finds the broker program and starts it. */
#ifndef SAFE_DECODE_START_H
#define SAFE_DECODE_START_H

#include "decoder.h"
#include "link.h"

/* The path of the broker program that belongs to this library; the caller frees it.  NULL: there is none, or no
 * memory. */
char *start_find_broker(void);

/* Starts a broker for a module and sets the link's pid, socket and timer.  Returns SAFE_OK, SAFE_NO_SANDBOX or SAFE_IO,
 * with nothing left behind. */
struct safe_outcome start_broker(const struct safe_decoder *decoder, const char *module, struct link *link);

#endif
