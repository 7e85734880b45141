/* SPDX-License-Identifier: MIT */
#include "verify.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "broker/base/procfs.h"
#include "sandbox_steps.h"

enum verify_failure verify_filters(uint64_t *filters)
{
	struct procfs_status self;

	*filters = 0;
	if (prctl(PR_GET_SECCOMP) == SECCOMP_MODE_DISABLED)
		return VERIFY_CONFIRMED;
	if (procfs_read_own_status(&self) != 0)
		return VERIFY_NO_PROC;
	*filters = self.seccomp_filters;
	return VERIFY_CONFIRMED;
}

enum verify_failure verify_status(int status, const struct verify_expectation *expected,
                                  struct sandbox_posture *posture)
{
	struct procfs_status now;

	*posture = (struct sandbox_posture){ .filters_before = expected->filters_before };
	if (procfs_read_status(status, &now) != 0)
		return VERIFY_NO_PROC;
	posture->strict = now.seccomp == SECCOMP_MODE_STRICT;
	posture->no_new_privs = now.no_new_privs == 1;
	posture->filters = now.seccomp_filters;
	if (now.pid != (uint64_t)expected->pid)
		return VERIFY_OTHER_PROC;

	bool filtered = now.seccomp == SECCOMP_MODE_FILTER && (expected->filters_before > 0 || expected->diagnosing) &&
	                now.seccomp_filters == expected->filters_before + 1;
	/* Strict mode and filters are per thread. */
	posture->verified = now.parent == (uint64_t)expected->parent && now.threads == 1 && posture->no_new_privs &&
	                    (posture->strict || filtered);
	return posture->verified ? VERIFY_CONFIRMED : VERIFY_NOT_CONFIRMED;
}

struct outcome verify_outcome(enum verify_failure failure, int error_number)
{
	switch (failure) {
	case VERIFY_CONFIRMED:
		return outcome_ok();
	case VERIFY_NO_PROC:
		return outcome_of_errno(SDEC_NO_SANDBOX, "cannot ask the kernel about the decoder in /proc",
		                        error_number);
	case VERIFY_OTHER_PROC:
		return outcome_of(SDEC_NO_SANDBOX, "/proc speaks of another pid namespace");
	default:
		return outcome_of(SDEC_NO_SANDBOX, "the kernel does not confirm the decoder's sandbox");
	}
}

const char *sandbox_step_failure(int step)
{
	static const char *const failures[SANDBOX_STEPS] = {
#define STEP(name, text) [SANDBOX_STEP_##name] = text,
		SANDBOX_PREPARATION(STEP) SANDBOX_LOCKDOWN(STEP)
#undef STEP
	};

	if (step <= SANDBOX_STEP_NONE || step >= SANDBOX_STEPS)
		return "the decoder ended before it was locked down";
	return failures[step];
}
