/* SPDX-License-Identifier: MIT */
/* Ends cleanly on a signal: no child left, no temporary file left. */
#ifndef SAFE_DECODE_INTERRUPT_H
#define SAFE_DECODE_INTERRUPT_H

#include <stddef.h>
#include <stdint.h>

#define INTERRUPT_CHILDREN 256 /* that can be watched at once */
#define INTERRUPT_BROKERS 64

/* Installs the handlers, and ignores SIGPIPE and SIGXFSZ, which become errors of write().  Returns 0, or -1 with errno
 * set. */
int interrupt_install(void);

/* Gives back what that took, when there is nothing left to clean up. */
void interrupt_close(void);

/* The decoder that this process has in `slot` is to be killed when a signal ends the program: by its pidfd, for once
 * that is closed, its number means nothing.  -1 gives the slot free again. */
void interrupt_watch(size_t slot, int pidfd);

/* A broker, whose end of `socket` will tell it to end; -1: it has ended.  For sdec_pool.watch. */
void interrupt_watch_broker(int pidfd, int socket);

/* For calls that wait without asking the clock, as those do that write to what nobody reads: from now on, a deadline
 * that has passed by a little ends the program with SDEC_LIMIT and this message, which is borrowed.  Returns 0, or -1
 * with errno set. */
int interrupt_install_deadline(const char *message);

/* The deadline is in so many milliseconds; 0: there is none.  Means nothing where it was not installed. */
void interrupt_deadline(uint64_t milliseconds);

/* From now on, the last line on standard error may be one that is to be taken back when a signal ends the program. */
void interrupt_erase_line(void);

/* What must be done to `context` before anything else: give a screen back.  It may call only what a signal handler may.
 * NULL: nothing. */
void interrupt_restore(void (*restore)(void *context), void *context);

#endif
