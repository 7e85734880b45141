/* SPDX-License-Identifier: MIT */
/*
 * The steps by which a decoder program prepares, and those of the lock-down, in their order.  Each is fatal.  The
 * program takes them (sandbox.c); whoever started it says which one failed (verify.c).
 */
#ifndef SAFE_DECODE_SANDBOX_STEPS_H
#define SAFE_DECODE_SANDBOX_STEPS_H

/* STEP(name, what to say where it fails) */
#define SANDBOX_PREPARATION(STEP)                                                                                      \
	STEP(memory, "cannot reserve the decoder's memory")                                                            \
	STEP(signals, "cannot arrange signals")                                                                        \
	STEP(know_seccomp, "the kernel has no seccomp")                                                                \
	STEP(know_itself, "cannot ask the kernel about this process in /proc")                                         \
	STEP(know_namespace, "/proc speaks of another pid namespace")                                                  \
	STEP(find_secrets, "cannot find the environment in memory to wipe it")                                         \
	STEP(replace_guards, "cannot replace its stack protector and pointer guard")                                   \
	STEP(volunteer_for_oom, "cannot raise its out-of-memory score")                                                \
	STEP(confine, "the broker cannot confine itself")                                                              \
	STEP(make_pipes, "cannot make the decoder's pipes")                                                            \
	STEP(fork, "cannot fork a decoder")

#define SANDBOX_LOCKDOWN(STEP)                                                                                         \
	STEP(refresh_guards, "cannot replace its stack protector and pointer guard")                                   \
	STEP(die_with_parent, "cannot arrange to die with its parent")                                                 \
	STEP(reset_signals, "cannot reset signals")                                                                    \
	STEP(hand_over_status, "cannot hand over its status in /proc")                                                 \
	STEP(shrink_memory, "cannot give memory back that the limit does not allow")                                   \
	STEP(take_pipes, "cannot take the two pipes")                                                                  \
	STEP(close_everything_else, "cannot close everything else")                                                    \
	STEP(check_pipes, "cannot confirm that descriptors 0 and 1 are the two pipes")                                 \
	STEP(set_limits, "cannot set resource limits")                                                                 \
	STEP(give_up_privileges, "cannot give up privileges")                                                          \
	STEP(wipe_secrets, "cannot wipe the environment and the arguments")                                            \
	STEP(let_go, "cannot close the way by which it reports")                                                       \
	STEP(enter_seccomp, "cannot enter strict seccomp mode")

enum sandbox_step {
	SANDBOX_STEP_NONE,
#define STEP(name, text) SANDBOX_STEP_##name,
	SANDBOX_PREPARATION(STEP) SANDBOX_LOCKDOWN(STEP)
#undef STEP
	        SANDBOX_STEPS,
};

/* How a process ends whose lock-down failed where it could not be reported any more: with this and an errno. */
#define SANDBOX_EXIT_BASE 100

/* Which step that was: the last ones come after the report's way is closed, and the first report may be what failed. */
static inline enum sandbox_step sandbox_silent_step(int has_handed_over_status)
{
	return has_handed_over_status ? SANDBOX_STEP_enter_seccomp : SANDBOX_STEP_hand_over_status;
}

/* What to say of a step that failed: "cannot enter strict seccomp mode".  For a number that is none, a general text. */
const char *sandbox_step_failure(int step);

#endif
