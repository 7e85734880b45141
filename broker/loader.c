/* SPDX-License-Identifier: MIT */
#include "loader.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../decoders/decoder.h"

/* Where modules are, seen from the folder of the program: in the installed layout, and in the build tree. */
static const struct {
	const char *installed, *built;
} folders[] = {
	[LOADER_DECODERS] = { "../lib/safe-decode/decoders", "decoders" },
	[LOADER_SINKS] = { "../lib/safe-decode/sinks", "sinks" },
};

#define INSTALLED_PROGRAMS "bin"

/* Writes the path of a module.  The folder is found from the running program and from nothing that a user or the
 * environment says. */
static bool module_path(enum loader_folder folder, const char *name, char *path, size_t size)
{
	char program[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program));

	if (length <= 0 || (size_t)length >= sizeof(program))
		return false;
	program[length] = '\0';
	char *slash = strrchr(program, '/');
	if (!slash)
		return false;
	*slash = '\0';
	const char *last = strrchr(program, '/');
	bool installed = last && strcmp(last + 1, INSTALLED_PROGRAMS) == 0;
	int written = snprintf(path, size, "%s/%s/%s.so", program,
	                       installed ? folders[folder].installed : folders[folder].built, name);
	return written > 0 && (size_t)written < size;
}

struct safe_outcome loader_find(enum loader_folder folder, const char *name, const char *symbol, void **entry)
{
	char path[PATH_MAX];

	if (!module_path(folder, name, path, sizeof(path)))
		return outcome_of(SAFE_NO_SANDBOX, "cannot find the folder of this program in /proc");
	void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	*entry = module ? dlsym(module, symbol) : NULL;
	if (!*entry)
		return outcome_of(SAFE_UNSUPPORTED, "a module that it needs is not installed or cannot be loaded");
	return outcome_ok();
}

struct safe_outcome loader_load_decoder(const char *name, void (**run)(void))
{
	static const struct decoder_module *initialised[16]; /* those that had their one-time initialisation */
	enum { MODULES = sizeof(initialised) / sizeof(initialised[0]) };
	void *entry = NULL;
	struct safe_outcome outcome = loader_find(LOADER_DECODERS, name, DECODER_MODULE_SYMBOL, &entry);
	const struct decoder_module *module = entry;
	size_t slot = 0;

	if (!module)
		return outcome;
	if (module->abi != DECODER_ABI)
		return outcome_of(SAFE_UNSUPPORTED, "its decoder module is of another version");
	while (slot < MODULES && initialised[slot] && initialised[slot] != module)
		slot++;
	if (slot < MODULES && !initialised[slot]) {
		if (module->decoder->initialise)
			module->decoder->initialise();
		initialised[slot] = module;
	}
	*run = module->run;
	return outcome;
}
