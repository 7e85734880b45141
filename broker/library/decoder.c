/* SPDX-License-Identifier: MIT */
#include "decoder.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../limits.h"
#include "../registry.h"
#include "../structs.h"
#include "call.h"
#include "link.h"
#include "start.h"

enum {
	DEFAULT_SPARES = 2,
	DEFAULT_IDLE = 60,          /* seconds */
	ASKED_MOST = 8,             /* brokers that went away before one gave a child */
	ENDING_MILLISECONDS = 2000, /* for a broker whose caller has closed its end */
};

#define MEMORY_MOST (UINT64_C(1) << 40)

/* ---- opening and closing ---- */

static bool config_is_sane(const struct safe_config *config)
{
	return config->memory >= LIMITS_MEMORY_LEAST && config->memory <= MEMORY_MOST &&
	       config->spares <= PROTOCOL_SPARES_MAX && config->idle_seconds <= 86400 * 365;
}

static void resolve(struct safe_config *config)
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

enum safe_status safe_decoder_open(const struct safe_config *config, struct safe_decoder **decoder)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (!decoder)
		return SAFE_USAGE;
	(void)pthread_once(&once, watch_forks);
	struct safe_decoder *made = calloc(1, sizeof(*made));
	*decoder = NULL;
	if (!made)
		return SAFE_IO;
	if (!structs_is_set(config)) {
		free(made);
		return SAFE_USAGE;
	}
	structs_take(&made->config, sizeof(made->config), config);
	resolve(&made->config);
	if (!config_is_sane(&made->config)) {
		free(made);
		return SAFE_USAGE;
	}
	made->broker = made->config.broker ? strdup(made->config.broker) : start_find_broker();
	made->owner = getpid();
	if (!made->broker || pthread_mutex_init(&made->lock, NULL) != 0) {
		free(made->broker);
		free(made);
		return SAFE_IO;
	}
	(void)pthread_cond_init(&made->changed, NULL); /* cannot fail on Linux */
	*decoder = made;
	return SAFE_OK;
}

bool decoder_is_ours(const struct safe_decoder *decoder)
{
	return decoder && decoder->owner == getpid();
}

/* Waits for a broker to end, and ends it when it does not. */
static void reap(pid_t pid)
{
	const struct timespec moment = { .tv_nsec = 1000000 };

	for (int i = 0; i < ENDING_MILLISECONDS; i++) {
		pid_t reaped = waitpid(pid, NULL, WNOHANG);
		if (reaped == pid || (reaped < 0 && errno != EINTR))
			return;
		(void)nanosleep(&moment, NULL);
	}
	(void)kill(pid, SIGKILL); /* ours: it was not reaped */
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void note_ended(struct safe_decoder *decoder, pid_t pid)
{
	for (int i = 0; i < DECODER_ENDED; i++) {
		if (decoder->ended[i] == 0) {
			decoder->ended[i] = pid;
			return;
		}
	}
	reap(pid);
}

static void watch(const struct safe_decoder *decoder, pid_t broker, int socket)
{
	if (decoder->watch)
		decoder->watch(broker, socket);
}

void decoder_tidy(struct safe_decoder *decoder)
{
	for (struct link **place = &decoder->links, *link = NULL; (link = *place) != NULL;) {
		if (!link->retired || !link_is_unused(link)) {
			place = &link->next;
			continue;
		}
		*place = link->next;
		note_ended(decoder, link_close(link));
	}
	for (int i = 0; i < DECODER_ENDED; i++) {
		pid_t pid = decoder->ended[i];
		/* A caller that waits for all of its children may have been faster. */
		pid_t reaped = pid != 0 ? waitpid(pid, NULL, WNOHANG) : 0;
		if (reaped == 0 || (reaped < 0 && errno != ECHILD))
			continue;
		watch(decoder, pid, -1);
		decoder->ended[i] = 0;
	}
}

void safe_decoder_close(struct safe_decoder **decoder)
{
	struct safe_decoder *closed = decoder ? *decoder : NULL;

	if (!closed)
		return;
	*decoder = NULL;
	bool ours = decoder_is_ours(closed);
	for (struct link *link = closed->links, *next = NULL; link; link = next) {
		next = link->next;
		pid_t pid = link_close(link);
		if (ours)
			note_ended(closed, pid);
	}
	for (int i = 0; i < DECODER_ENDED && ours; i++) {
		if (closed->ended[i] == 0)
			continue;
		reap(closed->ended[i]);
		watch(closed, closed->ended[i], -1);
	}
	if (ours) {
		(void)pthread_cond_destroy(&closed->changed);
		(void)pthread_mutex_destroy(&closed->lock);
	}
	free(closed->broker);
	free(closed);
}

/* ---- wants ---- */

/* Spares have the default limits; what is more or less needs a child of its own. */
static bool takes_spares(const struct safe_decoder *decoder, const struct safe_limits *limits)
{
	return limits->memory == decoder->config.memory && limits->cpu_seconds == limits_resolve(NULL).cpu_seconds;
}

void want_init(struct want *want, const char *module, const struct safe_limits *limits)
{
	*want = (struct want){ .module = module, .limits = limits, .wake = -1, .child = CHILD_NONE };
}

/* The link for a module that work can go to; NULL: there is none. */
static struct link *live_link(struct safe_decoder *decoder, const char *module)
{
	for (struct link *link = decoder->links; link; link = link->next) {
		if (link->retired || strcmp(link->module, module) != 0)
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

static void finish(struct want *want, struct safe_outcome outcome)
{
	want->done = true;
	want->outcome = outcome;
}

/* With the lock held: takes a spare, or asks for a child. */
static void ask(struct safe_decoder *decoder, struct want *want)
{
	struct link *link = live_link(decoder, want->module);

	if (!link) {
		if (want->asked++ == ASKED_MOST) {
			finish(want, outcome_of(SAFE_NO_SANDBOX, "the broker ended before it gave a decoder"));
			return;
		}
		struct safe_outcome outcome = link_open(decoder, want->module, &link);
		if (outcome.status != SAFE_OK) {
			finish(want, outcome);
			return;
		}
		watch(decoder, link->pid, link->socket);
		(void)link_touch(link);
		link->next = decoder->links;
		decoder->links = link;
	}
	struct link_child *spare = want->tag == 0 ? link_spare(link) : NULL;
	if (spare) {
		link_use(spare, want->limits->deadline_milliseconds, &want->child);
		finish(want, outcome_ok());
	} else {
		link_ask(link, want);
	}
	decoder_tidy(decoder);
}

bool decoder_want(struct safe_decoder *decoder, struct want *want)
{
	(void)pthread_mutex_lock(&decoder->lock);
	if (!takes_spares(decoder, want->limits))
		want->tag = ++decoder->next_tag ? decoder->next_tag : ++decoder->next_tag;
	ask(decoder, want);
	bool done = want->done;
	(void)pthread_mutex_unlock(&decoder->lock);
	return done;
}

bool decoder_check(struct safe_decoder *decoder, struct want *want)
{
	(void)pthread_mutex_lock(&decoder->lock);
	if (!want->done && want->link)
		link_expect(want->link, want->since);
	/* Its broker has gone. */
	if (!want->done && !want->link)
		ask(decoder, want);
	bool done = want->done;
	(void)pthread_mutex_unlock(&decoder->lock);
	return done;
}

void decoder_wait(struct safe_decoder *decoder, struct want *want)
{
	while (!decoder_check(decoder, want)) {
		(void)pthread_mutex_lock(&decoder->lock);
		if (!want->done && want->link)
			link_wait(want->link);
		(void)pthread_mutex_unlock(&decoder->lock);
	}
}

void decoder_forget(struct safe_decoder *decoder, struct want *want)
{
	(void)pthread_mutex_lock(&decoder->lock);
	struct link *link = want->link;
	link_forget(want);
	if (link)
		link_settle(link);
	(void)pthread_mutex_unlock(&decoder->lock);
	if (want->child.owner)
		want->child.owner->end(&want->child, false);
}

int decoder_want_fd(struct safe_decoder *decoder, const struct want *want)
{
	(void)pthread_mutex_lock(&decoder->lock);
	int fd = want->link ? want->link->socket : -1;
	(void)pthread_mutex_unlock(&decoder->lock);
	return fd;
}

enum safe_status safe_decoder_posture(struct safe_decoder *decoder, const char *format, struct safe_posture *posture)
{
	struct safe_limits limits = limits_resolve(NULL);
	const struct safe_format *wanted = registry_by_name(format ? format : "jpeg");
	struct safe_posture seen = { .size = sizeof(seen) };
	struct sandbox_posture verified;
	struct want want;

	if (!decoder_is_ours(decoder) || !wanted || !posture)
		return SAFE_USAGE;
	limits.memory = decoder->config.memory;
	want_init(&want, wanted->module, &limits);
	(void)decoder_want(decoder, &want);
	decoder_wait(decoder, &want);
	if (want.outcome.status == SAFE_OK) {
		(void)want.child.owner->verify(&want.child, &verified);
		posture_public(&verified, &seen);
	}
	decoder_forget(decoder, &want);
	structs_give(posture, &seen, sizeof(seen));
	return want.outcome.status;
}
