/* SPDX-License-Identifier: MIT */
/* What turns a decoder into a program, once it is locked down. */
#include <sys/syscall.h>
#include <unistd.h>

#include "broker/wire/entry.h"
#include "decoder.h"

static ssize_t read_input(void *context, void *data, size_t size)
{
	(void)context;
	return read(STDIN_FILENO, data, size);
}

static ssize_t write_output(void *context, const void *data, size_t size)
{
	(void)context;
	return write(STDOUT_FILENO, data, size);
}

enum { TOUCHED = 64 << 10 }; /* bytes: what a small picture takes, and each spare costs twice */

void decoder_initialise(void)
{
	if (decoder.initialise)
		decoder.initialise();
}

void decoder_warm_up(void)
{
	session_rehearse(&decoder, TOUCHED);
}

void decoder_run(void)
{
	static const struct session_io io = { .read = read_input, .write = write_output };

	(void)session_serve(&decoder, &io);
	/* Not _exit(): that is exit_group, which strict mode does not have. */
	for (;;)
		syscall(SYS_exit, 0);
}

/* Returns the length of `text` afterwards.  What has no room is cut. */
static size_t append(char *text, size_t size, size_t length, const char *more)
{
	while (*more && length + 1 < size)
		text[length++] = *more++;
	text[length] = '\0';
	return length;
}

/* Not with what prints: it is on the way to each single. */
void decoder_library(char *text, size_t size)
{
	size_t length = append(text, size, 0, decoder.library ? decoder.library : "built in");

	if (!decoder.version)
		return;
	length = append(text, size, length, " ");
	(void)append(text, size, length, decoder.version());
}
