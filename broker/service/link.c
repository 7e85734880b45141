/* SPDX-License-Identifier: MIT */
#include "link.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "broker/base/fds.h"
#include "broker/base/packet.h"
#include "broker/base/pidfd.h"
#include "broker/decode/decode.h"
#include "broker/decode/limits.h"
#include "broker/sandbox/sandbox_steps.h"
#include "hello.h"

enum { SURPLUS = 8 }; /* children that were asked for and not taken: kept, for the next are likely to want them */

/* ---- opening and closing ---- */

static struct outcome start_own_broker(const struct sdec_pool *decoder, const char *program,
                                       struct started_broker *started)
{
	struct broker_plan plan = {
		.folder = decoder->folder,
		.numbers = { .memory = decoder->config.memory,
		             .cpu_seconds = limits_resolve(NULL).cpu_seconds,
		             .spares = decoder->config.spares },
		.idle_seconds = decoder->config.idle_seconds,
		.caller = pidfd_of_this_process(),
		.detached = true,
	};

	*started = STARTED_BROKER_NONE;
	if (plan.caller < 0)
		return outcome_of_making("cannot get hold of this process", errno);
	struct outcome outcome = start_broker(&plan, program, started);
	fds_close(&plan.caller);
	return outcome;
}

struct outcome link_open(struct sdec_pool *decoder, const char *program, struct link **link)
{
	struct link *made = calloc(1, sizeof(*made));
	struct started_broker started = STARTED_BROKER_NONE;

	*link = NULL;
	if (!made)
		return outcome_of_making("no memory for a broker", ENOMEM);
	struct outcome outcome = (decoder->start ? decoder->start : start_own_broker)(decoder, program, &started);
	*made = (struct link){
		.decoder = decoder,
		.program = program,
		.process = started.process,
		.socket = started.socket,
		.timer = started.timer,
	};
	if (outcome.status == SDEC_OK)
		*link = made;
	else
		free(made);
	return outcome;
}

static void let_go(struct link *link)
{
	for (struct link_child *child = link->children, *next = NULL; child; child = next) {
		next = child->next;
		if (!child->used)
			child_close(&child->child);
		free(child);
	}
}

struct started link_close(struct link *link)
{
	struct started process = link->process;

	if (decoder_is_ours(link->decoder)) {
		(void)link_drop_spares(link);
		/* A forked process may have a copy, which would keep the broker waiting. */
		(void)shutdown(link->socket, SHUT_RDWR);
	} else {
		let_go(link);
	}
	fds_close(&link->socket);
	fds_close(&link->timer);
	free(link);
	return process;
}

/* What is set to 0 stands still, as does what has run out: only the library knows which it is. */
bool link_touch(struct link *link)
{
	const struct itimerspec still = { .it_value.tv_sec = 0 };
	struct itimerspec before;

	if (link->needed)
		return true;
	if (timerfd_settime(link->timer, 0, &still, &before) != 0 ||
	    (before.it_value.tv_sec == 0 && before.it_value.tv_nsec == 0))
		return false;
	link->needed = true;
	return true;
}

void link_settle(struct link *link)
{
	const struct itimerspec idle = { .it_value.tv_sec = link->decoder->config.idle_seconds };

	if (!link->needed || !link_is_unused(link))
		return;
	if (timerfd_settime(link->timer, 0, &idle, NULL) != 0)
		link->dead = true;
	link->needed = false;
}

bool link_is_running(const struct link *link)
{
	return pidfd_is_running(link->process.pidfd);
}

bool link_is_used(const struct link *link)
{
	for (const struct link_child *child = link->children; child; child = child->next)
		if (child->used)
			return true;
	return false;
}

bool link_is_unused(const struct link *link)
{
	return !link_is_used(link) && !link->wants && !link->reading && !link->draining;
}

/* ---- saying ---- */

static bool hear(struct link *link);

static void say(struct link *link, const struct protocol_command *command)
{
	if (link->dead || packet_send(link->socket, command, sizeof(*command), NULL, 0))
		return;
	/* It has ended, perhaps because it could not start, and then it has said why. */
	while (!link->dead && !link->greeted && hear(link))
		;
	/* A broker that leaves its socket full does not work any more. */
	link->dead = true;
}

void link_ask(struct link *link, struct want *want)
{
	struct protocol_command command = {
		.kind = PROTOCOL_WANT,
		.tag = want->tag,
		.cpu_seconds = want->limits->cpu_seconds,
		.memory = want->limits->memory,
	};
	struct want **last = &link->wants;

	while (*last)
		last = &(*last)->next;
	*last = want;
	want->next = NULL;
	want->link = link;
	want->since = decode_clock();
	say(link, &command);
}

void link_forget(struct want *want)
{
	struct want **place = want->link ? &want->link->wants : NULL;

	while (place && *place && *place != want)
		place = &(*place)->next;
	if (place && *place)
		*place = want->next;
	want->link = NULL;
}

void link_wake(const struct want *want)
{
	const struct itimerspec now = { .it_value.tv_nsec = 1 };

	if (want->wake >= 0)
		(void)timerfd_settime(want->wake, 0, &now, NULL); /* cannot fail with these arguments */
}

static void satisfy(struct want *want, struct outcome outcome)
{
	want->outcome = outcome;
	want->done = true;
	link_forget(want);
	link_wake(want);
}

/* ---- hearing ---- */

/* What a PROTOCOL_NONE means. */
static struct outcome outcome_of_none(const struct protocol_report *report)
{
	switch (report->reason) {
	case PROTOCOL_EXHAUSTED:
		return outcome_of_errno(SDEC_EXHAUSTED, "there is no process or descriptor left for a decoder",
		                        report->error_number);
	case PROTOCOL_NOT_VERIFIED:
		return verify_outcome(report->step > VERIFY_CONFIRMED && report->step < VERIFY_FAILURES
		                              ? (enum verify_failure)report->step
		                              : VERIFY_NOT_CONFIRMED,
		                      report->error_number);
	default:
		return outcome_of_errno(SDEC_NO_SANDBOX, sandbox_step_failure(report->step), report->error_number);
	}
}

static struct want *want_for(struct link *link, uint32_t tag)
{
	for (struct want *want = link->wants; want; want = want->next)
		if (want->tag == tag)
			return want;
	return NULL;
}

static void take_none(struct link *link, const struct protocol_report *report)
{
	struct want *want = want_for(link, report->tag);

	/* The processes that there may be are other brokers', and their decoders. */
	if (want && report->reason == PROTOCOL_EXHAUSTED) {
		link_forget(want);
		decoder_stall(link->decoder, want, link, outcome_of_none(report));
	} else if (want) {
		satisfy(want, outcome_of_none(report));
	}
	link_settle(link);
}

/* The broker can make no process before another one of its own has ended: what it was asked for waits there. */
static void take_full(struct link *link)
{
	link->full = true;
	(void)decoder_make_room(link->decoder, link, decode_clock());
}

static void take_end(struct link *link, const struct protocol_report *report)
{
	for (struct link_child *child = link->children; child; child = child->next) {
		if (child->posture.id != report->id)
			continue;
		child->ended = true;
		child->end = *report;
		if (!child->used)
			link_drop(child);
		return;
	}
}

/* Whether there are enough spares without one that came though nobody waits for it. */
static bool has_enough(const struct link *link)
{
	uint32_t spares = link->decoder->config.spares;
	size_t unused = 0;

	for (const struct link_child *child = link->children; child; child = child->next)
		unused += !child->used;
	return unused > (spares > 0 ? spares + SURPLUS : 0);
}

static void take_child(struct link *link, const struct protocol_report *report, const int *fds)
{
	struct protocol_command drop = { .kind = PROTOCOL_DROP, .id = report->id };
	struct link_child *child = fds ? link_add(link, report, fds) : NULL;
	struct want *want = want_for(link, report->tag);

	if (!child) {
		for (int i = 0; fds && i < PROTOCOL_CHILD_FDS; i++)
			(void)close(fds[i]);
		say(link, &drop);
		if (!want)
			return;
		link_forget(want);
		decoder_stall(link->decoder, want, link,
		              outcome_of_errno(SDEC_EXHAUSTED, "cannot take a decoder over", fds ? ENOMEM : EMFILE));
		return;
	}
	link->full = false;

	if (want) {
		link_use(child, &want->child);
		satisfy(want, outcome_ok());
	} else if (report->tag != 0 || link->retired || has_enough(link)) {
		/* Whoever wanted it is gone. */
		link_drop(child);
	}
}

static void take(struct link *link, const struct protocol_report *report, const int *fds)
{
	if (report->kind == PROTOCOL_CHILD)
		take_child(link, report, fds);
	else if (report->kind == PROTOCOL_NONE)
		take_none(link, report);
	else if (report->kind == PROTOCOL_ENDED)
		take_end(link, report);
	else if (report->kind == PROTOCOL_FULL)
		take_full(link);
}

/* The first packet.  One that is no hello of this build ends the link, and all who wait at it hear why. */
static void greet(struct link *link, const struct packet *packet)
{
	struct outcome outcome = hello_judge(packet);

	link->greeted = outcome.status == SDEC_OK;
	if (link->greeted) {
		link->library = hello_library(packet->data);
		return;
	}
	link->dead = true;
	while (link->wants)
		satisfy(link->wants, outcome);
}

/* Returns false when there is nothing more. */
static bool hear(struct link *link)
{
	union {
		char room[HELLO_ROOM];
		struct protocol_report report;
	} data;
	int fds[PROTOCOL_CHILD_FDS];
	struct packet packet = { .data = &data, .size = sizeof(data), .fds = fds, .count = PROTOCOL_CHILD_FDS };
	enum packet_result result = packet_receive(link->socket, false, &packet);

	if (result == PACKET_END)
		link->dead = true;
	if (result != PACKET_ONE)
		return false;
	if (!link->greeted)
		greet(link, &packet);
	else if (packet.got == sizeof(data.report))
		take(link, &data.report, packet.with_fds ? fds : NULL);
	return true;
}

static void drain(struct link *link)
{
	link->draining = true;
	while (!link->dead && hear(link))
		;
	link->draining = false;
	if (link->dead)
		link_retire(link);
}

/* Where a thread waits at the socket, it alone reads: it would sleep on if others took what it waits for. */
void link_drain(struct link *link)
{
	if (!link->reading)
		drain(link);
}

void link_expect(struct link *link, uint64_t since)
{
	/* While it waits for room, it has nothing to say. */
	bool waits = link->full && link_is_used(link);

	if (!waits && decode_clock() - since >= LINK_PATIENCE * CLOCK_MILLISECOND)
		link->dead = true;
	link_drain(link);
}

/* The time of the clock by which conditions wait, so many milliseconds from now. */
static struct timespec later(int milliseconds)
{
	return clock_timespec(clock_read(CLOCK_REALTIME) + (uint64_t)milliseconds * CLOCK_MILLISECOND);
}

void link_wait(struct link *link, int milliseconds)
{
	struct sdec_pool *decoder = link->decoder;
	struct pollfd socket = { .fd = link->socket, .events = POLLIN };

	if (milliseconds < 0 || milliseconds > LINK_PATIENCE)
		milliseconds = LINK_PATIENCE;
	if (link->reading) {
		struct timespec when = later(milliseconds);
		(void)pthread_cond_timedwait(&decoder->changed, &decoder->lock, &when);
		return;
	}
	link->reading = true;
	(void)pthread_mutex_unlock(&decoder->lock);
	(void)poll(&socket, 1, milliseconds);
	(void)pthread_mutex_lock(&decoder->lock);
	link->reading = false;
	drain(link);
	(void)pthread_cond_broadcast(&decoder->changed);
}

void link_retire(struct link *link)
{
	link->retired = true;
	(void)link_drop_spares(link);
	while (link->wants) {
		struct want *want = link->wants;
		want->greeted = link->greeted;
		link_forget(want);
		link_wake(want);
	}
	(void)pthread_cond_broadcast(&link->decoder->changed);
}
