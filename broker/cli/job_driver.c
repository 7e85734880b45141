/* SPDX-License-Identifier: MIT */
#include "job_driver.h"

#include <errno.h>
#include <string.h>

#include "interrupt.h"
#include "report.h"

static struct job *of(struct call *call)
{
	return call->plan.context;
}

/* Gives it an output; what cannot have one is refused before there is a decoder. */
static struct outcome take_format(struct call *call)
{
	struct job *job = of(call);

	if (job->options->cover && !job->fetching && call->format->kind != SDEC_KIND_IMAGE)
		return outcome_of(SDEC_UNSUPPORTED, "its cover is not a picture");
	if (job->fetching)
		return outcome_ok();
	if (job_extracts(job) && call->format->kind != SDEC_KIND_IMAGE)
		return outcome_of(SDEC_UNSUPPORTED, "only pictures have such blocks");
	struct outcome outcome = outputs_give(job->outputs, job->name, call->format, &job->given);
	/* It is there already. */
	if (outcome.status == SDEC_OK && job->given.kept)
		call_over(call, outcome);
	return outcome;
}

static struct outcome take_child(struct call *call)
{
	struct job *job = of(call);

	interrupt_watch(job->slot, call->want.child.pidfd);
	return nursery_confine(job->nursery, job->options);
}

static struct outcome take_info(struct call *call)
{
	of(call)->announced = true;
	return outcome_ok();
}

static void open_sink(struct job *job, enum sdec_kind kind)
{
	int fd = job->given.output.fd >= 0 ? job->given.output.fd : STDOUT_FILENO;

	sink_init(&job->sink, outputs_sink(job->options, kind), job->options->pixel_formats, fd);
	job->sink.device = job->device;
	job->sink.most = job->options->limits.max_output;
	job->sink_open = true;
}

static void announce(struct job *job)
{
	job->announced = true;
	if (!job->options->diagnose)
		open_sink(job, job->call.kind);
}

/* What is written may be more than what came: opaque pixels come without alpha. */
static struct outcome check_size(const struct job *job)
{
	uint64_t most = job->options->limits.max_output;
	uint64_t size = sink_image_size(&job->sink);

	if (job->sink.written > most || size > most - job->sink.written)
		return outcome_of_failure(WIRE_FAIL_LIMIT_OUTPUT);
	return outcome_ok();
}

static struct outcome begin_picture(struct job *job)
{
	struct outcome outcome = sink_image(&job->sink, &job->call.image);

	return outcome.status == SDEC_OK ? check_size(job) : outcome;
}

/* On a screen, this waits until the picture is to be seen.  The deadline is none for the time that it is shown. */
static struct outcome end_picture(struct job *job)
{
	bool shown = job->device && job->call.kind == SDEC_KIND_IMAGE;
	uint64_t before = decode_clock();

	if (shown)
		interrupt_deadline(0);
	struct outcome outcome = sink_end(&job->sink, false);
	if (shown) {
		job->call.started += decode_clock() - before;
		int left = call_time_left(&job->call);
		interrupt_deadline(left > 0 ? (uint64_t)left : 0);
	}
	return outcome;
}

/* Those that come, or that the input says will come. */
static struct outcome check_frames(const struct job *job, uint64_t frames)
{
	if (!job->options->frames || frames <= job->options->max_frames)
		return outcome_ok();
	return outcome_of(SDEC_LIMIT, "has more frames or pages than --max-frames allows");
}

/* All of a frame was put, and its file has its name. */
struct outcome job_add_to_index(struct job *job)
{
	job->frame.size = job->sink.put - job->frame_start;
	job->frame_start = job->sink.put;
	struct outcome outcome = frame_index_add(&job->outputs->index, &job->frame);
	job->index_failed = outcome.status != SDEC_OK;
	return outcome;
}

/* A frame is complete, and another one comes. */
static struct outcome count_frame(struct job *job)
{
	struct outcome outcome = job_add_to_index(job);

	return outcome.status == SDEC_OK ? check_frames(job, job->call.frames_begun) : outcome;
}

/* Behind the one before, in the same file, or on the same screen. */
static struct outcome next_picture(struct job *job)
{
	struct outcome outcome = end_picture(job);

	if (outcome.status == SDEC_OK && job->device && job->device->frames.over) {
		call_over(&job->call, outcome);
		call_pause(&job->call);
		return outcome;
	}
	if (outcome.status == SDEC_OK)
		outcome = count_frame(job);
	if (outcome.status == SDEC_OK)
		outcome = sink_next(&job->sink, &job->call.image);
	return outcome.status == SDEC_OK ? check_size(job) : outcome;
}

/* A further page begins with its first frame. */
static struct outcome take_image(struct call *call)
{
	struct job *job = of(call);
	uint32_t frames = call->image.frames, first = job->options->first_frame;
	struct outcome outcome = check_frames(job, frames > first ? frames - first : 0);

	if (call->frames_begun > 0 || outcome.status != SDEC_OK)
		return outcome;
	announce(job);
	return job->sink_open ? begin_picture(job) : outcome_ok();
}

/* The picture before has come: its file is put in place, and the next one opened. */
static struct outcome begin_next_file(struct job *job)
{
	struct outcome outcome = sink_end(&job->sink, false);
	/* The limit on output is for all files together. */
	uint64_t written = job->sink.written;
	uint64_t put = job->sink.put;

	sink_release(&job->sink);
	job->sink_open = false;
	if (outcome.status == SDEC_OK)
		outcome = output_commit(&job->given.output);
	if (outcome.status == SDEC_OK)
		outcome = count_frame(job);
	if (outcome.status == SDEC_OK)
		outcome = outputs_give_next(job->outputs, &job->given);
	if (outcome.status != SDEC_OK)
		return outcome;
	announce(job);
	job->sink.written = written;
	job->sink.put = put;
	return begin_picture(job);
}

static struct frame_place place_of(const struct job *job, const struct wire_frame *frame)
{
	const struct wire_image *image = &job->sink.image;

	return (struct frame_place){
		.number = (uint64_t)job->options->first_frame + job->call.frames_begun - 1,
		.width = image->width,
		.height = image->height,
		.pixels = options_pixel_format_name(image->pixel_format),
		.delay = image->flags & WIRE_IMAGE_ANIMATION ? frame->delay : 0,
		.offset = job->options->numbered ? 0 : job->frame_start,
		.file = job->given.path,
	};
}

static struct outcome take_frame(struct call *call, const struct wire_frame *frame)
{
	struct job *job = of(call);
	struct outcome outcome = outcome_ok();

	if (call->frames_begun > 1 && job->sink_open)
		outcome = job->options->numbered ? begin_next_file(job) : next_picture(job);
	if (job->device)
		frames_next(&job->device->frames, !(call->image.flags & WIRE_IMAGE_ANIMATION), frame->delay);
	if (outcome.status != SDEC_OK || !job->sink_open || !job->options->frames)
		return outcome;
	job->frame = place_of(job, frame);
	report_frame(job);
	return outcome;
}

static struct outcome take_audio(struct call *call)
{
	struct job *job = of(call);

	announce(job);
	return job->sink_open ? sink_audio(&job->sink, &call->audio) : outcome_ok();
}

static struct outcome take_bytes(struct call *call)
{
	struct job *job = of(call);

	if (job->fetching)
		return cover_open(&job->cover);
	announce(job);
	return job->sink_open ? sink_bytes(&job->sink) : outcome_ok();
}

static struct outcome take_tag(struct call *call, enum wire_tag tag, const char *value, size_t size)
{
	struct job *job = of(call);

	(void)size;
	return job->options->info ? tag_list_add(&job->tags, tag, value) : outcome_ok();
}

/* The block that was asked for is the output. */
static struct outcome take_blob(struct call *call, enum wire_blob_kind kind, const void *data, size_t size)
{
	struct job *job = of(call);

	(void)kind;
	open_sink(job, SDEC_KIND_BYTES);
	struct outcome outcome = sink_bytes(&job->sink);
	const char *rest = data;
	while (size > 0 && outcome.status == SDEC_OK) {
		size_t room = 0;
		void *place = sink_reserve(&job->sink, &room);
		if (room > size)
			room = size;
		memcpy(place, rest, room);
		outcome = sink_commit(&job->sink, room);
		rest += room;
		size -= room;
	}
	job->written = job->sink.written;
	return outcome.status == SDEC_OK ? sink_end(&job->sink, false) : outcome;
}

/* A diagnosis keeps nothing of what was decoded. */
static void *reserve(struct call *call, size_t *size)
{
	static char nowhere[64 << 10];
	struct job *job = of(call);

	if (job->fetching)
		return cover_reserve(&job->cover, size);
	if (job->sink_open)
		return sink_reserve(&job->sink, size);
	*size = sizeof(nowhere);
	return nowhere;
}

static struct outcome commit(struct call *call, size_t size)
{
	struct job *job = of(call);

	if (job->fetching)
		return cover_commit(&job->cover, size);
	return job->sink_open ? sink_commit(&job->sink, size) : outcome_ok();
}

static int outlet(struct call *call)
{
	const struct job *job = of(call);

	return job->fetching || !job->sink_open ? -1 : sink_outlet(&job->sink);
}

static void moved(struct call *call, size_t size)
{
	sink_moved(&of(call)->sink, size);
}

/* Fills the missing rows of a damaged picture, some at a time, and writes the rest of the output. */
static struct outcome end_sink(struct job *job, bool *more)
{
	const struct call *call = &job->call;

	if (job->rows_missing == 0) {
		job->written = job->sink.written;
		job->rows_missing = job->sink.rows_left;
		/* Nothing of it is there to be kept. */
		if (call->damage != WIRE_OK && call->kind == SDEC_KIND_IMAGE && job->written == 0)
			return outcome_of_failure(call->damage);
	}
	if (call->damage != WIRE_OK && call->kind == SDEC_KIND_IMAGE && job->sink.rows_left > 0) {
		*more = true;
		bool rest = false;
		return sink_fill(&job->sink, &rest);
	}
	job->sink_ended = true;
	return end_picture(job);
}

static struct outcome finish(struct call *call, bool *more)
{
	struct job *job = of(call);
	struct outcome outcome = outcome_ok();

	if (!job->sink_open || job->fetching)
		return outcome;
	if (!job->sink_ended)
		outcome = end_sink(job, more);
	/* Only the outputs of a folder have others that would wait for the disk. */
	if (outcome.status == SDEC_OK && !*more && job->options->input_count > 1)
		outcome = output_write_back(&job->given.output, more);
	return outcome;
}

const struct call_driver job_driver = {
	.recognised = take_format,
	.started = take_child,
	.info = take_info,
	.image = take_image,
	.frame = take_frame,
	.audio = take_audio,
	.bytes = take_bytes,
	.tag = take_tag,
	.blob = take_blob,
	.reserve = reserve,
	.commit = commit,
	.outlet = outlet,
	.moved = moved,
	.finish = finish,
};
