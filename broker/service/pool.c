/* SPDX-License-Identifier: MIT */
#include "pool.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "broker/base/fds.h"
#include "broker/base/programs.h"
#include "broker/base/structs.h"
#include "broker/decode/decode.h"
#include "broker/decode/limits.h"
#include "broker/recognise/registry.h"
#include "broker/sandbox/protocol.h"
#include "hello.h"
#include "link.h"

enum {
	DEFAULT_SPARES = 2,
	DEFAULT_IDLE = 60,           /* seconds */
	ASKED_MOST = 3,              /* brokers that went away before one gave a child */
	ENDING_MILLISECONDS = 2000,  /* for a broker whose caller has closed its end */
	ASKING_MILLISECONDS = 1000,  /* in which who has stalled asks again */
	TURNS_MILLISECONDS = 2000,   /* in which those who have stalled are in each other's way */
	ADOPTED_MILLISECONDS = 2000, /* until a process that ended does not count any more */
	STALLED_MILLISECONDS = 50,   /* after which is looked whether a broker can be started now */
};

#define MEMORY_MOST (UINT64_C(1) << 40)

static struct sdec_pool *of(struct child_source *source)
{
	return (struct sdec_pool *)source;
}

/* ---- wants ---- */

/* Spares have the default limits; what is more or less needs a child of its own. */
static bool takes_spares(const struct sdec_pool *decoder, const struct sdec_limits *limits)
{
	return limits->memory == decoder->config.memory && limits->cpu_seconds == limits_resolve(NULL).cpu_seconds;
}

/* The link for a program that work can go to; NULL: there is none. */
static struct link *live_link(struct sdec_pool *decoder, const char *program)
{
	for (struct link *link = decoder->links; link; link = link->next) {
		if (link->retired || strcmp(link->program, program) != 0)
			continue;
		if (link_is_running(link) && link_touch(link))
			link_restock(link);
		else
			link->dead = true;
		if (!link->dead)
			return link;
		link_retire(link);
	}
	return NULL;
}

static void finish(struct want *want, struct outcome outcome)
{
	want->done = true;
	want->outcome = outcome;
}

static void watch(const struct sdec_pool *decoder, int pidfd, int socket)
{
	if (decoder->watch)
		decoder->watch(pidfd, socket);
}

void decoder_stall(struct sdec_pool *decoder, struct want *want, const struct link *asking, struct outcome outcome)
{
	uint64_t now = decode_clock();

	want->since = now;
	if (want->stalled_since == 0)
		want->stalled_since = now;
	enum decoder_room room = decoder_make_room(decoder, asking, want->stalled_since);
	/* Each that starts a broker needs a process more for a moment, and so can be what another lacked. */
	if (room == DECODER_ROOM_NEVER && decoder->stalled &&
	    now - want->stalled_since < TURNS_MILLISECONDS * CLOCK_MILLISECOND)
		room = DECODER_ROOM_SOON;
	/* What should end soon may be stopped. */
	bool patient = now - want->stalled_since < LINK_PATIENCE * CLOCK_MILLISECOND;
	if (room == DECODER_ROOM_NEVER || (room == DECODER_ROOM_SOON && !patient)) {
		finish(want, outcome);
		link_wake(want);
		return;
	}
	want->asked = 0;
	want->next = decoder->stalled;
	decoder->stalled = want;
}

static void unstall(struct sdec_pool *decoder, const struct want *want)
{
	for (struct want **place = &decoder->stalled; *place; place = &(*place)->next) {
		if (*place == want) {
			*place = want->next;
			return;
		}
	}
}

/* Opens a link for the want.  Returns NULL where it is done, or stalled. */
static struct link *new_link(struct sdec_pool *decoder, struct want *want)
{
	struct link *link = NULL;

	if (want->asked++ == ASKED_MOST) {
		finish(want, want->greeted ? outcome_of(SDEC_NO_SANDBOX, "the broker ended before it gave a decoder")
		                           : hello_missing());
		return NULL;
	}
	struct outcome outcome = link_open(decoder, want->program, &link);
	if (outcome.status == SDEC_EXHAUSTED)
		decoder_stall(decoder, want, NULL, outcome);
	else if (outcome.status != SDEC_OK)
		finish(want, outcome);
	if (outcome.status != SDEC_OK)
		return NULL;
	watch(decoder, link->process.pidfd, link->socket);
	(void)link_touch(link);
	link->next = decoder->links;
	decoder->links = link;
	return link;
}

/* With the lock held: takes a spare, or asks for a child. */
static void ask(struct sdec_pool *decoder, struct want *want)
{
	struct link *link = live_link(decoder, want->program);

	unstall(decoder, want);
	if (!link)
		link = new_link(decoder, want);
	if (!link)
		return;
	struct link_child *spare = want->tag == 0 ? link_spare(link) : NULL;
	if (spare) {
		link_use(spare, &want->child);
		finish(want, outcome_ok());
	} else {
		link_ask(link, want);
	}
	decoder_tidy(decoder);
}

static bool want_child(struct child_source *source, struct want *want)
{
	struct sdec_pool *decoder = of(source);

	(void)pthread_mutex_lock(&decoder->lock);
	if (!takes_spares(decoder, want->limits))
		want->tag = ++decoder->next_tag ? decoder->next_tag : ++decoder->next_tag;
	ask(decoder, want);
	bool done = want->done;
	(void)pthread_mutex_unlock(&decoder->lock);
	return done;
}

static bool check(struct child_source *source, struct want *want)
{
	struct sdec_pool *decoder = of(source);

	(void)pthread_mutex_lock(&decoder->lock);
	if (!want->done && want->link)
		link_expect(want->link, want->since);
	/* Its broker has gone, or could not be started. */
	if (!want->done && !want->link)
		ask(decoder, want);
	bool done = want->done;
	(void)pthread_mutex_unlock(&decoder->lock);
	return done;
}

static void wait_for(struct child_source *source, struct want *want, int milliseconds)
{
	struct sdec_pool *decoder = of(source);

	(void)pthread_mutex_lock(&decoder->lock);
	bool stalled = !want->done && !want->link;
	if (!want->done && want->link)
		link_wait(want->link, milliseconds);
	(void)pthread_mutex_unlock(&decoder->lock);
	if (stalled)
		(void)poll(NULL, 0,
		           milliseconds >= 0 && milliseconds < STALLED_MILLISECONDS ? milliseconds
		                                                                    : STALLED_MILLISECONDS);
}

static void forget(struct child_source *source, struct want *want)
{
	struct sdec_pool *decoder = of(source);

	(void)pthread_mutex_lock(&decoder->lock);
	struct link *link = want->link;
	unstall(decoder, want);
	link_forget(want);
	if (link)
		link_settle(link);
	(void)pthread_mutex_unlock(&decoder->lock);
	if (want->child.owner)
		want->child.owner->end(&want->child, false);
}

static int descriptor(struct child_source *source, const struct want *want)
{
	struct sdec_pool *decoder = of(source);

	(void)pthread_mutex_lock(&decoder->lock);
	int fd = want->link ? want->link->socket : -1;
	(void)pthread_mutex_unlock(&decoder->lock);
	return fd;
}

/* Who has stalled for longer would have to start over; unless it does not ask any more, for nobody drives it. */
static bool is_awaited(const struct sdec_pool *decoder, const struct link *link, uint64_t since)
{
	uint64_t now = decode_clock();

	for (const struct want *want = decoder->stalled; want; want = want->next)
		if (want->stalled_since < since && now - want->since < ASKING_MILLISECONDS * CLOCK_MILLISECOND &&
		    strcmp(want->program, link->program) == 0)
			return true;
	return false;
}

enum decoder_room decoder_make_room(struct sdec_pool *decoder, const struct link *asking, uint64_t since)
{
	bool soon = false, later = false;

	for (struct link *link = decoder->links; link; link = link->next) {
		if (link != asking && link_is_unused(link) && !is_awaited(decoder, link, since)) {
			link_retire(link); /* it ends with its spares */
			continue;
		}
		soon = link_drop_spares(link) || (link != asking && link->wants) || soon;
		later = link_is_used(link) || later;
	}
	decoder_tidy(decoder);
	for (int i = 0; i < DECODER_ENDED; i++)
		soon = soon || decoder->ended[i].pidfd >= 0;
	/* A process counts until somebody has waited for it, and who adopted it may take a while. */
	soon = soon ||
	       (decoder->last_end > 0 && decode_clock() - decoder->last_end < ADOPTED_MILLISECONDS * CLOCK_MILLISECOND);
	return later ? DECODER_ROOM_LATER : soon ? DECODER_ROOM_SOON : DECODER_ROOM_NEVER;
}

void decoder_wake_stalled(struct sdec_pool *decoder)
{
	for (const struct want *want = decoder->stalled; want; want = want->next)
		link_wake(want);
}

/* ---- opening and closing ---- */

static bool config_is_sane(const struct sdec_config *config)
{
	return config->memory >= LIMITS_MEMORY_LEAST && config->memory <= MEMORY_MOST &&
	       config->spares <= PROTOCOL_SPARES_MAX && config->idle_seconds <= 86400 * 365 &&
	       (!config->programs || config->programs[0] == '/');
}

static void resolve(struct sdec_config *config)
{
	if (config->memory == 0)
		config->memory = LIMITS_MEMORY;
	if (config->spares == 0)
		config->spares = DEFAULT_SPARES;
	if (config->no_spares)
		config->spares = 0;
	if (config->idle_seconds == 0)
		config->idle_seconds = DEFAULT_IDLE;
}

static atomic_uint forks;

static void note_fork(void)
{
	atomic_fetch_add(&forks, 1);
}

unsigned decoder_forks(void)
{
	return atomic_load(&forks);
}

/* Where there is no memory to be told of forks, only their rare harm is not avoided. */
static void watch_forks(void)
{
	(void)pthread_atfork(NULL, note_fork, NULL);
}

bool decoder_is_ours(const struct sdec_pool *decoder)
{
	return decoder && owner_is_self(&decoder->owner);
}

static bool source_is_ours(const struct child_source *source)
{
	return decoder_is_ours((const struct sdec_pool *)source);
}

static const struct child_source pool = {
	.want = want_child,
	.check = check,
	.wait = wait_for,
	.forget = forget,
	.descriptor = descriptor,
	.is_ours = source_is_ours,
};

/* Fills what has no members that can fail. */
static enum sdec_status fill(struct sdec_pool *decoder, const struct sdec_config *config)
{
	if (!structs_take(&decoder->config, sizeof(decoder->config), config))
		return SDEC_USAGE;
	resolve(&decoder->config);
	if (!config_is_sane(&decoder->config))
		return SDEC_USAGE;
	decoder->source = pool;
	decoder->owner = owner_self();
	for (int i = 0; i < DECODER_ENDED; i++)
		decoder->ended[i] = STARTED_NONE;
	return SDEC_OK;
}

enum sdec_status sdec_pool_open(const struct sdec_config *config, struct sdec_pool **decoder)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (!decoder)
		return SDEC_USAGE;
	(void)pthread_once(&once, watch_forks);
	struct sdec_pool *made = calloc(1, sizeof(*made));
	*decoder = NULL;
	if (!made)
		return SDEC_IO;
	enum sdec_status status = fill(made, config);
	if (status == SDEC_OK) {
		made->folder = made->config.programs ? realpath(made->config.programs, NULL) : programs_find();
		if (!made->folder && made->config.programs && errno != ENOMEM)
			made->folder = strdup(made->config.programs); /* what is wrong with it shows when it is used */
		if (!made->folder || pthread_mutex_init(&made->lock, NULL) != 0)
			status = SDEC_IO;
	}
	if (status != SDEC_OK) {
		free(made->folder);
		free(made);
		return status;
	}
	(void)pthread_cond_init(&made->changed, NULL); /* cannot fail on Linux */
	*decoder = made;
	return SDEC_OK;
}

static void reap(struct sdec_pool *decoder, struct started *broker)
{
	int pidfd = broker->pidfd;

	(void)started_reap(broker, ENDING_MILLISECONDS);
	decoder->last_end = decode_clock();
	watch(decoder, pidfd, -1);
}

static void note_ended(struct sdec_pool *decoder, struct started broker)
{
	for (int i = 0; i < DECODER_ENDED; i++) {
		if (decoder->ended[i].pidfd < 0) {
			decoder->ended[i] = broker;
			return;
		}
	}
	reap(decoder, &broker);
}

void decoder_tidy(struct sdec_pool *decoder)
{
	for (struct link **place = &decoder->links, *link = NULL; (link = *place) != NULL;) {
		if (!link->retired || !link_is_unused(link)) {
			place = &link->next;
			continue;
		}
		*place = link->next;
		note_ended(decoder, link_close(link));
	}
	for (int i = 0; i < DECODER_ENDED; i++)
		if (decoder->ended[i].pidfd >= 0 && started_has_ended(&decoder->ended[i]))
			reap(decoder, &decoder->ended[i]);
}

/* In a process that was forked from the caller, the brokers are another's. */
static void let_go(struct sdec_pool *decoder)
{
	for (struct link *link = decoder->links, *next = NULL; link; link = next) {
		next = link->next;
		struct started process = link_close(link);
		fds_close(&process.pidfd);
	}
	for (int i = 0; i < DECODER_ENDED; i++)
		fds_close(&decoder->ended[i].pidfd);
}

void sdec_pool_close(struct sdec_pool **decoder)
{
	struct sdec_pool *closed = decoder ? *decoder : NULL;

	if (!closed)
		return;
	*decoder = NULL;
	if (decoder_is_ours(closed)) {
		for (struct link *link = closed->links, *next = NULL; link; link = next) {
			next = link->next;
			note_ended(closed, link_close(link));
		}
		for (int i = 0; i < DECODER_ENDED; i++)
			if (closed->ended[i].pidfd >= 0)
				reap(closed, &closed->ended[i]);
		(void)pthread_cond_destroy(&closed->changed);
		(void)pthread_mutex_destroy(&closed->lock);
	} else {
		let_go(closed);
	}
	free(closed->folder);
	free(closed);
}

/* ---- posture ---- */

enum sdec_status sdec_pool_posture(struct sdec_pool *decoder, const char *format, struct sdec_posture *posture)
{
	struct sdec_limits limits = limits_resolve(NULL);
	const struct format *wanted = registry_by_name(format ? format : "jpeg");
	struct sdec_posture seen = { .size = sizeof(seen) };
	struct sandbox_posture verified = { .verified = false };
	struct want want = WANT_NONE;

	if (!decoder_is_ours(decoder) || !wanted || !posture)
		return SDEC_USAGE;
	limits.memory = decoder->config.memory;
	want.program = wanted->program;
	want.limits = &limits;
	for (bool done = want_child(&decoder->source, &want); !done; done = check(&decoder->source, &want))
		wait_for(&decoder->source, &want, -1);
	if (want.outcome.status == SDEC_OK) {
		(void)want.child.owner->verify(&want.child, &verified);
		posture_public(&verified, &seen);
	}
	forget(&decoder->source, &want);
	structs_give(posture, &seen, sizeof(seen));
	return want.outcome.status;
}

void posture_public(const struct sandbox_posture *verified, struct sdec_posture *posture)
{
	posture->verified = verified->verified;
	posture->strict = verified->strict;
	posture->filters = (uint32_t)verified->filters;
	posture->inherited = (uint32_t)verified->filters_before;
	posture->no_new_privs = verified->no_new_privs;
}
