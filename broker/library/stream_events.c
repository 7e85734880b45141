/* SPDX-License-Identifier: MIT */
/* What has come of a stream, and how it is told. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "stream.h"

enum { WINDOW_SIZE = 256 << 10 };

/* ---- what the call calls ---- */

static void pause_for(struct call *call)
{
	pump_pause(&call->decode.pump);
}

/* The header was read.  Of a picture, the caller has until the next step to say where the pixels are to go. */
static struct safe_outcome take_info(struct call *call)
{
	struct safe_stream *stream = call->driver;

	stream->info_pending = true;
	pause_for(call);
	return outcome_ok();
}

/* Bytes or sample frames of `unit` bytes follow. */
static struct safe_outcome open_flow(struct call *call, size_t unit)
{
	struct safe_stream *stream = call->driver;

	stream->unit = unit;
	stream->window_size = WINDOW_SIZE;
	stream->window = malloc(stream->window_size);
	stream->info_pending = true;
	pause_for(call);
	return stream->window ? outcome_ok() : outcome_of_errno(SAFE_IO, "no memory for the output", ENOMEM);
}

static struct safe_outcome take_bytes(struct call *call)
{
	return open_flow(call, 1);
}

static struct safe_outcome take_audio(struct call *call)
{
	return open_flow(call, describe_frame_bytes(&call->info));
}

static void take_tag(struct call *call, enum wire_tag tag, const char *value, size_t size)
{
	struct safe_stream *stream = call->driver;

	stream->tag = tag;
	stream->tag_size = size;
	memcpy(stream->tag_value, value, size + 1);
	pause_for(call);
}

static void take_loss(struct call *call)
{
	struct safe_stream *stream = call->driver;

	stream->loss_pending = true;
	pause_for(call);
}

static void take_frame(struct call *call, uint32_t delay)
{
	struct safe_stream *stream = call->driver;

	stream->frame_pending = true;
	stream->delay = delay;
	stream->first_row = 0;
	stream->rows_told = 0;
	pause_for(call);
}

static void take_rows(struct call *call)
{
	const struct safe_stream *stream = call->driver;

	if (canvas_complete(&call->canvas) > stream->rows_told)
		pause_for(call);
}

static void *reserve_bytes(struct call *call, size_t *size)
{
	const struct safe_stream *stream = call->driver;

	*size = stream->window_size - stream->window_filled;
	return stream->window + stream->window_filled;
}

static struct safe_outcome commit_bytes(struct call *call, size_t size)
{
	struct safe_stream *stream = call->driver;

	stream->window_filled += size;
	pause_for(call);
	return outcome_ok();
}

/* What lacks of a damaged picture is told in windows, too, once the decode is over. */
static struct safe_outcome note_missing(struct call *call)
{
	const struct safe_stream *stream = call->driver;

	if (call->damage != WIRE_OK && call->is_image)
		call->rows_missing = call->image.height - stream->first_row - canvas_complete(&call->canvas);
	return outcome_ok();
}

/* ---- memory ---- */

static struct safe_outcome set_canvas(struct safe_stream *stream, uint8_t *pixels, size_t stride, size_t rows)
{
	struct call *call = &stream->call;

	if (!canvas_init(&call->canvas, call->image.width, (enum wire_pixel_format)call->image.pixel_format,
	                 (enum wire_pixel_format)call->request.pixel_format, pixels, stride, rows))
		return outcome_of_errno(SAFE_IO, "no memory for the picture", ENOMEM);
	return outcome_ok();
}

/* The caller did not say where to: rows pass through a window. */
static struct safe_outcome open_window(struct safe_stream *stream)
{
	size_t row_bytes = call_row_bytes(&stream->call);
	size_t rows = row_bytes < WINDOW_SIZE ? WINDOW_SIZE / row_bytes : 1;

	if (rows > stream->call.image.height)
		rows = stream->call.image.height;
	stream->window_size = rows * row_bytes; /* not 0: the reader sees to it */
	stream->window = stream->window_size > 0 ? malloc(stream->window_size) : NULL;
	if (!stream->window)
		return outcome_of_errno(SAFE_IO, "no memory for the picture", ENOMEM);
	return set_canvas(stream, stream->window, row_bytes, rows);
}

enum safe_status safe_stream_into(struct safe_stream *stream, void *pixels, size_t pixels_size, size_t stride)
{
	struct call *call = stream ? &stream->call : NULL;

	if (!call || !decoder_is_ours(call->decoder) || !pixels || !call->is_image || call->canvas.pixels ||
	    call->info_only || call->stage == CALL_OVER)
		return SAFE_USAGE;
	if (!call_fits(call, pixels_size, stride))
		return SAFE_USAGE;
	stream->into = true;
	return set_canvas(stream, pixels, stride, call->image.height).status;
}

/* ---- telling ---- */

static void tell_rows(struct safe_stream *stream, struct safe_event *event)
{
	struct canvas *canvas = &stream->call.canvas;
	size_t complete = canvas_complete(canvas);

	event->kind = SAFE_EVENT_ROWS;
	event->frame = stream->call.frames_begun - 1;
	event->first_row = stream->first_row + (uint32_t)stream->rows_told;
	event->rows = (uint32_t)(complete - stream->rows_told);
	event->stride = canvas->stride;
	event->data = canvas->pixels + stream->rows_told * canvas->stride;
	event->data_size = (size_t)(event->rows - 1) * canvas->stride + canvas->row_bytes;
	stream->rows_told = complete;
}

/* What was told of a window can make room. */
static void recycle(struct safe_stream *stream)
{
	struct canvas *canvas = &stream->call.canvas;

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

struct safe_outcome stream_make_room(struct safe_stream *stream)
{
	const struct call *call = &stream->call;
	bool lacks_window = call->is_image && !call->info_only && !stream->info_pending && !call->canvas.pixels;

	recycle(stream);
	return lacks_window && call->stage != CALL_OVER ? open_window(stream) : outcome_ok();
}

/* After damage: puts the next of the rows that lack on the canvas.  Returns false where there are none. */
static bool fill_missing(struct safe_stream *stream)
{
	struct call *call = &stream->call;
	struct canvas *canvas = &call->canvas;

	if (call->outcome.status != SAFE_OK || call->damage == WIRE_OK || !canvas->pixels || call->frames_begun == 0)
		return false;
	size_t left = call->image.height - stream->first_row;
	size_t rows = left < canvas->rows ? left : canvas->rows;
	if (rows == stream->rows_told)
		return false;
	(void)canvas_fill(canvas, rows);
	return true;
}

/* Whole units of what has come. */
static void tell_flow(struct safe_stream *stream, struct safe_event *event)
{
	stream->window_told = stream->window_filled - stream->window_filled % stream->unit;
	event->data = stream->window;
	event->data_size = stream->window_told;
	if (stream->call.info.kind == SAFE_KIND_BYTES) {
		event->kind = SAFE_EVENT_BYTES;
		return;
	}
	event->kind = SAFE_EVENT_SAMPLES;
	event->first_sample_frame = stream->sample_frames_told;
	event->sample_frames = stream->window_told / stream->unit;
	stream->sample_frames_told += event->sample_frames;
}

static void tell_tag(struct safe_stream *stream, struct safe_event *event)
{
	event->kind = SAFE_EVENT_TAG;
	event->tag = stream->tag;
	event->data = stream->tag_value;
	event->data_size = stream->tag_size;
	stream->tag_size = 0;
}

static bool has_rows(const struct safe_stream *stream)
{
	const struct canvas *canvas = &stream->call.canvas;

	return canvas->pixels && canvas_complete(canvas) > stream->rows_told;
}

/* Not told yet, that is: what was told goes at the next step. */
static bool has_flow(const struct safe_stream *stream)
{
	return stream->window_filled > 0 && stream->window_filled >= stream->unit;
}

bool stream_has_news(const struct safe_stream *stream)
{
	return stream->info_pending || stream->frame_pending || stream->loss_pending || stream->tag_size > 0 ||
	       has_flow(stream) || has_rows(stream);
}

void stream_tell(struct safe_stream *stream, struct safe_event *event)
{
	struct call *call = &stream->call;

	if (stream->tag_size > 0) {
		tell_tag(stream, event);
	} else if (stream->info_pending) {
		event->kind = SAFE_EVENT_INFO;
		event->info = &call->info;
		stream->info_pending = false;
	} else if (stream->frame_pending) {
		event->kind = SAFE_EVENT_FRAME;
		event->frame = call->frames_begun - 1;
		event->delay_milliseconds = stream->delay;
		stream->frame_pending = false;
	} else if (stream->loss_pending) {
		event->kind = SAFE_EVENT_LOSS;
		event->losses = call->losses;
		stream->loss_pending = false;
	} else if (has_flow(stream)) {
		tell_flow(stream, event);
	} else if (has_rows(stream)) {
		tell_rows(stream, event);
	} else if (call->stage == CALL_OVER && call->outcome.status == SAFE_OK) {
		if (fill_missing(stream))
			tell_rows(stream, event);
		else
			event->kind = SAFE_EVENT_END;
	}
}

void stream_listen(struct safe_stream *stream)
{
	struct call *call = &stream->call;

	call->driver = stream;
	call->on_info = take_info;
	call->on_image = take_info;
	call->on_bytes = take_bytes;
	call->on_audio = take_audio;
	call->on_tag = take_tag;
	call->on_loss = take_loss;
	call->on_frame = take_frame;
	call->on_rows = take_rows;
	call->on_end = note_missing;
	call->reserve_bytes = reserve_bytes;
	call->commit_bytes = commit_bytes;
}
