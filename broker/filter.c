/* SPDX-License-Identifier: MIT */
#include "filter.h"

#include <dlfcn.h>
#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
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

/* What is used of libseccomp.  It is loaded where a filter is in force or is asked for, and only there: loading it
 * would cost each start of the program a tenth of a millisecond. */
static struct {
	scmp_filter_ctx (*init)(uint32_t action);
	int (*attr_set)(scmp_filter_ctx filter, enum scmp_filter_attr attribute, uint32_t value);
	int (*rule_add_array)(scmp_filter_ctx filter, uint32_t action, int system_call, unsigned count,
	                      const struct scmp_arg_cmp *arguments);
	int (*load)(scmp_filter_ctx filter);
	void (*release)(scmp_filter_ctx filter);
	char *(*resolve)(uint32_t architecture, int system_call);
} library;

static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
#define SYMBOL(name, member)                                                                                           \
	{                                                                                                              \
		name, offsetof(__typeof__(library), member)                                                            \
	}
	SYMBOL("seccomp_init", init),
	SYMBOL("seccomp_attr_set", attr_set),
	SYMBOL("seccomp_rule_add_array", rule_add_array),
	SYMBOL("seccomp_load", load),
	SYMBOL("seccomp_release", release),
	SYMBOL("seccomp_syscall_resolve_num_arch", resolve),
#undef SYMBOL
};

static bool load_library(void)
{
	void *module = dlopen("libseccomp.so.2", RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; module && i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *symbol = dlsym(module, symbols[i].name);
		if (!symbol)
			return false;
		memcpy((char *)&library + symbols[i].offset, &symbol, sizeof(symbol));
	}
	return module != NULL;
}

static int add_rules(scmp_filter_ctx filter, bool diagnose)
{
	int result = 0;

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]) && result == 0; i++) {
		if (allowed[i].diagnose && !diagnose)
			continue;
		struct scmp_arg_cmp descriptor = { .arg = 0, .op = SCMP_CMP_EQ, .datum_a = allowed[i].descriptor };
		result = library.rule_add_array(filter, SCMP_ACT_ALLOW, allowed[i].system_call,
		                                allowed[i].descriptor == ANY ? 0 : 1, &descriptor);
	}
	return result;
}

void *filter_create(bool diagnose)
{
	uint32_t otherwise = diagnose ? SCMP_ACT_TRAP : SCMP_ACT_KILL_PROCESS;
	scmp_filter_ctx filter = load_library() ? library.init(otherwise) : NULL;

	if (!filter) {
		errno = ENOMEM;
		return NULL;
	}
	int result = library.attr_set(filter, SCMP_FLTATR_ACT_BADARCH, otherwise);
	if (result == 0)
		result = add_rules(filter, diagnose);
	if (result != 0) {
		library.release(filter);
		errno = -result;
		return NULL;
	}
	return filter;
}

void filter_destroy(void *filter)
{
	if (filter)
		library.release(filter);
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
	return library.load(filter) == 0 ? 0 : -1;
}

char *sandbox_system_call_name(const struct sandbox_report *report)
{
	return library.resolve(report->architecture, (int)report->system_call);
}
