/* SPDX-License-Identifier: MIT */
/*
 * The trusted side's own confinement.  No byte of a decoder's is trusted, and the reader of those bytes is small: this
 * is for the case that it is wrong all the same.
 *
 * Seccomp filters are inherited, and where one is in force the kernel refuses strict mode.  So a process filters itself
 * once it has started its last decoder program; who starts more of them later asks a starter (starter/main.c).  A
 * broker forks as long as it lives, and filters itself only where its decoders cannot have strict mode anyhow.
 */
#ifndef SAFE_DECODE_CONFINE_H
#define SAFE_DECODE_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/wire/status.h"

enum confine_role {
	CONFINE_ONE,      /* a command line with one input, which writes to descriptors that are open */
	CONFINE_ONE_FILE, /* the same, but it makes a file */
	CONFINE_MANY,     /* a command line with several inputs, whose decoders come from brokers */
	CONFINE_DEVICE,   /* with a sound card or a screen that is open */
	CONFINE_BROKER,
	CONFINE_ROLES,
};

/* What is in force. */
struct confinement {
	unsigned landlock; /* version of the kernel's interface; 0: the kernel has none */
	bool filtered;
};

/* Where a process may still change files. */
struct confine_files {
	int place;    /* descriptor of a folder, or of a file or device; -1: nowhere */
	bool writing; /* files there may be opened to write; else they are only made, renamed and removed */
	bool second;  /* there is another place, where they never are */
	int second_place;
	bool killing; /* decoders that were started before are to be killed: signals go anywhere */
};

#define CONFINE_NO_FILES ((struct confine_files){ .place = -1 })

/* From now on, this process and those that it starts execute nothing, and change files only in the places of `files`.
 * TCP is closed, and (unless `files->killing`) signals reach only processes that it starts from now on, where the
 * kernel's Landlock knows of them.  Without Landlock, nothing happens.  Returns SDEC_OK or SDEC_NO_SANDBOX. */
struct outcome confine_files(const struct confine_files *files, struct confinement *confinement);

/* The same for a process that starts others: it executes what is in `folder`, a descriptor, and the dynamic linker that
 * this needs, and changes no file.  Returns SDEC_OK or SDEC_NO_SANDBOX. */
struct outcome confine_starter(int folder);

/* What this version of Landlock takes away, one word after the other: "execute,write,tcp".  Static. */
const char *confine_landlock_walls(const struct confinement *confinement);

/* From now on, this process makes only the system calls of its role, see confine_rules.h.  Returns SDEC_OK or
 * SDEC_NO_SANDBOX. */
struct outcome confine_calls(enum confine_role role, struct confinement *confinement);

#endif
