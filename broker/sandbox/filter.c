/* SPDX-License-Identifier: MIT */
#include "filter.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Made by tools/compile_filters.c: child_filter, and child_filter_diagnose. */
#include "broker/wire/wire.h"
#include "child_filters.h"

/* Runs in the locked-down child when it tried a forbidden call: tells which, and ends.  What the session has written so
 * far are whole messages: it was not writing when it made that call. */
static void report_system_call(int number, siginfo_t *info, void *context)
{
	struct {
		struct wire_header header;
		struct wire_forbidden forbidden;
	} message = {
		.header = { .kind = WIRE_FORBIDDEN, .length = sizeof(message.forbidden) },
		.forbidden = { .architecture = info->si_arch, .system_call = (uint32_t)info->si_syscall },
	};

	(void)number;
	(void)context;
	if (write(STDOUT_FILENO, &message, sizeof(message)) < 0) {
		/* There is nobody else to tell. */
	}
	for (;;)
		syscall(SYS_exit, 1);
}

int filter_enter(bool diagnose)
{
	struct sigaction trap = { .sa_sigaction = report_system_call, .sa_flags = SA_SIGINFO };

	if (diagnose && sigaction(SIGSYS, &trap, NULL) != 0)
		return -1;
#ifdef __x86_64__
	/* As strict mode does: no clock to time others with. */
	if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0) != 0)
		return -1;
#endif
	/* Not seccomp(2): the lists of system calls that service managers allow often lack it. */
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, diagnose ? &child_filter_diagnose : &child_filter, 0, 0);
}
