/* SPDX-License-Identifier: MIT */
/* The first stage of a call: of which format its input is, and whether that is decoded at all. */
#ifndef SAFE_DECODE_CALL_RECOGNISE_H
#define SAFE_DECODE_CALL_RECOGNISE_H

#include "call.h"

/* Looks at the input in memory; or reads it once from where it has something or has ended, and no more than that takes.
 * Once the format is known, the call wants a child, or is over. */
void call_recognise(struct call *call);

#endif
