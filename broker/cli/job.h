/* SPDX-License-Identifier: MIT */
/*
 * One input of the command line on its way from a file through a decoder to its output.
 *
 *     job_start() -> { poll what job_wants() says, job_step() }* -> job_end() -> report_job()
 */
#ifndef SAFE_DECODE_JOB_H
#define SAFE_DECODE_JOB_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/decode/call.h"
#include "broker/output/sink.h"
#include "broker/recognise/registry.h"
#include "broker/wire/status.h"
#include "cover.h"
#include "nursery.h"
#include "options.h"
#include "outputs.h"
#include "tag_list.h"

struct job {
	const struct options *options; /* borrowed, as the next three */
	struct nursery *nursery;
	struct device *device; /* NULL: output goes to files */
	const char *name;      /* of the input; "-" is standard input */
	size_t slot;           /* for interrupt_watch() */
	int source;            /* -1: closed */
	off_t source_start;    /* where it stood; -1: it cannot be read again */
	uint32_t loops;        /* times that its animation was shown */
	struct call call;
	bool call_open;
	struct outputs *outputs; /* borrowed */
	struct outputs_given given;
	struct sink sink;
	bool sink_open, sink_ended;
	struct frame_place frame; /* with --frames: the last that began */
	uint64_t frame_start;     /* of it: bytes that were put before */
	struct cover cover;       /* with --cover: what the first decoder gives and the second is given */
	bool fetching;            /* the decoder is the first of those two */

	/* What came of it. */
	bool announced;
	struct tag_list tags;
	uint64_t written;      /* bytes of pixels, samples or data that were decoded */
	uint64_t rows_missing; /* filled in after damage */
	bool index_failed;     /* the outcome is about the index */
	struct outcome outcome;
};

/* Opens the input.  Returns true if there is something to poll for; false if it is over already and job_end() is next.
 */
bool job_start(struct job *job);

/* As call_wants() and call_step(); job_step() returns false when it is over and job_end() is next. */
int job_wants(const struct job *job, struct pollfd fds[PUMP_FDS]);
bool job_step(struct job *job, const struct pollfd fds[PUMP_FDS], uint64_t waited);

/* Ends the decoder, keeps or discards the output, and releases all but what report_job() needs. */
void job_end(struct job *job);

/* Releases what report_job() needs. */
void job_free(struct job *job);

#endif
