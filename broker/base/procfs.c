/* SPDX-License-Identifier: MIT */
#include "procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "fds.h"

static const struct {
	const char *name; /* at the start of a line */
	size_t offset;    /* in struct procfs_status */
	bool required;
} fields[] = {
	{ "Pid:", offsetof(struct procfs_status, pid), true },
	{ "PPid:", offsetof(struct procfs_status, parent), true },
	{ "Threads:", offsetof(struct procfs_status, threads), true },
	{ "NoNewPrivs:", offsetof(struct procfs_status, no_new_privs), true },
	{ "Seccomp:", offsetof(struct procfs_status, seccomp), true },
	{ "Seccomp_filters:", offsetof(struct procfs_status, seccomp_filters), false },
};

enum {
	FIELDS = sizeof(fields) / sizeof(fields[0]),
	LINE_SIZE = 1024, /* longer ones (a process may be in many groups) are none of the fields */
};

/* Takes the value of a line "NAME <blanks> DIGITS", if it is one of the fields. */
static void take_line(const char *line, struct procfs_status *status, bool found[FIELDS])
{
	for (size_t i = 0; i < FIELDS; i++) {
		size_t length = strlen(fields[i].name);
		uint64_t value = 0;
		if (strncmp(line, fields[i].name, length) != 0)
			continue;
		line += length;
		while (*line == ' ' || *line == '\t')
			line++;
		found[i] = *line >= '0' && *line <= '9';
		for (; *line >= '0' && *line <= '9'; line++)
			value = value * 10 + (uint64_t)(*line - '0');
		memcpy((char *)status + fields[i].offset, &value, sizeof(value));
		return;
	}
}

static bool all_found(const bool found[FIELDS])
{
	for (size_t i = 0; i < FIELDS; i++)
		if (!found[i])
			return false;
	return true;
}

/* The lines of a file, in a buffer that need not hold all of it. */
struct lines {
	char text[LINE_SIZE];
	size_t filled;
	bool skipping; /* the start of this line was too long and is gone */
};

/* Takes all whole lines, and moves the rest to the start. */
static void take_lines(struct lines *lines, struct procfs_status *status, bool found[FIELDS])
{
	char *start = lines->text;
	char *end = NULL;

	while ((end = memchr(start, '\n', lines->filled - (size_t)(start - lines->text))) != NULL) {
		*end = '\0';
		if (!lines->skipping)
			take_line(start, status, found);
		lines->skipping = false;
		start = end + 1;
	}
	lines->filled -= (size_t)(start - lines->text);
	memmove(lines->text, start, lines->filled);
	if (lines->filled == LINE_SIZE) {
		lines->skipping = true;
		lines->filled = 0;
	}
}

static int parse(int fd, struct procfs_status *status)
{
	struct lines lines = { .filled = 0 };
	bool found[FIELDS] = { false };

	while (!all_found(found)) {
		ssize_t got = read(fd, lines.text + lines.filled, LINE_SIZE - lines.filled);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		lines.filled += (size_t)got;
		take_lines(&lines, status, found);
	}
	for (size_t i = 0; i < FIELDS; i++) {
		if (fields[i].required && !found[i]) {
			errno = EPROTO;
			return -1;
		}
	}
	return 0;
}

int procfs_read_status(int fd, struct procfs_status *status)
{
	struct statfs file_system;

	memset(status, 0, sizeof(*status));
	if (fstatfs(fd, &file_system) != 0)
		return -1;
	if (file_system.f_type != PROC_SUPER_MAGIC) {
		errno = ENOTSUP;
		return -1;
	}
	return parse(fd, status);
}

int procfs_read_own_status(struct procfs_status *status)
{
	int fd = open("/proc/thread-self/status", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	int result = procfs_read_status(fd, status);
	int saved = errno;
	(void)close(fd);
	errno = saved;
	return result;
}

/* ---- descriptors ---- */

/* Not with what prints: it is on the way to the first decoder. */
struct procfs_path procfs_fd_path(int fd)
{
	static const char folder[] = "/proc/self/fd/";
	struct procfs_path path = { "" };
	char digits[10]; /* the last one first */
	size_t count = 0;

	do
		digits[count++] = (char)('0' + fd % 10);
	while ((fd /= 10) > 0 && count < sizeof(digits));
	memcpy(path.text, folder, sizeof(folder) - 1);
	for (size_t i = 0; i < count; i++)
		path.text[sizeof(folder) - 1 + i] = digits[count - 1 - i];
	return path;
}

/* ---- the out-of-memory score ---- */

#define OOM_SCORE "/proc/self/oom_score_adj"
static const char oom_most[] = "1000";

static bool is_first_for_oom(void)
{
	char now[16];
	size_t filled = 0;
	ssize_t got = 0;
	int fd = open(OOM_SCORE, O_RDONLY | O_CLOEXEC);

	do {
		got = read(fd, now + filled, sizeof(now) - filled);
		filled += got > 0 ? (size_t)got : 0;
	} while ((got > 0 && filled < sizeof(now)) || (got < 0 && errno == EINTR));
	int saved = errno;
	fds_close(&fd);
	errno = saved;
	return got >= 0 && filled == sizeof(oom_most) && memcmp(now, oom_most, sizeof(oom_most) - 1) == 0;
}

/* It is inherited: who was started by one that had it already may not be able to write there any more. */
static int write_oom_score(void)
{
	if (is_first_for_oom())
		return 0;
	int fd = open(OOM_SCORE, O_WRONLY | O_CLOEXEC);
	ssize_t put = fd >= 0 ? write(fd, oom_most, sizeof(oom_most) - 1) : -1;
	int saved = errno;

	fds_close(&fd);
	errno = saved;
	return put == sizeof(oom_most) - 1 && is_first_for_oom() ? 0 : -1;
}

int procfs_volunteer_for_oom(void)
{
	/* A program that may not be read, or whose caller runs with another's rights, is not dumpable from the start,
	 * and its own files in /proc are not its own: for this one, it must be. */
	bool dumpable = prctl(PR_GET_DUMPABLE) == 1;

	if (!dumpable && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0)
		return -1;
	int result = write_oom_score();
	if (!dumpable && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return -1;
	return result;
}
