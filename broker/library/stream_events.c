/* SPDX-License-Identifier: MIT */
/* What has come of a stream, and how it is told. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "stream.h"

enum { WINDOW_SIZE = 256 << 10 };

/* ---- what the call calls ---- */

static struct sdec_stream *of(struct call *call)
{
	return call->plan.context;
}

/* The header was read.  Of a picture, the caller has until the next step to say where the pixels are to go. */
static struct outcome tell_info(struct call *call, struct outcome described)
{
	of(call)->info_pending = true;
	call_pause(call);
	return described;
}

static struct outcome take_info(struct call *call)
{
	return tell_info(call, request_describe(call));
}

/* Of each page anew. */
static struct outcome take_image(struct call *call)
{
	struct sdec_stream *stream = of(call);

	canvas_free(&stream->canvas);
	stream->canvas = (struct canvas){ 0 };
	free(stream->window);
	stream->window = NULL;
	stream->into = false;
	stream->frames_before = call->frames_begun;
	stream->first_row = 0;
	stream->rows_told = 0;
	return tell_info(call, request_describe_image(call));
}

/* Bytes or sample frames of `unit` bytes follow. */
static struct outcome open_flow(struct call *call, size_t unit)
{
	struct sdec_stream *stream = of(call);

	stream->unit = unit;
	stream->window_size = WINDOW_SIZE;
	stream->window = malloc(stream->window_size);
	stream->info_pending = true;
	call_pause(call);
	return stream->window ? outcome_ok() : outcome_of_errno(SDEC_IO, "no memory for the output", ENOMEM);
}

static struct outcome take_bytes(struct call *call)
{
	(void)request_describe(call); /* bytes have nothing that could be too large */
	return open_flow(call, 1);
}

static struct outcome take_audio(struct call *call)
{
	(void)request_describe_audio(call); /* nor has sound */
	return open_flow(call, describe_frame_bytes(&request_of(call)->info));
}

static struct outcome take_tag(struct call *call, enum wire_tag tag, const char *value, size_t size)
{
	struct sdec_stream *stream = of(call);

	stream->tag = tag;
	stream->tag_size = size;
	memcpy(stream->tag_value, value, size + 1);
	call_pause(call);
	return outcome_ok();
}

static struct outcome take_blob(struct call *call, enum wire_blob_kind kind, const void *data, size_t size)
{
	(void)kind; /* all is the call's until the next step */
	(void)data;
	(void)size;
	of(call)->blob_pending = true;
	call_pause(call);
	return outcome_ok();
}

static void take_loss(struct call *call)
{
	of(call)->loss_pending = true;
	call_pause(call);
}

static struct outcome take_frame(struct call *call, const struct wire_frame *frame)
{
	struct sdec_stream *stream = of(call);

	canvas_restart(&stream->canvas);
	stream->frame_pending = true;
	stream->frame = *frame;
	stream->first_row = 0;
	stream->rows_told = 0;
	call_pause(call);
	return outcome_ok();
}

static void *reserve(struct call *call, size_t *size)
{
	struct sdec_stream *stream = of(call);

	if (call->kind == SDEC_KIND_IMAGE)
		return canvas_reserve(&stream->canvas, size);
	*size = stream->window_size - stream->window_filled;
	return stream->window + stream->window_filled;
}

static struct outcome commit(struct call *call, size_t size)
{
	struct sdec_stream *stream = of(call);
	bool image = call->kind == SDEC_KIND_IMAGE;

	if (image)
		canvas_commit(&stream->canvas, size);
	else
		stream->window_filled += size;
	if (!image || canvas_complete(&stream->canvas) > stream->rows_told)
		call_pause(call);
	return outcome_ok();
}

/* Whether the current page has a frame: rows are missing of that one only. */
static bool has_frame(const struct sdec_stream *stream)
{
	return stream->request.call.frames_begun > stream->frames_before;
}

/* The missing rows of a damaged picture are told in windows, too, once the decode is over. */
static struct outcome note_missing(struct call *call, bool *more)
{
	const struct sdec_stream *stream = of(call);

	(void)more;
	/* A picture that is damaged before its first frame lacks all rows, and a further page is not there. */
	if (call->damage != WIRE_OK && call->kind == SDEC_KIND_IMAGE &&
	    (has_frame(stream) || stream->frames_before == 0))
		request_of(call)->rows_missing = call->image.height - stream->first_row -
		                                 (stream->canvas.pixels ? canvas_complete(&stream->canvas) : 0);
	return outcome_ok();
}

const struct call_driver stream_driver = {
	.info = take_info,
	.image = take_image,
	.audio = take_audio,
	.bytes = take_bytes,
	.tag = take_tag,
	.blob = take_blob,
	.frame = take_frame,
	.loss = take_loss,
	.reserve = reserve,
	.commit = commit,
	.finish = note_missing,
};

/* ---- memory ---- */

static struct outcome set_canvas(struct sdec_stream *stream, uint8_t *pixels, size_t stride, size_t rows)
{
	const struct wire_image *image = &stream->request.call.image;

	if (!canvas_init(&stream->canvas, image->width, (enum wire_pixel_format)image->pixel_format,
	                 (enum wire_pixel_format)stream->request.pixel_format, pixels, stride, rows))
		return outcome_of_errno(SDEC_IO, "no memory for the picture", ENOMEM);
	return outcome_ok();
}

/* The caller did not say where to: rows pass through a window. */
static struct outcome open_window(struct sdec_stream *stream)
{
	size_t row_bytes = request_row_bytes(&stream->request);
	size_t rows = row_bytes < WINDOW_SIZE ? WINDOW_SIZE / row_bytes : 1;

	if (rows > stream->request.call.image.height)
		rows = stream->request.call.image.height;
	stream->window_size = rows * row_bytes; /* not 0: the reader sees to it */
	stream->window = stream->window_size > 0 ? malloc(stream->window_size) : NULL;
	if (!stream->window)
		return outcome_of_errno(SDEC_IO, "no memory for the picture", ENOMEM);
	return set_canvas(stream, stream->window, row_bytes, rows);
}

/* Whether it waits for somebody to say where its pixels go. */
static bool wants_canvas(const struct sdec_stream *stream)
{
	const struct call *call = &stream->request.call;

	return call->kind == SDEC_KIND_IMAGE && !stream->request.info_only && !stream->canvas.pixels &&
	       call->stage != CALL_OVER;
}

enum sdec_status sdec_stream_into(struct sdec_stream *stream, void *pixels, size_t pixels_size, size_t stride)
{
	if (!stream || !decoder_is_ours(stream->request.decoder) || !pixels || !wants_canvas(stream))
		return SDEC_USAGE;
	if (!request_fits(&stream->request, pixels_size, stride))
		return SDEC_TOO_SMALL;
	stream->into = true;
	return set_canvas(stream, pixels, stride, stream->request.call.image.height).status;
}

/* ---- telling ---- */

static void tell_rows(struct sdec_stream *stream, struct sdec_event *event)
{
	struct canvas *canvas = &stream->canvas;
	size_t complete = canvas_complete(canvas);

	event->kind = SDEC_EVENT_ROWS;
	event->frame = stream->request.call.frames_begun - 1;
	event->preview = stream->request.call.previewing;
	event->first_row = stream->first_row + (uint32_t)stream->rows_told;
	event->rows = (uint32_t)(complete - stream->rows_told);
	event->stride = canvas->stride;
	event->data = canvas->pixels + stream->rows_told * canvas->stride;
	event->data_size = (size_t)(event->rows - 1) * canvas->stride + canvas->row_bytes;
	stream->rows_told = complete;
}

/* What was told of a window can make room. */
static void recycle(struct sdec_stream *stream)
{
	struct canvas *canvas = &stream->canvas;

	if (stream->window_told > 0) {
		stream->window_filled -= stream->window_told;
		memmove(stream->window, stream->window + stream->window_told, stream->window_filled);
		stream->window_told = 0;
	}
	if (stream->into || !canvas->pixels || stream->rows_told == 0)
		return;
	stream->first_row += (uint32_t)stream->rows_told;
	stream->rows_told = 0;
	canvas_recycle(canvas);
}

struct outcome stream_make_room(struct sdec_stream *stream)
{
	recycle(stream);
	return wants_canvas(stream) && !stream->info_pending ? open_window(stream) : outcome_ok();
}

/* After damage: puts the next of the missing rows on the canvas.  Returns false where there are none. */
static bool fill_missing(struct sdec_stream *stream)
{
	const struct call *call = &stream->request.call;
	struct canvas *canvas = &stream->canvas;

	if (call->outcome.status != SDEC_OK || call->damage == WIRE_OK || !canvas->pixels || !has_frame(stream))
		return false;
	size_t left = call->image.height - stream->first_row;
	size_t rows = left < canvas->rows ? left : canvas->rows;
	if (rows == stream->rows_told)
		return false;
	(void)canvas_fill(canvas, rows);
	return true;
}

/* Whole units of what has come. */
static void tell_flow(struct sdec_stream *stream, struct sdec_event *event)
{
	stream->window_told = stream->window_filled - stream->window_filled % stream->unit;
	event->data = stream->window;
	event->data_size = stream->window_told;
	if (stream->request.info.kind == SDEC_KIND_BYTES) {
		event->kind = SDEC_EVENT_BYTES;
		return;
	}
	event->kind = SDEC_EVENT_SAMPLES;
	event->first_sample_frame = stream->sample_frames_told;
	event->sample_frames = stream->window_told / stream->unit;
	stream->sample_frames_told += event->sample_frames;
}

static void tell_tag(struct sdec_stream *stream, struct sdec_event *event)
{
	event->kind = SDEC_EVENT_TAG;
	event->tag = stream->tag;
	event->data = stream->tag_value;
	event->data_size = stream->tag_size;
	stream->tag_size = 0;
}

static bool has_rows(const struct sdec_stream *stream)
{
	const struct canvas *canvas = &stream->canvas;

	return canvas->pixels && canvas_complete(canvas) > stream->rows_told;
}

/* Not told yet, that is: what was told goes at the next step. */
static bool has_flow(const struct sdec_stream *stream)
{
	return stream->window_filled > 0 && stream->window_filled >= stream->unit;
}

bool stream_has_news(const struct sdec_stream *stream)
{
	return stream->info_pending || stream->frame_pending || stream->loss_pending || stream->blob_pending ||
	       stream->tag_size > 0 || has_flow(stream) || has_rows(stream);
}

void stream_tell(struct sdec_stream *stream, struct sdec_event *event)
{
	const struct call *call = &stream->request.call;

	if (stream->tag_size > 0) {
		tell_tag(stream, event);
	} else if (stream->blob_pending) {
		event->kind = SDEC_EVENT_BLOB;
		event->blob = call->blob_kind;
		event->data = call->blob;
		event->data_size = call->blob_size;
		stream->blob_pending = false;
	} else if (stream->info_pending) {
		event->kind = SDEC_EVENT_INFO;
		event->info = &stream->request.info;
		stream->info_pending = false;
	} else if (stream->frame_pending) {
		event->kind = SDEC_EVENT_FRAME;
		event->frame = call->frames_begun - 1;
		event->preview = call->previewing;
		event->delay_milliseconds = stream->frame.delay;
		event->x = stream->frame.x;
		event->y = stream->frame.y;
		event->width = stream->frame.width;
		event->height = stream->frame.height;
		stream->frame_pending = false;
	} else if (stream->loss_pending) {
		event->kind = SDEC_EVENT_LOSS;
		event->losses = call->losses;
		stream->loss_pending = false;
	} else if (has_flow(stream)) {
		tell_flow(stream, event);
	} else if (has_rows(stream)) {
		tell_rows(stream, event);
	} else if (call->stage == CALL_OVER && call->outcome.status == SDEC_OK) {
		if (fill_missing(stream))
			tell_rows(stream, event);
		else
			event->kind = SDEC_EVENT_END;
	}
}
