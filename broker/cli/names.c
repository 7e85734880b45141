/* SPDX-License-Identifier: MIT */
#include "names.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/base/words.h"

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->path, ((const struct name *)b)->path);
}

static void free_name(void *name)
{
	free(((struct name *)name)->path);
	free(name);
}

static const char *base_name(const char *input)
{
	const char *slash = strrchr(input, '/');

	return strcmp(input, "-") == 0 ? "stdin" : slash ? slash + 1 : input;
}

/* Bytes of a base name before its extension. */
static size_t plain_length(const char *base)
{
	const char *dot = strrchr(base, '.');

	/* What begins with dots and has no other has no extension: "..gz" must not become ".". */
	return dot && dot >= base + strspn(base, ".") ? (size_t)(dot - base) : strlen(base);
}

/* Bytes of the input's base name that its output keeps. */
static size_t stem_length(const char *base, const struct format *format)
{
	size_t length = plain_length(base);

	/* A picture gets an extension of its own; a stream's is only removed where it says what was removed. */
	if (base[length] == '.' &&
	    (format->kind != SDEC_KIND_BYTES || words_have(format->extensions, base + length + 1)))
		return length;
	return strlen(base);
}

size_t names_longest(int folder)
{
	enum { USUAL = 255, LEAST = 12 };
	long longest = fpathconf(folder, _PC_NAME_MAX);

	return longest >= LEAST && longest < USUAL ? (size_t)longest : USUAL;
}

size_t names_cut(const char *name, size_t length, size_t most)
{
	enum { CONTINUED = 3 }; /* bytes of a character after its first */

	if (length <= most)
		return length;
	for (size_t kept = most; kept > 0 && most - kept <= CONTINUED; kept--)
		if (((unsigned char)name[kept] & 0xc0) != 0x80)
			return kept;
	return most;
}

/* The `number`th try at a path for this input. */
static char *make_path(const struct names *names, const char *input, const struct format *format, unsigned number)
{
	const char *base = base_name(input);
	size_t length = stem_length(base, format);
	const char *extension =
	        format->kind == SDEC_KIND_BYTES ? length == strlen(base) ? "out" : "" : names->extension;
	char suffix[16] = "";
	char *path = NULL;

	/* Raw pixels have an extension of their own. */
	if (format->kind == SDEC_KIND_AUDIO && strcmp(extension, "wav") != 0)
		extension = "pcm";
	if (number > 1)
		(void)snprintf(suffix, sizeof(suffix), "-%u", number);
	size_t rest = strlen(suffix) + (*extension ? 1 : 0) + strlen(extension);
	length = names_cut(base, length, names->longest > rest ? names->longest - rest : 1);
	if (asprintf(&path, "%s/%.*s%s%s%s", names->folder, (int)length, base, suffix, *extension ? "." : "",
	             extension) < 0)
		return NULL;
	return path;
}

struct name *names_give(struct names *names, const char *input, const struct format *format)
{
	struct name *name = calloc(1, sizeof(*name));

	if (!name)
		return NULL;
	name->input = input;
	for (unsigned number = 1;; number++) {
		name->path = make_path(names, input, format, number);
		if (!name->path)
			break;
		struct name **found = tsearch(name, &names->taken, compare);
		if (!found)
			break;
		if (*found == name) {
			name->in_folder = name->path + strlen(names->folder) + 1;
			return name;
		}
		bool same = strcmp((*found)->input, input) == 0;
		free(name->path);
		if (same) {
			free(name);
			return *found;
		}
	}
	free_name(name);
	return NULL;
}

void names_free(struct names *names)
{
	tdestroy(names->taken, free_name);
	names->taken = NULL;
}

/* By what the formats may leave of the name. */
static int compare_plain(const void *a, const void *b)
{
	const char *one = base_name(*(const char *const *)a), *other = base_name(*(const char *const *)b);
	size_t length = plain_length(one), other_length = plain_length(other);
	int order = memcmp(one, other, length < other_length ? length : other_length);

	return order != 0 ? order : (length > other_length) - (length < other_length);
}

bool names_clash(char *const *inputs, size_t count, const char *clash[2])
{
	const char **sorted = calloc(count, sizeof(*sorted));
	bool found = false;

	clash[0] = clash[1] = NULL;
	if (!sorted)
		return true;
	for (size_t i = 0; i < count; i++)
		sorted[i] = inputs[i];
	qsort(sorted, count, sizeof(*sorted), compare_plain);
	for (size_t i = 1; !found && i < count; i++) {
		clash[0] = sorted[i - 1];
		clash[1] = sorted[i];
		found = compare_plain(&clash[0], &clash[1]) == 0 && strcmp(clash[0], clash[1]) != 0;
	}
	free(sorted);
	return found;
}
