/* SPDX-License-Identifier: MIT */
/* The trusted side's own confinement: each class of what it gives up is really denied, and what it needs is not. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/confine/confine.h"
#include "broker/confine/confine_rules.h"

enum { ALLOWED = 0, CANNOT_CONFINE = 200, NO_LANDLOCK };

#define NOT_FILTERED CONFINE_ROLES
#define STARTER (CONFINE_ROLES + 1) /* not filtered; instead of a folder, that whose programs it may execute */
#define NAMING (CONFINE_ROLES + 2)  /* not filtered; it opens nothing in the folder, as CONFINE_ONE_FILE */

static struct outcome confine_like(enum confine_role role, const char *place, struct confinement *confinement)
{
	struct confine_files files = { .place = place ? open(place, O_PATH | O_CLOEXEC) : -1,
		                       .writing = role != NAMING && role != CONFINE_ONE_FILE };

	if (place && files.place < 0)
		return outcome_of(SDEC_NO_SANDBOX, "the test's place is not there");
	struct outcome outcome = role == STARTER ? confine_starter(files.place) : confine_files(&files, confinement);
	if (files.place >= 0)
		(void)close(files.place);
	return outcome;
}

/* What an attempt came to in a process of its own, which is confined like `role`: 0, an errno, or 1000 and the signal
 * that ended it. */
static int attempt(enum confine_role role, const char *folder, int (*act)(void))
{
	int status = 0;
	pid_t pid = fork();

	cr_assert(pid >= 0);
	if (pid == 0) {
		struct confinement confinement = { .landlock = 0 };
		if (confine_like(role, folder, &confinement).status != SDEC_OK)
			_exit(CANNOT_CONFINE);
		if ((role == NOT_FILTERED || role == NAMING) && confinement.landlock == 0)
			_exit(NO_LANDLOCK);
		if (role < CONFINE_ROLES && confine_calls(role, &confinement).status != SDEC_OK)
			_exit(CANNOT_CONFINE);
		errno = 0;
		_exit(act() < 0 ? errno : ALLOWED);
	}
	cr_assert(waitpid(pid, &status, 0) == pid);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

enum { KILLED = 1000 + SIGSYS };

/* ---- attempts ---- */

static int nothing(void)
{
	return 0;
}

static int execute(void)
{
	char *arguments[] = { (char *)(uintptr_t) "/bin/true", NULL };

	return execv(arguments[0], arguments);
}

/* One that lies elsewhere. */
static int execute_another(void)
{
	char *arguments[] = { (char *)(uintptr_t) "/proc/self/exe", (char *)(uintptr_t) "--version", NULL };

	return execv(arguments[0], arguments);
}

static int trace(void)
{
	return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static int open_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int make_file(void)
{
	return open("/tmp/confine-test-made", O_WRONLY | O_CREAT, 0600);
}

static int write_existing(void)
{
	return open("/dev/null", O_WRONLY);
}

static int unnamed; /* a file that was opened before */

static int write_open_file(void)
{
	return write(unnamed, "x", 1) == 1 ? 0 : -1;
}

static int name_file(void)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", unnamed);
	if (linkat(AT_FDCWD, path, AT_FDCWD, "/tmp/confine-test-one", AT_SYMLINK_FOLLOW) != 0)
		return -1;
	if (rename("/tmp/confine-test-one", "/tmp/confine-test-two") != 0)
		return -1;
	return unlink("/tmp/confine-test-two");
}

static int read_file(void)
{
	return open("/proc/self/status", O_RDONLY);
}

static int map_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

static int make_code(void)
{
	void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return map == MAP_FAILED ? -1 : mprotect(map, 4096, PROT_READ | PROT_EXEC);
}

static int signal_gently(void)
{
	return kill(getppid(), SIGCONT);
}

static int push_input(void)
{
	return ioctl(STDIN_FILENO, TIOCSTI, "x");
}

/* What is forbidden ends with EPERM; this is no terminal of ours, whoever asks. */
static int ask_for_the_group(void)
{
	int group = 0;
	int pipes[2];

	return pipe2(pipes, O_CLOEXEC) != 0 ? -1 : ioctl(pipes[0], TIOCGPGRP, &group);
}

static int make_thread(void)
{
	return (int)syscall(SYS_clone, SIGCHLD | CLONE_VM, NULL, NULL, NULL, NULL);
}

static int unlisted(void)
{
	return (int)syscall(SYS_personality, 0xffffffff);
}

static int by_the_32_bit_gate(void)
{
#ifdef __x86_64__
	int result = 0;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20 /* getpid */) : "memory");
	return result < 0 ? -1 : 0;
#else
	(void)raise(SIGSYS);
	return -1;
#endif
}

/* ---- seccomp ---- */

#define EACH_ROLE(role) for (enum confine_role role = CONFINE_ONE; role < CONFINE_ROLES; role++)

Test(confine_calls, what_a_role_needs_works)
{
	EACH_ROLE(role)
	{
		cr_expect(attempt(role, NULL, nothing) == ALLOWED, "role %d", (int)role);
		cr_expect(attempt(role, NULL, read_file) == ALLOWED, "role %d", (int)role);
	}
}

Test(confine_calls, exec_sockets_and_ptrace_end_the_process)
{
	EACH_ROLE(role)
	{
		cr_expect(attempt(role, NULL, execute) == KILLED, "role %d", (int)role);
		cr_expect(attempt(role, NULL, open_socket) == KILLED, "role %d", (int)role);
		cr_expect(attempt(role, NULL, trace) == KILLED, "role %d", (int)role);
		cr_expect(attempt(role, NULL, by_the_32_bit_gate) > 1000, "role %d", (int)role);
	}
}

static int fatal_call;

static int make_fatal_call(void)
{
	return (int)syscall(fatal_call, -1, -1, -1, -1, -1, -1);
}

Test(confine_calls, each_fatal_call_ends_the_process)
{
	for (size_t i = 0; i < sizeof(confine_fatal) / sizeof(confine_fatal[0]); i++) {
		fatal_call = confine_fatal[i].system_call;
		if (fatal_call >= 0)
			cr_expect(attempt(CONFINE_ONE, NULL, make_fatal_call) == KILLED, "%s", confine_fatal[i].name);
	}
}

Test(confine_calls, the_rest_is_refused)
{
	EACH_ROLE(role)
	{
		cr_expect(attempt(role, NULL, unlisted) == EPERM, "role %d", (int)role);
		cr_expect(attempt(role, NULL, map_code) == EPERM, "role %d", (int)role);
		cr_expect(attempt(role, NULL, make_code) == EPERM, "role %d", (int)role);
		cr_expect(attempt(role, NULL, signal_gently) == EPERM, "role %d", (int)role);
		cr_expect(attempt(role, NULL, push_input) == EPERM, "role %d", (int)role);
		cr_expect(attempt(role, NULL, make_thread) == EPERM, "role %d", (int)role);
	}
}

Test(confine_calls, who_shows_may_ask_whose_the_terminal_is)
{
	cr_expect(attempt(CONFINE_DEVICE, NULL, ask_for_the_group) == ENOTTY);
	cr_expect(attempt(CONFINE_MANY, NULL, ask_for_the_group) == EPERM);
}

Test(confine_calls, who_makes_no_file_opens_none_for_writing)
{
	for (enum confine_role role = CONFINE_ONE; role <= CONFINE_ONE_FILE; role++) {
		cr_expect(attempt(role, "/tmp", make_file) == EPERM);
		cr_expect(attempt(role, "/dev", write_existing) == EPERM);
	}
}

/* ---- Landlock, which is all that a broker has where children can be strict ---- */

Test(confine_files, only_what_is_named_can_be_written)
{
	if (attempt(NOT_FILTERED, NULL, nothing) == NO_LANDLOCK)
		cr_skip("this kernel has no Landlock");
	cr_expect(attempt(NOT_FILTERED, NULL, make_file) == EACCES);
	cr_expect(attempt(NOT_FILTERED, NULL, write_existing) == EACCES);
	cr_expect(attempt(NOT_FILTERED, "/dev", make_file) == EACCES);
	cr_expect(attempt(NOT_FILTERED, "/tmp", make_file) == ALLOWED);
	cr_expect(unlink("/tmp/confine-test-made") == 0);
	cr_expect(attempt(NOT_FILTERED, "/dev", write_existing) == ALLOWED);
	cr_expect(attempt(CONFINE_MANY, "/dev", write_existing) == ALLOWED);
	cr_expect(attempt(CONFINE_MANY, NULL, write_existing) == EACCES);
}

Test(confine_files, a_file_that_is_open_gets_its_name_and_nothing_is_opened)
{
	if (attempt(NAMING, NULL, nothing) == NO_LANDLOCK)
		cr_skip("this kernel has no Landlock");
	unnamed = open("/tmp", O_TMPFILE | O_WRONLY, 0600);
	if (unnamed < 0)
		cr_skip("/tmp has no files without names");
	cr_expect(attempt(NAMING, "/tmp", name_file) == ALLOWED);
	cr_expect(attempt(NAMING, "/dev", name_file) == EACCES);
	cr_expect(attempt(NAMING, NULL, name_file) == EACCES);
	cr_expect(attempt(NAMING, NULL, write_open_file) == ALLOWED);
	cr_expect(attempt(NAMING, "/tmp", make_file) == EACCES);
	(void)unlink("/tmp/confine-test-made");
	cr_expect(attempt(NAMING, "/dev", write_existing) == EACCES);
	(void)close(unnamed);
}

Test(confine_files, no_role_makes_files_elsewhere)
{
	if (attempt(NOT_FILTERED, NULL, nothing) == NO_LANDLOCK)
		cr_skip("this kernel has no Landlock");
	EACH_ROLE(role)
	{
		int refused = role == CONFINE_ONE || role == CONFINE_ONE_FILE ? EPERM : EACCES;
		cr_expect(attempt(role, "/dev", make_file) == refused, "role %d", (int)role);
		cr_expect(attempt(role, NULL, write_existing) == refused, "role %d", (int)role);
	}
}

Test(confine_files, what_is_only_made_is_not_opened)
{
	struct confinement confinement = { .landlock = 0 };

	if (attempt(NOT_FILTERED, NULL, nothing) == NO_LANDLOCK)
		cr_skip("this kernel has no Landlock");
	int made = make_file();
	cr_assert(made >= 0);
	(void)close(made);
	struct confine_files files = { .place = open("/tmp", O_PATH | O_CLOEXEC), .writing = false };
	cr_assert(confine_files(&files, &confinement).status == SDEC_OK);
	/* A file of a name of its own can be made without the right to write, but not opened. */
	cr_expect(open("/tmp/confine-test-made", O_WRONLY) < 0 && errno == EACCES);
	cr_expect(mknod("/tmp/confine-test-new", S_IFREG | 0600, 0) == 0);
	cr_expect(rename("/tmp/confine-test-new", "/tmp/confine-test-made") == 0);
	cr_expect(unlink("/tmp/confine-test-made") == 0);
}

Test(confine_files, names_are_made_in_a_second_place_where_there_is_one)
{
	for (int second = 0; second <= 1; second++) {
		pid_t pid = fork();
		if (pid == 0) {
			struct confinement confinement = { .landlock = 0 };
			struct confine_files files = { .place = open("/usr", O_PATH | O_CLOEXEC),
				                       .writing = true,
				                       .second = second,
				                       .second_place = open("/tmp", O_PATH | O_CLOEXEC) };
			bool confined = confine_files(&files, &confinement).status == SDEC_OK;
			bool made = mknod("/tmp/confine-test-second", S_IFREG | 0600, 0) == 0;
			bool opened = made && open("/tmp/confine-test-second", O_WRONLY) >= 0;
			(void)unlink("/tmp/confine-test-second");
			bool right = confinement.landlock == 0 || (made == (second == 1) && !opened);
			_exit(confined && right ? 0 : 1);
		}
		int status = 0;
		cr_assert(waitpid(pid, &status, 0) == pid);
		cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "second %d", second);
	}
}

Test(confine_starter, executes_what_is_in_its_folder_and_nothing_else)
{
	if (attempt(NOT_FILTERED, NULL, nothing) == NO_LANDLOCK)
		cr_skip("this kernel has no Landlock");
	cr_expect(attempt(STARTER, "/usr/bin", execute) == ALLOWED);
	cr_expect(attempt(STARTER, "/usr/bin", execute_another) == EACCES);
	cr_expect(attempt(STARTER, "/usr/include", execute) == EACCES);
	cr_expect(attempt(STARTER, "/usr/bin", make_file) == EACCES);
	cr_expect(attempt(STARTER, "/usr/bin", trace) == EPERM);
	cr_expect(attempt(STARTER, "/usr/bin", write_existing) == EACCES);
}

Test(confine_files, nothing_is_executed_or_traced)
{
	if (attempt(NOT_FILTERED, NULL, nothing) == NO_LANDLOCK)
		cr_skip("this kernel has no Landlock");
	cr_expect(attempt(NOT_FILTERED, "/", execute) == EACCES);
	cr_expect(attempt(NOT_FILTERED, NULL, trace) == EPERM);
	cr_expect(attempt(NOT_FILTERED, NULL, read_file) == ALLOWED);
}

Test(confine_files, a_pipe_is_written_to_as_before)
{
	int ends[2];
	char path[64];

	cr_assert(pipe(ends) == 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[1]);
	cr_expect(attempt(NOT_FILTERED, path, nothing) != CANNOT_CONFINE);
}

Test(confine_files, a_place_that_is_none_is_an_error)
{
	struct confinement confinement = { .landlock = 0 };
	const struct confine_files files = { .place = 1000000, .writing = true };

	if (attempt(NOT_FILTERED, NULL, nothing) == NO_LANDLOCK)
		cr_skip("this kernel has no Landlock");
	cr_expect(confine_files(&files, &confinement).status == SDEC_NO_SANDBOX);
	cr_expect(confinement.landlock == 0);
}

/* ---- signals: a decoder that was there before can be killed only where that was asked for ---- */

/* Confines itself and kills a process that was forked before.  Returns 0 or an errno. */
static int kill_an_older_one(bool killing)
{
	struct confinement confinement = { .landlock = 0 };
	struct confine_files files = { .place = -1, .killing = killing };
	pid_t older = fork();

	if (older == 0)
		for ((void)prctl(PR_SET_PDEATHSIG, SIGKILL);;)
			(void)pause();
	if (confine_files(&files, &confinement).status != SDEC_OK)
		return CANNOT_CONFINE;
	errno = 0;
	int result = kill(older, SIGKILL) == 0 ? ALLOWED : errno;
	/* A process that starts later is within the scope in any case. */
	pid_t younger = fork();
	if (younger == 0)
		for (;;)
			(void)pause();
	if (kill(younger, SIGKILL) != 0 || waitpid(younger, NULL, 0) != younger)
		return CANNOT_CONFINE;
	return confinement.landlock < 6 ? NO_LANDLOCK : result;
}

Test(confine_files, signals)
{
	int results[2];

	for (int killing = 0; killing < 2; killing++) {
		int status = 0;
		pid_t pid = fork();
		cr_assert(pid >= 0);
		if (pid == 0)
			_exit(kill_an_older_one(killing));
		cr_assert(waitpid(pid, &status, 0) == pid);
		results[killing] = WEXITSTATUS(status);
	}
	if (results[0] == NO_LANDLOCK)
		cr_skip("this kernel's Landlock knows no signals");
	cr_expect(results[0] == EPERM, "%d", results[0]);
	cr_expect(results[1] == ALLOWED, "%d", results[1]);
}
