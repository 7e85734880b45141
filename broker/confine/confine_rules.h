/* SPDX-License-Identifier: MIT */
/*
 * What the trusted side's own processes may still do once they have started: one row a system call, or a use of one.
 * broker/confine/compile_filters.c makes seccomp filters of it, with libseccomp, when the program is built, and prints
 * the table that SECURITY.md shows.
 *
 * A call without a row fails with EPERM.  One of `confine_fatal` ends the process: only an attacker makes it.
 */
#ifndef SAFE_DECODE_CONFINE_RULES_H
#define SAFE_DECODE_CONFINE_RULES_H

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "confine.h"

struct confine_rule {
	int system_call; /* negative where this architecture has none of the name */
	const char *name;
	uint32_t roles; /* bit set of enum confine_role */
	unsigned argument;
	uint64_t mask, value; /* only with (argument & mask) == value; mask 0: always */
	const char *use;      /* the condition in words; NULL: none */
	const char *reason;
};

#define ROLE(role) (UINT32_C(1) << (role))
#define ONE ROLE(CONFINE_ONE)
#define FILES ROLE(CONFINE_ONE_FILE)
#define MANY (ROLE(CONFINE_MANY) | DEVICE)
#define DEVICE ROLE(CONFINE_DEVICE)
#define BROKER ROLE(CONFINE_BROKER)
#define PUMPS (ONE | FILES | MANY)
#define ALL (PUMPS | BROKER)

#define CALL(name, roles, reason)                                                                                      \
	{                                                                                                              \
		SCMP_SYS(name), #name, roles, 0, 0, 0, NULL, reason                                                    \
	}
#define CALL_IF(name, roles, argument, mask, value, use, reason)                                                       \
	{                                                                                                              \
		SCMP_SYS(name), #name, roles, argument, mask, value, use, reason                                       \
	}
#define EXACTLY UINT32_MAX /* of an int: the upper half of its register means nothing */

static const struct confine_rule confine_rules[] = {
	/* moving bytes */
	CALL(read, ALL, "the input, the decoder's messages, its /proc/PID/status"),
	CALL(write, ALL, "the output, the decoder's input, messages to the user"),
	CALL(writev, PUMPS, "the request and the input, in one piece"),
	CALL(pwrite64, PUMPS, "sizes in the header of a finished file"),
	CALL(splice, PUMPS, "input and output that need not be looked at"),
	CALL(poll, ALL, "waiting for whatever comes next"),
	CALL(lseek, PUMPS, "whether an input or output can seek; the header of a finished file"),
	CALL(pread64, PUMPS, "parts of the input; the format of what stands behind a tag"),
	CALL(pipe2, ALL, "the relay between the child's pipe and the output; in a broker: a child's pipes"),
	CALL(fcntl, ALL, "sizes and modes of pipes"),
	CALL(close, ALL, "descriptors that are done with"),
	CALL(newfstatat, ALL, "what kind of file the input or output is"),
	CALL(fstat, ALL, "the same"),
	CALL(fstatfs, ALL, "whether /proc is the kernel's"),
	CALL(clock_nanosleep, PUMPS, "letting output gather"),
	CALL(clock_gettime, ALL, "the decoder's processor time; deadlines, where the vDSO has no clock"),

	/* opening */
	CALL_IF(openat, ONE | FILES, 2, O_ACCMODE | O_CREAT | O_TRUNC | __O_TMPFILE, O_RDONLY, "to read",
	        "/proc/PID/status, the input"),
	CALL(openat, MANY, "the same, and outputs; Landlock keeps them to their folder"),
	CALL(openat, BROKER, "its pipes, in /proc/self/fd; in a new child: its own status"),
	CALL(readlink, PUMPS, "where this program's modules are"),
	CALL(fchown, MANY, "the owner and group of a file that an output replaces"),
	CALL(fchmod, MANY, "its permissions"),
	CALL(getxattr, MANY, "its access control list"),
	CALL(fsetxattr, MANY, "the same"),
	CALL(fremovexattr, MANY, "the same"),
	CALL(fsync, FILES | MANY, "the output is on the disk before it takes its name"),
	CALL(sync_file_range, MANY, "the same, of a large one in parts"),
	CALL(linkat, FILES | MANY, "the output takes its name"),
	CALL(renameat, FILES | MANY, "the same, where it replaces a file"),
	CALL(renameat2, FILES | MANY, "the same, where it must not"),
	CALL(unlinkat, FILES | MANY, "an output that was not finished goes"),

	/* the child */
	CALL(waitid, ALL, "how the decoder ended"),
	CALL_IF(pidfd_send_signal, ALL, 1, EXACTLY, SIGKILL, "SIGKILL", "ending a decoder"),
	CALL_IF(pidfd_send_signal, PUMPS, 1, EXACTLY, SIGINT, "SIGINT", "ending as the signal does that came"),
	CALL_IF(pidfd_send_signal, PUMPS, 1, EXACTLY, SIGTERM, "SIGTERM", "the same"),
	CALL_IF(pidfd_send_signal, PUMPS, 1, EXACTLY, SIGHUP, "SIGHUP", "the same"),
	CALL_IF(pidfd_send_signal, PUMPS, 1, EXACTLY, SIGQUIT, "SIGQUIT", "the same"),
	CALL(getpid, ALL, "whether the decoder is ours"),

	/* memory; nothing that is mapped later can be executed */
	CALL_IF(mmap, ALL, 2, PROT_EXEC, 0, "not to execute", "buffers"),
	CALL_IF(mprotect, ALL, 2, PROT_EXEC, 0, "not to execute", "buffers; in a new child: its arena's end"),
	CALL(munmap, ALL, "buffers; in a new child: its arena's end"),
	CALL(mremap, PUMPS, "buffers that grow"),
	CALL(madvise, ALL, "buffers; in a new child: its stack is emptied"),
	CALL(brk, ALL, "buffers"),
	CALL(futex, ALL, "locks"),

	/* the terminal and the end */
	CALL_IF(ioctl, PUMPS, 1, EXACTLY, TCGETS, "TCGETS", "whether the output is a terminal"),
	CALL_IF(ioctl, PUMPS, 1, EXACTLY, TIOCGWINSZ, "TIOCGWINSZ", "how wide it is"),
	CALL_IF(ioctl, DEVICE, 1, 0xff00, 'A' << 8, "of sound", "playing"),
	CALL_IF(ioctl, DEVICE, 1, 0xff00, 'F' << 8, "of framebuffers", "showing"),
	CALL_IF(ioctl, DEVICE, 1, 0xff00, 'd' << 8, "of displays", "showing"),
	CALL_IF(ioctl, DEVICE, 1, 0xff00, 'K' << 8, "of consoles", "text and graphics"),
	CALL_IF(ioctl, DEVICE, 1, EXACTLY, TIOCGPGRP, "TIOCGPGRP", "whether the terminal is ours"),
	CALL_IF(ioctl, DEVICE, 1, EXACTLY, TCSETS, "TCSETS", "a key ends the show"),
	CALL_IF(ioctl, DEVICE, 1, EXACTLY, TCSETSF, "TCSETSF", "the same"),
	CALL_IF(ioctl, DEVICE, 1, EXACTLY, TCSETSW, "TCSETSW", "the same"),
	CALL_IF(prctl, ALL, 0, EXACTLY, PR_GET_SECCOMP, "PR_GET_SECCOMP", "whether this filter is in force"),
	CALL(rt_sigreturn, ALL, "a signal's handler returns"),
	CALL(rt_sigprocmask, ALL, "abort(); in a new child: it blocks nothing"),
	CALL(rt_sigaction, ALL, "abort(); in a new child: it handles nothing"),
	CALL(restart_syscall, ALL, "a wait goes on after the process was stopped"),
	CALL(getrandom, ALL, "names of temporary files; in a new child: its stack protector"),
	CALL(exit_group, ALL, "the end"),
	CALL(exit, BROKER, "in a child: the end"),

	/* several inputs: brokers, and the starter that starts them */
	CALL(recvmsg, PUMPS | BROKER, "what a decoder has said before it was locked down; decoders from a broker"),
	CALL(memfd_create, MANY, "a cover, between the two decoders of `--cover`"),
	CALL(sendmsg, MANY | BROKER, "commands to a broker and the starter; in a broker: a child for its caller"),
	CALL(timerfd_settime, MANY, "how long a broker may idle"),
	CALL(shutdown, MANY, "a broker that is not needed any more"),

	/* what a broker does besides, and what its children do before they lock themselves down */
	CALL(recvfrom, BROKER, "commands from the library"),
	CALL_IF(clone, BROKER, 0, EXACTLY, CLONE_PIDFD | SIGCHLD, "a plain fork", "decoders"),
	CALL(getppid, BROKER, "in a new child: the parent is still there"),
	CALL(dup2, BROKER, "in a new child: the two pipes become 0 and 1"),
	CALL(close_range, BROKER, "in a new child: everything else is closed"),
	CALL(prlimit64, BROKER, "in a new child: its limits"),
	CALL_IF(prctl, BROKER, 0, EXACTLY, PR_SET_PDEATHSIG, "PR_SET_PDEATHSIG",
	        "in a new child: it dies with its parent"),
	CALL_IF(prctl, BROKER, 0, EXACTLY, PR_SET_NO_NEW_PRIVS, "PR_SET_NO_NEW_PRIVS", "in a new child"),
	CALL_IF(prctl, BROKER, 0, EXACTLY, PR_SET_DUMPABLE, "PR_SET_DUMPABLE", "in a new child"),
	CALL_IF(prctl, BROKER, 0, EXACTLY, PR_SET_NAME, "PR_SET_NAME", "in a new child"),
	CALL_IF(prctl, BROKER, 0, EXACTLY, PR_SET_TSC, "PR_SET_TSC", "in a new child: no clock"),
	CALL_IF(prctl, BROKER, 0, EXACTLY, PR_SET_SECCOMP, "PR_SET_SECCOMP",
	        "in a new child: strict mode, or its filter on top of this one"),
};

static const struct {
	int system_call;
	const char *name;
} confine_fatal[] = {
#define FATAL(name)                                                                                                    \
	{                                                                                                              \
		SCMP_SYS(name), #name                                                                                  \
	}
	FATAL(execve),
	FATAL(execveat),
	FATAL(ptrace),
	FATAL(process_vm_readv),
	FATAL(process_vm_writev),
	FATAL(socket),
	FATAL(socketpair),
	FATAL(connect),
	FATAL(bind),
	FATAL(listen),
	FATAL(accept),
	FATAL(accept4),
	FATAL(bpf),
	FATAL(perf_event_open),
	FATAL(io_uring_setup),
	FATAL(userfaultfd),
	FATAL(mount),
	FATAL(umount2),
	FATAL(pivot_root),
	FATAL(chroot),
	FATAL(unshare),
	FATAL(setns),
	FATAL(init_module),
	FATAL(finit_module),
	FATAL(kexec_load),
	FATAL(add_key),
	FATAL(keyctl),
	FATAL(request_key),
	FATAL(open_by_handle_at),
	FATAL(syslog),
	FATAL(setuid),
	FATAL(setgid),
	FATAL(setresuid),
	FATAL(setresgid),
	FATAL(capset),
	FATAL(reboot),
#undef FATAL
};

#endif
