/* SPDX-License-Identifier: MIT */
#include "request.h"

#include "broker/base/structs.h"
#include "broker/decode/limits.h"
#include "broker/decode/widen.h"
#include "describe.h"

/* ---- checking ---- */

static struct outcome usage(const char *reason)
{
	return outcome_of(SDEC_USAGE, reason);
}

#define METADATA_FLAGS (SDEC_TAGS | SDEC_ICC | SDEC_EXIF | SDEC_XMP)

/* What is wanted of a picture. */
static struct outcome check_view(const struct sdec_request *request)
{
	bool power = request->scale == 0 || request->scale == 1 || request->scale == 2 || request->scale == 4 ||
	             request->scale == 8;
	bool fits = request->fit_width > 0 || request->fit_height > 0;

	if (!power)
		return usage("the scale is not 1, 2, 4 or 8");
	if (request->scale > 1 && fits)
		return usage("a scale and a box to fit exclude each other");
	if (request->fit >= WIRE_FITS)
		return usage("no such way to fit a box");
	if (request->fit_width > WIRE_SIDE_MAX || request->fit_height > WIRE_SIDE_MAX)
		return usage("a box whose side is too long");
	if ((request->crop_width == 0) != (request->crop_height == 0))
		return usage("a region to crop without a width or a height");
	if (request->crop_width == 0 && (request->crop_x > 0 || request->crop_y > 0))
		return usage("a region to crop without a size");
	if (request->orientation > SDEC_ORIENTATION_APPLY)
		return usage("no such way to treat the orientation");
	if (request->background > 0xffffff)
		return usage("a background that is no 0xRRGGBB");
	if (request->colors > SDEC_COLORS_SRGB)
		return usage("no such way to treat colours");
	if (request->colors == SDEC_COLORS_SRGB)
		return outcome_of(SDEC_UNSUPPORTED, "colours cannot be converted by their profile yet");
	return outcome_ok();
}

static struct outcome check_request(const struct sdec_request *request, enum request_mode mode, uint64_t *allowed)
{
	struct outcome view = check_view(request);

	if (view.status != SDEC_OK)
		return view;
	if (request->pixel_format >= WIRE_PIXEL_FORMATS)
		return usage("no such pixel format");
	if (describe_wanted_samples(request->sample_format) == 0)
		return usage("no such sample format");
	if ((request->flags & ~(SDEC_PARTIAL | SDEC_STRICT | SDEC_HEADER_ONLY | SDEC_ENLARGE | SDEC_FLATTEN |
	                        SDEC_PREVIEW | METADATA_FLAGS)) != 0)
		return usage("no such flag");
	if (mode != REQUEST_STREAM && (request->flags & SDEC_PREVIEW))
		return usage("previews come by a stream");
	if (mode != REQUEST_STREAM && (request->flags & METADATA_FLAGS))
		return usage("tags and blocks come by a stream");
	if (mode != REQUEST_FRAMES && mode != REQUEST_STREAM && request->max_frames > 1)
		return usage("one call gives one frame: more come by a stream");
	if (mode != REQUEST_PROBE && mode != REQUEST_STREAM && (request->flags & SDEC_HEADER_ONLY))
		return usage("the header alone gives nothing to decode");
	if (request->format && !registry_by_name(request->format))
		return usage("no such format");
	if (request->allow && registry_set(request->allow, allowed))
		return usage("no such format among those that are allowed");
	return outcome_ok();
}

static struct outcome check_limits(const struct sdec_limits *limits, const struct sdec_pool *decoder)
{
	if (limits->memory > decoder->config.memory)
		return usage("more memory than the decoder was opened with");
	if (limits->memory < LIMITS_MEMORY_LEAST)
		return usage("less memory than any decoder needs");
	if (limits->max_side > WIRE_SIDE_MAX)
		return usage("a side that is too long");
	return outcome_ok();
}

static struct outcome check_input(const struct sdec_input *input)
{
	if (input->kind != SDEC_INPUT_MEMORY && input->kind != SDEC_INPUT_FD)
		return usage("the kind of the input is not set, or it is not known here");
	if (input->kind == SDEC_INPUT_MEMORY && !input->data && input->data_size > 0)
		return usage("the input has a size but no data");
	if (input->kind == SDEC_INPUT_FD && input->fd < 0)
		return usage("the input has no descriptor");
	return outcome_ok();
}

/* ---- a plan ---- */

static uint32_t wire_flags(const struct sdec_request *request)
{
	uint32_t flags = request->flags;

	return (request->orientation == SDEC_ORIENTATION_APPLY ? WIRE_UPRIGHT : 0) |
	       (flags & SDEC_PREVIEW ? WIRE_PREVIEW : 0) | (flags & SDEC_ENLARGE ? WIRE_ENLARGE : 0) |
	       (flags & SDEC_FLATTEN ? WIRE_FLATTEN : 0) | (flags & SDEC_PARTIAL ? WIRE_PARTIAL : 0) |
	       (flags & SDEC_STRICT ? WIRE_STRICT : 0) | (flags & SDEC_TAGS ? WIRE_TAGS_TOO : 0) |
	       (flags & SDEC_ICC ? WIRE_BLOB_FLAG(WIRE_BLOB_ICC) : 0) |
	       (flags & SDEC_EXIF ? WIRE_BLOB_FLAG(WIRE_BLOB_EXIF) : 0) |
	       (flags & SDEC_XMP ? WIRE_BLOB_FLAG(WIRE_BLOB_XMP) : 0);
}

static void fill_plan(struct call_plan *plan, const struct sdec_input *input, const struct sdec_request *request,
                      enum wire_operation operation)
{
	uint32_t wanted = WIRE_FORMAT_BIT(request->pixel_format);

	static const char empty;

	if (input->kind == SDEC_INPUT_MEMORY) {
		plan->data = input->data ? input->data : &empty;
		plan->data_size = input->data_size;
	}
	plan->fd = input->kind == SDEC_INPUT_FD ? input->fd : -1;
	plan->name = input->name;
	plan->format = request->format ? registry_by_name(request->format) : NULL;
	plan->operation = operation;
	plan->pixel_formats = wanted | widen_sources(wanted);
	plan->sample_formats = describe_wanted_samples(request->sample_format);
	plan->flags = wire_flags(request);
	plan->scale = request->scale ? request->scale : 1;
	plan->view = (struct wire_view){ .crop_x = request->crop_x,
		                         .crop_y = request->crop_y,
		                         .crop_width = request->crop_width,
		                         .crop_height = request->crop_height,
		                         .fit_width = request->fit_width,
		                         .fit_height = request->fit_height,
		                         .fit = request->fit,
		                         .background = request->background };
	plan->first_frame = request->first_frame;
	plan->max_frames = request->max_frames;
}

/* Fills our copies of the caller's structs. */
static struct outcome take(struct sdec_pool *decoder, const struct sdec_input *given_input,
                           const struct sdec_request *given, struct sdec_input *input, struct sdec_request *request,
                           struct sdec_limits *limits)
{
	static const char not_ours[] = "the size of a struct is not set, or it says something that is not known here";

	if (!decoder || !decoder_is_ours(decoder))
		return usage("not a decoder of this process");
	if (!given_input)
		return usage("there is no input");
	if (!structs_take(input, sizeof(*input), given_input) || !structs_take(request, sizeof(*request), given) ||
	    !structs_take(limits, sizeof(*limits), request->limits))
		return usage(not_ours);
	if (limits->memory == 0)
		limits->memory = decoder->config.memory;
	*limits = limits_resolve(limits);
	return check_limits(limits, decoder);
}

struct outcome request_begin(struct request *request, struct sdec_pool *decoder, const struct sdec_input *input,
                             const struct sdec_request *given, enum request_mode mode, const struct call_driver *driver,
                             void *context)
{
	struct sdec_input our_input = { .data = NULL };
	struct sdec_request our_request = { .limits = NULL };
	struct call_plan plan = { .source = decoder ? &decoder->source : NULL, .driver = driver, .context = context };
	struct outcome outcome = take(decoder, input, given, &our_input, &our_request, &plan.limits);

	*request = (struct request){ .decoder = decoder, .info = { .size = sizeof(request->info) } };
	if (outcome.status == SDEC_OK)
		outcome = check_request(&our_request, mode, &plan.allowed);
	if (outcome.status == SDEC_OK)
		outcome = check_input(&our_input);
	if (outcome.status == SDEC_OK) {
		request->info_only = mode == REQUEST_PROBE || (our_request.flags & SDEC_HEADER_ONLY) != 0;
		request->pixel_format = our_request.pixel_format;
		fill_plan(&plan, &our_input, &our_request,
		          request->info_only      ? WIRE_INFO
		          : mode == REQUEST_COVER ? WIRE_COVER
		                                  : WIRE_DECODE);
		if (mode == REQUEST_FRAMES && our_request.max_frames == 0)
			plan.max_frames = SDEC_ALL_FRAMES;
	}
	call_init(&request->call, &plan);
	if (outcome.status != SDEC_OK)
		call_over(&request->call, outcome);
	return outcome;
}

/* ---- for drivers ---- */

size_t request_row_bytes(const struct request *request)
{
	size_t bytes = 0;

	/* The reader has limited the width: this cannot overflow where size_t has 64 bits. */
	if (__builtin_mul_overflow((size_t)request->call.image.width, wire_pixel_bytes[request->pixel_format], &bytes))
		return 0;
	return bytes;
}

bool request_fits(const struct request *request, size_t size, size_t stride)
{
	size_t row_bytes = request_row_bytes(request);
	size_t needed = 0;

	return stride >= row_bytes &&
	       !__builtin_mul_overflow((size_t)request->call.image.height - 1, stride, &needed) &&
	       !__builtin_add_overflow(needed, row_bytes, &needed) && needed <= size;
}

/* What is written may be more than what came: opaque pixels come without alpha. */
static bool fits_output(const struct request *request)
{
	uint64_t bytes = 0;

	return !__builtin_mul_overflow((uint64_t)request_row_bytes(request), request->call.image.height, &bytes) &&
	       bytes > 0 && bytes <= request->call.plan.limits.max_output;
}

/* Hostile content must not look like the caller's mistake. */
static struct outcome wrong_kind(const char *reason)
{
	return outcome_of(SDEC_WRONG_KIND, reason);
}

struct outcome request_refuse_others(struct call *call)
{
	const struct call_driver *driver = call->plan.driver;
	enum sdec_kind kind = call->format->kind;

	if (kind == SDEC_KIND_IMAGE && !driver->image)
		return wrong_kind("the input gives a picture");
	if (kind == SDEC_KIND_BYTES && !driver->bytes)
		return wrong_kind("the input gives bytes");
	if (kind == SDEC_KIND_AUDIO && !driver->audio)
		return wrong_kind("the input gives sound");
	return outcome_ok();
}

static void describe_format(struct request *request)
{
	request->info.format = request->call.format->name;
	request->info.library = request->call.decode.library;
	request->info.mime = request->call.format->mime ? request->call.format->mime : "";
}

struct outcome request_describe_image(struct call *call)
{
	struct request *request = request_of(call);

	describe_image(&request->info, &call->image);
	describe_format(request);
	return request->info_only || fits_output(request) ? outcome_ok() : outcome_of_failure(WIRE_FAIL_LIMIT_OUTPUT);
}

struct outcome request_describe_audio(struct call *call)
{
	struct request *request = request_of(call);

	describe_audio(&request->info, &call->audio);
	describe_format(request);
	return outcome_ok();
}

struct outcome request_describe(struct call *call)
{
	struct request *request = request_of(call);

	if (call->kind == SDEC_KIND_IMAGE)
		return request_describe_image(call);
	if (call->kind == SDEC_KIND_AUDIO)
		return request_describe_audio(call);
	request->info.kind = call->kind;
	describe_format(request);
	return outcome_ok();
}

/* ---- end ---- */

struct outcome request_complete(struct request *request, struct outcome begun, struct sdec_result *result)
{
	struct outcome outcome = begun.status == SDEC_OK ? call_run(&request->call) : begun;

	request->call.outcome = outcome;
	request_result(request, result); /* first: the child's figures go with it */
	request_end(request);
	return outcome;
}

void request_end(struct request *request)
{
	if (request->call.plan.source)
		call_end(&request->call);
}

void request_result(const struct request *request, struct sdec_result *result)
{
	const struct call *call = &request->call;
	struct outcome damage = call->damage != WIRE_OK ? outcome_of_failure(call->damage) : outcome_ok();
	struct sdec_result all = {
		.status = call->outcome.status,
		.limit = call->outcome.limit,
		.damage = call->damage != WIRE_OK,
		.rows_missing = (uint32_t)request->rows_missing,
		.signal = call->outcome.signal,
		.error_number = call->outcome.error_number,
		.reason = call->outcome.reason ? call->outcome.reason : damage.reason,
		.cpu_microseconds = call->decode.child.cpu_microseconds,
		.peak_memory = call->decode.child.peak_memory,
		.losses = call->losses,
		.needed = call->outcome.needed,
		.notes = call->notes,
	};

	structs_give(result, &all, sizeof(all));
}
