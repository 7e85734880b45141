/* SPDX-License-Identifier: MIT */
/* Loads modules of the command line by their compiled-in names, from the folder that belongs to it and from nowhere
 * else. */
#ifndef SAFE_DECODE_LOADER_H
#define SAFE_DECODE_LOADER_H

#include "broker/wire/status.h"

/* Loads the module `name`, which is static, of the folder of output formats and drivers, unless it is loaded already,
 * and sets *entry to what it exports as `symbol`.  A module stays loaded until the process ends.  Returns SDEC_OK, or
 * SDEC_UNSUPPORTED when it is missing. */
struct outcome loader_find(const char *name, const char *symbol, void **entry);

#endif
