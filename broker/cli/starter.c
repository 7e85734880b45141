/* SPDX-License-Identifier: MIT */
#include "starter.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/base/fds.h"
#include "broker/base/packet.h"
#include "broker/base/pidfd.h"
#include "broker/base/programs.h"
#include "broker/base/reasons.h"
#include "broker/sandbox/protocol.h"
#include "broker/service/order.h"
#include "interrupt.h"

enum {
	NUMBER_SIZE = 24,
	STARTER_ENDS = 5000, /* milliseconds for the starter, which waits for its brokers */
};

#define PROGRAM "../safe-decode-starter" /* seen from the folder of decoder programs */

/* In place of starting a broker: the starter does. */
static struct outcome start(const struct sdec_pool *pool, const char *program, struct started_broker *started)
{
	struct order order = { .program = "" };
	struct delivery delivery = { .reason = "" };
	int fds[ORDER_FDS];
	struct packet answer = { .data = &delivery, .size = sizeof(delivery), .fds = fds, .count = ORDER_FDS };

	*started = STARTED_BROKER_NONE;
	(void)snprintf(order.program, sizeof(order.program), "%s", program);
	if (!packet_send(pool->starter, &order, sizeof(order), NULL, 0) ||
	    packet_receive(pool->starter, true, &answer) != PACKET_ONE || answer.got != sizeof(delivery))
		return outcome_of(SDEC_NO_SANDBOX, "the starter of brokers has ended");
	delivery.reason[sizeof(delivery.reason) - 1] = '\0';
	if (delivery.status != SDEC_OK)
		return outcome_of_errno(delivery.status, reasons_keep(delivery.reason, "cannot start the decoder"),
		                        delivery.error_number);
	if (!answer.with_fds)
		return outcome_of_making("cannot take a broker over", EMFILE);
	*started = (struct started_broker){ .process = { .pid = delivery.pid, .pidfd = fds[ORDER_PIDFD] },
		                            .socket = fds[ORDER_BROKER],
		                            .timer = fds[ORDER_TIMER] };
	return outcome_ok();
}

static struct outcome execute(const struct sdec_pool *pool, int socket, int caller, struct started *starter)
{
	char memory[NUMBER_SIZE], spares[NUMBER_SIZE], idle[NUMBER_SIZE];
	char name[] = "safe-decode-starter";
	char *path = programs_path(pool->folder, PROGRAM);
	char *arguments[ORDER_ARGUMENTS + 1] = { name };
	struct start_plan plan = { .path = path,
		                   .arguments = arguments,
		                   .fds = { [ORDER_SOCKET] = socket, -1, -1, [ORDER_CALLER] = caller, -1 } };

	(void)snprintf(memory, sizeof(memory), "%" PRIu64, pool->config.memory);
	(void)snprintf(spares, sizeof(spares), "%" PRIu32, pool->config.spares);
	(void)snprintf(idle, sizeof(idle), "%" PRIu32, pool->config.idle_seconds);
	arguments[ORDER_BUILD] = (char *)(uintptr_t)PROTOCOL_BUILD_ID;
	arguments[ORDER_FOLDER] = pool->folder;
	arguments[ORDER_MEMORY] = memory;
	arguments[ORDER_SPARES] = spares;
	arguments[ORDER_IDLE] = idle;
	if (!path)
		return outcome_of_errno(SDEC_IO, "cannot begin", ENOMEM);
	struct outcome outcome = start_checked(&plan, "cannot start the starter of brokers", starter);
	free(path);
	return outcome;
}

struct outcome starter_open(struct sdec_pool *pool, struct started *starter, int *socket)
{
	int ends[2] = { -1, -1 };
	int caller = pidfd_of_this_process();
	struct outcome outcome = outcome_ok();

	if (caller < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		outcome = outcome_of_making("cannot start the starter of brokers", errno);
	if (outcome.status == SDEC_OK)
		outcome = execute(pool, ends[1], caller, starter);
	fds_close(&caller);
	fds_close(&ends[1]);
	if (outcome.status != SDEC_OK) {
		fds_close(&ends[0]);
		return outcome;
	}
	*socket = ends[0];
	pool->start = start;
	pool->starter = ends[0];
	interrupt_watch_broker(starter->pidfd, ends[0]);
	return outcome;
}

void starter_close(struct started *starter)
{
	(void)started_reap(starter, STARTER_ENDS);
}
