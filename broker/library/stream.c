/* SPDX-License-Identifier: MIT */
/* Decodes whose results are pulled while they arrive. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "../fds.h"
#include "../structs.h"
#include "call.h"

enum {
	WINDOW_SIZE = 256 << 10,
	TURNS = 64, /* of the pump in one step: a decode that gives nothing must not keep the caller */
	WATCHED = PUMP_FDS,
	WANTING_MILLISECONDS = 1000, /* after which it is looked whether the broker still answers */
};

struct safe_stream {
	struct call call;
	int epoll; /* what the caller polls: everything that the decode waits for, and the timer */
	int timer;
	struct pollfd watched[WATCHED]; /* as they are registered; fd -1: none */
	uint64_t idle_since;            /* when a step had nothing to do; 0: it had */

	uint8_t *window;                   /* owned */
	size_t window_size, window_filled; /* the latter of bytes */
	bool into;                         /* the pixels go to the caller's memory instead */

	/* What has come and was not told yet. */
	bool info_pending, frame_pending;
	uint32_t delay;
	size_t rows_told;   /* of those on the canvas */
	uint32_t first_row; /* of the frame: where the canvas begins */
};

/* ---- what the call calls ---- */

static void pause_for(struct call *call)
{
	pump_pause(&call->decode.pump);
}

/* The caller has until the next step to say where the pixels are to go. */
static struct safe_outcome take_image(struct call *call)
{
	struct safe_stream *stream = call->driver;

	stream->info_pending = true;
	pause_for(call);
	return outcome_ok();
}

static struct safe_outcome take_bytes(struct call *call)
{
	struct safe_stream *stream = call->driver;

	stream->window_size = WINDOW_SIZE;
	stream->window = malloc(stream->window_size);
	stream->info_pending = true;
	pause_for(call);
	return stream->window ? outcome_ok() : outcome_of_errno(SAFE_IO, "no memory for the output", ENOMEM);
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
	    call->stage == CALL_OVER)
		return SAFE_USAGE;
	if (!call_fits(call, pixels_size, stride))
		return SAFE_USAGE;
	stream->into = true;
	return set_canvas(stream, pixels, stride, call->image.height).status;
}

/* ---- what the caller polls ---- */

static void watch(struct safe_stream *stream, int index, struct pollfd wanted)
{
	struct pollfd *now = &stream->watched[index];
	struct epoll_event event = { .events = wanted.events & POLLOUT ? EPOLLOUT : EPOLLIN };

	if (now->fd == wanted.fd && (now->fd < 0 || now->events == wanted.events))
		return;
	/* What was closed meanwhile is gone from the set already. */
	if (now->fd >= 0)
		(void)epoll_ctl(stream->epoll, EPOLL_CTL_DEL, now->fd, NULL);
	*now = wanted;
	/* A regular file cannot be waited for, and need not: poll() has said so, and a step does not end before it. */
	if (wanted.fd >= 0 && epoll_ctl(stream->epoll, EPOLL_CTL_ADD, wanted.fd, &event) != 0)
		now->fd = -1;
}

static void set_timer(struct safe_stream *stream, uint64_t nanoseconds)
{
	const struct itimerspec when = { .it_value.tv_sec = (time_t)(nanoseconds / 1000000000U),
		                         .it_value.tv_nsec = (long)(nanoseconds % 1000000000U) };

	(void)timerfd_settime(stream->timer, 0, &when, NULL); /* cannot fail with these arguments */
}

/* Sets up what safe_stream_fd() waits for; `again`: a step is needed in any case. */
static void wait_for(struct safe_stream *stream, bool again)
{
	struct call *call = &stream->call;
	struct pollfd fds[WATCHED] = { { .fd = -1 }, { .fd = -1 }, { .fd = -1 } };
	uint64_t timeout = 0;

	if (call->stage == CALL_RECOGNISING) {
		int milliseconds = call_time_left(call);
		fds[0] = (struct pollfd){ .fd = call->input.fd, .events = POLLIN };
		timeout = milliseconds >= 0 ? (uint64_t)milliseconds * 1000000U + 1 : 0;
	} else if (call->stage == CALL_WANTING) {
		fds[0] = (struct pollfd){ .fd = call->want.wake, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = decoder_want_fd(call->decoder, &call->want), .events = POLLIN };
		timeout = WANTING_MILLISECONDS * UINT64_C(1000000);
		/* The broker may be another by now whose socket has the same number. */
		watch(stream, 1, (struct pollfd){ .fd = -1 });
	} else if (call->stage == CALL_DECODING) {
		int milliseconds = decode_wants(&call->decode, fds);
		timeout = milliseconds > 0 ? (uint64_t)milliseconds * 1000000U : 0;
	}
	for (int i = 0; i < WATCHED; i++)
		watch(stream, i, fds[i]);
	set_timer(stream, again ? 1 : timeout);
}

/* ---- steps ---- */

static void step_wanting(struct safe_stream *stream)
{
	struct call *call = &stream->call;
	uint64_t count = 0;
	bool done = false;

	if (call->want.wake < 0) {
		call->want.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (call->want.wake < 0) {
			call_over(call, outcome_of_errno(SAFE_IO, "cannot wait for a decoder", errno));
			return;
		}
		done = decoder_want(call->decoder, &call->want);
	} else {
		if (read(call->want.wake, &count, sizeof(count)) < 0) {
			/* Then something else woke the caller. */
		}
		done = decoder_check(call->decoder, &call->want);
	}
	if (done)
		call_begin(call);
}

/* Whether what has come is for the caller to see. */
static bool has_news(const struct safe_stream *stream)
{
	const struct call *call = &stream->call;

	return stream->info_pending || stream->frame_pending || stream->window_filled > 0 ||
	       (call->canvas.pixels && canvas_complete(&call->canvas) > stream->rows_told);
}

/* Lets the pump work once, without waiting.  Returns false where it had nothing to do. */
static bool turn(struct safe_stream *stream)
{
	struct call *call = &stream->call;
	struct pollfd fds[PUMP_FDS];
	uint64_t now = decode_clock();
	uint64_t waited = stream->idle_since ? now - stream->idle_since : 0;

	int timeout = decode_wants(&call->decode, fds);
	bool ready = poll(fds, PUMP_FDS, 0) > 0;
	if (!ready) {
		for (int i = 0; i < PUMP_FDS; i++)
			fds[i].revents = 0;
		stream->idle_since = stream->idle_since && timeout > 0 ? stream->idle_since : now;
		/* It is the caller's input that is waited for, or the child has not stalled for too long yet. */
		if (timeout < 0 || (timeout > 0 && waited < call->decode.pump.stall_limit))
			return false;
	}
	if (ready)
		stream->idle_since = 0;
	if (!decode_step(&call->decode, fds, ready ? 0 : waited))
		call_over(call, call->decode.outcome);
	return true;
}

/* Goes on until there is news or nothing can be done.  Returns whether there may be more to do at once. */
static bool advance(struct safe_stream *stream)
{
	struct call *call = &stream->call;

	for (int turns = 0; turns < TURNS; turns++) {
		if (has_news(stream) || call->stage == CALL_OVER)
			return true;
		if (call->stage == CALL_RECOGNISING) {
			struct pollfd source = { .fd = call->input.fd, .events = POLLIN };
			bool known = call->input.data || call_time_left(call) == 0;
			int ready = known ? 1 : poll(&source, 1, 0);
			/* Where it could not be asked, nothing can be waited for either. */
			if (ready < 0)
				return true;
			if (ready == 0 || !call_recognise(call))
				return false;
		} else if (call->stage == CALL_WANTING) {
			step_wanting(stream);
			if (call->stage == CALL_WANTING)
				return false;
		} else if (!turn(stream)) {
			return false;
		}
	}
	return true;
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

	if (stream->into || !canvas->pixels || stream->rows_told == 0)
		return;
	stream->first_row += (uint32_t)stream->rows_told;
	stream->rows_told = 0;
	canvas_recycle(canvas);
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

static void tell(struct safe_stream *stream, struct safe_event *event)
{
	struct call *call = &stream->call;

	if (stream->info_pending) {
		event->kind = SAFE_EVENT_INFO;
		event->info = &call->info;
		stream->info_pending = false;
	} else if (stream->frame_pending) {
		event->kind = SAFE_EVENT_FRAME;
		event->frame = call->frames_begun - 1;
		event->delay_milliseconds = stream->delay;
		stream->frame_pending = false;
	} else if (stream->window_filled > 0) {
		event->kind = SAFE_EVENT_BYTES;
		event->data = stream->window;
		event->data_size = stream->window_filled;
		stream->window_filled = 0;
	} else if (call->canvas.pixels && canvas_complete(&call->canvas) > stream->rows_told) {
		tell_rows(stream, event);
	} else if (call->stage == CALL_OVER && call->outcome.status == SAFE_OK) {
		if (fill_missing(stream))
			tell_rows(stream, event);
		else
			event->kind = SAFE_EVENT_END;
	}
}

enum safe_status safe_stream_step(struct safe_stream *stream, struct safe_event *event)
{
	struct safe_event news = { .kind = SAFE_EVENT_NONE };

	if (!stream || !event || !decoder_is_ours(stream->call.decoder))
		return SAFE_USAGE;
	struct call *call = &stream->call;
	recycle(stream);
	/* The time to say where the pixels are to go is over. */
	if (call->is_image && !stream->info_pending && !call->canvas.pixels && call->stage != CALL_OVER) {
		struct safe_outcome outcome = open_window(stream);
		if (outcome.status != SAFE_OK)
			call_over(call, outcome);
	}
	bool again = advance(stream);
	tell(stream, &news);
	if (news.kind == SAFE_EVENT_NONE && call->stage == CALL_OVER) {
		structs_give(event, &news, sizeof(news));
		wait_for(stream, true);
		return call->outcome.status;
	}
	/* Whoever polls before the next step must not miss what is here already. */
	wait_for(stream, again);
	structs_give(event, &news, sizeof(news));
	return SAFE_OK;
}

/* ---- opening and closing ---- */

enum safe_status safe_stream_open(struct safe_decoder *decoder, const struct safe_input *input,
                                  const struct safe_request *request, struct safe_stream **stream)
{
	if (!stream)
		return SAFE_USAGE;
	struct safe_stream *made = calloc(1, sizeof(*made));
	*stream = NULL;
	if (!made)
		return SAFE_IO;
	struct safe_outcome outcome = call_init(&made->call, decoder, input, request, false);
	made->call.driver = made;
	made->call.on_image = take_image;
	made->call.on_bytes = take_bytes;
	made->call.on_frame = take_frame;
	made->call.on_rows = take_rows;
	made->call.on_end = note_missing;
	made->call.reserve_bytes = reserve_bytes;
	made->call.commit_bytes = commit_bytes;
	made->epoll = made->timer = -1;
	for (int i = 0; i < WATCHED; i++)
		made->watched[i].fd = -1;
	if (outcome.status == SAFE_OK) {
		struct epoll_event event = { .events = EPOLLIN };
		made->epoll = epoll_create1(EPOLL_CLOEXEC);
		made->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
		if (made->epoll < 0 || made->timer < 0 ||
		    epoll_ctl(made->epoll, EPOLL_CTL_ADD, made->timer, &event) != 0)
			outcome = outcome_of_errno(SAFE_IO, "cannot make what a stream waits with", errno);
	}
	if (outcome.status != SAFE_OK) {
		safe_stream_close(&made);
		return outcome.status;
	}
	set_timer(made, 1); /* the first step has something to do */
	*stream = made;
	return SAFE_OK;
}

int safe_stream_fd(const struct safe_stream *stream)
{
	return stream ? stream->epoll : -1;
}

void safe_stream_result(const struct safe_stream *stream, struct safe_result *result)
{
	if (stream)
		call_result(&stream->call, result);
}

void safe_stream_posture(const struct safe_stream *stream, struct safe_posture *posture)
{
	struct safe_posture all = { .size = sizeof(all) };

	if (stream)
		posture_public(&stream->call.decode.posture, &all);
	structs_give(posture, &all, sizeof(all));
}

void safe_stream_close(struct safe_stream **stream)
{
	struct safe_stream *closed = stream ? *stream : NULL;

	if (!closed)
		return;
	*stream = NULL;
	fds_close(&closed->epoll);
	fds_close(&closed->timer);
	call_end(&closed->call);
	fds_close(&closed->call.want.wake);
	free(closed->window);
	free(closed);
}
