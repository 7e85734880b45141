/* SPDX-License-Identifier: MIT */
/* Tells the user what came of a job: one line on standard error, JSON on standard output where it was asked for. */
#ifndef SAFE_DECODE_REPORT_H
#define SAFE_DECODE_REPORT_H

#include <stdbool.h>

#include "broker/wire/status.h"
#include "job.h"
#include "options.h"

/* The result of one job that has ended. */
void report_job(const struct job *job);

/* A frame begins, of an output that has several: where it stands there, and how long it is shown. */
void report_frame(const struct job *job);

/* "image.jpg: " at the start of a line on standard error. */
void report_name(const struct job *job);

/* One line on standard error: "safe-decode: NAME: reason: errno text".  `name` may be NULL. */
void report_failure(const char *name, const struct outcome *outcome);

/* Whether nobody reads the output any more, as behind `| head`: there is nobody to tell. */
bool report_is_quiet_end(const struct outcome *outcome);

#endif
