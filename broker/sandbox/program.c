/* SPDX-License-Identifier: MIT */
/*
 * A decoder program: what is linked with one decoder and its codec library.  It is started by libsafe-decode or the
 * command line, who talk to it by protocol.h, and runs as a broker, which forks decoders and never reads a byte that
 * they wrote; or as a single, which locks itself down.
 *
 * A broker ends when its caller does, however that ends, and when nobody has needed it for a while; its decoders end
 * with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arena.h"
#include "broker/base/fds.h"
#include "broker/base/packet.h"
#include "broker/base/procfs.h"
#include "broker/confine/confine.h"
#include "broker/wire/entry.h"
#include "children.h"
#include "interpose.h"
#include "verify.h"

enum { SOCKET, TIMER, SIGNALS, CALLER, CONTROL, FIRST_CHILD };

struct broker {
	int fds[FIRST_CHILD]; /* what is polled always */
	struct sandbox_plan sandbox;
	struct children children;
};

/* ---- for both ways ---- */

static bool say_hello(void)
{
	struct protocol_hello hello = { .magic = PROTOCOL_MAGIC };

	memcpy(hello.build, PROTOCOL_BUILD_ID, sizeof(PROTOCOL_BUILD_ID));
	decoder_library(hello.library, sizeof(hello.library));
	return packet_send(PROTOCOL_SOCKET, &hello, sizeof(hello), NULL, 0);
}

/* Of an argument that our own library or command line has made.  Not with the C library's, which looks at locales: it
 * is on the way to each single. */
static uint64_t number(const char *digits)
{
	uint64_t value = 0;

	for (; *digits >= '0' && *digits <= '9'; digits++)
		value = value * 10 + (uint64_t)(*digits - '0');
	return value;
}

/* Gives the decoder, and all that it is linked with, its memory. */
static enum sandbox_step take_memory(const char *bytes, struct arena **arena)
{
	*arena = arena_create(number(bytes));
	return *arena && interpose_select(*arena) == 0 ? SANDBOX_STEP_NONE : SANDBOX_STEP_memory;
}

/* ---- a single ---- */

/* So that the two pipes can take its place. */
static int move_control(void)
{
	int control = fcntl(PROTOCOL_SOCKET, F_DUPFD_CLOEXEC, PROTOCOL_STARTED_FDS);

	return control >= 0 ? control : PROTOCOL_SOCKET;
}

static _Noreturn void run_single(char **argv, bool diagnose)
{
	struct sandbox_plan plan = { .diagnose = diagnose };
	struct sandbox_child child = {
		.parent = (pid_t)number(argv[PROTOCOL_PARENT]),
		.input = PROTOCOL_INPUT,
		.output = PROTOCOL_OUTPUT,
		.control = move_control(),
		.cpu_seconds = (uint32_t)number(argv[PROTOCOL_CPU]),
	};
	struct arena *arena = NULL;
	enum sandbox_step failed = take_memory(argv[PROTOCOL_MEMORY], &arena);

	if (failed == SANDBOX_STEP_NONE)
		failed = sandbox_prepare(&plan, argv);
	if (failed != SANDBOX_STEP_NONE)
		sandbox_give_up(child.control, failed, errno);
	decoder_initialise();
	sandbox_enter(&plan, &child);
	for (;;)
		decoder_run();
}

/* ---- a broker ---- */

/* Decoders end by signals that a descriptor tells of; the caller's end is a process's end. */
static int open_descriptors(struct broker *broker)
{
	sigset_t endings;
	int ends[2];

	if (sigemptyset(&endings) != 0 || sigaddset(&endings, SIGCHLD) != 0 ||
	    sigprocmask(SIG_SETMASK, &endings, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
	    signal(SIGCHLD, SIG_DFL) == SIG_ERR)
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return -1;
	broker->fds[SIGNALS] = signalfd(-1, &endings, SFD_NONBLOCK | SFD_CLOEXEC);
	broker->fds[CONTROL] = broker->children.control = ends[0];
	broker->children.spawn.control = ends[1];
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

/* Gives up all that this process and its decoders will not need. */
static enum sandbox_step confine(struct broker *broker)
{
	struct confinement confinement = { .landlock = 0 };
	struct outcome outcome = confine_files(&CONFINE_NO_FILES, &confinement);

	/* Under a filter of its own, its decoders could not enter strict mode. */
	if (outcome.status == SDEC_OK && broker->sandbox.filtered) {
		outcome = confine_calls(CONFINE_BROKER, &confinement);
		broker->children.filters++; /* which decoders inherit */
	}
	errno = outcome.error_number;
	return outcome.status == SDEC_OK ? SANDBOX_STEP_NONE : SANDBOX_STEP_confine;
}

static enum sandbox_step prepare(struct broker *broker, char **argv)
{
	struct procfs_status self;
	enum sandbox_step failed = take_memory(argv[PROTOCOL_MEMORY], &broker->children.arena);

	if (failed == SANDBOX_STEP_NONE)
		failed = sandbox_prepare(&broker->sandbox, argv);
	if (failed != SANDBOX_STEP_NONE)
		return failed;
	if (procfs_read_own_status(&self) != 0)
		return SANDBOX_STEP_know_itself;
	/* A /proc of another pid namespace would speak of other processes. */
	if (self.pid != (uint64_t)getpid())
		return SANDBOX_STEP_know_namespace;
	broker->children.filters = self.seccomp_filters;
	decoder_initialise();
	return confine(broker);
}

/* Returns false when the caller has closed its end. */
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

/* The timer ran out.  Whether the caller has stopped it meanwhile, only the kernel knows: a read tells. */
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

static _Noreturn void run_broker(char **argv)
{
	/* Static: it is large, and the stack is what decoders inherit.  All zero: a single does without. */
	static struct broker broker;
	struct children *children = &broker.children;

	broker.fds[SOCKET] = PROTOCOL_SOCKET;
	broker.fds[TIMER] = PROTOCOL_TIMER;
	broker.fds[SIGNALS] = -1;
	broker.fds[CALLER] = PROTOCOL_CALLER;
	broker.fds[CONTROL] = -1;
	children->socket = PROTOCOL_SOCKET;
	children->control = -1;
	children->spawn.control = -1;
	children->spares = number(argv[PROTOCOL_SPARES]);
	children->spawn.sandbox = &broker.sandbox;
	children->spawn.cpu_seconds = (uint32_t)number(argv[PROTOCOL_CPU]);
	children->spawn.warm_up = decoder_warm_up;
	children->spawn.run = decoder_run;
	raise_descriptors();
	if (sandbox_replace_guards() != 0)
		children->failed = SANDBOX_STEP_replace_guards;
	else if (open_descriptors(&broker) != 0)
		children->failed = SANDBOX_STEP_signals;
	else
		children->failed = prepare(&broker, argv);
	children->error_number = errno;
	children_refill(children);
	while (step(&broker))
		;
	children_end(children);
	_exit(SDEC_OK);
}

/* Descriptors 1 and 2 are there, and nothing can be written to them: libraries may try. */
static void plug_standard_descriptors(void)
{
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

	/* Where that failed, others will say so. */
	if (fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0 && fd > STDERR_FILENO)
		(void)close(fd);
}

int main(int argc, char **argv)
{
	/* No codec is to be led by variables: the end of the arguments is a list of none. */
	environ = argv + argc;
	if (argc != PROTOCOL_ARGUMENTS || !say_hello() || strcmp(argv[PROTOCOL_BUILD], PROTOCOL_BUILD_ID) != 0)
		_exit(SDEC_USAGE);
	if (strcmp(argv[PROTOCOL_MODE], PROTOCOL_MODE_SINGLE) == 0)
		run_single(argv, false);
	if (strcmp(argv[PROTOCOL_MODE], PROTOCOL_MODE_DIAGNOSE) == 0)
		run_single(argv, true);
	plug_standard_descriptors();
	if (strcmp(argv[PROTOCOL_MODE], PROTOCOL_MODE_BROKER) == 0)
		run_broker(argv);
	_exit(SDEC_OK);
}
