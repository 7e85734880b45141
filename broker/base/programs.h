/* SPDX-License-Identifier: MIT */
/*
 * Where the programs and modules are that belong to this one.  Nothing is ever found by the current folder, by argv[0]
 * or by the environment; and nothing is used that others than root and this user may change.
 */
#ifndef SAFE_DECODE_PROGRAMS_H
#define SAFE_DECODE_PROGRAMS_H

#include "broker/wire/status.h"

/* The folder of decoder programs that belongs to this library, or to the command line: an absolute path, which the
 * caller frees.  NULL: there is no memory. */
char *programs_find(void);

/* "FOLDER/NAME", which the caller frees; NULL: there is no memory. */
char *programs_path(const char *folder, const char *name);

/* Whether an absolute path, in which no part is a symbolic link, leads to a file that only root and this user may
 * change, as all folders above it. Returns SDEC_OK; SDEC_UNSUPPORTED where it is not there; SDEC_NO_SANDBOX where it
 * cannot be trusted. */
struct outcome programs_check(const char *path);

#endif
