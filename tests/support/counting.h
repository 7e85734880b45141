/* SPDX-License-Identifier: MIT */
/* What a process has, for tests that nothing of it is left behind. */
#ifndef SAFE_DECODE_TESTS_COUNTING_H
#define SAFE_DECODE_TESTS_COUNTING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Children, zombies included, into `pids` as far as they fit.  Decoders that this process has adopted, because their
 * broker is gone, do not count: they die with it, and are reaped here. */
size_t list_children(pid_t *pids, size_t most);

/* Whether the process is there and no zombie. */
bool is_running(pid_t pid);

size_t count_descriptors(void);

/* Bytes of memory. */
size_t resident(void);

#endif
