/* SPDX-License-Identifier: MIT */
/* Decodes whose results are pulled while they arrive: opening, steps, closing. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../fds.h"
#include "../structs.h"
#include "stream.h"

enum { TURNS = 64 }; /* of the pump in one step: a decode that gives nothing must not keep the caller */

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
		if (stream_has_news(stream) || call->stage == CALL_OVER)
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

enum safe_status safe_stream_step(struct safe_stream *stream, struct safe_event *event)
{
	struct safe_event news = { .kind = SAFE_EVENT_NONE };

	if (!stream || !event || !decoder_is_ours(stream->call.decoder))
		return SAFE_USAGE;
	struct call *call = &stream->call;
	struct safe_outcome outcome = stream_make_room(stream);
	if (outcome.status != SAFE_OK)
		call_over(call, outcome);
	bool again = advance(stream);
	stream_tell(stream, &news);
	if (news.kind == SAFE_EVENT_NONE && call->stage == CALL_OVER) {
		structs_give(event, &news, sizeof(news));
		stream_wait_for(stream, true);
		return call->outcome.status;
	}
	/* Whoever polls before the next step must not miss what is here already. */
	stream_wait_for(stream, again);
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
	struct safe_outcome outcome = call_init(&made->call, decoder, input, request, CALL_STREAM);
	stream_listen(made);
	made->epoll = made->timer = -1;
	for (int i = 0; i < STREAM_WATCHED; i++)
		made->watched[i].fd = -1;
	if (outcome.status == SAFE_OK)
		outcome = stream_wait_open(made);
	if (outcome.status != SAFE_OK) {
		safe_stream_close(&made);
		return outcome.status;
	}
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
	stream_wait_close(closed);
	call_end(&closed->call);
	fds_close(&closed->call.want.wake);
	free(closed->window);
	free(closed);
}
