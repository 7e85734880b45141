/* SPDX-License-Identifier: MIT */
#include "link.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "../decode.h"
#include "../fds.h"
#include "../packet.h"
#include "start.h"

enum { SURPLUS = 8 }; /* children that were asked for and not taken: kept, for the next are likely to want them */

/* ---- opening and closing ---- */

struct safe_outcome link_open(struct safe_decoder *decoder, const char *module, struct link **link)
{
	struct link *made = calloc(1, sizeof(*made));
	struct started started = STARTED_NONE;

	*link = NULL;
	if (!made)
		return outcome_of_errno(SAFE_IO, "no memory for a broker", ENOMEM);
	struct safe_outcome outcome = (decoder->start ? decoder->start : start_own_broker)(decoder, module, &started);
	*made = (struct link){
		.decoder = decoder,
		.module = module,
		.pid = started.pid,
		.pidfd = started.pidfd,
		.socket = started.socket,
		.timer = started.timer,
	};
	if (outcome.status == SAFE_OK)
		*link = made;
	else
		free(made);
	return outcome;
}

static void close_child(struct link_child *child)
{
	if (child->child.pidfd >= 0)
		(void)syscall(SYS_pidfd_send_signal, child->child.pidfd, SIGKILL, NULL, 0);
	child_close(&child->child);
}

static void free_child(struct link_child *child)
{
	struct link_child **place = &child->link->children;

	while (*place != child)
		place = &(*place)->next;
	*place = child->next;
	free(child);
}

static void drop_spares(struct link *link)
{
	struct link_child **place = &link->children;

	for (struct link_child *child = NULL; (child = *place) != NULL;) {
		if (child->used) {
			place = &child->next;
			continue;
		}
		*place = child->next;
		close_child(child);
		free(child);
	}
}

/* In a process that was forked from the caller, the spares and the broker are another's: only its copies go. */
static void let_go(struct link *link)
{
	for (struct link_child *child = link->children, *next = NULL; child; child = next) {
		next = child->next;
		if (!child->used)
			child_close(&child->child);
		free(child);
	}
}

pid_t link_close(struct link *link)
{
	pid_t pid = link->pid;

	if (decoder_is_ours(link->decoder)) {
		drop_spares(link);
		/* A forked process may have a copy, which would keep the broker waiting. */
		(void)shutdown(link->socket, SHUT_RDWR);
	} else {
		let_go(link);
	}
	fds_close(&link->pidfd);
	fds_close(&link->socket);
	fds_close(&link->timer);
	free(link);
	return pid;
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

static bool is_running(int pidfd)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };

	return poll(&ended, 1, 0) == 0;
}

bool link_is_running(const struct link *link)
{
	return is_running(link->pidfd);
}

bool link_is_unused(const struct link *link)
{
	for (const struct link_child *child = link->children; child; child = child->next)
		if (child->used)
			return false;
	return !link->wants && !link->reading;
}

/* ---- saying ---- */

static void say(struct link *link, const struct protocol_command *command)
{
	/* A broker that leaves its socket full does not work any more. */
	if (!link->dead && !packet_send(link->socket, command, sizeof(*command), NULL, 0))
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

static void wake(const struct want *want)
{
	static const uint64_t one = 1;

	if (want->wake >= 0 && write(want->wake, &one, sizeof(one)) < 0) {
		/* Only possible where it is readable already. */
	}
}

static void satisfy(struct want *want, struct safe_outcome outcome)
{
	want->outcome = outcome;
	want->done = true;
	link_forget(want);
	wake(want);
}

/* ---- hearing ---- */

/* Reasons for a PROTOCOL_NONE. */
static const struct {
	enum safe_status status;
	const char *text;
} reasons[PROTOCOL_REASONS] = {
	[PROTOCOL_NO_MODULE] = { SAFE_UNSUPPORTED, "a module that it needs is not installed or cannot be loaded" },
	[PROTOCOL_NO_PREPARATION] = { SAFE_NO_SANDBOX, "the broker cannot prepare a sandbox" },
	[PROTOCOL_NO_FORK] = { SAFE_NO_SANDBOX, "the broker cannot fork a decoder" },
	[PROTOCOL_NO_LOCKDOWN] = { SAFE_NO_SANDBOX, "the decoder ended before it was locked down" },
	[PROTOCOL_NOT_VERIFIED] = { SAFE_NO_SANDBOX, "the kernel does not confirm the decoder's sandbox" },
};

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
	uint32_t reason = report->reason < PROTOCOL_REASONS ? report->reason : PROTOCOL_NO_PREPARATION;

	if (want)
		satisfy(want, outcome_of_errno(reasons[reason].status, reasons[reason].text, report->error_number));
	link_settle(link);
}

static void take_end(struct link *link, const struct protocol_report *report)
{
	for (struct link_child *child = link->children; child; child = child->next) {
		if (child->posture.id != report->id)
			continue;
		child->ended = true;
		child->end = *report;
		if (!child->used) {
			close_child(child);
			free_child(child);
		}
		return;
	}
}

static const struct child_owner a_broker;

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
	struct link_child *child = fds ? calloc(1, sizeof(*child)) : NULL;
	struct want *want = want_for(link, report->tag);

	if (!child) {
		for (int i = 0; fds && i < PROTOCOL_CHILD_FDS; i++)
			(void)close(fds[i]);
		say(link, &drop);
		if (want)
			satisfy(want, outcome_of_errno(SAFE_IO, "cannot take a decoder over", fds ? ENOMEM : EMFILE));
		return;
	}
	*child = (struct link_child){
		.link = link, .posture = *report, .forks = decoder_forks(), .next = link->children
	};
	child->child = (struct child){
		.owner = &a_broker,
		.context = child,
		.pid = (pid_t)report->id,
		.pidfd = fds[PROTOCOL_CHILD_PIDFD],
		.input = fds[PROTOCOL_CHILD_INPUT],
		.input_peer = fds[PROTOCOL_CHILD_INPUT_PEER],
		.output = fds[PROTOCOL_CHILD_OUTPUT],
		.report = -1,
	};
	link->children = child;

	if (want) {
		link_use(child, want->limits->deadline_milliseconds, &want->child);
		satisfy(want, outcome_ok());
	} else if (report->tag != 0 || link->retired || has_enough(link)) {
		/* Whoever wanted it is gone. */
		close_child(child);
		free_child(child);
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
}

/* Returns false when there is nothing more. */
static bool hear(struct link *link)
{
	struct protocol_report report;
	int fds[PROTOCOL_CHILD_FDS];
	bool with_fds = false;
	enum packet_result result =
	        packet_receive(link->socket, false, &report, sizeof(report), fds, PROTOCOL_CHILD_FDS, &with_fds);

	if (result == PACKET_ONE)
		take(link, &report, with_fds ? fds : NULL);
	if (result == PACKET_END)
		link->dead = true;
	return result == PACKET_ONE;
}

static void drain(struct link *link)
{
	while (!link->dead && hear(link))
		;
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
	if (decode_clock() - since >= LINK_PATIENCE * UINT64_C(1000000))
		link->dead = true;
	link_drain(link);
}

void link_wait(struct link *link)
{
	struct safe_decoder *decoder = link->decoder;
	struct pollfd socket = { .fd = link->socket, .events = POLLIN };

	if (link->reading) {
		(void)pthread_cond_wait(&decoder->changed, &decoder->lock);
		return;
	}
	link->reading = true;
	(void)pthread_mutex_unlock(&decoder->lock);
	int ready = poll(&socket, 1, LINK_PATIENCE);
	(void)pthread_mutex_lock(&decoder->lock);
	link->reading = false;
	if (ready == 0)
		link->dead = true;
	drain(link);
	(void)pthread_cond_broadcast(&decoder->changed);
}

void link_retire(struct link *link)
{
	link->retired = true;
	drop_spares(link);
	while (link->wants) {
		struct want *want = link->wants;
		link_forget(want);
		wake(want);
	}
	(void)pthread_cond_broadcast(&link->decoder->changed);
}

/* ---- children ---- */

/* A process that was forked meanwhile has copies of a spare's pipes: while it lives, the spare would not see the end of
 * its input. */
static void drop_copied(struct link *link)
{
	for (struct link_child *child = link->children, *next = NULL; child; child = next) {
		next = child->next;
		if (child->used || child->forks == decoder_forks())
			continue;
		close_child(child);
		free_child(child);
	}
}

void link_restock(struct link *link)
{
	drop_copied(link);
	const struct link_child *spare = link_spare(link);
	if (!spare || !is_running(spare->child.pidfd))
		link_drain(link);
}

struct link_child *link_spare(const struct link *link)
{
	/* The oldest: it has had the most time to settle. */
	struct link_child *oldest = NULL;

	for (struct link_child *child = link->children; child; child = child->next)
		if (!child->used)
			oldest = child;
	return oldest;
}

/* The broker makes another spare once it knows that this one is none any more, on the processor that the decode could
 * have: so unless it has to know the deadline, it learns that from the child's end. */
void link_use(struct link_child *from, uint32_t deadline_milliseconds, struct child *child)
{
	struct protocol_command command = {
		.kind = PROTOCOL_USE,
		.id = from->posture.id,
		.deadline_milliseconds = deadline_milliseconds,
	};

	from->used = true;
	*child = from->child;
	if (deadline_milliseconds > 0)
		say(from->link, &command);
}

static struct safe_outcome verify(struct child *child, struct sandbox_posture *posture)
{
	const struct link_child *origin = child->context;

	/* The broker has verified it before it sent it. */
	*posture = (struct sandbox_posture){
		.verified = true,
		.strict = origin->posture.strict != 0,
		.no_new_privs = origin->posture.no_new_privs != 0,
		.filters = origin->posture.filters,
		.filters_before = origin->posture.filters_before,
	};
	return outcome_ok();
}

static struct safe_outcome fate(struct child *child, bool said_hello)
{
	struct link_child *origin = child->context;
	struct link *link = origin->link;
	struct safe_decoder *decoder = link->decoder;
	struct safe_outcome outcome = outcome_of(SAFE_KILLED, "the decoder ended with its broker");

	(void)said_hello; /* it has: the broker waited for it */
	child_close_input(child);
	(void)pthread_mutex_lock(&decoder->lock);
	link_drain(link);
	/* A wait that is interrupted again and again has no end of its own. */
	for (uint64_t since = decode_clock(); !origin->ended && !link->dead; link_expect(link, since))
		link_wait(link);
	if (origin->ended) {
		outcome = child_outcome(origin->end.wait_status);
		child->wait_status = origin->end.wait_status;
		child->cpu_microseconds = origin->end.cpu_microseconds;
		child->peak_memory = origin->end.peak_memory;
		if (origin->end.deadline)
			outcome = outcome_of_limit(SAFE_LIMIT_DEADLINE, "took longer than its deadline");
	}
	(void)pthread_mutex_unlock(&decoder->lock);
	return outcome;
}

static void end(struct child *child, bool crashed)
{
	struct link_child *origin = child->context;
	struct link *link = origin->link;
	struct safe_decoder *decoder = link->decoder;

	(void)pthread_mutex_lock(&decoder->lock);
	origin->child = *child;
	close_child(origin);
	free_child(origin);
	/* No address layout outlives a crash. */
	if (crashed)
		link_retire(link);
	link_settle(link);
	decoder_tidy(decoder);
	(void)pthread_mutex_unlock(&decoder->lock);
	*child = CHILD_NONE;
}

static const struct child_owner a_broker = { .verify = verify, .fate = fate, .end = end };
