/* SPDX-License-Identifier: MIT */
/* What the caller of a stream polls. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "../fds.h"
#include "stream.h"

#define MILLISECOND UINT64_C(1000000) /* in nanoseconds */

enum {
	WANTING_MILLISECONDS = 1000, /* after which it is looked whether the broker still answers */
	LOOKING_MILLISECONDS = 10,   /* after which is looked again for what cannot be waited for */
};

/* Returns false where it cannot be waited for: there is no memory, or the user's watches are used up. */
static bool watch(struct safe_stream *stream, int index, struct pollfd wanted)
{
	struct pollfd *now = &stream->watched[index];
	struct epoll_event event = { .events = wanted.events & POLLOUT ? EPOLLOUT : EPOLLIN };

	if (now->fd == wanted.fd && (now->fd < 0 || now->events == wanted.events))
		return true;
	/* What was closed meanwhile is gone from the set already. */
	if (now->fd >= 0)
		(void)epoll_ctl(stream->epoll, EPOLL_CTL_DEL, now->fd, NULL);
	*now = wanted;
	if (wanted.fd < 0 || epoll_ctl(stream->epoll, EPOLL_CTL_ADD, wanted.fd, &event) == 0)
		return true;
	now->fd = -1;
	/* A regular file need not be waited for: poll() has said so, and a step does not end before it. */
	return errno == EPERM;
}

static void set_timer(struct safe_stream *stream, uint64_t nanoseconds)
{
	const struct itimerspec when = { .it_value.tv_sec = (time_t)(nanoseconds / 1000000000U),
		                         .it_value.tv_nsec = (long)(nanoseconds % 1000000000U) };

	(void)timerfd_settime(stream->timer, 0, &when, NULL); /* cannot fail with these arguments */
}

void stream_wait_for(struct safe_stream *stream, bool again)
{
	struct call *call = &stream->call;
	struct pollfd fds[STREAM_WATCHED] = { { .fd = -1 }, { .fd = -1 }, { .fd = -1 } };
	uint64_t timeout = 0; /* none */
	bool all = true;

	if (call->stage == CALL_RECOGNISING) {
		int milliseconds = call_time_left(call);
		fds[0] = (struct pollfd){ .fd = call->input.fd, .events = POLLIN };
		timeout = milliseconds >= 0 ? (uint64_t)milliseconds * MILLISECOND + 1 : 0;
	} else if (call->stage == CALL_WANTING) {
		fds[0] = (struct pollfd){ .fd = call->want.wake, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = decoder_want_fd(call->decoder, &call->want), .events = POLLIN };
		timeout = WANTING_MILLISECONDS * MILLISECOND;
		/* The broker may be another by now whose socket has the same number. */
		(void)watch(stream, 1, (struct pollfd){ .fd = -1 });
	} else if (call->stage == CALL_DECODING) {
		int milliseconds = decode_wants(&call->decode, fds);
		timeout = milliseconds > 0 ? (uint64_t)milliseconds * MILLISECOND : 0;
	}
	for (int i = 0; i < STREAM_WATCHED; i++)
		all = watch(stream, i, fds[i]) && all;
	if (!all && (timeout == 0 || timeout > LOOKING_MILLISECONDS * MILLISECOND))
		timeout = LOOKING_MILLISECONDS * MILLISECOND;
	set_timer(stream, again ? 1 : timeout);
}

struct safe_outcome stream_wait_open(struct safe_stream *stream)
{
	struct epoll_event event = { .events = EPOLLIN };

	stream->epoll = epoll_create1(EPOLL_CLOEXEC);
	stream->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (stream->epoll < 0 || stream->timer < 0 ||
	    epoll_ctl(stream->epoll, EPOLL_CTL_ADD, stream->timer, &event) != 0)
		return outcome_of_errno(SAFE_IO, "cannot make what a stream waits with", errno);
	set_timer(stream, 1); /* the first step has something to do */
	return outcome_ok();
}

void stream_wait_close(struct safe_stream *stream)
{
	fds_close(&stream->epoll);
	fds_close(&stream->timer);
}
