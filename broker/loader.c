/* SPDX-License-Identifier: MIT */
#include "loader.h"

#include <dlfcn.h>
#include <limits.h>
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

/* Appends to a path that holds `length` bytes.  Returns the new length, or 0 where there is no room.  (What prints
 * could do it, too, but the way to the first child is short.) */
static size_t append(char *path, size_t size, size_t length, const char *text)
{
	size_t more = strlen(text);

	if (length == 0 || more >= size - length)
		return 0;
	memcpy(path + length, text, more + 1);
	return length + more;
}

/* Writes the path of a module.  The folder is found from the running program and from nothing that a user or the
 * environment says. */
static bool module_path(enum loader_folder folder, const char *name, char *path, size_t size)
{
	ssize_t got = readlink("/proc/self/exe", path, size);

	if (got <= 0 || (size_t)got >= size)
		return false;
	path[got] = '\0';
	char *slash = strrchr(path, '/');
	if (!slash)
		return false;
	*slash = '\0';
	const char *last = strrchr(path, '/');
	bool installed = last && strcmp(last + 1, INSTALLED_PROGRAMS) == 0;
	size_t length = append(path, size, (size_t)(slash - path), "/");
	length = append(path, size, length, installed ? folders[folder].installed : folders[folder].built);
	length = append(path, size, length, "/");
	length = append(path, size, length, name);
	return append(path, size, length, ".so") > 0;
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

struct safe_outcome loader_load_decoder(const char *name, const struct decoder_module **loaded)
{
	void *entry = NULL;
	struct safe_outcome outcome = loader_find(LOADER_DECODERS, name, DECODER_MODULE_SYMBOL, &entry);
	const struct decoder_module *module = entry;

	if (module && module->abi != DECODER_ABI)
		return outcome_of(SAFE_UNSUPPORTED, "its decoder module is of another version");
	*loaded = module;
	return outcome;
}
