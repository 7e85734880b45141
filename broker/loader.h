/* SPDX-License-Identifier: MIT */
/* Loads modules by their compiled-in names from the folders that belong to this program, and from nowhere else. */
#ifndef SAFE_DECODE_LOADER_H
#define SAFE_DECODE_LOADER_H

#include "status.h"

enum loader_folder {
	LOADER_DECODERS,
	LOADER_SINKS,
};

/* Loads the module `name` of a folder, unless it is loaded already, and sets *entry to what it exports as `symbol`.  A
 * module stays loaded until the process ends.  Returns SAFE_OK, or SAFE_UNSUPPORTED when it is missing. */
struct safe_outcome loader_find(enum loader_folder folder, const char *name, const char *symbol, void **entry);

struct decoder_module;

/* Loads decoder module `name` and sets *loaded.  Its initialisation is for the caller to run.  What is allocated
 * meanwhile is used by children.  Returns SAFE_OK, or SAFE_UNSUPPORTED when it is missing or of another version. */
struct safe_outcome loader_load_decoder(const char *name, const struct decoder_module **loaded);

#endif
