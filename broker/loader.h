/* SPDX-License-Identifier: MIT */
/* Loads decoder modules by their compiled-in names from the one folder that belongs to this program. */
#ifndef SAFE_DECODE_LOADER_H
#define SAFE_DECODE_LOADER_H

#include "status.h"

/* Loads module `name`, runs its one-time initialisation, and sets *run to its child's main function.  Loading a module
 * again gives the same answer at little cost.  What is allocated meanwhile is used by children.  A module stays loaded
 * until the process ends.  Returns SAFE_OK, or SAFE_UNSUPPORTED when it is missing or of another version. */
struct safe_outcome loader_load(const char *name, void (**run)(void));

#endif
