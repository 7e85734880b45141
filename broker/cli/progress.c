/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <stdio.h>
#include <unistd.h>

enum { BAR_WIDTH = 40 };

void progress_start(struct progress *progress, size_t total, bool shown)
{
	*progress = (struct progress){ .total = total, .shown = shown, .bar = shown && isatty(STDERR_FILENO) };
}

void progress_clear(struct progress *progress)
{
	if (progress->drawn)
		fputs("\r\033[K", stderr);
	progress->drawn = false;
}

static void draw(struct progress *progress)
{
	static const char full[BAR_WIDTH + 1] = "########################################";
	int filled = (int)(progress->done * BAR_WIDTH / progress->total);

	fprintf(stderr, "\r[%.*s%*s] %zu/%zu", filled, full, BAR_WIDTH - filled, "", progress->done, progress->total);
	(void)fflush(stderr);
	progress->drawn = true;
}

void progress_count(struct progress *progress, enum safe_status status)
{
	progress->done++;
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
	size_t failed = progress->done - progress->counts[SAFE_OK];
	fprintf(stderr, "%zu input%s: %zu decoded, %zu failed", progress->done, progress->done == 1 ? "" : "s",
	        progress->counts[SAFE_OK], failed);
	for (unsigned status = SAFE_OK + 1; status <= SAFE_EXHAUSTED; status++) {
		if (progress->counts[status] == 0)
			continue;
		fprintf(stderr, "%s%zu %s", separator, progress->counts[status], status_name((enum safe_status)status));
		separator = ", ";
	}
	fputs(failed > 0 ? ")\n" : "\n", stderr);
}
