/* SPDX-License-Identifier: MIT */
#include "procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

static const struct {
	const char *name; /* at the start of a line */
	size_t offset;    /* in struct procfs_status */
	bool required;
} fields[] = {
	{ "Pid:", offsetof(struct procfs_status, pid), true },
	{ "PPid:", offsetof(struct procfs_status, parent), true },
	{ "NoNewPrivs:", offsetof(struct procfs_status, no_new_privs), true },
	{ "Seccomp:", offsetof(struct procfs_status, seccomp), true },
	{ "Seccomp_filters:", offsetof(struct procfs_status, seccomp_filters), false },
};

/* Finds "\nNAME <blanks> DIGITS" in the text; the first line of a status file is none of the fields. */
static bool find_field(const char *text, const char *name, uint64_t *value)
{
	size_t length = strlen(name);
	const char *line = text;

	while ((line = strchr(line, '\n')) != NULL && strncmp(++line, name, length) != 0)
		;
	if (!line)
		return false;
	line += length;
	line += strspn(line, " \t");
	if (*line < '0' || *line > '9')
		return false;
	for (*value = 0; *line >= '0' && *line <= '9'; line++)
		*value = *value * 10 + (uint64_t)(*line - '0');
	return true;
}

static int parse(const char *text, struct procfs_status *status)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		uint64_t value = 0;
		if (!find_field(text, fields[i].name, &value) && fields[i].required) {
			errno = EPROTO;
			return -1;
		}
		memcpy((char *)status + fields[i].offset, &value, sizeof(value));
	}
	return 0;
}

/* Reads the whole file into `text`, which it ends with a zero byte. */
static int read_text(int fd, char *text, size_t size)
{
	size_t filled = 0;

	while (filled < size - 1) {
		ssize_t got = read(fd, text + filled, size - 1 - filled);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		filled += (size_t)got;
	}
	text[filled] = '\0';
	return 0;
}

int procfs_read_status(pid_t pid, struct procfs_status *status)
{
	char path[64] = "/proc/self/status";
	char text[8192];
	struct statfs file_system;
	int result = -1;

	memset(status, 0, sizeof(*status));
	if (pid != 0)
		(void)snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (fstatfs(fd, &file_system) != 0)
		goto out;
	if (file_system.f_type != PROC_SUPER_MAGIC) {
		errno = ENOTSUP;
		goto out;
	}
	if (read_text(fd, text, sizeof(text)) == 0)
		result = parse(text, status);
out:;
	int saved = errno;
	(void)close(fd);
	errno = saved;
	return result;
}
