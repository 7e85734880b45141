/* SPDX-License-Identifier: MIT */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../decoders/arena.h"
#include "../../decoders/interpose.h"
#include "../confine.h"
#include "../fds.h"
#include "../library/start.h"
#include "../packet.h"
#include "../registry.h"

enum {
	BROKERS_END = 2000, /* milliseconds for brokers whose caller has closed its end */
	MEMORY = 1 << 20,   /* bytes that the launcher has */
};

struct order {
	char module[64];
};

struct delivery {
	enum safe_status status;
	int32_t error_number;
	pid_t pid;
};

enum { PIDFD, SOCKET, TIMER, DELIVERED };

/* ---- the launcher ---- */

/* Descriptors that it keeps. */
enum { MY_SOCKET = STDERR_FILENO + 1, MY_CALLER };

static const char *known_module(const struct order *order)
{
	const struct safe_format *format = NULL;

	for (size_t i = 0; (format = registry_at(i)) != NULL; i++)
		if (strncmp(format->module, order->module, sizeof(order->module)) == 0)
			return format->module;
	return NULL;
}

/* `outcome` is how the launcher itself stands.  Returns false where nothing gets through any more: whoever waits for an
 * answer has gone, or must not wait on. */
static bool fill(const struct safe_decoder *decoder, const struct order *order, struct safe_outcome outcome)
{
	const char *module = known_module(order);
	struct started started = STARTED_NONE;

	if (!module)
		outcome = outcome_of(SAFE_NO_SANDBOX, "there is no such module");
	if (outcome.status == SAFE_OK)
		outcome = start_broker(decoder, MY_CALLER, module, &started);
	struct delivery delivery = {
		.status = outcome.status,
		.error_number = outcome.error_number,
		.pid = started.pid,
	};
	const int fds[DELIVERED] = { [PIDFD] = started.pidfd, [SOCKET] = started.socket, [TIMER] = started.timer };

	bool sent = packet_send(MY_SOCKET, &delivery, sizeof(delivery), fds, outcome.status == SAFE_OK ? DELIVERED : 0);
	if (!sent && outcome.status == SAFE_OK) {
		/* It may be the descriptors that did not. */
		delivery = (struct delivery){ .status = SAFE_NO_SANDBOX, .error_number = errno };
		sent = packet_send(MY_SOCKET, &delivery, sizeof(delivery), NULL, 0);
	}
	started_close(&started);
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

/* It keeps its socket, the hold on its caller, and nothing else. */
static int leave_all(int socket, int caller)
{
	/* So that neither stands where the other goes. */
	int high_socket = fcntl(socket, F_DUPFD, MY_CALLER + 1);
	int high_caller = fcntl(caller, F_DUPFD, MY_CALLER + 1);

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		(void)close(fd);
		if (open("/dev/null", O_RDWR) != fd)
			return -1;
	}
	if (dup3(high_socket, MY_SOCKET, O_CLOEXEC) < 0 || dup3(high_caller, MY_CALLER, O_CLOEXEC) < 0)
		return -1;
	return close_range(MY_CALLER + 1, ~0U, 0);
}

/* What it takes to start a broker, in memory that a forked process has: the heap is hidden from it. */
static struct safe_decoder *copy_for_launcher(const struct safe_decoder *decoder)
{
	struct arena *arena = arena_create(MEMORY);

	if (!arena || interpose_select(arena) != 0)
		return NULL;
	struct safe_decoder *copy = calloc(1, sizeof(*copy));
	char *broker = strdup(decoder->broker);
	(void)interpose_select(NULL);
	if (!copy || !broker) {
		free(copy);
		free(broker);
		return NULL;
	}
	copy->config = decoder->config;
	copy->broker = broker;
	return copy;
}

static _Noreturn void serve(const struct safe_decoder *decoder, int socket, int caller, pid_t parent)
{
	struct order order;
	bool with_fds = false;

	interpose_enter_child();
	/* A ^C is for the command line, which then closes its end of the socket. */
	if (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
	    prctl(PR_SET_NAME, "safe-decode: la") != 0 || leave_all(socket, caller) != 0)
		_exit(SAFE_IO);
	struct safe_outcome confined = confine_launcher(decoder->broker);
	while (packet_receive(MY_SOCKET, true, &order, sizeof(order), NULL, 0, &with_fds) == PACKET_ONE) {
		(void)reap(WNOHANG);
		if (!fill(decoder, &order, confined))
			break;
	}
	(void)close(MY_SOCKET); /* nobody shall wait for an answer meanwhile */
	wait_for_brokers();
	_exit(SAFE_OK);
}

/* ---- the command line ---- */

static struct safe_outcome start(const struct safe_decoder *decoder, const char *module, struct started *started)
{
	struct order order = { .module = "" };
	struct delivery delivery;
	int fds[DELIVERED];
	bool with_fds = false;

	(void)snprintf(order.module, sizeof(order.module), "%s", module);
	if (!packet_send(decoder->launcher, &order, sizeof(order), NULL, 0) ||
	    packet_receive(decoder->launcher, true, &delivery, sizeof(delivery), fds, DELIVERED, &with_fds) !=
	            PACKET_ONE)
		return outcome_of(SAFE_NO_SANDBOX, "the launcher of brokers has ended");
	if (delivery.status != SAFE_OK)
		return outcome_of_errno(delivery.status, "cannot start the broker", delivery.error_number);
	if (!with_fds)
		return outcome_of_errno(SAFE_IO, "cannot take a broker over", EMFILE);
	*started = (struct started){
		.pid = delivery.pid, .pidfd = fds[PIDFD], .socket = fds[SOCKET], .timer = fds[TIMER]
	};
	return outcome_ok();
}

struct safe_outcome launcher_open(struct safe_decoder *decoder, struct launcher *launcher)
{
	int ends[2] = { -1, -1 };
	pid_t parent = getpid();
	int caller = (int)syscall(SYS_pidfd_open, parent, 0);
	struct safe_decoder *copy = copy_for_launcher(decoder);
	pid_t pid = -1;

	if (copy && caller >= 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0)
		pid = fork();
	if (pid == 0) {
		(void)close(ends[0]);
		serve(copy, ends[1], caller, parent);
	}
	struct safe_outcome outcome =
	        pid > 0 ? outcome_ok()
	                : outcome_of_errno(SAFE_NO_SANDBOX, "cannot start the launcher of brokers", errno);
	fds_close(&ends[1]);
	fds_close(&caller);
	if (copy)
		free(copy->broker);
	free(copy);
	if (pid > 0) {
		*launcher = (struct launcher){ .pid = pid, .socket = ends[0] };
		decoder->start = start;
		decoder->launcher = ends[0];
	} else {
		fds_close(&ends[0]);
	}
	return outcome;
}

void launcher_close(struct launcher *launcher)
{
	fds_close(&launcher->socket);
	while (launcher->pid > 0 && waitpid(launcher->pid, NULL, 0) < 0 && errno == EINTR)
		;
	launcher->pid = 0;
}
