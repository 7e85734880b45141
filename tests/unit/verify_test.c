/* SPDX-License-Identifier: MIT */
/* What the check of a locked-down child takes for the kernel's word. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "broker/sandbox/verify.h"

Test(verify, what_is_no_status_of_the_kernel_is_not_verified)
{
	static const char forged[] =
	        "Pid:\t%d\nPPid:\t%d\nThreads:\t1\nNoNewPrivs:\t1\nSeccomp:\t1\nSeccomp_filters:\t0\n";
	const struct verify_expectation expected = { .pid = 4711, .parent = getpid() };
	struct sandbox_posture posture;
	char path[] = "/tmp/lockdown-test-XXXXXX";
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_eq(unlink(path), 0);
	cr_assert_gt(dprintf(fd, forged, 4711, (int)getpid()), 0);
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	cr_expect_eq(verify_status(fd, &expected, &posture), VERIFY_NO_PROC);
	cr_expect_not(posture.verified);
	cr_expect_eq(verify_outcome(VERIFY_NO_PROC, ENOTSUP).status, SDEC_NO_SANDBOX);
}
