/* SPDX-License-Identifier: MIT */
#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../fds.h"
#include "../library/decoder.h"
#include "interrupt.h"

/* ---- what the wire reader calls ---- */

static struct safe_outcome take_hello(void *context)
{
	struct job *job = context;

	return decode_hello(&job->decode);
}

static void open_sink(struct job *job, enum safe_kind kind)
{
	const struct sink_format *format = outputs_sink(job->options, kind);
	int fd = job->given.output.fd >= 0 ? job->given.output.fd : STDOUT_FILENO;

	sink_init(&job->sink, format, job->options->pixel_formats, fd);
	job->sink.device = job->device;
	job->sink_open = true;
}

/* Whether what comes is for the caller to have: an image, audio or a stream, as its format says. */
static struct safe_outcome announce(struct job *job, enum safe_kind kind)
{
	if (job->format->kind != kind)
		return outcome_of(SAFE_KILLED, "the decoder lied: that is not what its format gives");
	job->announced = true;
	job->is_image = kind == SAFE_KIND_IMAGE;
	job->is_audio = kind == SAFE_KIND_AUDIO;
	if (!job->options->info)
		open_sink(job, kind);
	return outcome_ok();
}

static struct safe_outcome take_image(void *context, const struct wire_image *image)
{
	struct job *job = context;
	struct safe_outcome outcome = announce(job, SAFE_KIND_IMAGE);

	job->image = *image;
	if (!job->sink_open || outcome.status != SAFE_OK)
		return outcome;
	outcome = sink_image(&job->sink, image);
	/* What is written may be more than what came: opaque pixels come without alpha. */
	if (outcome.status == SAFE_OK && sink_image_size(&job->sink) > job->options->limits.max_output)
		outcome = outcome_of_failure(WIRE_FAIL_LIMIT_OUTPUT);
	return outcome;
}

static struct safe_outcome take_frame(void *context, const struct wire_frame *frame)
{
	(void)context;
	(void)frame; /* none of the sinks shows frames one after the other */
	return outcome_ok();
}

static struct safe_outcome take_audio(void *context, const struct wire_audio *audio)
{
	struct job *job = context;
	struct safe_outcome outcome = announce(job, SAFE_KIND_AUDIO);

	job->audio = *audio;
	return job->sink_open && outcome.status == SAFE_OK ? sink_audio(&job->sink, audio) : outcome;
}

static struct safe_outcome take_metadata(void *context, enum wire_tag tag, const char *value, size_t size)
{
	struct job *job = context;

	(void)size;
	return job->options->info ? tag_list_add(&job->tags, tag, value) : outcome_ok();
}

static struct safe_outcome take_loss(void *context, uint64_t parts)
{
	struct job *job = context;

	job->losses = parts;
	return outcome_ok();
}

static struct safe_outcome take_bytes(void *context)
{
	struct job *job = context;

	if (job->fetching)
		return cover_open(&job->cover);
	struct safe_outcome outcome = announce(job, SAFE_KIND_BYTES);
	return job->sink_open && outcome.status == SAFE_OK ? sink_bytes(&job->sink) : outcome;
}

static void *reserve(void *context, size_t *size)
{
	struct job *job = context;

	return job->fetching ? cover_reserve(&job->cover, size) : sink_reserve(&job->sink, size);
}

static struct safe_outcome commit(void *context, size_t size)
{
	struct job *job = context;

	return job->fetching ? cover_commit(&job->cover, size) : sink_commit(&job->sink, size);
}

static int outlet(void *context)
{
	const struct job *job = context;

	return job->fetching ? -1 : sink_outlet(&job->sink);
}

static struct safe_outcome moved(void *context, size_t size)
{
	struct job *job = context;

	sink_moved(&job->sink, size);
	return outcome_ok();
}

static struct safe_outcome take_end(void *context, enum wire_failure damage, uint32_t notes)
{
	struct job *job = context;

	job->damage = damage;
	job->notes = notes;
	if (!job->sink_open)
		return outcome_ok();
	job->written = job->sink.written;
	job->rows_lacking = job->sink.rows_left;
	return sink_end(&job->sink, damage != WIRE_OK);
}

/* ---- start ---- */

static struct safe_outcome open_source(struct job *job)
{
	if (strcmp(job->name, "-") == 0 && isatty(STDIN_FILENO))
		return outcome_of(SAFE_USAGE, "nobody types compressed data: name an input, or see --help");
	if (strcmp(job->name, "-") == 0)
		job->source = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	else
		job->source = open(job->name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return job->source < 0 ? outcome_of_errno(SAFE_IO, "cannot open the input", errno) : outcome_ok();
}

/* Reads as many bytes as it takes to recognise a format, or all that there are. */
static struct safe_outcome read_start(struct job *job, uint8_t *start, size_t *size)
{
	for (*size = 0; *size < REGISTRY_START;) {
		ssize_t got = read(job->source, start + *size, REGISTRY_START - *size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN) {
			fds_wait(job->source, POLLIN);
			continue;
		}
		if (got < 0)
			return outcome_of_errno(SAFE_IO, "cannot read the input", errno);
		if (got == 0)
			break;
		*size += (size_t)got;
	}
	return outcome_ok();
}

static struct safe_outcome find_format(struct job *job, const uint8_t *start, size_t size)
{
	if (size == 0)
		return outcome_of_failure(WIRE_FAIL_EMPTY);
	/* A cover tells for itself what it is. */
	job->format = job->options->cover && !job->fetching ? NULL : job->options->decoder;
	if (!job->format)
		job->format = registry_recognise_behind(job->source, start, size);
	if (!job->format)
		job->format = registry_recognise(start, size);
	if (!job->format && !job->fetching && !job->options->cover)
		job->format = registry_by_file_name(job->name);
	if (job->options->cover && job->format && !job->fetching && job->format->kind != SAFE_KIND_IMAGE)
		return outcome_of(SAFE_UNSUPPORTED, "its cover is not a picture");
	return job->format ? outcome_ok() : outcome_of(SAFE_UNSUPPORTED, "not a format that any decoder takes");
}

static uint32_t request_flags(const struct job *job)
{
	struct stat status;
	bool finite = fstat(job->source, &status) == 0 && S_ISREG(status.st_mode);

	return (job->options->partial ? WIRE_PARTIAL : 0) | (job->options->strict ? WIRE_STRICT : 0) |
	       (finite ? WIRE_FINITE : 0);
}

static struct wire_request make_request(const struct job *job)
{
	const struct safe_limits *limits = &job->options->limits;

	return (struct wire_request){
		.version = WIRE_VERSION,
		.operation = job->fetching        ? WIRE_COVER
		             : job->options->info ? WIRE_INFO
		                                  : WIRE_DECODE,
		.variant = job->format->variant,
		.pixel_formats = sink_request(job->options->pixel_formats),
		.sample_formats = job->options->sample_formats,
		.flags = request_flags(job),
		.max_side = limits->max_side,
		.max_frames = 1,
		.max_metadata = limits->max_metadata,
		.max_pixels = limits->max_pixels,
		.max_output = limits->max_output,
		.scale = job->options->scale,
	};
}

/* A child from a broker's spares, if there are brokers; else one of this process. */
static struct safe_outcome get_child(struct job *job, struct child *child)
{
	const struct safe_limits *limits = &job->options->limits;
	struct nursery *nursery = job->nursery;
	struct engine_child plan = { .module = job->format->module, .cpu_seconds = limits->cpu_seconds };
	struct want want;

	if (!nursery->decoder)
		return engine_spawn(nursery->engine, &plan, child);
	want_init(&want, job->format->module, limits);
	if (!decoder_want(nursery->decoder, &want))
		decoder_wait(nursery->decoder, &want);
	*child = want.child;
	return want.outcome;
}

/* Once this process has forked its last child, and before that has said anything, it gives up all that moving bytes
 * does not need. */
static struct safe_outcome confine(const struct job *job)
{
	struct nursery *nursery = job->nursery;

	if (nursery->children == 0 || --nursery->children > 0)
		return outcome_ok();
	if (!job->options->info)
		sink_prepare(job->options->sink);
	return confine_calls(nursery->role, &nursery->confinement);
}

static struct safe_outcome start_decode(struct job *job, const uint8_t *start, size_t size)
{
	struct wire_request request = make_request(job);
	struct decode_input input = { .source = job->source, .start = start, .start_size = size };
	struct child child = CHILD_NONE;
	struct safe_outcome outcome = get_child(job, &child);

	job->consumer = (struct wire_consumer){
		.context = job,
		.hello = take_hello,
		.image = take_image,
		.frame = take_frame,
		.bytes = take_bytes,
		.audio = take_audio,
		.metadata = take_metadata,
		.loss = take_loss,
		.reserve = reserve,
		.commit = commit,
		.outlet = outlet,
		.moved = moved,
		.end = take_end,
	};
	if (outcome.status != SAFE_OK)
		return outcome;
	if (job->nursery->engine)
		interrupt_watch(job->slot, child.pid, child.pidfd);
	outcome = confine(job);
	if (outcome.status != SAFE_OK) {
		child.owner->end(&child, false);
		return outcome;
	}
	return decode_start(&job->decode, &child, &request, &job->consumer, &input, &job->options->limits);
}

/* Recognises the source and starts a child for it. */
static struct safe_outcome start_child(struct job *job)
{
	uint8_t bytes[REGISTRY_START];
	size_t size = 0;
	struct safe_outcome outcome = read_start(job, bytes, &size);

	if (outcome.status == SAFE_OK)
		outcome = find_format(job, bytes, size);
	if (outcome.status == SAFE_OK && !job->fetching)
		outcome = outputs_give(job->outputs, job->name, job->format, &job->given);
	if (outcome.status != SAFE_OK || job->given.kept)
		return outcome;
	return start_decode(job, bytes, size);
}

bool job_start(struct job *job)
{
	job->source = -1;
	job->decode = DECODE_NONE;
	job->given = (struct outputs_given){ .output = OUTPUT_NONE };
	job->cover = COVER_NONE;
	job->fetching = job->options->cover;
	job->outcome = open_source(job);
	if (job->outcome.status == SAFE_OK)
		job->outcome = start_child(job);
	return job->outcome.status == SAFE_OK && !job->given.kept;
}

/* Gives up the first child and its input, and starts the second on the picture that the first has sent. */
static struct safe_outcome start_on_cover(struct job *job)
{
	decode_end(&job->decode);
	interrupt_watch(job->slot, 0, -1);
	job->decode = DECODE_NONE;
	(void)close(job->source);
	job->source = cover_give(&job->cover);
	job->fetching = false;
	return job->source >= 0 ? start_child(job) : outcome_of_errno(SAFE_IO, "cannot read the cover", errno);
}

/* ---- on the way ---- */

int job_wants(const struct job *job, struct pollfd fds[PUMP_FDS])
{
	return decode_wants(&job->decode, fds);
}

bool job_step(struct job *job, const struct pollfd fds[PUMP_FDS], uint64_t waited)
{
	bool more = decode_step(&job->decode, fds, waited);

	job->outcome = job->decode.outcome;
	if (!more && job->fetching && job->outcome.status == SAFE_OK) {
		job->outcome = start_on_cover(job);
		return job->outcome.status == SAFE_OK && !job->given.kept;
	}
	return more;
}

/* ---- end ---- */

void job_end(struct job *job)
{
	job->decode.outcome = job->outcome;
	decode_end(&job->decode);
	interrupt_watch(job->slot, 0, -1);
	if (job->sink_open)
		sink_release(&job->sink);
	if (job->source >= 0)
		(void)close(job->source);
	job->source = -1;
	cover_close(&job->cover);
	if (job->given.output.fd >= 0 && job->outcome.status == SAFE_OK && job->announced)
		job->outcome = output_commit(&job->given.output);
	output_abort(&job->given.output);
}

void job_free(struct job *job)
{
	tag_list_free(&job->tags);
}
