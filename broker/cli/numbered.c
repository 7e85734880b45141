/* SPDX-License-Identifier: MIT */
#include "numbered.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash + 1 - path) : 0;
}

bool numbered_find(struct numbered *numbered, const char *path)
{
	const char *percent = strchr(path + last_part(path), '%');
	const char *end = percent ? percent + 1 : path;
	unsigned digits = 0;

	if (!percent)
		return false;
	if (end[0] == '0' && end[1] >= '1' && end[1] <= '9') {
		digits = (unsigned)(end[1] - '0');
		end += 2;
	}
	if (*end != 'd' || strchr(end, '%'))
		return false;
	*numbered = (struct numbered){ .pattern = path,
		                       .place = (size_t)(percent - path),
		                       .length = (size_t)(end + 1 - percent),
		                       .digits = digits };
	return true;
}

bool numbered_has_sign(const char *path)
{
	return strchr(path + last_part(path), '%') != NULL;
}

bool numbered_next(struct numbered *numbered)
{
	char *path = NULL;

	if (asprintf(&path, "%.*s%0*" PRIu64 "%s", (int)numbered->place, numbered->pattern, (int)numbered->digits,
	             numbered->next, numbered->pattern + numbered->place + numbered->length) < 0)
		return false;
	free(numbered->path);
	numbered->path = path;
	numbered->in_folder = path + last_part(path);
	numbered->next++;
	return true;
}

void numbered_free(struct numbered *numbered)
{
	free(numbered->path);
	numbered->path = NULL;
}
