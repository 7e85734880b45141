/* SPDX-License-Identifier: MIT */
/* The call that decodes all frames or pages of a picture. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/structs.h"
#include "canvas.h"
#include "describe.h"
#include "request.h"

enum { FIRST_FRAMES = 8 };

struct gathering {
	struct request request;
	struct sdec_frame *frames; /* owned until they are given */
	size_t count, room;
	uint64_t size;        /* bytes of all pixels */
	struct canvas canvas; /* of the last */
};

static struct outcome no_memory(void)
{
	return outcome_of_errno(SDEC_IO, "no memory for the picture", ENOMEM);
}

static bool make_room(struct gathering *gathering)
{
	size_t room = gathering->room > 0 ? gathering->room : FIRST_FRAMES / 2;
	size_t size = 0;

	if (gathering->count < gathering->room)
		return true;
	if (__builtin_mul_overflow(room, 2, &room) || __builtin_mul_overflow(room, sizeof(struct sdec_frame), &size))
		return false;
	struct sdec_frame *frames = realloc(gathering->frames, size);
	if (!frames)
		return false;
	gathering->frames = frames;
	gathering->room = room;
	return true;
}

/* Of each page anew. */
static struct outcome take_image(struct call *call)
{
	return request_describe_image(call);
}

static struct outcome take_frame(struct call *call, const struct wire_frame *wire)
{
	struct gathering *gathering = call->plan.context;
	const struct request *request = &gathering->request;
	size_t row_bytes = request_row_bytes(request);
	size_t size = row_bytes * call->image.height; /* request_describe_image() has limited the product */

	/* What is given may be more than what came: opaque pixels come without alpha. */
	if (size > call->plan.limits.max_output - gathering->size)
		return outcome_of_failure(WIRE_FAIL_LIMIT_OUTPUT);
	uint8_t *pixels = make_room(gathering) ? malloc(size) : NULL;
	if (!pixels)
		return no_memory();
	gathering->size += size;
	gathering->frames[gathering->count++] = (struct sdec_frame){ .delay_milliseconds = wire->delay,
		                                                     .width = call->image.width,
		                                                     .height = call->image.height,
		                                                     .pixel_format = request->pixel_format,
		                                                     .orientation = describe_orientation(&call->image),
		                                                     .stride = row_bytes,
		                                                     .pixels = pixels };
	canvas_free(&gathering->canvas);
	if (!canvas_init(&gathering->canvas, call->image.width, (enum wire_pixel_format)call->image.pixel_format,
	                 (enum wire_pixel_format)request->pixel_format, pixels, row_bytes, call->image.height))
		return no_memory();
	return outcome_ok();
}

static void *reserve(struct call *call, size_t *size)
{
	struct gathering *gathering = call->plan.context;

	return canvas_reserve(&gathering->canvas, size);
}

static struct outcome commit(struct call *call, size_t size)
{
	struct gathering *gathering = call->plan.context;

	canvas_commit(&gathering->canvas, size);
	return outcome_ok();
}

/* Of a damaged input, the last frame may lack rows; where it was damaged before the first, that one lacks all. */
static struct outcome finish(struct call *call, bool *more)
{
	static const struct wire_frame first = { .delay = 0 };
	struct gathering *gathering = call->plan.context;
	struct outcome outcome = outcome_ok();

	if (call->damage == WIRE_OK)
		return outcome;
	if (gathering->count == 0)
		outcome = take_frame(call, &first);
	if (outcome.status == SDEC_OK)
		gathering->request.rows_missing += canvas_fill_some(&gathering->canvas, more);
	return outcome;
}

static const struct call_driver gatherer = {
	.recognised = request_refuse_others,
	.image = take_image,
	.frame = take_frame,
	.reserve = reserve,
	.commit = commit,
	.finish = finish,
};

static void free_frames(struct sdec_frame *frames, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(frames[i].pixels);
	free(frames);
}

enum sdec_status sdec_decode_frames(struct sdec_pool *decoder, const struct sdec_input *input,
                                    const struct sdec_request *request, struct sdec_frames *frames,
                                    struct sdec_result *result)
{
	struct gathering gathering = { .frames = NULL };
	struct sdec_frames given = { .frames = NULL };
	struct outcome outcome =
	        request_begin(&gathering.request, decoder, input, request, REQUEST_FRAMES, &gatherer, &gathering);

	/* Where the caller has no place for them, nobody would free the pixels. */
	if (outcome.status == SDEC_OK &&
	    (!frames || frames->size < offsetof(struct sdec_frames, loops) + sizeof(frames->loops)))
		outcome = outcome_of(SDEC_USAGE, "there is no place for the frames");
	outcome = request_complete(&gathering.request, outcome, result);
	canvas_free(&gathering.canvas);
	if (outcome.status == SDEC_OK) {
		given.frames = gathering.frames;
		given.count = gathering.count;
		given.animated = gathering.request.info.animated;
		given.loops = gathering.request.info.loops;
	} else {
		free_frames(gathering.frames, gathering.count);
	}
	structs_give(frames, &given, sizeof(given));
	return outcome.status;
}

void sdec_frames_free(struct sdec_frames *frames)
{
	if (!frames)
		return;
	free_frames(frames->frames, frames->count);
	frames->frames = NULL;
	frames->count = 0;
}
