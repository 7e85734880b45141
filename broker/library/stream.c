/* SPDX-License-Identifier: MIT */
/* Decodes whose results are pulled while they arrive: opening, steps, closing. */
#include <poll.h>
#include <stdlib.h>

#include "broker/base/structs.h"
#include "stream.h"

enum { TURNS = 64 }; /* of the pump in one step: a decode that gives nothing must not keep the caller */

/* ---- steps ---- */

/* Lets the call work once, without waiting.  Returns false where it had nothing to do. */
static bool turn(struct sdec_stream *stream)
{
	struct call *call = &stream->request.call;
	struct pollfd fds[PUMP_FDS];
	uint64_t now = decode_clock();
	uint64_t waited = stream->idle_since ? now - stream->idle_since : 0;
	enum call_stage stage = call->stage;

	int timeout = call_wants(call, fds);
	int ready = poll(fds, PUMP_FDS, 0);
	if (ready <= 0) {
		for (int i = 0; i < PUMP_FDS; i++)
			fds[i].revents = 0;
	}
	/* Where it failed, there may be something, and for a file nothing would wake the caller. */
	bool idle = ready == 0 && timeout != 0;
	/* What is over by time alone shows in a step, too. */
	(void)call_step(call, fds, idle ? waited : 0);
	stream->idle_since = idle ? now : 0;
	return !idle || call->stage != stage;
}

/* Goes on until there is news or nothing can be done.  Returns whether there may be more to do at once. */
static bool advance(struct sdec_stream *stream)
{
	const struct call *call = &stream->request.call;

	for (int turns = 0; turns < TURNS; turns++) {
		if (stream_has_news(stream) || call->stage == CALL_OVER)
			return true;
		if (!turn(stream))
			return stream_has_news(stream) || call->stage == CALL_OVER;
	}
	return true;
}

enum sdec_status sdec_stream_step(struct sdec_stream *stream, struct sdec_event *event)
{
	struct sdec_event news = { .kind = SDEC_EVENT_NONE };

	if (!stream || !event || !decoder_is_ours(stream->request.decoder))
		return SDEC_USAGE;
	struct call *call = &stream->request.call;
	struct outcome outcome = stream_make_room(stream);
	if (outcome.status != SDEC_OK)
		call_over(call, outcome);
	bool again = advance(stream);
	stream_tell(stream, &news);
	if (news.kind == SDEC_EVENT_NONE && call->stage == CALL_OVER) {
		structs_give(event, &news, sizeof(news));
		stream_wait_for(stream, true);
		return call->outcome.status;
	}
	/* Whoever polls before the next step must not miss what is here already. */
	stream_wait_for(stream, again);
	structs_give(event, &news, sizeof(news));
	return SDEC_OK;
}

/* ---- opening and closing ---- */

enum sdec_status sdec_stream_open(struct sdec_pool *decoder, const struct sdec_input *input,
                                  const struct sdec_request *request, struct sdec_stream **stream)
{
	if (!stream)
		return SDEC_USAGE;
	struct sdec_stream *made = calloc(1, sizeof(*made));
	*stream = NULL;
	if (!made)
		return SDEC_IO;
	struct outcome outcome =
	        request_begin(&made->request, decoder, input, request, REQUEST_STREAM, &stream_driver, made);
	made->epoll = made->timer = -1;
	for (int i = 0; i < STREAM_WATCHED; i++)
		made->watched[i].fd = -1;
	if (outcome.status == SDEC_OK)
		outcome = stream_wait_open(made);
	if (outcome.status == SDEC_EXHAUSTED) {
		/* Spares hold descriptors, too. */
		stream_wait_close(made);
		(void)pthread_mutex_lock(&decoder->lock);
		(void)decoder_make_room(decoder, NULL, decode_clock());
		(void)pthread_mutex_unlock(&decoder->lock);
		outcome = stream_wait_open(made);
	}
	if (outcome.status != SDEC_OK) {
		sdec_stream_close(&made);
		return outcome.status;
	}
	*stream = made;
	return SDEC_OK;
}

int sdec_stream_fd(const struct sdec_stream *stream)
{
	return stream ? stream->epoll : -1;
}

void sdec_stream_result(const struct sdec_stream *stream, struct sdec_result *result)
{
	if (stream)
		request_result(&stream->request, result);
}

void sdec_stream_posture(const struct sdec_stream *stream, struct sdec_posture *posture)
{
	struct sdec_posture all = { .size = sizeof(all) };

	if (stream)
		posture_public(&stream->request.call.decode.posture, &all);
	structs_give(posture, &all, sizeof(all));
}

void sdec_stream_close(struct sdec_stream **stream)
{
	struct sdec_stream *closed = stream ? *stream : NULL;

	if (!closed)
		return;
	*stream = NULL;
	request_end(&closed->request); /* first: it wakes by the timer */
	stream_wait_close(closed);
	canvas_free(&closed->canvas);
	free(closed->window);
	free(closed);
}
