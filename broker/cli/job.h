/* SPDX-License-Identifier: MIT */
/*
 * One input on its way from a file through a child to its output.
 *
 *     job_start() -> { poll what job_wants() says, job_step() }* -> job_end() -> report_job()
 */
#ifndef SAFE_DECODE_JOB_H
#define SAFE_DECODE_JOB_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../confine.h"
#include "../decode.h"
#include "../engine.h"
#include "../registry.h"
#include "../sandbox.h"
#include "../sinks/sink.h"
#include "../status.h"
#include "cover.h"
#include "options.h"
#include "outputs.h"
#include "tag_list.h"

/* Where children come from: this process, or brokers that keep spares. */
struct nursery {
	struct engine *engine;        /* NULL: none */
	struct safe_decoder *decoder; /* NULL: none */
	size_t children;              /* that this process has yet to fork */
	enum confine_role role;
	struct confinement confinement;
};

struct job {
	const struct options *options; /* borrowed, as the next three */
	struct nursery *nursery;
	struct device *device; /* NULL: output goes to files */
	const char *name;      /* of the input; "-" is standard input */
	size_t slot;           /* for interrupt_watch() */
	int source;            /* -1: closed */
	const struct safe_format *format;
	struct decode decode;
	struct wire_consumer consumer;
	struct outputs *outputs; /* borrowed */
	struct outputs_given given;
	struct sink sink;
	bool sink_open;
	struct cover cover; /* with --cover: what the first child gives and the second is given */
	bool fetching;      /* the child is the first of those two */

	/* What came of it. */
	bool is_image; /* else audio or bytes, once announced */
	bool is_audio;
	bool announced;
	struct wire_image image;
	struct wire_audio audio;
	struct tag_list tags;
	uint64_t losses;          /* parts of the audio that were concealed or skipped */
	uint64_t written;         /* bytes of pixels, samples or data that were decoded */
	uint64_t rows_lacking;    /* filled in after damage */
	enum wire_failure damage; /* of a partial result; WIRE_OK: none */
	uint32_t notes;           /* WIRE_NOTE_... */
	struct safe_outcome outcome;
};

/* Opens and recognises the input and starts a child for it.  Returns true if there is something to poll for; false if
 * it is over already and job_end() is next. */
bool job_start(struct job *job);

/* As pump_wants() and pump_step(); job_step() returns false when it is over and job_end() is next. */
int job_wants(const struct job *job, struct pollfd fds[PUMP_FDS]);
bool job_step(struct job *job, const struct pollfd fds[PUMP_FDS], uint64_t waited);

/* Reaps the child, keeps or discards the output, and releases all but what report_job() needs. */
void job_end(struct job *job);

/* Releases what report_job() needs. */
void job_free(struct job *job);

#endif
