/* SPDX-License-Identifier: MIT */
/* A decode whose results are pulled while they arrive. */
#ifndef SAFE_DECODE_STREAM_HANDLE_H
#define SAFE_DECODE_STREAM_HANDLE_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "canvas.h"
#include "request.h"

enum { STREAM_WATCHED = PUMP_FDS };

struct sdec_stream {
	struct request request;
	struct canvas canvas;
	int epoll; /* what the caller polls: everything that the decode waits for, and the timer */
	int timer; /* also lets the caller look where a child has come */
	struct pollfd watched[STREAM_WATCHED]; /* as they are registered; fd -1: none */
	uint64_t idle_since;                   /* when a step had nothing to do; 0: it had */

	uint8_t *window; /* owned */
	size_t window_size;
	size_t window_filled, window_told; /* of bytes and samples */
	size_t unit;                       /* bytes that are told together: of samples, a frame */
	bool into;                         /* the pixels go to the caller's memory instead */

	/* What has come and was not told yet. */
	bool info_pending, frame_pending, loss_pending, blob_pending;
	struct wire_frame frame;
	uint32_t frames_before; /* the current page */
	size_t rows_told;       /* of those on the canvas */
	uint32_t first_row;     /* of the frame: where the canvas begins */
	uint64_t sample_frames_told;
	enum wire_tag tag;
	size_t tag_size; /* of the value; 0: there is none */
	char tag_value[WIRE_VALUE_MAX + 1];
};

/* ---- what has come, and how it is told (stream_events.c) ---- */

extern const struct call_driver stream_driver; /* its context is the stream */

/* What was told can make room; and where pixels wait for the caller to say where they go, the time for that is over.
 * Returns SDEC_OK or SDEC_IO (no memory). */
struct outcome stream_make_room(struct sdec_stream *stream);

/* Whether what has come is for the caller to see. */
bool stream_has_news(const struct sdec_stream *stream);

/* Fills the event with the next of it, or leaves it alone. */
void stream_tell(struct sdec_stream *stream, struct sdec_event *event);

/* ---- what the caller polls (stream_wait.c) ---- */

/* Returns SDEC_OK, SDEC_EXHAUSTED or SDEC_IO. */
struct outcome stream_wait_open(struct sdec_stream *stream);
void stream_wait_close(struct sdec_stream *stream);

/* Sets up what sdec_stream_fd() waits for; `again`: a step is needed in any case. */
void stream_wait_for(struct sdec_stream *stream, bool again);

#endif
