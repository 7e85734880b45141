/* SPDX-License-Identifier: MIT */
/* Runs the jobs of all inputs, several at a time, over one poll loop. */
#ifndef SAFE_DECODE_BATCH_H
#define SAFE_DECODE_BATCH_H

#include "broker/wire/status.h"
#include "job.h"
#include "options.h"

/* Decodes all inputs, to outputs or to a device (NULL: none), and reports on each.  Returns the highest status. */
enum sdec_status batch_run(const struct options *options, struct nursery *nursery, struct outputs *outputs,
                           struct device *device);

#endif
