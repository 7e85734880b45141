/* SPDX-License-Identifier: MIT */
/*
 * The starter: a program that executes brokers for a command line that has confined itself.
 *
 * It sees no byte of a decoder's, and can be told no more than the name of a decoder of the compiled-in list.  It ends
 * when the command line closes its end of the socket, and when that ends in any other way.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "broker/base/fds.h"
#include "broker/base/packet.h"
#include "broker/base/procfs.h"
#include "broker/confine/confine.h"
#include "broker/decode/limits.h"
#include "broker/recognise/registry.h"
#include "broker/sandbox/protocol.h"
#include "order.h"
#include "start.h"

enum { BROKERS_END = 2000 }; /* milliseconds for brokers whose caller has closed its end */

static const char *known_program(const struct order *order)
{
	const struct format *format = NULL;

	for (size_t i = 0; (format = registry_at(i)) != NULL; i++)
		if (strncmp(format->program, order->program, sizeof(order->program)) == 0)
			return format->program;
	return NULL;
}

static bool deliver(const struct outcome *outcome, const struct started_broker *started)
{
	struct delivery delivery = {
		.status = outcome->status,
		.error_number = outcome->error_number,
		.pid = started->process.pid,
	};
	const int fds[ORDER_FDS] = {
		[ORDER_PIDFD] = started->process.pidfd, [ORDER_BROKER] = started->socket, [ORDER_TIMER] = started->timer
	};

	if (outcome->reason)
		(void)snprintf(delivery.reason, sizeof(delivery.reason), "%s", outcome->reason);
	return packet_send(ORDER_SOCKET, &delivery, sizeof(delivery), fds, outcome->status == SDEC_OK ? ORDER_FDS : 0);
}

/* `confined` is how the starter itself stands.  Returns false where nothing gets through any more: whoever waits for an
 * answer has gone, or must not wait on. */
static bool fill(const struct broker_plan *plan, const struct order *order, struct outcome confined)
{
	const char *program = known_program(order);
	struct started_broker started = STARTED_BROKER_NONE;
	struct outcome outcome = confined;

	if (!program)
		outcome = outcome_of(SDEC_NO_SANDBOX, "there is no such decoder");
	if (outcome.status == SDEC_OK)
		outcome = start_broker(plan, program, &started);
	bool sent = deliver(&outcome, &started);
	if (!sent && outcome.status == SDEC_OK) {
		/* It may be the descriptors that did not. */
		outcome = outcome_of_making("cannot hand a broker over", errno);
		sent = deliver(&outcome, &STARTED_BROKER_NONE);
	}
	started_broker_close(&started);
	return sent;
}

static bool reap(int options)
{
	pid_t pid = 0;

	do
		pid = waitpid(-1, NULL, options);
	while (pid > 0 || (pid < 0 && errno == EINTR));
	return pid < 0;
}

/* Brokers end when their sockets close.  One that does not must not hold the command line up. */
static void wait_for_brokers(void)
{
	const struct timespec moment = { .tv_nsec = 1000000 };

	for (int i = 0; i < BROKERS_END && !reap(WNOHANG); i++)
		(void)nanosleep(&moment, NULL);
}

/* Gives up all but starting what is in the folder. */
static struct outcome confine(const char *folder)
{
	int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return outcome_of(SDEC_UNSUPPORTED, "the folder of decoder programs is missing");
	/* Brokers, and so decoders, inherit it: later nobody can write there any more. */
	struct outcome outcome =
	        procfs_volunteer_for_oom() == 0
	                ? confine_starter(fd)
	                : outcome_of_errno(SDEC_NO_SANDBOX, "cannot raise the out-of-memory score", errno);
	fds_close(&fd);
	return outcome;
}

/* Returns false where there is nobody to take orders from. */
static bool next_order(struct order *order)
{
	struct packet packet = { .data = order, .size = sizeof(*order) };
	struct pollfd fds[] = { { .fd = ORDER_SOCKET, .events = POLLIN }, { .fd = ORDER_CALLER, .events = POLLIN } };

	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR && errno != ENOMEM)
			return false;
	return fds[1].revents == 0 && packet_receive(ORDER_SOCKET, true, &packet) == PACKET_ONE &&
	       packet.got == sizeof(*order);
}

int main(int argc, char **argv)
{
	struct order order;
	sigset_t none;

	if (argc != ORDER_ARGUMENTS || strcmp(argv[ORDER_BUILD], PROTOCOL_BUILD_ID) != 0)
		return SDEC_NO_SANDBOX;
	(void)signal(SIGCHLD, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	struct broker_plan plan = {
		.folder = argv[ORDER_FOLDER],
		.numbers = { .memory = strtoull(argv[ORDER_MEMORY], NULL, 10),
		             .cpu_seconds = limits_resolve(NULL).cpu_seconds,
		             .spares = (uint32_t)strtoul(argv[ORDER_SPARES], NULL, 10) },
		.idle_seconds = (uint32_t)strtoul(argv[ORDER_IDLE], NULL, 10),
		.caller = ORDER_CALLER,
	};
	struct outcome confined = confine(plan.folder);
	while (next_order(&order)) {
		(void)reap(WNOHANG);
		if (!fill(&plan, &order, confined))
			break;
	}
	(void)close(ORDER_SOCKET); /* nobody shall wait for an answer meanwhile */
	wait_for_brokers();
	return SDEC_OK;
}
