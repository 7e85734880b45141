/* SPDX-License-Identifier: MIT */
#include "call.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "broker/base/fds.h"
#include "call_recognise.h"

/* ---- what the wire reader calls ---- */

static struct outcome take_hello(void *context)
{
	struct call *call = context;

	return decode_hello(&call->decode);
}

/* Whether what comes is what the format gives, so that it was asked for; and whether anybody takes it. */
static struct outcome announce(struct call *call, enum sdec_kind kind, struct outcome (*take)(struct call *call))
{
	const struct call_driver *driver = call->plan.driver;

	if (call->plan.operation == WIRE_COVER ? kind != SDEC_KIND_BYTES : call->format->kind != kind)
		return outcome_of(SDEC_KILLED, "the decoder lied: that is not what its format gives");
	call->kind = kind;
	if (call->plan.operation == WIRE_INFO)
		return driver->info ? driver->info(call) : outcome_ok();
	return take ? take(call) : outcome_of(SDEC_KILLED, "the decoder lied: nobody takes what it gives");
}

static struct outcome take_image(void *context, const struct wire_image *image)
{
	struct call *call = context;

	call->image = *image;
	return announce(call, SDEC_KIND_IMAGE, call->plan.driver->image);
}

static struct outcome take_frame(void *context, const struct wire_frame *frame)
{
	struct call *call = context;

	/* A preview is of the frame that follows. */
	call->frames_begun += !call->previewing;
	call->previewing = (frame->flags & WIRE_FRAME_PREVIEW) != 0;
	return call->plan.driver->frame ? call->plan.driver->frame(call, frame) : outcome_ok();
}

static struct outcome take_bytes(void *context)
{
	struct call *call = context;

	return announce(call, SDEC_KIND_BYTES, call->plan.driver->bytes);
}

static struct outcome take_audio(void *context, const struct wire_audio *audio)
{
	struct call *call = context;

	call->audio = *audio;
	return announce(call, SDEC_KIND_AUDIO, call->plan.driver->audio);
}

static struct outcome take_metadata(void *context, enum wire_tag tag, const char *value, size_t size)
{
	struct call *call = context;
	enum sdec_kind kind = call->format->kind;
	bool wanted = kind == SDEC_KIND_AUDIO || (kind == SDEC_KIND_IMAGE && (call->plan.flags & WIRE_TAGS_TOO));

	if (!wanted || call->plan.operation == WIRE_COVER)
		return outcome_of(SDEC_KILLED, "the decoder lied: it sent a tag that was not asked for");
	return call->plan.driver->tag ? call->plan.driver->tag(call, tag, value, size) : outcome_ok();
}

/* It is no longer than the limit on metadata. */
static struct outcome take_blob(void *context, enum wire_blob_kind kind, size_t size)
{
	struct call *call = context;

	if (call->format->kind != SDEC_KIND_IMAGE)
		return outcome_of(SDEC_KILLED, "the decoder lied: only pictures have such blocks");
	free(call->blob);
	call->blob = malloc(size);
	call->blob_size = call->blob ? size : 0;
	call->blob_filled = 0;
	call->blob_kind = kind;
	return call->blob ? outcome_ok() : outcome_of_errno(SDEC_IO, "no memory for the metadata", ENOMEM);
}

static bool gathers_blob(const struct call *call)
{
	return call->blob_filled < call->blob_size;
}

static struct outcome commit_blob(struct call *call, size_t size)
{
	call->blob_filled += size;
	if (gathers_blob(call) || !call->plan.driver->blob)
		return outcome_ok();
	return call->plan.driver->blob(call, call->blob_kind, call->blob, call->blob_size);
}

static struct outcome take_loss(void *context, uint64_t parts)
{
	struct call *call = context;

	call->losses = parts;
	if (call->plan.driver->loss)
		call->plan.driver->loss(call);
	return outcome_ok();
}

static void take_forbidden(void *context, const struct wire_forbidden *forbidden)
{
	struct call *call = context;

	call->diagnosed = true;
	call->forbidden = *forbidden;
}

static void *reserve(void *context, size_t *size)
{
	struct call *call = context;

	if (!gathers_blob(call))
		return call->plan.driver->reserve(call, size);
	*size = call->blob_size - call->blob_filled;
	return call->blob + call->blob_filled;
}

static struct outcome commit(void *context, size_t size)
{
	struct call *call = context;

	return gathers_blob(call) ? commit_blob(call, size) : call->plan.driver->commit(call, size);
}

static int outlet(void *context)
{
	struct call *call = context;

	return gathers_blob(call) ? -1 : call->plan.driver->outlet(call);
}

static struct outcome moved(void *context, size_t size)
{
	struct call *call = context;

	call->plan.driver->moved(call, size);
	return outcome_ok();
}

static struct outcome take_end(void *context, enum wire_failure damage, uint32_t notes)
{
	struct call *call = context;

	call->damage = damage;
	call->notes = notes;
	return outcome_ok();
}

/* ---- start ---- */

void call_init(struct call *call, const struct call_plan *plan)
{
	*call = (struct call){
		.plan = *plan,
		.started = decode_clock(),
		.format = plan->format,
		.decode = DECODE_NONE,
		.want = WANT_NONE,
		.consumer = { .context = call,
		              .hello = take_hello,
		              .image = take_image,
		              .frame = take_frame,
		              .bytes = take_bytes,
		              .audio = take_audio,
		              .metadata = take_metadata,
		              .blob = take_blob,
		              .loss = take_loss,
		              .forbidden = take_forbidden,
		              .reserve = reserve,
		              .commit = commit,
		              .outlet = plan->driver->outlet ? outlet : NULL,
		              .moved = plan->driver->moved ? moved : NULL,
		              .end = take_end },
	};
	call->start = call->first;
}

int call_time_left(const struct call *call)
{
	uint64_t deadline = call->plan.limits.deadline_milliseconds;

	if (deadline == 0)
		return -1;
	uint64_t passed = (decode_clock() - call->started) / CLOCK_MILLISECOND;
	return deadline <= passed ? 0 : (int)(deadline - passed < INT_MAX ? deadline - passed : INT_MAX);
}

void call_over(struct call *call, struct outcome outcome)
{
	call->stage = CALL_OVER;
	call->outcome = outcome;
	call->decode.outcome = outcome;
}

/* ---- decoding ---- */

static struct wire_request make_request(const struct call *call)
{
	const struct call_plan *plan = &call->plan;
	const struct sdec_limits *limits = &plan->limits;
	bool cover = plan->operation == WIRE_COVER;
	bool finite = plan->data || call->file_size >= 0;

	return (struct wire_request){
		.version = WIRE_VERSION,
		.operation = plan->operation,
		.variant = call->format->variant,
		.pixel_formats = plan->pixel_formats,
		.sample_formats = plan->sample_formats,
		.flags = plan->flags | (finite ? WIRE_FINITE : 0) | (call->is_random ? WIRE_RANDOM : 0),
		.max_side = limits->max_side,
		.first_frame = plan->first_frame,
		.max_frames = plan->max_frames > 0 ? plan->max_frames : 1,
		.max_metadata = limits->max_metadata,
		.max_pixels = limits->max_pixels,
		.max_output = cover && limits->max_cover < limits->max_output ? limits->max_cover : limits->max_output,
		.scale = plan->scale,
		.view = plan->view,
		.input_total = plan->data || call->is_random ? call->input_size : 0,
	};
}

/* There is a child, or there will be none. */
static void begin(struct call *call)
{
	const struct call_plan *plan = &call->plan;
	struct wire_request request = make_request(call);
	struct decode_input input = {
		.source = plan->data ? -1 : plan->fd,
		.start = plan->data ? plan->data : call->start,
		.start_size = plan->data ? plan->data_size : call->start_size,
		.random_start = call->file_start,
	};
	struct outcome outcome = call->want.outcome;

	if (outcome.status == SDEC_OK && plan->driver->started)
		outcome = plan->driver->started(call);
	if (outcome.status == SDEC_OK)
		outcome = decode_start(&call->decode, &call->want.child, &request, &call->consumer, &input,
		                       &plan->limits);
	if (outcome.status == SDEC_OK)
		call->stage = CALL_DECODING;
	else
		call_over(call, outcome);
}

static void step_wanting(struct call *call)
{
	if (!call->answered)
		call->answered = call->plan.source->check(call->plan.source, &call->want);
	if (call->answered)
		begin(call);
}

/* A cover that is too large is one limit, and a large output another. */
static struct outcome name_limit(const struct call *call, struct outcome outcome)
{
	if (call->plan.operation == WIRE_COVER && outcome.limit == SDEC_LIMIT_OUTPUT)
		return outcome_of_limit(SDEC_LIMIT_COVER, "a larger cover than the limit allows");
	return outcome;
}

static void step_decoding(struct call *call, const struct pollfd fds[PUMP_FDS], uint64_t waited)
{
	if (decode_step(&call->decode, fds, waited, call_time_left(call)))
		return;
	struct outcome outcome = name_limit(call, call->decode.outcome);
	if (outcome.status == SDEC_OK && call->plan.driver->finish && call->plan.operation != WIRE_INFO)
		call->stage = CALL_FINISHING;
	else
		call_over(call, outcome);
}

static void step_finishing(struct call *call)
{
	uint64_t begun = decode_work_begin();
	bool more = false;
	struct outcome outcome = call->plan.driver->finish(call, &more);
	struct outcome limit = decode_work_charge(&call->decode, begun);

	if (outcome.status == SDEC_OK && more)
		outcome = limit;
	if (outcome.status != SDEC_OK || !more)
		call_over(call, outcome);
}

/* ---- driving ---- */

int call_wants(const struct call *call, struct pollfd fds[PUMP_FDS])
{
	enum { WANTING_MILLISECONDS = 50 }; /* after which is looked whether the source still answers */
	int timeout = -1;

	for (int i = 0; i < PUMP_FDS; i++)
		fds[i] = (struct pollfd){ .fd = -1 };
	if (call->stage == CALL_RECOGNISING) {
		fds[0] = (struct pollfd){ .fd = call->plan.data ? -1 : call->plan.fd, .events = POLLIN };
		timeout = call->plan.data ? 0 : -1;
	} else if (call->stage == CALL_WANTING) {
		int fd = call->answered ? -1 : call->plan.source->descriptor(call->plan.source, &call->want);
		fds[0] = (struct pollfd){ .fd = fd, .events = POLLIN };
		timeout = call->answered ? 0 : WANTING_MILLISECONDS;
	} else if (call->stage == CALL_DECODING) {
		timeout = decode_wants(&call->decode, fds);
	} else {
		timeout = 0;
	}
	fds_lower_timeout(&timeout, call_time_left(call));
	return timeout;
}

bool call_step(struct call *call, const struct pollfd fds[PUMP_FDS], uint64_t waited)
{
	enum call_stage stage = call->stage;

	if (stage != CALL_DECODING && stage != CALL_OVER && call_time_left(call) == 0)
		call_over(call, decode_too_late());
	else if (stage == CALL_RECOGNISING && (call->plan.data || fds[0].revents != 0))
		call_recognise(call);
	else if (stage == CALL_DECODING)
		step_decoding(call, fds, waited);
	else if (stage == CALL_FINISHING)
		step_finishing(call);
	/* Whether there is a child costs nothing to look at. */
	if (call->stage == CALL_WANTING)
		step_wanting(call);
	return call->stage != CALL_OVER;
}

void call_pause(struct call *call)
{
	pump_pause(&call->decode.pump);
}

struct outcome call_poll(struct pollfd *fds, size_t count, int timeout)
{
	if (poll(fds, count, timeout) >= 0)
		return outcome_ok();
	for (size_t i = 0; i < count; i++)
		fds[i].revents = 0;
	/* A moment without memory ends nobody's decode.  What is refused would be refused for ever. */
	return errno == EINTR || errno == ENOMEM || errno == EAGAIN
	               ? outcome_ok()
	               : outcome_of_errno(SDEC_NO_SANDBOX, "cannot wait for the decoder", errno);
}

struct outcome call_run(struct call *call)
{
	struct pollfd fds[PUMP_FDS];

	do {
		int timeout = call_wants(call, fds);
		uint64_t before = decode_clock();
		if (call->stage == CALL_WANTING && !call->answered) {
			call->plan.source->wait(call->plan.source, &call->want, call_time_left(call));
		} else {
			decode_let_gather(&call->decode);
			struct outcome waiting = call_poll(fds, PUMP_FDS, timeout);
			if (waiting.status != SDEC_OK)
				call_over(call, waiting);
		}
		(void)call_step(call, fds, decode_clock() - before);
	} while (call->stage != CALL_OVER);
	return call->outcome;
}

/* ---- end ---- */

void call_end(struct call *call)
{
	struct child_source *source = call->plan.source;

	/* In a process that was forked meanwhile, the child is another's. */
	if (!source->is_ours(source)) {
		child_close(&call->decode.child);
		child_close(&call->want.child);
		call->decode.child.owner = NULL;
		call->want.child.owner = NULL;
	} else {
		source->forget(source, &call->want);
	}
	decode_end(&call->decode);
	free(call->blob);
	call->blob = NULL;
	if (call->start != call->first)
		free(call->start);
}
