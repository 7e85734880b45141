/* SPDX-License-Identifier: MIT */
/*
 * Stands between the trusted side and what it calls (by the linker's --wrap), and makes calls fail, be interrupted, or
 * move one byte.  Children count, too, until they are locked down.  See tests/faults/faults.h.
 */
#include "faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <search.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	DESCRIPTORS = 256, /* more than any run has */
	OF_BROKER = 4,     /* that a broker opens for good: descriptor 1, its signals, and the socket of its decoders */
};

static struct faults *faults;
static int descriptors; /* at the start */
static pid_t owner;

int __real_open(const char *path, int flags, ...);
void *__real_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
ssize_t __real_readlink(const char *path, char *target, size_t size);
int __real_close(int fd);
int __real_fcntl(int fd, int command, ...);

/* Without a call that a confined program may not make. */
static int count_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < DESCRIPTORS; fd++)
		count += __real_fcntl(fd, F_GETFD) >= 0;
	return count;
}

__attribute__((constructor)) static void attach(void)
{
	static const char folder[] = "/decoders";
	char path[PATH_MAX];
	ssize_t length = __real_readlink("/proc/self/exe", path, sizeof(path) - 16);
	char *slash = length > 0 ? memrchr(path, '/', (size_t)length) : NULL;

	if (!slash)
		return;
	*slash = '\0';
	char *parent = strrchr(path, '/');
	bool is_decoder = parent && strcmp(parent, folder) == 0;
	uint32_t where = is_decoder ? FAULTS_BROKER : FAULTS_PROGRAM;
	owner = getpid();
	descriptors = count_descriptors() + (is_decoder ? OF_BROKER : 0);
	memcpy(is_decoder ? parent : slash, "/faults", sizeof("/faults"));
	int fd = __real_open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	struct faults *mapped = __real_mmap(NULL, sizeof(*mapped), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)__real_close(fd);
	if (mapped != MAP_FAILED && (atomic_load(&mapped->where) & where))
		faults = mapped;
}

/* What forked processes have does not count: they end with less. */
__attribute__((destructor)) static void note_left(void)
{
	int more = count_descriptors() - descriptors;

	if (faults && getpid() == owner && more > 0)
		atomic_fetch_add(&faults->left, (uint32_t)more);
}

_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);
_Noreturn void __wrap__exit(int status)
{
	note_left();
	__real__exit(status);
}

static void note(const char *name)
{
	atomic_fetch_add(&faults->fired, 1);
	strncpy(faults->name, name, sizeof(faults->name) - 1);
}

/* Whether this call is the one that fails. */
static bool fails(const char *name, int error_number)
{
	if (!faults || atomic_load(&faults->mode) != FAULTS_FAIL ||
	    (*faults->only && strcmp(faults->only, name) != 0) ||
	    atomic_fetch_add(&faults->calls, 1) != atomic_load(&faults->target))
		return false;
	note(name);
	errno = error_number;
	return true;
}

bool faults_fails(const char *name)
{
	return fails(name, ENOMEM);
}

void faults_begin(struct faults *used, enum faults_mode mode, uint32_t target)
{
	atomic_store(&used->mode, mode);
	atomic_store(&used->target, target);
	atomic_store(&used->calls, 0);
	atomic_store(&used->fired, 0);
	faults = used;
}

void faults_end(void)
{
	faults = NULL;
}

/* For calls that may also be interrupted. */
static bool stops(const char *name, int error_number)
{
	if (!faults || atomic_load(&faults->mode) != FAULTS_INTERRUPT)
		return fails(name, error_number);
	/* Half of them, but not in step with any loop. */
	if ((atomic_fetch_add(&faults->calls, 1) * UINT32_C(2654435761)) >> 31 == 0)
		return false;
	note(name);
	errno = EINTR;
	return true;
}

/* How many bytes a call that is asked for `size` may move. */
static size_t some(const char *name, size_t size)
{
	if (!faults || atomic_load(&faults->mode) != FAULTS_SHORT || size <= 1)
		return size;
	note(name);
	return 1;
}

/* Functions of fixed arguments that return -1 or NULL and set errno. */
#define FAILING(type, failure, error_number, name, parameters, arguments)                                              \
	type __real_##name parameters;                                                                                 \
	type __wrap_##name parameters;                                                                                 \
	type __wrap_##name parameters                                                                                  \
	{                                                                                                              \
		return fails(#name, error_number) ? (failure) : __real_##name arguments;                               \
	}

/* Functions that return the number of an error. */
#define REFUSING(error_number, name, parameters, arguments)                                                            \
	int __real_##name parameters;                                                                                  \
	int __wrap_##name parameters;                                                                                  \
	int __wrap_##name parameters                                                                                   \
	{                                                                                                              \
		return fails(#name, error_number) ? (error_number) : __real_##name arguments;                          \
	}

/* Functions that fail and may be interrupted. */
#define STOPPING(type, failure, error_number, name, parameters, arguments)                                             \
	type __real_##name parameters;                                                                                 \
	type __wrap_##name parameters;                                                                                 \
	type __wrap_##name parameters                                                                                  \
	{                                                                                                              \
		return stops(#name, error_number) ? (failure) : __real_##name arguments;                               \
	}

/* The same, which move up to `size` bytes. */
#define MOVING(error_number, name, parameters, arguments)                                                              \
	ssize_t __real_##name parameters;                                                                              \
	ssize_t __wrap_##name parameters;                                                                              \
	ssize_t __wrap_##name parameters                                                                               \
	{                                                                                                              \
		size = some(#name, size);                                                                              \
		return stops(#name, error_number) ? -1 : __real_##name arguments;                                      \
	}

/* clang-format off */
FAILING(void *, MAP_FAILED, ENOMEM, mmap, (void *address, size_t size, int protection, int flags, int fd, off_t offset), (address, size, protection, flags, fd, offset))
FAILING(int, -1, ENOMEM, mprotect, (void *address, size_t size, int protection), (address, size, protection))
FAILING(int, -1, EINVAL, madvise, (void *address, size_t size, int advice), (address, size, advice))
FAILING(int, -1, EMFILE, pipe2, (int ends[2], int flags), (ends, flags))
FAILING(int, -1, EMFILE, socketpair, (int domain, int type, int protocol, int ends[2]), (domain, type, protocol, ends))
FAILING(int, -1, EMFILE, signalfd, (int fd, const sigset_t *mask, int flags), (fd, mask, flags))
FAILING(int, -1, EMFILE, epoll_create1, (int flags), (flags))
FAILING(int, -1, ENOMEM, epoll_ctl, (int epoll, int operation, int fd, struct epoll_event *event), (epoll, operation, fd, event))
FAILING(int, -1, EMFILE, timerfd_create, (int clock, int flags), (clock, flags))
FAILING(int, -1, EINVAL, timerfd_settime, (int fd, int flags, const struct itimerspec *time, struct itimerspec *old), (fd, flags, time, old))
FAILING(int, -1, EMFILE, memfd_create, (const char *name, unsigned flags), (name, flags))
FAILING(int, -1, EIO, fstat, (int fd, struct stat *status), (fd, status))
FAILING(int, -1, EACCES, lstat, (const char *path, struct stat *status), (path, status))
FAILING(int, -1, EACCES, stat, (const char *path, struct stat *status), (path, status))
FAILING(int, -1, EIO, fstatfs, (int fd, struct statfs *status), (fd, status))
FAILING(int, -1, EIO, fsync, (int fd), (fd))
FAILING(int, -1, EACCES, linkat, (int from_folder, const char *from, int folder, const char *to, int flags), (from_folder, from, folder, to, flags))
FAILING(int, -1, EACCES, renameat2, (int from_folder, const char *from, int folder, const char *to, unsigned flags), (from_folder, from, folder, to, flags))
FAILING(int, -1, EACCES, fstatat, (int folder, const char *path, struct stat *status, int flags), (folder, path, status, flags))
FAILING(long, -1, EIO, fpathconf, (int fd, int name), (fd, name))
FAILING(int, -1, EPERM, fchown, (int fd, uid_t user, gid_t group), (fd, user, group))
FAILING(ssize_t, -1, EIO, getxattr, (const char *path, const char *name, void *value, size_t size), (path, name, value, size))
FAILING(int, -1, EPERM, fremovexattr, (int fd, const char *name), (fd, name))
FAILING(int, -1, ENOSPC, mkdir, (const char *path, mode_t mode), (path, mode))
FAILING(int, -1, EPERM, fchmod, (int fd, mode_t mode), (fd, mode))
FAILING(off_t, -1, ESPIPE, lseek, (int fd, off_t offset, int whence), (fd, offset, whence))
FAILING(ssize_t, -1, ENOENT, readlink, (const char *path, char *target, size_t size), (path, target, size))
FAILING(char *, NULL, ENOMEM, strdup, (const char *text), (text))
FAILING(int, -1, EINVAL, getrlimit, (int resource, struct rlimit *limit), (resource, limit))
FAILING(int, -1, EPERM, setrlimit, (int resource, const struct rlimit *limit), (resource, limit))
FAILING(int, -1, ENOSYS, close_range, (unsigned first, unsigned last, int flags), (first, last, flags))
FAILING(int, -1, EBUSY, dup2, (int from, int to), (from, to))
FAILING(int, -1, EBUSY, dup3, (int from, int to, int flags), (from, to, flags))
FAILING(int, -1, EINVAL, sigaction, (int signal, const struct sigaction *action, struct sigaction *old), (signal, action, old))
FAILING(int, -1, EINVAL, sigprocmask, (int how, const sigset_t *set, sigset_t *old), (how, set, old))
FAILING(void *, NULL, ENOMEM, dlopen, (const char *path, int flags), (path, flags))
FAILING(void *, NULL, ENOENT, dlsym, (void *module, const char *name), (module, name))
FAILING(int, -1, EMFILE, __open_2, (const char *path, int flags), (path, flags))
FAILING(int, -1, EACCES, access, (const char *path, int mode), (path, mode))
FAILING(int, -1, EPERM, setpgid, (pid_t pid, pid_t group), (pid, group))
FAILING(int, -1, EACCES, execve, (const char *path, char *const arguments[], char *const environment[]), (path, arguments, environment))
FAILING(FILE *, NULL, EMFILE, fopen, (const char *path, const char *mode), (path, mode))
FAILING(int, 0, ENOENT, dladdr1, (const void *address, Dl_info *info, void **extra, int flags), (address, info, extra, flags))
FAILING(int, -1, ENOTCONN, shutdown, (int fd, int how), (fd, how))
FAILING(int, -1, ENOMEM, munmap, (void *address, size_t size), (address, size))
REFUSING(ENOMEM, pthread_atfork, (void (*prepare)(void), void (*parent)(void), void (*child)(void)), (prepare, parent, child))
REFUSING(EINVAL, clock_getcpuclockid, (pid_t pid, clockid_t *clock), (pid, clock))
REFUSING(ENOMEM, pthread_mutex_init, (pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes), (mutex, attributes))
STOPPING(int, -1, EINTR, nanosleep, (const struct timespec *time, struct timespec *left), (time, left))
STOPPING(int, -1, ENOMEM, poll, (struct pollfd *fds, nfds_t count, int timeout), (fds, count, timeout))
STOPPING(int, -1, ENOMEM, __poll_chk, (struct pollfd *fds, nfds_t count, int timeout, size_t size), (fds, count, timeout, size))
FAILING(ssize_t, -1, ENOSYS, getrandom, (void *data, size_t size, unsigned flags), (data, size, flags))
STOPPING(ssize_t, -1, EPIPE, send, (int fd, const void *data, size_t size, int flags), (fd, data, size, flags))
STOPPING(ssize_t, -1, EPIPE, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
STOPPING(ssize_t, -1, ECONNRESET, recv, (int fd, void *data, size_t size, int flags), (fd, data, size, flags))
STOPPING(ssize_t, -1, ECONNRESET, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))
MOVING(EIO, read, (int fd, void *data, size_t size), (fd, data, size))
MOVING(EIO, __read_chk, (int fd, void *data, size_t size, size_t room), (fd, data, size, room))
MOVING(EIO, pread, (int fd, void *data, size_t size, off_t offset), (fd, data, size, offset))
MOVING(ENOSPC, pwrite, (int fd, const void *data, size_t size, off_t offset), (fd, data, size, offset))
MOVING(EINVAL, splice, (int in, off_t *in_offset, int out, off_t *out_offset, size_t size, unsigned flags), (in, in_offset, out, out_offset, size, flags))
/* clang-format on */

/* ---- those that are otherwise ---- */

/* What is written to /proc is taken whole, and at once. */
ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size)
{
	struct statfs system;

	if (!faults) /* in a decoder that is locked down, that would be its last call */
		return __real_write(fd, data, size);
	if (__real_fstatfs(fd, &system) == 0 && system.f_type == PROC_SUPER_MAGIC)
		return fails("write", EACCES) ? -1 : __real_write(fd, data, size);
	size = some("write", size);
	return stops("write", ENOSPC) ? -1 : __real_write(fd, data, size);
}

ssize_t __real_writev(int fd, const struct iovec *pieces, int count);
ssize_t __wrap_writev(int fd, const struct iovec *pieces, int count);
ssize_t __wrap_writev(int fd, const struct iovec *pieces, int count)
{
	if (stops("writev", EIO))
		return -1;
	for (int i = 0; i < count; i++)
		if (pieces[i].iov_len > 1 && some("writev", pieces[i].iov_len) == 1)
			return __real_write(fd, pieces[i].iov_base, 1);
	return __real_writev(fd, pieces, count);
}

/* The C library's own allocation is not led here. */
static int print_or_fail(char **text, const char *format, va_list arguments)
{
	return fails("asprintf", ENOMEM) ? -1 : vasprintf(text, format, arguments);
}

int __wrap_asprintf(char **text, const char *format, ...);
int __wrap_asprintf(char **text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	int length = print_or_fail(text, format, arguments);
	va_end(arguments);
	return length;
}

int __wrap___asprintf_chk(char **text, int flag, const char *format, ...);
int __wrap___asprintf_chk(char **text, int flag, const char *format, ...)
{
	va_list arguments;

	(void)flag;
	va_start(arguments, format);
	int length = print_or_fail(text, format, arguments);
	va_end(arguments);
	return length;
}

/* It is closed all the same. */
int __wrap_close(int fd);
int __wrap_close(int fd)
{
	int result = __real_close(fd);

	return fails("close", EIO) ? -1 : result;
}

/* Interrupted only, and only where they wait: that a child is gone which is not is no failure that could be. */
pid_t __real_waitpid(pid_t pid, int *status, int options);
pid_t __wrap_waitpid(pid_t pid, int *status, int options);
pid_t __wrap_waitpid(pid_t pid, int *status, int options)
{
	return !(options & WNOHANG) && stops("waitpid", EINTR) ? -1 : __real_waitpid(pid, status, options);
}

int __real_waitid(idtype_t type, id_t id, siginfo_t *info, int options);
int __wrap_waitid(idtype_t type, id_t id, siginfo_t *info, int options);
int __wrap_waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	return !(options & WNOHANG) && stops("waitid", EINTR) ? -1 : __real_waitid(type, id, info, options);
}

int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	va_list arguments;

	va_start(arguments, flags);
	mode_t mode = va_arg(arguments, mode_t);
	va_end(arguments);
	return fails("open", EMFILE) ? -1 : __real_open(path, flags, mode);
}

int __real_openat(int folder, const char *path, int flags, ...);
int __wrap_openat(int folder, const char *path, int flags, ...);
int __wrap_openat(int folder, const char *path, int flags, ...)
{
	va_list arguments;

	va_start(arguments, flags);
	mode_t mode = va_arg(arguments, mode_t);
	va_end(arguments);
	return fails("openat", EMFILE) ? -1 : __real_openat(folder, path, flags, mode);
}

int __real_clone(int (*function)(void *), void *stack, int flags, void *argument, ...);
int __wrap_clone(int (*function)(void *), void *stack, int flags, void *argument, ...);
int __wrap_clone(int (*function)(void *), void *stack, int flags, void *argument, ...)
{
	va_list list;
	int *pidfd = NULL;

	va_start(list, argument);
	if (flags & CLONE_PIDFD)
		pidfd = va_arg(list, int *); /* NOLINT(clang-analyzer-valist.Uninitialized): it is */
	va_end(list);
	return fails("clone", EAGAIN) ? -1 : __real_clone(function, stack, flags, argument, pidfd);
}

int __wrap_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...)
{
	va_list arguments;

	va_start(arguments, command);
	long argument = va_arg(arguments, long);
	va_end(arguments);
	/* Whether a descriptor is open is no question that could fail otherwise. */
	bool may_fail = command != F_GETFD && fails("fcntl", EPERM);
	return may_fail ? -1 : __real_fcntl(fd, command, argument);
}

int __real_prctl(int option, ...);
int __wrap_prctl(int option, ...);
int __wrap_prctl(int option, ...)
{
	va_list list;
	unsigned long arguments[4];

	va_start(list, option);
	for (int i = 0; i < 4; i++)
		arguments[i] = va_arg(list, unsigned long); /* NOLINT(clang-analyzer-valist.Uninitialized): it is */
	va_end(list);
	return fails("prctl", EPERM) ? -1
	                             : __real_prctl(option, arguments[0], arguments[1], arguments[2], arguments[3]);
}

/* Those that could fail for no reason but a mistake here do not: a kill, and an end. */
static const char *name_of_syscall(long number)
{
	switch (number) {
	case SYS_exit:
	case SYS_pidfd_send_signal:
		return NULL;
	case SYS_waitid:
		return "waitid";
	case SYS_clone:
		return "fork";
	case SYS_pidfd_open:
		return "pidfd_open";
	default:
		return "syscall";
	}
}

static bool syscall_stops(long number, const long arguments[6])
{
	const char *name = name_of_syscall(number);

	if (number == SYS_waitid)
		return !(arguments[3] & WNOHANG) && stops(name, EINTR);
	return name && fails(name, EAGAIN);
}

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
/* Also runs in processes that share this one's memory, and end without unwinding what AddressSanitizer has marked. */
__attribute__((no_sanitize_address)) long __wrap_syscall(long number, ...)
{
	va_list list;
	long arguments[6];

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		arguments[i] = va_arg(list, long); /* NOLINT(clang-analyzer-valist.Uninitialized): it is */
	va_end(list);
	if (syscall_stops(number, arguments))
		return -1;
	return __real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
	                      arguments[5]);
}
