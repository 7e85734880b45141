/* SPDX-License-Identifier: MIT */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/base/fds.h"
#include "file_id.h"

enum { HOPS = 40 }; /* that the kernel follows */

/* The folder that the text names a file in, seen from `folder`; the slash and the dot make it lead through a link as
 * any folder on the way does. */
static int open_folder(int folder, const char *text, size_t length)
{
	char path[PATH_MAX + 2];

	if (snprintf(path, sizeof(path), "%.*s.", (int)length, text) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return openat(folder, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Goes on to the folder of `text`, and keeps the name that is behind it. */
static int enter(struct place *place, const char *text)
{
	const char *slash = strrchr(text, '/');
	const char *name = slash ? slash + 1 : text;
	int folder = open_folder(place->folder < 0 ? AT_FDCWD : place->folder, text, (size_t)(name - text));

	if (folder < 0)
		return errno;
	fds_close(&place->folder);
	place->folder = folder;
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return EISDIR;
	size_t length = strlen(name);
	if (length > NAME_MAX)
		return ENAMETOOLONG;
	memcpy(place->name, name, length + 1);
	return 0;
}

/* Whether the folder is the one of this process's own descriptors.  Returns 0 or an errno: if nobody can tell, what a
 * descriptor leads to must not be taken for a file to replace. */
static int ask_for_own_descriptors(int folder, bool *own)
{
	static const char *const names[] = { "/proc/self/fd", "/proc/thread-self/fd" };
	struct stat status, named;

	*own = false;
	if (fstat(folder, &status) != 0)
		return errno;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !*own; i++) {
		if (stat(names[i], &named) == 0)
			*own = file_id_same(file_id_of(&status), file_id_of(&named));
		else if (errno != ENOENT)
			return errno;
	}
	return 0;
}

/* A descriptor that the caller left open for this process to write to.  Those that it opened itself are closed on
 * execution, and nobody could mean one of them. */
static int take_descriptor(struct place *place)
{
	char *end = NULL;
	long number = strtol(place->name, &end, 10);

	if (*end != '\0' || number < 0 || number > INT_MAX)
		return ENOENT;
	place->kind = PLACE_DESCRIPTOR;
	place->descriptor = (int)number;
	int flags = fcntl(place->descriptor, F_GETFD);
	int mode = fcntl(place->descriptor, F_GETFL);
	return flags < 0 || (flags & FD_CLOEXEC) || mode < 0 || (mode & O_ACCMODE) == O_RDONLY ? EBADF : 0;
}

/* As the kernel decides with fs.protected_symlinks, fs.protected_fifos and fs.protected_regular, whether they are on or
 * off. */
bool place_may_use(int folder, const struct stat *existing)
{
	struct stat status;

	if (fstat(folder, &status) != 0)
		return false;
	bool for_everybody = (status.st_mode & S_ISVTX) && (status.st_mode & S_IWOTH);
	return !for_everybody || existing->st_uid == geteuid() || existing->st_uid == status.st_uid;
}

/* What has the name: sets *link where it is a symbolic link, which is to be read into `text`. */
static int look(struct place *place, char text[PATH_MAX], bool *link)
{
	*link = false;
	place->existing = openat(place->folder, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (place->existing < 0)
		return errno == ENOENT ? 0 : errno;
	if (fstat(place->existing, &place->status) != 0)
		return errno;
	if (!place_may_use(place->folder, &place->status))
		return EACCES;
	if (!S_ISLNK(place->status.st_mode)) {
		place->kind = S_ISREG(place->status.st_mode) ? PLACE_FILE : PLACE_SPECIAL;
		return S_ISDIR(place->status.st_mode) ? EISDIR : 0;
	}
	*link = true;
	ssize_t length = readlinkat(place->existing, "", text, PATH_MAX);
	int error = length < 0 ? errno : length == PATH_MAX ? ENAMETOOLONG : length == 0 ? ENOENT : 0;
	fds_close(&place->existing);
	if (error == 0)
		text[length] = '\0';
	return error;
}

/* From link to link. */
static int walk(struct place *place, const char *path)
{
	char text[PATH_MAX];
	bool link = true;
	bool own = false;

	size_t length = strlen(path);
	if (length >= sizeof(text))
		return ENAMETOOLONG;
	memcpy(text, path, length + 1);
	for (int hop = 0; hop <= HOPS; hop++) {
		int error = enter(place, text);
		if (error == 0)
			error = ask_for_own_descriptors(place->folder, &own);
		if (error == 0 && own)
			return take_descriptor(place);
		if (error == 0)
			error = look(place, text, &link);
		if (error != 0 || !link)
			return error;
	}
	return ELOOP;
}

/* Takes what the kernel has found for a special file, which may have no name of its own. */
static int take_special(struct place *place, int *whole, const struct stat *status)
{
	fds_close(&place->folder);
	fds_close(&place->existing);
	place->kind = PLACE_SPECIAL;
	place->existing = *whole;
	place->status = *status;
	*whole = -1;
	return S_ISDIR(status->st_mode) ? EISDIR : 0;
}

/* What was found is what the kernel finds, too, or the path was changed in the meantime. */
static int compare(struct place *place, int *whole, int kernel, int walked)
{
	struct stat status;

	if (kernel != 0 && kernel != ENOENT)
		return kernel;
	/* What was put there by somebody else. */
	if (walked == EACCES)
		return walked;
	if (kernel == 0 && fstat(*whole, &status) != 0)
		return errno;
	if (kernel == 0 && !S_ISREG(status.st_mode))
		return take_special(place, whole, &status);
	if (walked != 0)
		return walked;
	if (kernel == ENOENT)
		return place->existing < 0 ? 0 : ENOENT;
	return place->existing >= 0 && file_id_same(file_id_of(&status), file_id_of(&place->status)) ? 0 : ESTALE;
}

int place_find(struct place *place, const char *path)
{
	*place = PLACE_NONE;
	int whole = open(path, O_PATH | O_CLOEXEC);
	int kernel = whole < 0 ? errno : 0;
	int error = walk(place, path);

	if (place->kind != PLACE_DESCRIPTOR)
		error = compare(place, &whole, kernel, error);
	fds_close(&whole);
	return error;
}

void place_close(struct place *place)
{
	fds_close(&place->folder);
	fds_close(&place->existing);
}
