/* SPDX-License-Identifier: MIT */
#include "interrupt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "broker/base/fds.h"
#include "broker/base/pidfd.h"
#include "broker/decode/decode.h"
#include "broker/safe-decode.h"
#include "output.h"

static const int endings[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static atomic_ullong deadline; /* by decode_clock(); 0: none */
static const char *too_late;   /* what is said then */

static volatile int self = -1; /* pidfd */

static pid_t owner; /* a forked child must not clean up for its parent */

static volatile int decoders[INTERRUPT_CHILDREN]; /* pidfds and 1; 0: nobody */

/* Who is to be ended, and by which descriptor. */
static struct watched {
	volatile int pidfd; /* and 1; 0: nobody */
	volatile int socket;
} brokers[INTERRUPT_BROKERS];

static void (*volatile restore_first)(void *context);
static void *volatile restore_context;

static volatile sig_atomic_t has_line; /* that is to be erased */

/* Our own children are reaped; of others, their end is waited for. */
static void wait_for(int pidfd)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	siginfo_t info;

	if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) != 0)
		(void)poll(&ended, 1, 1000);
}

/* A terminal that is stopped is not waited for.  Where there is no such line, the cursor is on an empty one. */
static void erase_line(void)
{
	static const char erase[] = "\r\033[K";
	struct pollfd terminal = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (has_line && poll(&terminal, 1, 0) > 0 && (terminal.revents & POLLOUT))
		(void)!write(STDERR_FILENO, erase, sizeof(erase) - 1);
}

/* Leaves nothing behind.  Only calls functions that are safe in a signal handler. */
static void clean_up(void)
{
	if (restore_first)
		restore_first(restore_context);
	for (size_t i = 0; i < INTERRUPT_CHILDREN; i++)
		if (decoders[i] > 0)
			pidfd_kill(decoders[i] - 1);
	/* A broker ends its own children. */
	for (size_t i = 0; i < INTERRUPT_BROKERS; i++)
		if (brokers[i].pidfd > 0)
			(void)shutdown(brokers[i].socket, SHUT_RDWR);
	for (size_t i = 0; i < INTERRUPT_CHILDREN; i++)
		if (decoders[i] > 0)
			wait_for(decoders[i] - 1);
	for (size_t i = 0; i < INTERRUPT_BROKERS; i++)
		if (brokers[i].pidfd > 0)
			wait_for(brokers[i].pidfd - 1);
	output_unlink_all();
	erase_line();
}

/* The signal comes again, once this handler has returned and is not there any more: who waits for the program, such as
 * a shell with a loop, is to see that it was ended by it. */
static void end_by_signal(int number)
{
	if (getpid() == owner)
		clean_up();
	if (getpid() != owner || pidfd_signal(self, number) != 0)
		_exit(128 + number);
}

int interrupt_install(void)
{
	struct sigaction action = { .sa_handler = end_by_signal, .sa_flags = (int)SA_RESETHAND };

	owner = getpid();
	self = pidfd_of_this_process(); /* without one, the status says by which signal it ended */
	/* Where the caller ignored it, the kernel would reap children itself, and nobody would know how they ended. */
	if (signal(SIGCHLD, SIG_DFL) == SIG_ERR || signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
	    signal(SIGXFSZ, SIG_IGN) == SIG_ERR || sigfillset(&action.sa_mask) != 0)
		return -1;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		struct sigaction before;
		if (sigaction(endings[i], NULL, &before) != 0)
			return -1;
		/* As under nohup. */
		if (before.sa_handler != SIG_IGN && sigaction(endings[i], &action, NULL) != 0)
			return -1;
	}
	return 0;
}

void interrupt_close(void)
{
	int closed = self;

	self = -1;
	fds_close(&closed);
}

/* Nothing but the clock is asked between two ticks, and a call that waits is taken up again. */
static void tick(int number)
{
	unsigned long long due = atomic_load(&deadline);

	(void)number;
	if (due == 0 || decode_clock() < due || getpid() != owner)
		return;
	clean_up();
	(void)!write(STDERR_FILENO, too_late, strlen(too_late));
	_exit(SDEC_LIMIT);
}

int interrupt_install_deadline(const char *message)
{
	const struct timeval often = { .tv_usec = 100000 };
	const struct itimerval timer = { .it_interval = often, .it_value = often };
	struct sigaction action = { .sa_handler = tick, .sa_flags = SA_RESTART };
	sigset_t alarm;

	too_late = message;
	if (sigfillset(&action.sa_mask) != 0 || sigaction(SIGALRM, &action, NULL) != 0 || sigemptyset(&alarm) != 0 ||
	    sigaddset(&alarm, SIGALRM) != 0 || sigprocmask(SIG_UNBLOCK, &alarm, NULL) != 0)
		return -1;
	return setitimer(ITIMER_REAL, &timer, NULL);
}

void interrupt_deadline(uint64_t milliseconds)
{
	enum { GRACE = 250 }; /* milliseconds, in which all that asks the clock has ended by itself */

	atomic_store(&deadline, milliseconds ? decode_clock() + (milliseconds + GRACE) * CLOCK_MILLISECOND : 0);
}

void interrupt_watch(size_t slot, int pidfd)
{
	decoders[slot] = pidfd + 1;
}

void interrupt_watch_broker(int pidfd, int socket)
{
	for (size_t i = 0; i < INTERRUPT_BROKERS; i++) {
		if (brokers[i].pidfd != (socket < 0 ? pidfd + 1 : 0))
			continue;
		brokers[i].socket = socket;
		brokers[i].pidfd = socket < 0 ? 0 : pidfd + 1;
		return;
	}
}

void interrupt_restore(void (*restore)(void *context), void *context)
{
	restore_first = NULL;
	restore_context = context;
	restore_first = restore;
}

void interrupt_erase_line(void)
{
	has_line = 1;
}
