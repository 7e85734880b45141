/* SPDX-License-Identifier: MIT */
/* The seccomp filter for where strict mode cannot be had, and for diagnosis. */
#ifndef SAFE_DECODE_FILTER_H
#define SAFE_DECODE_FILTER_H

#include <stdbool.h>

/* Builds the filter, a scmp_filter_ctx.  With `diagnose`, it also allows write() to descriptor 2 and traps instead of
 * killing.  Returns NULL with errno set. */
void *filter_create(bool diagnose);

/* NULL is allowed. */
void filter_destroy(void *filter);

/* Locks the calling process down.  Returns 0 or -1. */
int filter_enter(void *filter, bool diagnose);

#endif
