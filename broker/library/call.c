/* SPDX-License-Identifier: MIT */
#include "call.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../limits.h"
#include "../structs.h"
#include "../widen.h"
#include "describe.h"

/* ---- what the wire reader calls ---- */

static struct safe_outcome take_hello(void *context)
{
	struct call *call = context;

	return decode_hello(&call->decode);
}

size_t call_row_bytes(const struct call *call)
{
	size_t bytes = 0;

	/* The reader has limited the width: this cannot overflow where size_t has 64 bits. */
	if (__builtin_mul_overflow((size_t)call->image.width, wire_pixel_bytes[call->request.pixel_format], &bytes))
		return 0;
	return bytes;
}

bool call_fits(const struct call *call, size_t size, size_t stride)
{
	size_t row_bytes = call_row_bytes(call);
	size_t needed = 0;

	return stride >= row_bytes && !__builtin_mul_overflow((size_t)call->image.height - 1, stride, &needed) &&
	       !__builtin_add_overflow(needed, row_bytes, &needed) && needed <= size;
}

/* What is written may be more than what came: opaque pixels come without alpha. */
static bool fits_output(const struct call *call)
{
	uint64_t bytes = 0;

	return !__builtin_mul_overflow((uint64_t)call_row_bytes(call), call->image.height, &bytes) && bytes > 0 &&
	       bytes <= call->limits.max_output;
}

/* Whether what comes is what the format gives, so that it was asked for. */
static struct safe_outcome announce(struct call *call, enum safe_kind kind)
{
	if (call->format->kind != kind)
		return outcome_of(SAFE_KILLED, "the decoder lied: that is not what its format gives");
	call->info.kind = kind;
	return call->info_only && call->on_info ? call->on_info(call) : outcome_ok();
}

static struct safe_outcome take_image(void *context, const struct wire_image *image)
{
	struct call *call = context;
	struct safe_outcome outcome = announce(call, SAFE_KIND_IMAGE);

	if (outcome.status != SAFE_OK)
		return outcome;
	call->image = *image;
	call->is_image = true;
	describe_image(&call->info, image);
	if (call->info_only)
		return outcome;
	return fits_output(call) ? call->on_image(call) : outcome_of_failure(WIRE_FAIL_LIMIT_OUTPUT);
}

static struct safe_outcome take_frame(void *context, const struct wire_frame *frame)
{
	struct call *call = context;

	if (call->frames_begun > 0)
		canvas_restart(&call->canvas);
	call->frames_begun++;
	if (call->on_frame)
		call->on_frame(call, frame->delay);
	return outcome_ok();
}

static struct safe_outcome take_bytes(void *context)
{
	struct call *call = context;
	struct safe_outcome outcome = announce(call, SAFE_KIND_BYTES);

	return outcome.status == SAFE_OK && !call->info_only ? call->on_bytes(call) : outcome;
}

static struct safe_outcome take_audio(void *context, const struct wire_audio *audio)
{
	struct call *call = context;
	struct safe_outcome outcome = announce(call, SAFE_KIND_AUDIO);

	if (outcome.status != SAFE_OK)
		return outcome;
	describe_audio(&call->info, audio);
	return call->info_only ? outcome : call->on_audio(call);
}

static struct safe_outcome take_metadata(void *context, enum wire_tag tag, const char *value, size_t size)
{
	struct call *call = context;

	if (call->on_tag)
		call->on_tag(call, tag, value, size);
	return outcome_ok();
}

static struct safe_outcome take_loss(void *context, uint64_t parts)
{
	struct call *call = context;

	call->losses = parts;
	if (call->on_loss)
		call->on_loss(call);
	return outcome_ok();
}

static void *reserve(void *context, size_t *size)
{
	struct call *call = context;

	return call->is_image ? canvas_reserve(&call->canvas, size) : call->reserve_bytes(call, size);
}

static struct safe_outcome commit(void *context, size_t size)
{
	struct call *call = context;

	if (!call->is_image)
		return call->commit_bytes(call, size);
	canvas_commit(&call->canvas, size);
	if (call->on_rows)
		call->on_rows(call);
	return outcome_ok();
}

static struct safe_outcome take_end(void *context, enum wire_failure damage, uint32_t notes)
{
	struct call *call = context;

	(void)notes;
	call->damage = damage;
	return call->on_end ? call->on_end(call) : outcome_ok();
}

/* ---- start ---- */

static struct safe_outcome usage(const char *reason)
{
	return outcome_of(SAFE_USAGE, reason);
}

static struct safe_outcome check(struct call *call)
{
	struct safe_request *request = &call->request;
	bool power = request->scale == 0 || request->scale == 1 || request->scale == 2 || request->scale == 4 ||
	             request->scale == 8;

	if (request->pixel_format >= WIRE_PIXEL_FORMATS)
		return usage("no such pixel format");
	if (!power)
		return usage("the scale is not 1, 2, 4 or 8");
	if (describe_wanted_samples(request->sample_format) == 0)
		return usage("no such sample format");
	if ((request->flags & ~(SAFE_PARTIAL | SAFE_STRICT | SAFE_HEADER_ONLY)) != 0)
		return usage("no such flag");
	if (call->mode == CALL_WHOLE && (request->flags & SAFE_HEADER_ONLY))
		return usage("the header alone gives nothing to decode");
	if (call->limits.memory > call->decoder->config.memory)
		return usage("more memory than the decoder was opened with");
	if (call->limits.memory < LIMITS_MEMORY_LEAST)
		return usage("less memory than any decoder needs");
	if (call->limits.max_side > WIRE_SIDE_MAX)
		return usage("a side that is too long");
	if (!call->input.data && call->input.data_size > 0)
		return usage("the input has a size but no data");
	if (!call->input.data && call->input.fd < 0)
		return usage("the input has neither data nor a descriptor");
	call->format = request->format ? registry_by_name(request->format) : NULL;
	if (request->format && !call->format)
		return usage("no such format");
	return outcome_ok();
}

struct safe_outcome call_init(struct call *call, struct safe_decoder *decoder, const struct safe_input *input,
                              const struct safe_request *request, enum call_mode mode)
{
	*call = (struct call){
		.decoder = decoder,
		.mode = mode,
		.started = decode_clock(),
		.decode = DECODE_NONE,
		.info = { .size = sizeof(call->info) },
		.want = { .wake = -1, .child = CHILD_NONE },
		.consumer = { .context = call,
		              .hello = take_hello,
		              .image = take_image,
		              .frame = take_frame,
		              .bytes = take_bytes,
		              .audio = take_audio,
		              .metadata = take_metadata,
		              .loss = take_loss,
		              .reserve = reserve,
		              .commit = commit,
		              .end = take_end },
	};
	if (!decoder_is_ours(decoder))
		return usage("not a decoder of this process");
	if (!input)
		return usage("there is no input");
	structs_take(&call->input, sizeof(call->input), input);
	structs_take(&call->request, sizeof(call->request), request);
	if (!structs_is_set(input) || !structs_is_set(request) || !structs_is_set(call->request.limits))
		return usage("the size of a struct is not set");
	struct safe_limits limits = { .memory = 0 };
	structs_take(&limits, sizeof(limits), call->request.limits);
	if (limits.memory == 0)
		limits.memory = decoder->config.memory;
	call->limits = limits_resolve(&limits);
	call->info_only = mode == CALL_PROBE || (call->request.flags & SAFE_HEADER_ONLY) != 0;
	return check(call);
}

/* ---- recognising ---- */

int call_time_left(const struct call *call)
{
	uint64_t passed = (decode_clock() - call->started) / 1000000;
	uint64_t deadline = call->limits.deadline_milliseconds;

	if (deadline == 0)
		return -1;
	return deadline <= passed ? 0 : (int)(deadline - passed < INT_MAX ? deadline - passed : INT_MAX);
}

/* What stands behind a tag, if it is within reach. */
static const struct safe_format *recognise_behind(const struct call *call, const uint8_t *start, size_t size)
{
	size_t prefix = registry_prefix(start, size);

	if (!call->input.data)
		return registry_recognise_behind(call->input.fd, start, size);
	return prefix > 0 && prefix < size ? registry_recognise(start + prefix, size - prefix) : NULL;
}

/* Those who drive the call take nothing else: no decoder need be started to refuse it. */
static struct safe_outcome check_kind(const struct call *call)
{
	enum safe_kind kind = call->format->kind;

	if (call->info_only)
		return outcome_ok();
	if (kind == SAFE_KIND_IMAGE && !call->on_image)
		return usage("the input gives a picture");
	if (kind == SAFE_KIND_BYTES && !call->on_bytes)
		return usage("the input gives bytes");
	if (kind == SAFE_KIND_AUDIO && !call->on_audio)
		return usage("the input gives sound");
	return outcome_ok();
}

static void recognised(struct call *call, const uint8_t *start, size_t size)
{
	if (size == 0)
		call_over(call, outcome_of_failure(WIRE_FAIL_EMPTY));
	if (!call->format)
		call->format = recognise_behind(call, start, size);
	if (!call->format)
		call->format = registry_recognise(start, size);
	if (!call->format && call->input.name)
		call->format = registry_by_file_name(call->input.name);
	if (size > 0 && !call->format)
		call_over(call, outcome_of(SAFE_UNSUPPORTED, "not a format that any decoder takes"));
	if (call->stage == CALL_OVER)
		return;
	struct safe_outcome outcome = check_kind(call);
	if (outcome.status != SAFE_OK) {
		call_over(call, outcome);
		return;
	}
	call->info.format = call->format->name;
	/* From here on, the broker sees to the deadline. */
	if (call_time_left(call) > 0)
		call->limits.deadline_milliseconds = (uint32_t)call_time_left(call);
	want_init(&call->want, call->format->module, &call->limits);
	call->stage = CALL_WANTING;
}

bool call_recognise(struct call *call)
{
	if (call_time_left(call) == 0) {
		call_over(call, outcome_of_limit(SAFE_LIMIT_DEADLINE, "took longer than its deadline"));
		return true;
	}
	if (call->input.data) {
		recognised(call, call->input.data, call->input.data_size);
		return true;
	}
	ssize_t got = read(call->input.fd, call->start + call->start_size, REGISTRY_START - call->start_size);
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return false;
	if (got < 0 && errno != EINTR)
		call_over(call, outcome_of_errno(SAFE_IO, "cannot read the input", errno));
	if (got > 0)
		call->start_size += (size_t)got;
	if (got == 0 || call->start_size == REGISTRY_START)
		recognised(call, call->start, call->start_size);
	return true;
}

/* ---- decoding ---- */

static uint32_t request_flags(const struct call *call)
{
	uint32_t flags = call->request.flags;
	struct stat status;
	bool finite = call->input.data || (fstat(call->input.fd, &status) == 0 && S_ISREG(status.st_mode));

	return (flags & SAFE_PARTIAL ? WIRE_PARTIAL : 0) | (flags & SAFE_STRICT ? WIRE_STRICT : 0) |
	       (finite ? WIRE_FINITE : 0);
}

static struct wire_request make_request(const struct call *call)
{
	uint32_t wanted = WIRE_FORMAT_BIT(call->request.pixel_format);

	return (struct wire_request){
		.version = WIRE_VERSION,
		.operation = call->info_only ? WIRE_INFO : WIRE_DECODE,
		.variant = call->format->variant,
		.pixel_formats = wanted | widen_sources(wanted),
		.sample_formats = describe_wanted_samples(call->request.sample_format),
		.flags = request_flags(call),
		.max_side = call->limits.max_side,
		.max_frames = 1,
		.max_metadata = call->limits.max_metadata,
		.max_pixels = call->limits.max_pixels,
		.max_output = call->limits.max_output,
		.scale = call->request.scale ? call->request.scale : 1,
		.input_total = call->input.data ? call->input.data_size : 0,
	};
}

void call_begin(struct call *call)
{
	struct wire_request request = make_request(call);
	bool in_memory = call->input.data != NULL;
	struct decode_input input = {
		.source = in_memory ? -1 : call->input.fd,
		.start = in_memory ? call->input.data : call->start,
		.start_size = in_memory ? call->input.data_size : call->start_size,
	};

	if (call->want.outcome.status != SAFE_OK) {
		call_over(call, call->want.outcome);
		return;
	}
	struct safe_outcome outcome =
	        decode_start(&call->decode, &call->want.child, &request, &call->consumer, &input, &call->limits);
	if (outcome.status == SAFE_OK)
		outcome = decode_send(&call->decode);
	if (outcome.status == SAFE_OK)
		call->stage = CALL_DECODING;
	else
		call_over(call, outcome);
}

struct safe_outcome call_run(struct call *call)
{
	while (call->stage == CALL_RECOGNISING) {
		struct pollfd source = { .fd = call->input.data ? -1 : call->input.fd, .events = POLLIN };
		if (call->input.data || poll(&source, 1, call_time_left(call)) >= 0)
			(void)call_recognise(call);
	}
	if (call->stage == CALL_WANTING) {
		if (!decoder_want(call->decoder, &call->want))
			decoder_wait(call->decoder, &call->want);
		call_begin(call);
	}
	if (call->stage == CALL_DECODING) {
		(void)decode_run(&call->decode);
		call_over(call, call->decode.outcome);
	}
	return call->outcome;
}

/* ---- end ---- */

struct safe_outcome call_complete(struct call *call, struct safe_outcome begun, struct safe_result *result)
{
	struct safe_outcome outcome = begun.status == SAFE_OK ? call_run(call) : begun;

	call->outcome = outcome;
	call_result(call, result); /* first: the child's figures go with it */
	call_end(call);
	return outcome;
}

void call_over(struct call *call, struct safe_outcome outcome)
{
	call->stage = CALL_OVER;
	call->outcome = outcome;
	call->decode.outcome = outcome;
}

void call_end(struct call *call)
{
	/* In a process that was forked meanwhile, the child is another's. */
	if (call->decode.child.owner && !decoder_is_ours(call->decoder)) {
		child_close(&call->decode.child);
		call->decode.child.owner = NULL;
	}
	if (call->stage == CALL_WANTING && decoder_is_ours(call->decoder))
		decoder_forget(call->decoder, &call->want);
	decode_end(&call->decode);
	canvas_free(&call->canvas);
}

void call_result(const struct call *call, struct safe_result *result)
{
	struct safe_outcome damage = call->damage != WIRE_OK ? outcome_of_failure(call->damage) : outcome_ok();
	struct safe_result all = {
		.status = call->outcome.status,
		.limit = call->outcome.limit,
		.damage = call->damage != WIRE_OK,
		.rows_missing = (uint32_t)call->rows_missing,
		.signal = call->outcome.signal,
		.error_number = call->outcome.error_number,
		.reason = call->outcome.reason ? call->outcome.reason : damage.reason,
		.cpu_microseconds = call->decode.child.cpu_microseconds,
		.peak_memory = call->decode.child.peak_memory,
		.losses = call->losses,
	};

	structs_give(result, &all, sizeof(all));
}

void posture_public(const struct sandbox_posture *verified, struct safe_posture *posture)
{
	posture->verified = verified->verified;
	posture->strict = verified->strict;
	posture->filters = (uint32_t)verified->filters;
	posture->inherited = (uint32_t)verified->filters_before;
	posture->no_new_privs = verified->no_new_privs;
}
