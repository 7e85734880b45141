/* SPDX-License-Identifier: MIT */
#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kd.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* The console that this process was started from; else the one that is visible, which takes privileges. */
static const char *const consoles[] = { "/dev/tty", "/dev/tty0" };

/* The descriptor of a virtual console with its mode, or -1. */
static int open_console(const char *path, int *mode)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd >= 0 && ioctl(fd, KDGETMODE, mode) != 0) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

struct outcome console_open(struct console *console)
{
	int mode = KD_TEXT;

	*console = CONSOLE_NONE;
	for (size_t i = 0; i < sizeof(consoles) / sizeof(consoles[0]) && console->fd < 0; i++)
		console->fd = open_console(consoles[i], &mode);
	console->group = getpgrp();
	console->keys = isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == console->group &&
	                tcgetattr(STDIN_FILENO, &console->before) == 0;
	if (mode != KD_TEXT)
		return outcome_of(SDEC_IO, "another program draws on the screen");
	return outcome_ok();
}

void console_leave(struct console *console)
{
	struct termios silent = console->before;

	/* Noted before it is done: a signal may come between. */
	if (console->fd >= 0 && !console->graphics) {
		console->graphics = 1;
		if (ioctl(console->fd, KDSETMODE, KD_GRAPHICS) != 0)
			console->graphics = 0;
	}
	if (!console->keys || console->silent)
		return;
	/* Keys come one by one and unseen; those that interrupt still do, but nobody stops a program that hides the
	 * console. */
	silent.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	silent.c_cc[VMIN] = 1;
	silent.c_cc[VTIME] = 0;
	silent.c_cc[VSUSP] = _POSIX_VDISABLE;
	console->silent = 1;
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) != 0)
		console->silent = 0;
}

int64_t console_clock(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

bool console_wait(const struct console *console, int64_t milliseconds)
{
	struct pollfd keyboard = { .fd = console->keys ? STDIN_FILENO : -1, .events = POLLIN };
	int64_t end = milliseconds < 0 ? INT64_MAX : console_clock() + milliseconds;
	char keys[64]; /* what one key may send */

	for (int64_t left = milliseconds;; left = end - console_clock()) {
		int wait = milliseconds < 0 ? -1 : left <= 0 ? 0 : left < 1000 ? (int)left : 1000;
		int ready = poll(&keyboard, 1, wait);
		if (ready < 0 && errno != EINTR)
			return false;
		/* Whether it was a key or the terminal's end. */
		if (ready > 0 && (read(STDIN_FILENO, keys, sizeof(keys)) >= 0 || errno != EINTR))
			return true;
		if (ready == 0 && milliseconds >= 0 && left <= wait)
			return false;
	}
}

void console_restore(struct console *console)
{
	int saved = errno;

	if (console->graphics)
		(void)ioctl(console->fd, KDSETMODE, KD_TEXT);
	console->graphics = 0;
	/* A process in the background would be stopped. */
	if (console->silent && tcgetpgrp(STDIN_FILENO) == console->group)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &console->before);
	console->silent = 0;
	errno = saved;
}

void console_close(struct console *console)
{
	console_restore(console);
	if (console->fd >= 0)
		(void)close(console->fd);
	*console = CONSOLE_NONE;
}
