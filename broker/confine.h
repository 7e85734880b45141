/* SPDX-License-Identifier: MIT */
/*
 * The trusted side's own confinement.  No byte of a child's is trusted, and the reader of those bytes is small: this is
 * for the case that it is wrong all the same.
 *
 * Seccomp filters are inherited, and where one is in force the kernel refuses strict mode.  So a process is filtered
 * once it has forked its last child, and a broker, which never has, only where its children cannot have strict mode
 * anyhow.
 */
#ifndef SAFE_DECODE_CONFINE_H
#define SAFE_DECODE_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

#include "status.h"

enum confine_role {
	CONFINE_ONE,      /* a command line with one input, which writes to descriptors that are open */
	CONFINE_ONE_FILE, /* the same, but it makes a file */
	CONFINE_MANY,     /* a command line with several inputs, whose children come from brokers */
	CONFINE_DEVICE,   /* the same, with a sound card or a screen that is open */
	CONFINE_BROKER,
	CONFINE_ROLES,
};

/* What is in force. */
struct confinement {
	unsigned landlock; /* version of the kernel's interface; 0: the kernel has none */
	bool filtered;
};

/* From now on, this process and its children execute nothing, make, rename and remove files only below the open
 * `folder`, which may be -1, and open files for writing only there if it `opens` any, and in /proc (children, before
 * they are locked down).  What is open stays writable.  TCP is closed, and signals reach only children, where the
 * kernel's Landlock knows of them.  Without Landlock, nothing happens.  Returns SAFE_OK or SAFE_NO_SANDBOX. */
struct safe_outcome confine_files(int folder, bool opens, struct confinement *confinement);

/* The same for a process that starts others: it executes `program`, the dynamic linker that this needs, and nothing
 * else, and writes only to /dev/null and in /proc.  Returns SAFE_OK or SAFE_NO_SANDBOX. */
struct safe_outcome confine_launcher(const char *program);

/* From now on, this process makes only the system calls of its role, see confine_rules.h.  Returns SAFE_OK or
 * SAFE_NO_SANDBOX. */
struct safe_outcome confine_calls(enum confine_role role, struct confinement *confinement);

#endif
