/* SPDX-License-Identifier: MIT */
/* The children that a broker gave, from their coming to their end. */
#include <stdlib.h>

#include "broker/base/clock.h"
#include "broker/base/pidfd.h"
#include "broker/decode/decode.h"
#include "link.h"

/* ---- coming and going ---- */

static const struct child_owner a_broker;

struct link_child *link_add(struct link *link, const struct protocol_report *report, const int *fds)
{
	struct link_child *child = calloc(1, sizeof(*child));

	if (!child)
		return NULL;
	*child = (struct link_child){
		.link = link, .posture = *report, .forks = decoder_forks(), .next = link->children
	};
	child->child = (struct child){
		.owner = &a_broker,
		.context = child,
		.verified = true,
		.pid = (pid_t)report->id,
		.pidfd = fds[PROTOCOL_CHILD_PIDFD],
		.input = fds[PROTOCOL_CHILD_INPUT],
		.output = fds[PROTOCOL_CHILD_OUTPUT],
		.control = -1,
		.library = link->library,
	};
	link->children = child;
	return child;
}

static void close_child(struct link_child *child)
{
	child_kill(&child->child);
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

void link_drop(struct link_child *child)
{
	close_child(child);
	free_child(child);
}

bool link_drop_spares(struct link *link)
{
	struct link_child **place = &link->children;
	bool any = false;

	for (struct link_child *child = NULL; (child = *place) != NULL;) {
		if (child->used) {
			place = &child->next;
			continue;
		}
		*place = child->next;
		close_child(child);
		free(child);
		any = true;
	}
	return any;
}

/* In a process that was forked from the caller, the spares and the broker are another's: only its copies go. */
/* ---- at work ---- */

/* A process that was forked meanwhile has copies of a spare's pipes: while it lives, the spare would not see the end of
 * its input. */
static void drop_copied(struct link *link)
{
	for (struct link_child *child = link->children, *next = NULL; child; child = next) {
		next = child->next;
		if (child->used || child->forks == decoder_forks())
			continue;
		link_drop(child);
	}
}

void link_restock(struct link *link)
{
	drop_copied(link);
	const struct link_child *spare = link_spare(link);
	if (!spare || !pidfd_is_running(spare->child.pidfd))
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

/* The broker makes another spare once this one has ended: it would do so on the processor that the decode could have.
 */
void link_use(struct link_child *from, struct child *child)
{
	from->used = true;
	*child = from->child;
}

static struct outcome verify(struct child *child, struct sandbox_posture *posture)
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

static struct outcome fate(struct child *child, bool said_hello, int milliseconds)
{
	struct link_child *origin = child->context;
	struct link *link = origin->link;
	struct sdec_pool *decoder = link->decoder;
	struct outcome outcome = outcome_of(SDEC_KILLED, "the decoder ended with its broker");
	uint64_t since = decode_clock();
	uint64_t most = milliseconds >= 0 ? (uint64_t)milliseconds * CLOCK_MILLISECOND : UINT64_MAX;

	(void)said_hello; /* it has: the broker waited for it */
	child_close_input(child);
	(void)pthread_mutex_lock(&decoder->lock);
	link_drain(link);
	/* A wait that is interrupted again and again has no end of its own. */
	for (; !origin->ended && !link->dead && decode_clock() - since < most; link_expect(link, since))
		link_wait(link, milliseconds);
	if (origin->ended) {
		outcome = child_outcome(origin->end.wait_status);
		child->cpu_microseconds = origin->end.cpu_microseconds;
		child->peak_memory = origin->end.peak_memory;
	} else if (!link->dead) {
		outcome = decode_too_late();
	}
	(void)pthread_mutex_unlock(&decoder->lock);
	return outcome;
}

static void end(struct child *child, bool crashed)
{
	struct link_child *origin = child->context;
	struct link *link = origin->link;
	struct sdec_pool *decoder = link->decoder;

	(void)pthread_mutex_lock(&decoder->lock);
	origin->child = *child;
	link_drop(origin);
	/* No address layout outlives a crash. */
	if (crashed)
		link_retire(link);
	link_settle(link);
	decoder_tidy(decoder);
	decoder_wake_stalled(decoder);
	(void)pthread_mutex_unlock(&decoder->lock);
	*child = CHILD_NONE;
}

static const struct child_owner a_broker = { .verify = verify, .fate = fate, .end = end };
