/* SPDX-License-Identifier: MIT */
/* What a decode may cost.  Finite by default. */
#ifndef SAFE_DECODE_LIMITS_H
#define SAFE_DECODE_LIMITS_H

#include "broker/safe-decode.h"

/* Limits of which none is 0 but the deadline: those of `given`, which may be NULL and is as long as ours, and the
 * defaults for what it does not say. */
struct sdec_limits limits_resolve(const struct sdec_limits *given);

#define LIMITS_MEMORY (UINT64_C(512) << 20)     /* default, bytes */
#define LIMITS_MEMORY_LEAST (UINT64_C(1) << 20) /* bytes */

#endif
