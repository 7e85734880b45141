/* SPDX-License-Identifier: MIT */
/*
 * Makes another process do what an attacker in it would try, and says what came of that:
 *
 *     inject PID execute FILE | write FILE... | socket | connect | trace PID
 *
 *     inject PID guards
 *
 * Prints "done", the name of an errno, or "killed" and a signal; for each file, a line.  The process waits in a system
 * call; it is made to wait in another one instead, and is killed afterwards (but where it only shows its guards).
 * ("connect" is two: a TCP socket, and port 9 of this machine.)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 500, SYSCALL = 0x050f, INSTRUCTION = 2, BELOW_STACK = 4096, TEXT = 256 };

static pid_t process;

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Returns whether it stopped, rather than ended. */
static bool stopped(void)
{
	int status = 0;

	if (waitpid(process, &status, __WALL) != process)
		fail("inject: waitpid");
	if (WIFSIGNALED(status))
		printf("killed %d\n", WTERMSIG(status));
	else if (WIFEXITED(status))
		printf("ended\n");
	return WIFSTOPPED(status);
}

/* Stops it where it waits in a system call, so that the instruction before the next one is "syscall". */
static struct user_regs_struct stop(void)
{
	const struct timespec moment = { .tv_nsec = 10000000 };
	struct user_regs_struct registers;

	for (int i = 0; i < TRIES; i++) {
		if (ptrace(PTRACE_ATTACH, process, NULL, NULL) != 0)
			fail("inject: attach");
		if (!stopped())
			exit(1);
		if (ptrace(PTRACE_GETREGS, process, NULL, &registers) != 0)
			fail("inject: registers");
		long code = ptrace(PTRACE_PEEKTEXT, process, (void *)(uintptr_t)(registers.rip - INSTRUCTION), NULL);
		if ((code & 0xffff) == SYSCALL)
			return registers;
		if (ptrace(PTRACE_DETACH, process, NULL, NULL) != 0)
			fail("inject: detach");
		(void)nanosleep(&moment, NULL);
	}
	fprintf(stderr, "inject: it does not wait\n");
	exit(1);
}

/* Puts bytes below its stack.  Returns where. */
static uint64_t place(const struct user_regs_struct *registers, const void *bytes, size_t size)
{
	uint64_t address = (registers->rsp - BELOW_STACK) & ~UINT64_C(15);
	uint64_t words[TEXT / sizeof(uint64_t)] = { 0 };

	memcpy(words, bytes, size < TEXT ? size : TEXT - 1);
	for (size_t i = 0; i < TEXT / sizeof(uint64_t); i++)
		if (ptrace(PTRACE_POKEDATA, process, (void *)(uintptr_t)(address + i * sizeof(uint64_t)),
		           (void *)(uintptr_t)words[i]) != 0)
			fail("inject: memory");
	return address;
}

struct call {
	uint64_t number, first, second, third, fourth;
};

/* Lets it make the call.  Returns false if it did not survive that. */
static bool make(struct user_regs_struct registers, const struct call *call, int64_t *result)
{
	registers.rip -= INSTRUCTION;
	registers.rax = call->number;
	registers.orig_rax = UINT64_MAX; /* no call is to be restarted */
	registers.rdi = call->first;
	registers.rsi = call->second;
	registers.rdx = call->third;
	registers.r10 = call->fourth;
	if (ptrace(PTRACE_SETREGS, process, NULL, &registers) != 0 ||
	    ptrace(PTRACE_SINGLESTEP, process, NULL, NULL) != 0)
		fail("inject: call");
	if (!stopped())
		return false;
	if (ptrace(PTRACE_GETREGS, process, NULL, &registers) != 0)
		fail("inject: result");
	*result = (int64_t)registers.rax;
	return true;
}

static void say(int64_t result)
{
	printf("%s\n", result < 0 ? strerrorname_np((int)-result) : "done");
}

/* Returns false if the process did not survive it. */
static bool attempt(struct user_regs_struct registers, const char *what, const char *argument)
{
	const struct sockaddr_in nobody = { .sin_family = AF_INET,
		                            .sin_port = htons(9),
		                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct call call = { SYS_socket, AF_INET, SOCK_STREAM, 0, 0 };
	int64_t result = 0;

	if (strcmp(what, "execute") == 0)
		call = (struct call){ SYS_execve, place(&registers, argument, strlen(argument)), 0, 0, 0 };
	if (strcmp(what, "write") == 0)
		call = (struct call){ SYS_openat, (uint64_t)AT_FDCWD, place(&registers, argument, strlen(argument)),
			              O_WRONLY | O_CREAT, 0600 };
	if (strcmp(what, "trace") == 0)
		call = (struct call){ SYS_ptrace, PTRACE_ATTACH, strtoull(argument, NULL, 10), 0, 0 };
	if (!make(registers, &call, &result))
		return false;
	if (strcmp(what, "connect") == 0 && result >= 0) {
		call = (struct call){ SYS_connect, (uint64_t)result, place(&registers, &nobody, sizeof(nobody)),
			              sizeof(nobody), 0 };
		if (!make(registers, &call, &result))
			return false;
	}
	say(result);
	return true;
}

/* The stack protector's canary and the pointer guard, from the thread control block, in hexadecimal as they lie there.
 * A program that has only just been executed has none yet: then it shows nothing.  The process goes on. */
static void show_guards(void)
{
	struct user_regs_struct registers = stop();
	uint64_t guards[2] = { 0, 0 };

	for (size_t i = 0; i < 2; i++) {
		const uint64_t address = registers.fs_base + 0x28 + 8 * i;
		errno = 0;
		guards[i] = (uint64_t)ptrace(PTRACE_PEEKDATA, process, (void *)(uintptr_t)address, NULL);
		if (errno != 0)
			guards[i] = 0;
	}
	if (ptrace(PTRACE_DETACH, process, NULL, NULL) != 0)
		fail("inject: detach");
	if (guards[0] != 0 && guards[1] != 0)
		printf("%016llx\n%016llx\n", (unsigned long long)__builtin_bswap64(guards[0]),
		       (unsigned long long)__builtin_bswap64(guards[1]));
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 1;
	process = (pid_t)strtol(argv[1], NULL, 10);
	if (strcmp(argv[2], "guards") == 0) {
		show_guards();
		return 0;
	}
	struct user_regs_struct registers = stop();
	int i = 3;
	while (attempt(registers, argv[2], i < argc ? argv[i] : "") && i + 1 < argc)
		i++;
	(void)kill(process, SIGKILL);
	return 0;
}
