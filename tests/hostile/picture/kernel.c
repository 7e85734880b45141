/* SPDX-License-Identifier: MIT */
/* Attacks on the kernel's side of the sandbox. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "hostile.h"

enum { DESCRIPTORS = 1024, NO_DESCRIPTOR = 1023 };

/* The first argument is a descriptor that is not there, where the call takes one. */
session_result try_call(struct session *session, const struct arguments *arguments)
{
	(void)session;
	syscall((long)arguments->first, NO_DESCRIPTOR, 0, 0, 0, 0, 0);
	return answer("returned");
}

session_result try_call_32(struct session *session, const struct arguments *arguments)
{
	long result = 0;

	(void)session;
	__asm__ volatile("int $0x80"
	                 : "=a"(result)
	                 : "a"(arguments->first), "b"(NO_DESCRIPTOR), "c"(0), "d"(0), "S"(0), "D"(0)
	                 : "memory");
	return answer("returned");
}

/* Whether a call on any descriptor does anything else than fail; 0 is only read from, and 1 only written to. */
session_result descriptors(struct session *session, const struct arguments *arguments)
{
	char byte = 'x';

	(void)session;
	(void)arguments;
	for (int fd = 0; fd < DESCRIPTORS; fd++) {
		if (fd != STDIN_FILENO && (read(fd, &byte, 1) != -1 || errno != EBADF))
			return answer("read from a descriptor");
		if (fd != STDOUT_FILENO && (write(fd, &byte, 1) != -1 || errno != EBADF))
			return answer("wrote to a descriptor");
	}
	return answer("two descriptors");
}

session_result read_clock(struct session *session, const struct arguments *arguments)
{
	(void)session;
	(void)arguments;
	(void)__builtin_ia32_rdtsc();
	return answer("read the counter");
}

/* The kernel's page of coarse time is in every process, and reading it is no system call. */
session_result read_coarse_clock(struct session *session, const struct arguments *arguments)
{
	struct timespec now = { .tv_sec = 0 };

	(void)session;
	(void)arguments;
	if (clock_gettime(CLOCK_REALTIME_COARSE, &now) != 0 || now.tv_sec == 0)
		return answer("no time");
	return answer("coarse time");
}

/* A kernel that counts processor time by clock ticks sees none, if who feeds it lets it begin behind each tick. */
session_result between_ticks(struct session *session, const struct arguments *arguments)
{
	const uint8_t *data = NULL;

	while (session_read(session, &data) > 0)
		for (volatile unsigned long i = 0; i < arguments->first; i++)
			;
	return answer("nobody counts");
}

/* Returns from a signal that never came, to a context of its own making in which all signals are blocked, and uses up
 * its processor time there.  rt_sigreturn finds the context behind the word to which the stack pointer points. */
session_result block_signals(struct session *session, const struct arguments *arguments)
{
	static char stack[1 << 16] __attribute__((aligned(16)));
	static ucontext_t context;
	static const sigset_t all = { .__val = { ~0UL } };

	(void)session;
	(void)arguments;
	context.uc_sigmask = all;
	context.uc_mcontext.gregs[REG_RSP] = (greg_t)(uintptr_t)(stack + sizeof(stack) / 2);
	/* Code and stack segments as of any 64-bit process. */
	context.uc_mcontext.gregs[REG_CSGSFS] = 0x33 | (greg_t)0x2b << 48;
	/* It goes on at 1, with nothing in its registers. */
	__asm__ volatile("lea 1f(%%rip), %%rax\n\tmov %%rax, %0\n\t"
	                 "mov %1, %%rsp\n\tmov $15, %%eax\n\tsyscall\n1:\tjmp 1b"
	                 : "=m"(context.uc_mcontext.gregs[REG_RIP])
	                 : "r"(&context)
	                 : "rax", "rcx", "r11", "memory");
	__builtin_unreachable();
}
