/* SPDX-License-Identifier: MIT */
#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "interrupt.h"
#include "job_driver.h"

/* ---- start ---- */

/* Never waits: a FIFO that nobody writes to holds up no other job. */
static struct outcome open_source(struct job *job)
{
	if (strcmp(job->name, "-") == 0 && isatty(STDIN_FILENO))
		return outcome_of(SDEC_USAGE, "it is a terminal: name an input, or see --help");
	if (strcmp(job->name, "-") == 0)
		job->source = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	else
		job->source = open(job->name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (job->source < 0)
		return outcome_of_errno(SDEC_IO, "cannot open the input", errno);
	job->source_start = lseek(job->source, 0, SEEK_CUR);
	return outcome_ok();
}

static uint32_t request_flags(const struct options *options)
{
	return (options->partial ? WIRE_PARTIAL : 0) | (options->strict ? WIRE_STRICT : 0) |
	       (options->diagnose ? WIRE_DIAGNOSE : 0) | (options->info ? WIRE_TAGS_TOO : 0) |
	       (options_upright(options) ? WIRE_UPRIGHT : 0) | (options->enlarge ? WIRE_ENLARGE : 0) |
	       (options->flatten ? WIRE_FLATTEN : 0) |
	       (options->extract != WIRE_BLOBS ? WIRE_BLOB_FLAG(options->extract) : 0);
}

/* One more than may come tells that there are more. */
static uint32_t frames_wanted(const struct options *options)
{
	if (options_play(options))
		return UINT32_MAX;
	return options->frames ? options->max_frames + 1 : 1;
}

static void start_call(struct job *job)
{
	const struct options *options = job->options;
	/* A cover tells for itself what it is. */
	bool of_cover = options->cover && !job->fetching;
	struct call_plan plan = {
		.source = job->nursery->source,
		.driver = &job_driver,
		.context = job,
		.fd = job->source,
		.name = options->cover ? NULL : job->name,
		.format = of_cover ? NULL : options->decoder,
		.allowed = options->allowed,
		.operation = job->fetching                        ? WIRE_COVER
		             : options->info || job_extracts(job) ? WIRE_INFO
		                                                  : WIRE_DECODE,
		.pixel_formats = sink_request(options->pixel_formats),
		.sample_formats = options->sample_formats,
		.flags = request_flags(options),
		.scale = options->scale,
		.view = options->view,
		.first_frame = job->fetching ? 0 : options->first_frame,
		.max_frames = job->fetching ? 1 : frames_wanted(options),
		.limits = options->limits,
	};

	call_init(&job->call, &plan);
	job->call_open = true;
}

bool job_start(struct job *job)
{
	job->source = -1;
	job->given = (struct outputs_given){ .output = OUTPUT_NONE };
	job->cover = COVER_NONE;
	job->fetching = job->options->cover;
	job->outcome = open_source(job);
	if (job->outcome.status == SDEC_OK)
		start_call(job);
	return job->outcome.status == SDEC_OK;
}

static void end_call(struct job *job)
{
	if (job->call_open)
		call_end(&job->call);
	job->call_open = false;
	interrupt_watch(job->slot, -1);
}

/* Gives up the first decoder and its input, and starts the second on the picture that the first has sent. */
static struct outcome start_on_cover(struct job *job)
{
	end_call(job);
	(void)close(job->source);
	job->source = cover_give(&job->cover);
	job->fetching = false;
	if (job->source < 0)
		return outcome_of_errno(SDEC_IO, "cannot read the cover", errno);
	job->source_start = 0;
	start_call(job);
	return outcome_ok();
}

/* An animation was shown to its end: whether it is to be shown again.  A pipe cannot be read again. */
static bool is_to_loop(struct job *job)
{
	const struct wire_image *image = &job->call.image;
	bool animation = job->call.kind == SDEC_KIND_IMAGE && (image->flags & WIRE_IMAGE_ANIMATION) != 0 &&
	                 job->call.frames_begun > 1 && job->call.damage == WIRE_OK;

	if (!options_play(job->options) || !animation)
		return false;
	job->loops++;
	return (image->loops == 0 || job->loops < image->loops) && job->source_start >= 0 &&
	       frames_again(&job->device->frames) && lseek(job->source, job->source_start, SEEK_SET) >= 0;
}

/* No frame is kept: all are decoded again, by another decoder. */
static void start_loop(struct job *job)
{
	end_call(job);
	sink_release(&job->sink);
	job->sink_open = job->sink_ended = false;
	interrupt_deadline(job->options->limits.deadline_milliseconds);
	start_call(job);
}

/* ---- on the way ---- */

int job_wants(const struct job *job, struct pollfd fds[PUMP_FDS])
{
	return call_wants(&job->call, fds);
}

bool job_step(struct job *job, const struct pollfd fds[PUMP_FDS], uint64_t waited)
{
	bool more = call_step(&job->call, fds, waited);

	job->outcome = more ? outcome_ok() : job->call.outcome;
	if (!more && job->fetching && job->outcome.status == SDEC_OK) {
		job->outcome = start_on_cover(job);
		return job->outcome.status == SDEC_OK;
	}
	if (!more && job->outcome.status == SDEC_OK && is_to_loop(job)) {
		start_loop(job);
		return true;
	}
	if (!more && job_extracts(job) && job->outcome.status == SDEC_OK && !job->sink_open && !job->given.kept)
		job->outcome = outcome_of(SDEC_UNSUPPORTED, "has no such block, or only behind its pixels");
	return more;
}

/* ---- end ---- */

/* The index comes last, but what it cannot hold is known before. */
static struct outcome commit_outputs(struct job *job)
{
	struct frame_index *index = &job->outputs->index;
	struct outcome outcome = job->options->frames ? job_add_to_index(job) : outcome_ok();

	if (outcome.status == SDEC_OK)
		outcome = frame_index_finish(index);
	job->index_failed = outcome.status != SDEC_OK;
	if (outcome.status == SDEC_OK && job->given.output.fd >= 0)
		outcome = output_commit(&job->given.output);
	if (outcome.status != SDEC_OK)
		return outcome;
	outcome = frame_index_commit(index);
	job->index_failed = outcome.status != SDEC_OK;
	return outcome;
}

/* What fails behind a frame that has come costs nothing of it: its file stays, like those of the frames before. */
static void keep_whole_frame(struct job *job)
{
	bool whole = job->options->numbered && job->sink_open && !job->sink_ended &&
	             job->call.kind == SDEC_KIND_IMAGE && job->call.frames_begun > 0 && job->sink.rows_left == 0;

	if (whole && sink_end(&job->sink, false).status == SDEC_OK)
		(void)output_commit(&job->given.output);
}

void job_end(struct job *job)
{
	if (job->outcome.status != SDEC_OK)
		keep_whole_frame(job);
	if (job->sink_open)
		sink_release(&job->sink);
	if (job->outcome.status == SDEC_OK && job->sink_open)
		job->outcome = commit_outputs(job);
	output_abort(&job->given.output);
	/* Last: the decoder has had time to end by itself. */
	end_call(job);
	if (job->source >= 0)
		(void)close(job->source);
	job->source = -1;
	cover_close(&job->cover);
	/* The program has no exit code of its own for it. */
	if (job->outcome.status == SDEC_EXHAUSTED)
		job->outcome.status = SDEC_IO;
}

void job_free(struct job *job)
{
	tag_list_free(&job->tags);
}
