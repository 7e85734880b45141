/* SPDX-License-Identifier: MIT */
/* The text console that a picture covers, and the keyboard that somebody may sit at. */
#ifndef SAFE_DECODE_CONSOLE_H
#define SAFE_DECODE_CONSOLE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

#include "broker/wire/status.h"

struct console {
	int fd;                         /* of a virtual console; -1: there is none, or it is not ours to switch */
	volatile sig_atomic_t graphics; /* it was switched */
	bool keys;                      /* standard input is a terminal that this process may read */
	volatile sig_atomic_t silent;   /* it does not show what is typed */
	struct termios before;
	pid_t group; /* our process group; getpgrp() is for nobody who is confined */
};

#define CONSOLE_NONE ((struct console){ .fd = -1 })

/* Finds the console.  SDEC_OK, also where there is none; SDEC_IO if another program draws on it. */
struct outcome console_open(struct console *console);

/* Keeps the console from drawing over a picture. */
void console_leave(struct console *console);

/* Milliseconds of the monotonic clock. */
int64_t console_clock(void);

/* Waits for a key, if there are any to press, or so many milliseconds; -1: only a key.  Returns whether there was one.
 */
bool console_wait(const struct console *console, int64_t milliseconds);

/* Brings the text back.  May be called from a signal handler, and twice. */
void console_restore(struct console *console);

void console_close(struct console *console);

#endif
