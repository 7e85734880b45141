/* SPDX-License-Identifier: MIT */
/*
 * Takes the sandbox out of a decoder program, for comparison alone: this is linked into programs in a folder of the
 * tests. Their decoders decode as plain processes do, with the C library's memory; the library is none the wiser.
 */
#include <fcntl.h>
#include <unistd.h>

#include "broker/base/packet.h"
#include "broker/sandbox/interpose.h"
#include "broker/sandbox/protocol.h"
#include "broker/sandbox/sandbox.h"
#include "broker/sandbox/verify.h"

void __wrap_sandbox_enter(const struct sandbox_plan *plan, const struct sandbox_child *child);
void __wrap_sandbox_enter(const struct sandbox_plan *plan, const struct sandbox_child *child)
{
	const struct protocol_lockdown report = { .kind = PROTOCOL_LOCKDOWN, .pid = getpid() };
	int status = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

	(void)plan;
	if (!packet_send(child->control, &report, sizeof(report), &status, 1))
		_exit(1);
	if (dup2(child->input, STDIN_FILENO) != STDIN_FILENO || dup2(child->output, STDOUT_FILENO) != STDOUT_FILENO)
		_exit(1);
	/* As the lock-down does: the caller's end of the input must be the last. */
	(void)close_range(STDERR_FILENO + 1, ~0U, 0);
}

enum verify_failure __wrap_verify_status(int status, const struct verify_expectation *expected,
                                         struct sandbox_posture *posture);
enum verify_failure __wrap_verify_status(int status, const struct verify_expectation *expected,
                                         struct sandbox_posture *posture)
{
	(void)status;
	(void)expected;
	*posture = (struct sandbox_posture){ .verified = true, .strict = true, .no_new_privs = true };
	return VERIFY_CONFIRMED;
}

/* malloc() is the C library's. */
int interpose_select(struct arena *arena)
{
	(void)arena;
	return 0;
}
