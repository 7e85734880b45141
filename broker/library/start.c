/* SPDX-License-Identifier: MIT */
#include "start.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../fds.h"
#include "../limits.h"
#include "../protocol.h"

#define BROKER "safe-decode-broker"

/* Where the broker is, seen from the folder of what contains this function: beside an installed library, beside an
 * installed program, in the build tree. */
static const char *const places[] = { "/safe-decode/" BROKER, "/../lib/safe-decode/" BROKER, "/" BROKER };

static char *beside(const char *file)
{
	const char *slash = strrchr(file, '/');
	char *path = NULL;

	for (size_t i = 0; slash && i < sizeof(places) / sizeof(places[0]); i++) {
		if (asprintf(&path, "%.*s%s", (int)(slash - file), file, places[i]) < 0)
			return NULL;
		if (access(path, X_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

/* The folder is found from the running library and from nothing that the environment says. */
char *start_find_broker(void)
{
	Dl_info info;
	char *program = realpath("/proc/self/exe", NULL);
	char *library = NULL;
	char *found = NULL;

	if (dladdr((void *)(uintptr_t)&start_find_broker, &info) != 0 && info.dli_fname)
		library = realpath(info.dli_fname, NULL);
	/* Linked into a program: that one's folder says nothing, unless it is the command line itself. */
	bool is_program = program && (!library || strcmp(program, library) == 0);
	const char *name = is_program ? strrchr(program, '/') : NULL;
	if (library && !is_program)
		found = beside(library);
	else if (name && strcmp(name, "/safe-decode") == 0)
		found = beside(program);
	if (!found)
		found = strdup(SAFE_DECODE_LIBRARYDIR "/" BROKER);
	free(library);
	free(program);
	return found;
}

/* ---- arguments and descriptors ---- */

enum { NUMBER_SIZE = 24 };

static void print_numbers(const struct safe_decoder *decoder, char numbers[PROTOCOL_ARGUMENTS][NUMBER_SIZE])
{
	const struct safe_limits defaults = limits_resolve(NULL);
	const uint64_t values[PROTOCOL_ARGUMENTS] = {
		[PROTOCOL_MEMORY] = decoder->config.memory,
		[PROTOCOL_CPU] = defaults.cpu_seconds,
		[PROTOCOL_SPARES] = decoder->config.spares,
	};

	for (int i = PROTOCOL_MEMORY; i < PROTOCOL_ARGUMENTS; i++)
		(void)snprintf(numbers[i], NUMBER_SIZE, "%" PRIu64, values[i]);
}

/* What a broker is given, by the number that it finds it under; -1: nothing. */
typedef int broker_fds[PROTOCOL_TIMER + 1];

/* Each goes to its place, everything else is closed.  (A descriptor that is in its place already loses its
 * close-on-exec flag there, too.) */
static int add_actions(posix_spawn_file_actions_t *actions, const broker_fds fds)
{
	int result = 0;

	for (int fd = 0; fd <= PROTOCOL_TIMER && result == 0; fd++)
		result = fds[fd] >= 0 ? posix_spawn_file_actions_adddup2(actions, fds[fd], fd)
		                      : posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_WRONLY, 0);
	if (result == 0)
		result = posix_spawn_file_actions_addclosefrom_np(actions, PROTOCOL_TIMER + 1);
	return result;
}

/* No signal of the caller's is blocked or ignored there, and a ^C for the caller is not for the broker. */
static int set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, all;
	int result = sigemptyset(&none) != 0 || sigfillset(&all) != 0 ? errno : 0;

	if (result == 0)
		result = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
		                                                      POSIX_SPAWN_SETPGROUP);
	if (result == 0)
		result = posix_spawnattr_setsigmask(attributes, &none);
	if (result == 0)
		result = posix_spawnattr_setsigdefault(attributes, &all);
	return result;
}

static int spawn(const struct safe_decoder *decoder, const char *module, const broker_fds fds, pid_t *pid)
{
	char numbers[PROTOCOL_ARGUMENTS][NUMBER_SIZE];
	char name[] = BROKER;
	char module_name[64];
	char *arguments[PROTOCOL_ARGUMENTS + 1] = { name, module_name };
	char *environment[] = { NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;

	if ((size_t)snprintf(module_name, sizeof(module_name), "%s", module) >= sizeof(module_name))
		return ENAMETOOLONG;
	print_numbers(decoder, numbers);
	for (int i = PROTOCOL_MEMORY; i < PROTOCOL_ARGUMENTS; i++)
		arguments[i] = numbers[i];
	int result = posix_spawn_file_actions_init(&actions);
	if (result != 0)
		return result;
	result = posix_spawnattr_init(&attributes);
	if (result == 0) {
		result = add_actions(&actions, fds);
		if (result == 0)
			result = set_attributes(&attributes);
		if (result == 0)
			result = posix_spawn(pid, decoder->broker, &actions, &attributes, arguments, environment);
		(void)posix_spawnattr_destroy(&attributes);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return result;
}

/* The spawned process gets its descriptors by dup2() to small numbers: none may stand where another will go.  Returns a
 * copy, or -1. */
static int copy_up(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, PROTOCOL_TIMER + 1);
}

static struct safe_outcome make_ends(const struct safe_decoder *decoder, int caller, struct started *started,
                                     broker_fds fds)
{
	const struct itimerspec idle = { .it_value.tv_sec = decoder->config.idle_seconds };
	int ends[2] = { -1, -1 };
	bool made = false;

	started->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (started->timer >= 0 && timerfd_settime(started->timer, 0, &idle, NULL) == 0 &&
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0) {
		started->socket = ends[0];
		fds[PROTOCOL_SOCKET] = copy_up(ends[1]);
		fds[PROTOCOL_CALLER] = copy_up(caller);
		fds[PROTOCOL_TIMER] = copy_up(started->timer);
		made = fds[PROTOCOL_SOCKET] >= 0 && fds[PROTOCOL_CALLER] >= 0 && fds[PROTOCOL_TIMER] >= 0;
	}
	struct safe_outcome outcome =
	        made ? outcome_ok() : outcome_of_errno(SAFE_IO, "cannot make what a broker needs", errno);
	fds_close(&ends[1]);
	return outcome;
}

static void end_at_once(pid_t pid)
{
	(void)kill(pid, SIGKILL); /* ours: it was not reaped */
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void started_close(struct started *started)
{
	fds_close(&started->pidfd);
	fds_close(&started->socket);
	fds_close(&started->timer);
}

struct safe_outcome start_broker(const struct safe_decoder *decoder, int caller, const char *module,
                                 struct started *started)
{
	broker_fds fds = { [PROTOCOL_SOCKET] = -1,
		           [STDOUT_FILENO] = -1,
		           [STDERR_FILENO] = -1,
		           [PROTOCOL_CALLER] = -1,
		           [PROTOCOL_TIMER] = -1 };

	*started = STARTED_NONE;
	struct safe_outcome outcome = make_ends(decoder, caller, started, fds);
	if (outcome.status == SAFE_OK) {
		int result = spawn(decoder, module, fds, &started->pid);
		/* Not reaped yet, and so still it. */
		started->pidfd = result == 0 ? (int)syscall(SYS_pidfd_open, started->pid, 0) : -1;
		if (started->pidfd < 0)
			outcome = outcome_of_errno(SAFE_NO_SANDBOX, "cannot start the broker",
			                           result != 0 ? result : errno);
		if (result == 0 && started->pidfd < 0)
			end_at_once(started->pid);
	}
	for (int fd = 0; fd <= PROTOCOL_TIMER; fd++)
		fds_close(&fds[fd]);
	if (outcome.status != SAFE_OK)
		started_close(started);
	return outcome;
}

struct safe_outcome start_own_broker(const struct safe_decoder *decoder, const char *module, struct started *started)
{
	int caller = (int)syscall(SYS_pidfd_open, getpid(), 0);
	struct safe_outcome outcome =
	        caller < 0 ? outcome_of_errno(SAFE_NO_SANDBOX, "cannot get hold of this process", errno)
	                   : start_broker(decoder, caller, module, started);

	fds_close(&caller);
	return outcome;
}
