/* SPDX-License-Identifier: MIT */
/* What becomes of what a job's decoder gives: its outputs, its tags, its index. */
#ifndef SAFE_DECODE_JOB_DRIVER_H
#define SAFE_DECODE_JOB_DRIVER_H

#include "job.h"

/* Its context is the job. */
extern const struct call_driver job_driver;

/* Adds the frame that is complete to the index of frames. */
struct outcome job_add_to_index(struct job *job);

/* A block of the picture is wanted, and no pixels. */
static inline bool job_extracts(const struct job *job)
{
	return job->options->extract != WIRE_BLOBS;
}

#endif
