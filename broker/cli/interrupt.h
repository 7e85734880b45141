/* SPDX-License-Identifier: MIT */
/* Ends cleanly on a signal: no child left, no temporary file left. */
#ifndef SAFE_DECODE_INTERRUPT_H
#define SAFE_DECODE_INTERRUPT_H

#include <stddef.h>
#include <sys/types.h>

#define INTERRUPT_CHILDREN 256 /* that can be watched at once */

/* Installs the handlers, and ignores SIGPIPE and SIGXFSZ, which become errors of write().  Returns 0, or -1 with errno
 * set. */
int interrupt_install(void);

/* Child `pid` is to be killed and reaped when a signal ends the program; 0 gives the slot free again. */
void interrupt_watch(size_t slot, pid_t pid);

#endif
