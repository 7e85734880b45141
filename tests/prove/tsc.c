/* SPDX-License-Identifier: MIT */
/* Whether this machine takes the time-stamp counter away from who asks for that: dies of SIGSEGV if so, and ends with 0
 * if not, as under hypervisors that answer for the processor. */
#include <sys/prctl.h>
#include <sys/resource.h>

int main(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0) != 0)
		return 1;
	(void)__builtin_ia32_rdtsc();
	return 0;
}
