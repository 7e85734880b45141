/* SPDX-License-Identifier: MIT */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/base/fds.h"
#include "broker/base/procfs.h"
#include "names.h"
#include "output_access.h"
#include "place.h"

/* ---- temporary names ---- */

/* Those that exist, for the signal handler.  The names are on the heap, which children do not see. */
static struct {
	volatile int folder;
	char *volatile name;
} temporaries[OUTPUT_FILES];

static void take_slot(struct output *output)
{
	for (int slot = 0; slot < OUTPUT_FILES; slot++) {
		if (!temporaries[slot].name) {
			temporaries[slot].folder = output->folder;
			temporaries[slot].name = output->temporary;
			output->slot = slot;
			return;
		}
	}
}

static void leave_slot(struct output *output)
{
	if (output->slot >= 0)
		temporaries[output->slot].name = NULL;
	output->slot = -1;
}

void output_unlink_all(void)
{
	for (int slot = 0; slot < OUTPUT_FILES; slot++)
		if (temporaries[slot].name)
			(void)unlinkat(temporaries[slot].folder, temporaries[slot].name, 0);
}

/* ".NAME.XXXXXX"; a long name is cut, so that the whole stays within what the file system allows. */
static char *choose_temporary(const struct output *output)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	enum { RANDOM = 6, OTHERS = RANDOM + 2 };
	char random[RANDOM + 1] = "";
	uint8_t bytes[RANDOM];
	char *name = NULL;

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return NULL;
	for (int i = 0; i < RANDOM; i++)
		random[i] = letters[bytes[i] % (sizeof(letters) - 1)];
	size_t kept = names_cut(output->name, strlen(output->name), names_longest(output->folder) - OTHERS);
	return asprintf(&name, ".%.*s.%s", (int)kept, output->name, random) < 0 ? NULL : name;
}

static int make_named(struct output *output, mode_t mode)
{
	output->fd = openat(output->folder, output->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	return output->fd < 0 ? -1 : 0;
}

static int link_unnamed(const struct output *output, const char *name)
{
	return linkat(AT_FDCWD, procfs_fd_path(output->fd).text, output->folder, name, AT_SYMLINK_FOLLOW);
}

static int link_temporary(struct output *output, mode_t mode)
{
	(void)mode;
	return link_unnamed(output, output->temporary);
}

/* Lets `make` take a name that is free.  It is registered before the file exists: at worst a signal finds nothing to
 * remove.  Returns 0 or an errno. */
static int take_temporary(struct output *output, int (*make)(struct output *output, mode_t mode), mode_t mode)
{
	enum { TRIES = 100 };
	int error = EEXIST;

	for (int i = 0; i < TRIES && error == EEXIST; i++) {
		errno = ENOMEM;
		output->temporary = choose_temporary(output);
		if (!output->temporary)
			return errno;
		take_slot(output);
		error = make(output, mode) == 0 ? 0 : errno;
		if (error == 0)
			break;
		leave_slot(output);
		free(output->temporary);
		output->temporary = NULL;
	}
	return error;
}

/* ---- opening ---- */

static struct outcome cannot_open(int error)
{
	return outcome_of_output("cannot open the output", error);
}

/* A file without a name, if it can be given one later. */
static bool open_unnamed(struct output *output, mode_t mode)
{
	struct stat own, linked;

	output->fd = openat(output->folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
	if (output->fd < 0)
		return false;
	output->unnamed = fstat(output->fd, &own) == 0 && stat(procfs_fd_path(output->fd).text, &linked) == 0 &&
	                  file_id_same(file_id_of(&own), file_id_of(&linked));
	if (!output->unnamed)
		fds_close(&output->fd);
	return output->unnamed;
}

/* What replaces a file is nobody else's to read until it has the other's permissions.  The permissions of a new one are
 * left to the kernel, which knows the umask and what the folder says. */
static struct outcome open_file(struct output *output, int existing, const struct stat *status)
{
	mode_t mode = existing >= 0 ? 0600 : 0666;
	int error = open_unnamed(output, mode) ? 0 : take_temporary(output, make_named, mode);

	if (error == 0 && existing >= 0 && output_access_copy(output->fd, existing, status) != 0)
		error = errno;
	return error == 0 ? outcome_ok() : outcome_of_output("cannot create the output", error);
}

/* By its descriptor, for the name may lead elsewhere by now. */
static struct outcome open_special(struct output *output, const struct place *place)
{
	output->fd = open(procfs_fd_path(place->existing).text, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	return output->fd >= 0 ? outcome_ok() : cannot_open(errno);
}

static struct outcome open_descriptor(struct output *output, int fd)
{
	output->fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return output->fd >= 0 ? outcome_ok() : cannot_open(errno);
}

static struct outcome open_place(struct output *output, struct place *place)
{
	if (place->kind == PLACE_DESCRIPTOR)
		return open_descriptor(output, place->descriptor);
	if (place->kind == PLACE_SPECIAL)
		return open_special(output, place);
	output->name = strdup(place->name);
	if (!output->name)
		return cannot_open(ENOMEM);
	output->folder = place->folder;
	output->owns_folder = true;
	place->folder = -1;
	return open_file(output, place->existing, &place->status);
}

struct outcome output_prepare(struct output *output, const char *path)
{
	struct place place;
	int error = place_find(&place, path);

	*output = OUTPUT_NONE;
	output->replaces = true;
	struct outcome outcome = error == 0 ? open_place(output, &place) : cannot_open(error);
	place_close(&place);
	if (outcome.status != SDEC_OK)
		output_abort(output);
	return outcome;
}

/* What is not a file has no permissions to go by: *existing is -1 then.  Returns 0 or an errno. */
static int look_at_existing(int folder, const char *name, int *existing, struct stat *status)
{
	int error = 0;

	*existing = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (*existing < 0)
		return errno == ENOENT ? 0 : errno;
	if (fstat(*existing, status) != 0)
		error = errno;
	else if (!place_may_use(folder, status))
		error = EACCES;
	if (error != 0 || !S_ISREG(status->st_mode))
		fds_close(existing);
	return error;
}

struct outcome output_prepare_in(struct output *output, int folder, const char *name, bool replaces,
                                 struct file_id *made)
{
	int existing = -1;
	struct stat status;

	*output = OUTPUT_NONE;
	output->folder = folder;
	output->replaces = replaces;
	output->made = made;
	output->name = strdup(name);
	int error = output->name ? look_at_existing(folder, name, &existing, &status) : ENOMEM;
	struct outcome outcome = error == 0 ? open_file(output, existing, &status) : cannot_open(error);
	fds_close(&existing);
	if (outcome.status != SDEC_OK)
		output_abort(output);
	return outcome;
}

int output_folder(const struct output *output)
{
	return output->folder;
}

struct outcome output_share(const struct output *output, struct output *other)
{
	*other = OUTPUT_NONE;
	return open_descriptor(other, output->fd);
}

/* ---- putting in place ---- */

bool output_exists(int folder, const char *name, const struct file_id *made)
{
	struct stat status;

	if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	return !made || !file_id_same(*made, file_id_of(&status));
}

struct outcome output_refused(void)
{
	return outcome_of_output("exists already; --force replaces it, --skip-existing keeps it", 0);
}

static int rename_temporary(const struct output *output, unsigned flags)
{
	return renameat2(output->folder, output->temporary, output->folder, output->name, flags) == 0 ? 0 : errno;
}

/* Renames where the name must be free.  File systems that cannot promise that are asked before. */
static int rename_to_free_name(const struct output *output)
{
	int error = rename_temporary(output, RENAME_NOREPLACE);

	if (error == EINVAL && !output_exists(output->folder, output->name, NULL))
		error = rename_temporary(output, 0);
	else if (error == EINVAL)
		error = EEXIST;
	return error;
}

/* Returns 0 or an errno; EEXIST: the name is taken by what it must not replace. */
static int put_in_place(struct output *output)
{
	int error = 0;

	if (output->unnamed)
		error = link_unnamed(output, output->name) == 0 ? 0 : errno;
	else
		error = output->replaces ? rename_temporary(output, 0) : rename_to_free_name(output);
	if (error != EEXIST || (!output->replaces && output_exists(output->folder, output->name, output->made)))
		return error;
	/* A link cannot replace: first one under a temporary name. */
	error = output->unnamed ? take_temporary(output, link_temporary, 0) : 0;
	return error == 0 ? rename_temporary(output, 0) : error;
}

/* Makes the name durable.  What is written is safe either way, so failing here is no failure. */
static void sync_folder(int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)fsync(fd);
	fds_close(&fd);
}

/* The file has its name: there is nothing left to remove. */
static void settle(struct output *output, const struct stat *status)
{
	leave_slot(output);
	free(output->temporary);
	output->temporary = NULL;
	if (output->made)
		*output->made = file_id_of(status);
	sync_folder(output->folder);
}

struct outcome output_write_back(struct output *output, bool *more)
{
	enum { PART = 8 << 20 };
	const unsigned all = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
	struct stat status;

	*more = false;
	if (output->folder < 0 || fstat(output->fd, &status) != 0 || status.st_size - output->on_disk <= PART)
		return outcome_ok();
	if (sync_file_range(output->fd, output->on_disk, PART, all) == 0) {
		output->on_disk += PART;
		*more = true;
		return outcome_ok();
	}
	/* An error of the disk is told once.  Where this call is not to be had, fsync() does it all. */
	bool of_disk = errno == EIO || errno == ENOSPC || errno == EDQUOT;
	return of_disk ? outcome_of_output("cannot write the output", errno) : outcome_ok();
}

static struct outcome commit_file(struct output *output)
{
	struct stat status;

	if (fsync(output->fd) != 0 || fstat(output->fd, &status) != 0)
		return outcome_of_output("cannot write the output", errno);
	if (!output->unnamed) {
		int closed = close(output->fd);
		output->fd = -1;
		if (closed != 0)
			return outcome_of_output("cannot write the output", errno);
	}
	int error = put_in_place(output);
	if (error == EEXIST && !output->replaces)
		return output_refused();
	if (error != 0)
		return outcome_of_output("cannot put the output in place", error);
	settle(output, &status);
	return outcome_ok();
}

struct outcome output_commit(struct output *output)
{
	struct outcome outcome = outcome_ok();

	if (output->folder >= 0) {
		outcome = commit_file(output);
	} else {
		/* Pipes and devices cannot be synchronised; what they refuse, write() has said. */
		int closed = close(output->fd);
		output->fd = -1;
		if (closed != 0)
			outcome = outcome_of_output("cannot write the output", errno);
	}
	output_abort(output);
	return outcome;
}

void output_abort(struct output *output)
{
	fds_close(&output->fd);
	if (output->temporary)
		(void)unlinkat(output->folder, output->temporary, 0);
	leave_slot(output);
	if (output->owns_folder)
		fds_close(&output->folder);
	free(output->temporary);
	free(output->name);
	*output = OUTPUT_NONE;
}
