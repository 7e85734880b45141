/* SPDX-License-Identifier: MIT */
/* The seccomp filter for where strict mode cannot be had, and for diagnosis. */
#ifndef SAFE_DECODE_FILTER_H
#define SAFE_DECODE_FILTER_H

#include <stdbool.h>

/* Locks the calling process down.  With `diagnose`, a forbidden system call is told as a WIRE_FORBIDDEN message, and
 * the process exits; else the kernel kills it.  Returns 0, or -1 with errno set. */
int filter_enter(bool diagnose);

#endif
