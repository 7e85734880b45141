/* SPDX-License-Identifier: MIT */
#include "programs.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reasons.h"

#define FOLDER "decoders"
#define COMMAND_LINE "safe-decode"

/* ---- finding ---- */

/* Where the folder is, seen from the folder of what contains this function: beside an installed library (with or
 * without a folder of its own for each architecture), beside an installed program, in the build tree. */
static const char *const places[] = { "/safe-decode/" FOLDER, "/../safe-decode/" FOLDER, "/../lib/safe-decode/" FOLDER,
	                              "/" FOLDER };

static char *beside(const char *file)
{
	const char *slash = strrchr(file, '/');
	char *path = NULL;

	for (size_t i = 0; slash && i < sizeof(places) / sizeof(places[0]); i++) {
		if (asprintf(&path, "%.*s%s", (int)(slash - file), file, places[i]) < 0)
			return NULL;
		if (access(path, F_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

/* The file that contains this function, where that is a shared library which was found by an absolute path: the name of
 * the main program is what its caller has made up, and the dynamic linker does not tell it. */
static char *this_library(void)
{
	struct link_map *map = NULL;
	Dl_info info;

	if (dladdr1((void *)(uintptr_t)&programs_find, &info, (void **)&map, RTLD_DL_LINKMAP) == 0 || !map ||
	    map->l_name[0] != '/')
		return NULL;
	return realpath(map->l_name, NULL);
}

/* The kernel tells which file the main program is.  Linked into a program, only the command line's own folder says
 * where the others are. */
static char *this_command_line(void)
{
	char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (length <= 0 || path[0] != '/')
		return NULL;
	path[length] = '\0';
	return strcmp(strrchr(path, '/') + 1, COMMAND_LINE) == 0 ? strdup(path) : NULL;
}

char *programs_find(void)
{
	char *file = this_library();

	if (!file)
		file = this_command_line();
	char *found = file ? beside(file) : NULL;
	free(file);
	return found ? found : strdup(SAFE_DECODE_LIBRARYDIR "/" FOLDER);
}

char *programs_path(const char *folder, const char *name)
{
	char *path = NULL;

	return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

/* ---- checking ---- */

/* In a user namespace, whose files are outside of it cannot be told apart: they are as if of this user.  There is no
 * way from in here to be one of them, if none of the ranges that the namespace has contains it. */
static bool is_outside(uid_t uid)
{
	enum { OVERFLOW_UID = 65534 };
	unsigned long first = 0, outside = 0, count = 0;
	bool contained = false;
	int fields = 0;
	FILE *map = uid == OVERFLOW_UID ? fopen("/proc/self/uid_map", "re") : NULL;

	if (!map)
		return false;
	while ((fields = fscanf(map, "%lu %lu %lu", &first, &outside, &count)) == 3)
		contained = contained || (first <= OVERFLOW_UID && OVERFLOW_UID - first < count);
	(void)fclose(map);
	return fields == EOF && !contained;
}

/* Others may not change it.  In a folder where only owners may remove files, such as /tmp, they may make some. */
static bool is_ours(const struct stat *status)
{
	bool sticky_folder = S_ISDIR(status->st_mode) && (status->st_mode & S_ISVTX) != 0;

	return (status->st_uid == 0 || status->st_uid == geteuid() || is_outside(status->st_uid)) &&
	       ((status->st_mode & (S_IWGRP | S_IWOTH)) == 0 || sticky_folder);
}

static struct outcome not_installed(const char *path)
{
	static const char words[] = "the decoder that it needs is not installed";
	char text[sizeof(words) + NAME_MAX + 2];

	(void)snprintf(text, sizeof(text), "%s: %s", words, strrchr(path, '/') + 1);
	return outcome_of(SDEC_UNSUPPORTED, reasons_keep(text, words));
}

struct outcome programs_check(const char *path)
{
	char part[PATH_MAX];
	size_t length = strlen(path);
	struct stat status;

	if (path[0] != '/' || length >= sizeof(part))
		return outcome_of(SDEC_NO_SANDBOX, "a decoder's path is not absolute");
	memcpy(part, path, length + 1);
	/* Links lead to where others may be at home. */
	if (lstat(part, &status) != 0)
		return errno == ENOENT || errno == ENOTDIR
		               ? not_installed(path)
		               : outcome_of_errno(SDEC_NO_SANDBOX, "cannot look at a decoder's program", errno);
	if (!S_ISREG(status.st_mode) || !is_ours(&status))
		return outcome_of(SDEC_NO_SANDBOX, "other users may change a decoder's program");
	for (char *slash = strrchr(part, '/'); slash; slash = strrchr(part, '/')) {
		*slash = '\0';
		if (lstat(*part ? part : "/", &status) != 0)
			return outcome_of_errno(SDEC_NO_SANDBOX, "cannot look at a decoder's folder", errno);
		if (!S_ISDIR(status.st_mode) || !is_ours(&status))
			return outcome_of(SDEC_NO_SANDBOX, "other users may change the folder of a decoder's program");
	}
	return outcome_ok();
}
