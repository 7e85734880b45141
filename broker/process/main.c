/* SPDX-License-Identifier: MIT */
/*
 * A broker: a small process that forks decoders for one caller, who talks to it through libsafe-decode.
 *
 * It loads one decoder module, keeps spares, and reaps.  It never reads a byte that a child wrote.  It ends when its
 * caller does, however that ends, and when nobody has needed it for a while; its children end with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../confine.h"
#include "../protocol.h"
#include "../registry.h"
#include "children.h"

enum { SOCKET, TIMER, SIGNALS, CALLER, FIRST_CHILD };

struct broker {
	int fds[FIRST_CHILD]; /* what is polled always */
	struct engine engine;
	struct children children;
};

/* The compiled-in list of modules. */
static bool is_module(const char *name)
{
	const struct safe_format *format = NULL;

	for (size_t i = 0; (format = registry_at(i)) != NULL; i++)
		if (strcmp(format->module, name) == 0)
			return true;
	return false;
}

/* Children end by signals that a descriptor tells of; the caller's end is a process's end. */
static int open_descriptors(struct broker *broker)
{
	sigset_t endings;

	if (sigemptyset(&endings) != 0 || sigaddset(&endings, SIGCHLD) != 0 ||
	    sigprocmask(SIG_SETMASK, &endings, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -1;
	if (close_range(PROTOCOL_TIMER + 1, ~0U, 0) != 0)
		return -1;
	broker->fds[SOCKET] = PROTOCOL_SOCKET;
	broker->fds[TIMER] = PROTOCOL_TIMER;
	broker->fds[SIGNALS] = signalfd(-1, &endings, SFD_NONBLOCK | SFD_CLOEXEC);
	broker->fds[CALLER] = PROTOCOL_CALLER;
	return broker->fds[SIGNALS] < 0 ? -1 : 0;
}

/* A caller that has hardly any descriptors left may have little left of its limit, too. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* else the old limit may do */
}

/* Loads what children will need, and gives up all that they and this process will not. */
static struct safe_outcome prepare(struct engine *engine, const char *module, char **argv)
{
	struct confinement confinement;
	struct safe_outcome outcome = engine_open(engine, strtoull(argv[PROTOCOL_MEMORY], NULL, 10), false, argv);

	if (outcome.status != SAFE_OK)
		return outcome;
	(void)engine_prepare(engine, module); /* the library hears of it with its first child */
	outcome = confine_files(-1, false, &confinement);
	/* Under a filter of its own, its children could not enter strict mode. */
	if (outcome.status != SAFE_OK || prctl(PR_GET_SECCOMP) == 0)
		return outcome;
	outcome = confine_calls(CONFINE_BROKER, &confinement);
	engine->sandbox.filters++; /* which children inherit */
	return outcome;
}

/* Returns false when the library has closed its end. */
static bool take_commands(struct broker *broker)
{
	struct protocol_command command;

	for (;;) {
		ssize_t got = recv(PROTOCOL_SOCKET, &command, sizeof(command), MSG_DONTWAIT);
		if (got == (ssize_t)sizeof(command))
			children_command(&broker->children, &command);
		else if (got < 0 && errno == EINTR)
			continue;
		else
			return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
	}
}

static void drain_signals(int fd)
{
	struct signalfd_siginfo info[16];

	while (read(fd, info, sizeof(info)) > 0)
		;
}

/* The timer ran out.  Whether the library has stopped it meanwhile, only the kernel knows: a read tells. */
static bool is_idle(void)
{
	uint64_t times = 0;

	return read(PROTOCOL_TIMER, &times, sizeof(times)) == sizeof(times);
}

/* Waits for something to do and does it.  Returns false when it is time to end. */
static bool step(struct broker *broker)
{
	struct pollfd fds[FIRST_CHILD + PROTOCOL_CHILDREN];
	int timeout = -1;

	for (int i = 0; i < FIRST_CHILD; i++)
		fds[i] = (struct pollfd){ .fd = broker->fds[i], .events = POLLIN };
	size_t count = FIRST_CHILD + children_wants(&broker->children, fds + FIRST_CHILD, &timeout);
	if (poll(fds, count, timeout) < 0)
		return errno == EINTR || errno == ENOMEM; /* a moment without memory ends nobody's decode */
	if (fds[CALLER].revents != 0)
		return false;
	if (fds[SIGNALS].revents != 0)
		drain_signals(broker->fds[SIGNALS]);
	if (fds[SOCKET].revents != 0 && !take_commands(broker))
		return false;
	children_step(&broker->children);
	children_refill(&broker->children);
	return fds[TIMER].revents == 0 || !is_idle();
}

int main(int argc, char **argv)
{
	/* Static: it is large, and the stack is what children inherit. */
	static struct broker broker;
	static char module[64];

	/* Its arguments are wiped from children, and so the name must not lie among them. */
	if (argc != PROTOCOL_ARGUMENTS || !is_module(argv[PROTOCOL_MODULE]) ||
	    (size_t)snprintf(module, sizeof(module), "%s", argv[PROTOCOL_MODULE]) >= sizeof(module))
		return SAFE_USAGE;
	if (open_descriptors(&broker) != 0)
		return SAFE_NO_SANDBOX;
	raise_descriptors();
	broker.children = (struct children){
		.engine = &broker.engine,
		.module = module,
		.cpu_seconds = (uint32_t)strtoul(argv[PROTOCOL_CPU], NULL, 10),
		.spares = strtoul(argv[PROTOCOL_SPARES], NULL, 10),
		.socket = PROTOCOL_SOCKET,
	};
	broker.children.engine_outcome = prepare(&broker.engine, module, argv);
	children_refill(&broker.children);
	while (step(&broker))
		;
	children_end(&broker.children);
	engine_close(&broker.engine);
	return SAFE_OK;
}
