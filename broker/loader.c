/* SPDX-License-Identifier: MIT */
#include "loader.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../decoders/decoder.h"

/* Where modules are, seen from the folder of the program: the installed layout, and the build tree's. */
#define INSTALLED_PROGRAMS "bin"
#define INSTALLED_MODULES "../lib/safe-decode/decoders"
#define BUILT_MODULES "decoders"

/* Writes the path of module `name`.  The folder is found from the running program and from nothing that a user or the
 * environment says. */
static bool module_path(const char *name, char *path, size_t size)
{
	char folder[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", folder, sizeof(folder));

	if (length <= 0 || (size_t)length >= sizeof(folder))
		return false;
	folder[length] = '\0';
	*strrchr(folder, '/') = '\0';
	const char *last = strrchr(folder, '/');
	bool installed = last && strcmp(last + 1, INSTALLED_PROGRAMS) == 0;
	int written = snprintf(path, size, "%s/%s/%s.so", folder, installed ? INSTALLED_MODULES : BUILT_MODULES, name);
	return written > 0 && (size_t)written < size;
}

struct safe_outcome loader_load(const char *name, void (**run)(void))
{
	char path[PATH_MAX];

	if (!module_path(name, path, sizeof(path)))
		return outcome_of(SAFE_UNSUPPORTED, "cannot find the folder of decoder modules");
	/* Already in: neither its relocations nor its initialisation are done twice. */
	void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
	bool fresh = !module;
	if (fresh)
		module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!module)
		return outcome_of(SAFE_UNSUPPORTED, "its decoder module is not installed or cannot be loaded");
	const struct decoder_module *entry = dlsym(module, DECODER_MODULE_SYMBOL);
	if (!entry || entry->abi != DECODER_ABI)
		return outcome_of(SAFE_UNSUPPORTED, "its decoder module is of another version");
	if (fresh && entry->decoder->initialise)
		entry->decoder->initialise();
	*run = entry->run;
	return outcome_ok();
}
