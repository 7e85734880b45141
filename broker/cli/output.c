/* SPDX-License-Identifier: MIT */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Temporary files that exist, for the signal handler.  The names are on the heap, which children do not see. */
static char *volatile temporaries[OUTPUT_FILES];

static struct safe_outcome io_error(const char *reason)
{
	return outcome_of_errno(SAFE_IO, reason, errno);
}

/* Where the symbolic link at `path` leads, as seen from here; NULL if it is none. */
static char *follow(const char *path)
{
	char target[PATH_MAX];
	ssize_t length = readlink(path, target, sizeof(target));
	const char *slash = strrchr(path, '/');
	int folder = slash && length > 0 && target[0] != '/' ? (int)(slash - path) + 1 : 0;
	char *joined = NULL;

	if (length <= 0 || (size_t)length >= sizeof(target))
		return NULL;
	return asprintf(&joined, "%.*s%.*s", folder, path, (int)length, target) < 0 ? NULL : joined;
}

/* The file at the end of symbolic links, which need not be there yet.  A device or FIFO is not replaced, and so need
 * not be found: what /dev/stdout leads to may have no name. */
static char *resolve(const char *path)
{
	struct stat status;

	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
		return strdup(path);
	char *resolved = realpath(path, NULL);
	char *name = resolved || errno != ENOENT ? NULL : strdup(path);

	/* Links that lead in a circle are another error. */
	for (char *next = NULL; name && (next = follow(name)) != NULL; name = next)
		free(name);
	return resolved ? resolved : name;
}

/* "FOLDER/.NAME.XXXXXX"; a long name is cut, so that the whole stays within what file systems allow. */
static char *name_temporary(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t folder = slash ? (size_t)(slash - path) + 1 : 0;
	char *name = NULL;

	return asprintf(&name, "%.*s.%.200s.XXXXXX", (int)folder, path, path + folder) < 0 ? NULL : name;
}

static void take_slot(struct output *output)
{
	for (int slot = 0; slot < OUTPUT_FILES; slot++) {
		if (!temporaries[slot]) {
			temporaries[slot] = output->temporary;
			output->slot = slot;
			return;
		}
	}
}

static void leave_slot(struct output *output)
{
	if (output->slot >= 0)
		temporaries[output->slot] = NULL;
	output->slot = -1;
}

void output_unlink_all(void)
{
	for (int slot = 0; slot < OUTPUT_FILES; slot++)
		if (temporaries[slot])
			(void)unlink(temporaries[slot]);
}

/* The permissions that the output will have: those of the file that it replaces, or what the umask leaves. */
static mode_t choose_mode(const struct stat *existing)
{
	if (existing)
		return existing->st_mode & 0777;
	mode_t mask = umask(0);
	(void)umask(mask);
	return 0666 & ~mask;
}

static struct safe_outcome open_temporary(struct output *output, const struct stat *existing)
{
	output->temporary = name_temporary(output->path);
	if (!output->temporary)
		return io_error("cannot name the output");
	/* The name is registered before the file exists: at worst a signal finds nothing to remove. */
	take_slot(output);
	output->fd = mkostemp(output->temporary, O_CLOEXEC);
	if (output->fd < 0) {
		struct safe_outcome outcome = io_error("cannot create the output");
		leave_slot(output);
		free(output->temporary);
		output->temporary = NULL;
		return outcome;
	}
	return fchmod(output->fd, choose_mode(existing)) == 0 ? outcome_ok() : io_error("cannot create the output");
}

char *output_place(const char *path)
{
	struct stat status;
	char *place = resolve(path);

	if (place && (stat(place, &status) != 0 || S_ISREG(status.st_mode))) {
		char *folder = strdup(dirname(place));
		free(place);
		place = folder;
	}
	if (place && stat(place, &status) != 0) {
		free(place);
		place = NULL;
	}
	return place;
}

struct safe_outcome output_open(struct output *output, const char *path)
{
	struct safe_outcome outcome = outcome_ok();
	struct stat existing;

	*output = OUTPUT_NONE;
	output->path = resolve(path);
	if (!output->path)
		return io_error("cannot open the output");
	bool exists = stat(output->path, &existing) == 0;
	if (exists && !S_ISREG(existing.st_mode)) {
		output->fd = open(output->path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
		if (output->fd < 0)
			outcome = io_error("cannot open the output");
	} else {
		outcome = open_temporary(output, exists ? &existing : NULL);
	}
	if (outcome.status != SAFE_OK)
		output_abort(output);
	return outcome;
}

/* Makes the rename durable.  What is written is safe either way, so failing here is no failure. */
static void sync_folder(char *path)
{
	int folder = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0)
		return;
	(void)fsync(folder);
	(void)close(folder);
}

struct safe_outcome output_commit(struct output *output)
{
	struct safe_outcome outcome = outcome_ok();

	/* Pipes and devices cannot be synchronised; what they refuse, write() has said. */
	if (output->temporary && fsync(output->fd) != 0)
		outcome = io_error("cannot write the output");
	int closed = close(output->fd);
	output->fd = -1;
	if (outcome.status == SAFE_OK && closed != 0)
		outcome = io_error("cannot write the output");
	if (outcome.status == SAFE_OK && output->temporary) {
		if (rename(output->temporary, output->path) != 0) {
			outcome = io_error("cannot put the output in place");
		} else {
			leave_slot(output);
			free(output->temporary);
			output->temporary = NULL;
			sync_folder(output->path);
		}
	}
	output_abort(output);
	return outcome;
}

void output_abort(struct output *output)
{
	if (output->fd >= 0)
		(void)close(output->fd);
	if (output->temporary)
		(void)unlink(output->temporary);
	leave_slot(output);
	free(output->temporary);
	free(output->path);
	*output = OUTPUT_NONE;
}
