/* SPDX-License-Identifier: MIT */
#include "filter.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox.h"

/* What the decoder may do, and on which descriptor.  Everything else, and every call of another architecture (32-bit
 * and x32 included), ends the process. */
static const struct {
	int system_call;
	scmp_datum_t descriptor; /* value of the first argument, or ANY */
	bool diagnose;           /* only then */
} allowed[] = {
#define ANY UINT64_MAX
	{ SCMP_SYS(read), STDIN_FILENO, false },  { SCMP_SYS(write), STDOUT_FILENO, false },
	{ SCMP_SYS(write), STDERR_FILENO, true }, /* the report, one write from the signal handler */
	{ SCMP_SYS(exit), ANY, false },           { SCMP_SYS(rt_sigreturn), ANY, false },
};

static int add_rules(scmp_filter_ctx filter, bool diagnose)
{
	int result = 0;

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]) && result == 0; i++) {
		if (allowed[i].diagnose && !diagnose)
			continue;
		struct scmp_arg_cmp descriptor = { .arg = 0, .op = SCMP_CMP_EQ, .datum_a = allowed[i].descriptor };
		result = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, allowed[i].system_call,
		                                allowed[i].descriptor == ANY ? 0 : 1, &descriptor);
	}
	return result;
}

void *filter_create(bool diagnose)
{
	uint32_t otherwise = diagnose ? SCMP_ACT_TRAP : SCMP_ACT_KILL_PROCESS;
	scmp_filter_ctx filter = seccomp_init(otherwise);

	if (!filter) {
		errno = ENOMEM;
		return NULL;
	}
	int result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, otherwise);
	if (result == 0)
		result = add_rules(filter, diagnose);
	if (result != 0) {
		seccomp_release(filter);
		errno = -result;
		return NULL;
	}
	return filter;
}

void filter_destroy(void *filter)
{
	if (filter)
		seccomp_release(filter);
}

/* Runs in the locked-down child when it tried a forbidden call: tell which, and end. */
static void report_system_call(int number, siginfo_t *info, void *context)
{
	struct sandbox_report report = { .architecture = info->si_arch, .system_call = (uint32_t)info->si_syscall };

	(void)number;
	(void)context;
	if (write(STDERR_FILENO, &report, sizeof(report)) < 0) {
		/* There is nobody else to tell. */
	}
	for (;;)
		syscall(SYS_exit, 1);
}

int filter_enter(void *filter, bool diagnose)
{
	struct sigaction trap = { .sa_sigaction = report_system_call, .sa_flags = SA_SIGINFO };

	if (diagnose && sigaction(SIGSYS, &trap, NULL) != 0)
		return -1;
#ifdef __x86_64__
	/* As strict mode does: no clock to time others with. */
	if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0) != 0)
		return -1;
#endif
	return seccomp_load(filter) == 0 ? 0 : -1;
}

char *sandbox_system_call_name(const struct sandbox_report *report)
{
	return seccomp_syscall_resolve_num_arch(report->architecture, (int)report->system_call);
}
