/* SPDX-License-Identifier: MIT */
/* How far a run over many inputs has come: a bar on a terminal, and a summary at the end. */
#ifndef SAFE_DECODE_PROGRESS_H
#define SAFE_DECODE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/wire/status.h"

struct progress {
	size_t total, done;
	size_t counts[SDEC_EXHAUSTED + 1]; /* by status */
	size_t kept;                       /* of those that are well: what was there already */
	bool shown;                        /* at all */
	bool bar;                          /* standard error is a terminal that can take it back */
	bool drawn;
};

void progress_start(struct progress *progress, size_t total, bool shown);

/* Takes the bar away, so that a line can be printed. */
void progress_clear(struct progress *progress);

/* One more input is done; or its output is kept. */
void progress_count(struct progress *progress, enum sdec_status status, bool kept);

/* Whether standard error is a terminal on which a line can be taken back. */
bool progress_can_draw(void);

/* Prints the summary. */
void progress_end(struct progress *progress);

#endif
