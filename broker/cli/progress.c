/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "interrupt.h"

enum { BAR_WIDTH = 40, BAR_LEAST = 4, USUAL_COLUMNS = 80 };

bool progress_can_draw(void)
{
	const char *terminal = getenv("TERM");

	return terminal && *terminal && strcmp(terminal, "dumb") != 0 && isatty(STDERR_FILENO);
}

void progress_start(struct progress *progress, size_t total, bool shown)
{
	*progress = (struct progress){ .total = total, .shown = shown, .bar = shown && progress_can_draw() };
	if (progress->bar)
		interrupt_erase_line();
}

void progress_clear(struct progress *progress)
{
	if (progress->drawn)
		fputs("\r\033[K", stderr);
	progress->drawn = false;
}

/* Columns that a line may have: the last one stays free, for some terminals begin a new line there. */
static int find_room(void)
{
	struct winsize window;
	bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0;

	return (known ? window.ws_col : USUAL_COLUMNS) - 1;
}

/* A line that is longer than the terminal is wide could not be taken back. */
static void draw(struct progress *progress)
{
	static const char full[BAR_WIDTH + 1] = "########################################";
	char numbers[48];
	int length = snprintf(numbers, sizeof(numbers), "%zu/%zu", progress->done, progress->total);
	int room = find_room();
	int width = room - length - 3; /* brackets and a blank */

	if (length > room)
		return;
	if (width > BAR_WIDTH)
		width = BAR_WIDTH;
	fputc('\r', stderr);
	if (width >= BAR_LEAST) {
		int filled = (int)(progress->done * (size_t)width / progress->total);
		fprintf(stderr, "[%.*s%*s] ", filled, full, width - filled, "");
	}
	fputs(numbers, stderr);
	(void)fflush(stderr);
	progress->drawn = true;
}

void progress_count(struct progress *progress, enum sdec_status status, bool kept)
{
	progress->done++;
	progress->kept += kept ? 1 : 0;
	progress->counts[status]++;
	if (progress->bar)
		draw(progress);
}

void progress_end(struct progress *progress)
{
	const char *separator = " (";

	progress_clear(progress);
	if (!progress->shown)
		return;
	size_t failed = progress->done - progress->counts[SDEC_OK];
	fprintf(stderr, "%zu input%s: %zu decoded, ", progress->done, progress->done == 1 ? "" : "s",
	        progress->counts[SDEC_OK] - progress->kept);
	if (progress->kept > 0)
		fprintf(stderr, "%zu kept, ", progress->kept);
	fprintf(stderr, "%zu failed", failed);
	for (unsigned status = SDEC_OK + 1; status <= SDEC_EXHAUSTED; status++) {
		if (progress->counts[status] == 0)
			continue;
		fprintf(stderr, "%s%zu %s", separator, progress->counts[status], status_name((enum sdec_status)status));
		separator = ", ";
	}
	fputs(failed > 0 ? ")\n" : "\n", stderr);
}
