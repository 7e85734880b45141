/* SPDX-License-Identifier: MIT */
/* What the caller of a stream polls. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "broker/base/fds.h"
#include "stream.h"

enum { LOOKING_MILLISECONDS = 10 }; /* after which is looked again for what cannot be waited for */

/* Returns false where it cannot be waited for: there is no memory, or the user's watches are used up. */
static bool watch(struct sdec_stream *stream, int index, struct pollfd wanted)
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

static void set_timer(struct sdec_stream *stream, uint64_t nanoseconds)
{
	const struct itimerspec when = { .it_value = clock_timespec(nanoseconds) };

	(void)timerfd_settime(stream->timer, 0, &when, NULL); /* cannot fail with these arguments */
}

void stream_wait_for(struct sdec_stream *stream, bool again)
{
	const struct call *call = &stream->request.call;
	struct pollfd fds[STREAM_WATCHED];
	int timeout = call_wants(call, fds);
	bool all = true;

	/* The broker may be another by now whose socket has the same number. */
	if (call->stage == CALL_WANTING)
		(void)watch(stream, 0, (struct pollfd){ .fd = -1 });
	for (int i = 0; i < STREAM_WATCHED; i++)
		all = watch(stream, i, fds[i]) && all;
	if (!all && (timeout < 0 || timeout > LOOKING_MILLISECONDS))
		timeout = LOOKING_MILLISECONDS;
	/* Not 0, which would stop the timer. */
	set_timer(stream, again || timeout == 0 ? 1 : timeout > 0 ? (uint64_t)timeout * CLOCK_MILLISECOND : 0);
}

struct outcome stream_wait_open(struct sdec_stream *stream)
{
	struct epoll_event event = { .events = EPOLLIN };

	stream->epoll = epoll_create1(EPOLL_CLOEXEC);
	stream->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (stream->epoll < 0 || stream->timer < 0 ||
	    epoll_ctl(stream->epoll, EPOLL_CTL_ADD, stream->timer, &event) != 0)
		return outcome_of_errno(status_is_exhaustion(errno) ? SDEC_EXHAUSTED : SDEC_IO,
		                        "cannot make what a stream waits with", errno);
	stream->request.call.want.wake = stream->timer;
	set_timer(stream, 1); /* the first step has something to do */
	return outcome_ok();
}

void stream_wait_close(struct sdec_stream *stream)
{
	fds_close(&stream->epoll);
	fds_close(&stream->timer);
}
