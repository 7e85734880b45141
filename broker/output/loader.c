/* SPDX-License-Identifier: MIT */
#include "loader.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/programs.h"

enum { LOADED = 4 }; /* there are fewer modules */

/* What was loaded before this process confined itself is found again without asking the system. */
static struct {
	const char *name;
	void *entry;
} loaded[LOADED];

static struct outcome load(const char *name, const char *symbol, void **entry)
{
	char *folder = programs_find();
	char *path = NULL;
	void *module = NULL;

	*entry = NULL;
	/* Beside the folder of decoders. */
	if (folder && asprintf(&path, "%s/../sinks/%s.so", folder, name) < 0)
		path = NULL;
	free(folder);
	struct outcome outcome = path ? programs_check(path) : outcome_of(SDEC_IO, "no memory for a module");
	if (outcome.status == SDEC_OK)
		module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	free(path);
	*entry = module ? dlsym(module, symbol) : NULL;
	if (outcome.status == SDEC_OK && !*entry)
		outcome = outcome_of(SDEC_UNSUPPORTED, "a module that it needs is not installed or cannot be loaded");
	return outcome;
}

struct outcome loader_find(const char *name, const char *symbol, void **entry)
{
	size_t i = 0;

	while (i < LOADED && loaded[i].name && strcmp(loaded[i].name, name) != 0)
		i++;
	if (i < LOADED && loaded[i].name) {
		*entry = loaded[i].entry;
		return outcome_ok();
	}
	struct outcome outcome = load(name, symbol, entry);
	if (outcome.status == SDEC_OK && i < LOADED) {
		loaded[i].name = name;
		loaded[i].entry = *entry;
	}
	return outcome;
}
