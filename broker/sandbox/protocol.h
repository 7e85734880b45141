/* SPDX-License-Identifier: MIT */
/*
 * What the trusted side and a decoder program say to each other, over a SOCK_SEQPACKET socket: one struct a packet.
 * Both are trusted, and of the same build.
 *
 * A decoder program runs in one of two ways.  As a *broker* it forks decoders: it keeps a number of spares, which are
 * locked down, verified and warm, hands each to its caller as soon as it is ready, and makes another when one has
 * ended.  As a *single* it locks itself down, decodes one input, and exits.
 *
 * The first packet of a program is a struct protocol_hello.  Its layout never changes, so that two versions that do not
 * understand each other can say so.
 */
#ifndef SAFE_DECODE_PROTOCOL_H
#define SAFE_DECODE_PROTOCOL_H

#include <stdint.h>

/* Descriptors that a program finds open when it starts.  What the dynamic linker complains about goes to the socket,
 * too: descriptor 2 is a copy of it. */
enum {
	PROTOCOL_SOCKET = 0,
	/* a broker */
	PROTOCOL_CALLER = 3, /* a pidfd of the caller's process */
	PROTOCOL_TIMER = 4,  /* a timerfd that runs while the caller does not need the broker.  When it has run out, the
	                      * broker ends; a caller that finds it so looks for another */
	/* a single */
	PROTOCOL_INPUT = 3,  /* pipe to read from */
	PROTOCOL_OUTPUT = 4, /* pipe to write to */

	PROTOCOL_STARTED_FDS = 5, /* how many there are, gaps counted */
};

/* A program's arguments, after its name. */
enum {
	PROTOCOL_BUILD = 1, /* PROTOCOL_BUILD_ID of who starts it */
	PROTOCOL_MODE,      /* one of the words below */
	PROTOCOL_MEMORY,    /* bytes of the arena */
	PROTOCOL_CPU,       /* seconds of processor time of a single, or a spare */
	PROTOCOL_SPARES,    /* how many a broker keeps */
	PROTOCOL_PARENT,    /* process id of who starts it, for a single */
	PROTOCOL_ARGUMENTS,
};

#define PROTOCOL_MODE_BROKER "broker"
#define PROTOCOL_MODE_SINGLE "single"
#define PROTOCOL_MODE_DIAGNOSE "diagnose" /* a single that names the system call for which it ends */
#define PROTOCOL_MODE_ABOUT "about"       /* says hello and ends */

/* Changes with every version, and with every change of this file or of the wire (the Makefile sees to it). */
#define PROTOCOL_BUILD_ID SAFE_DECODE_VERSION "+" SAFE_DECODE_BUILD

enum {
	PROTOCOL_CHILDREN = 256, /* of a broker, at once */
	PROTOCOL_SPARES_MAX = 64,
};

#define PROTOCOL_MAGIC "sd-hello"

struct protocol_hello {
	char magic[8];    /* PROTOCOL_MAGIC, without a zero byte */
	char build[32];   /* PROTOCOL_BUILD_ID of the program */
	char library[64]; /* name and version of its codec library, as the library tells it: "libpng 1.6.39" */
};

/* ---- from a process that locks itself down, to who made it ---- */

/* Comes twice at most: with a descriptor of the process's own /proc/PID/status, opened before it gave up being
 * dumpable; and where a step failed. */
struct protocol_lockdown {
	uint32_t kind; /* PROTOCOL_LOCKDOWN */
	int32_t pid;
	int32_t step; /* that failed: see sandbox.h; 0: none */
	int32_t error_number;
};

/* ---- to a broker ---- */

enum protocol_command_kind {
	PROTOCOL_WANT = 1, /* one more child; `tag` 0: any, with the limits of a spare */
	PROTOCOL_DROP,     /* child `id` could not be taken: end it */
};

struct protocol_command {
	uint32_t kind;
	uint32_t id;
	uint32_t tag;
	uint32_t cpu_seconds; /* WANT with a tag */
	uint64_t memory;      /* WANT with a tag: bytes */
};

/* ---- from a broker ---- */

enum protocol_report_kind {
	PROTOCOL_CHILD = 1, /* a child that is ready, with PROTOCOL_CHILD_FDS descriptors: struct child has them */
	PROTOCOL_NONE,      /* there is none: the answer to a WANT */
	PROTOCOL_ENDED,     /* child `id` was reaped */
	PROTOCOL_FULL,      /* no process can be made just now; what is wanted waits until one can */
	PROTOCOL_LOCKDOWN,  /* the kind of a struct protocol_lockdown */
};

/* The descriptors of a CHILD, in this order. */
enum {
	PROTOCOL_CHILD_PIDFD,
	PROTOCOL_CHILD_INPUT,
	PROTOCOL_CHILD_OUTPUT,
	PROTOCOL_CHILD_FDS,
};

/* Why there is no child. */
enum protocol_reason {
	PROTOCOL_NO_PREPARATION, /* the broker cannot prepare; `step` and `error_number` say what failed */
	PROTOCOL_EXHAUSTED,      /* no process, descriptor or memory was left, and none will be by waiting */
	PROTOCOL_NO_LOCKDOWN,    /* a step of the lock-down failed: `step` and `error_number` say which */
	PROTOCOL_NOT_VERIFIED,   /* the kernel did not confirm it: `step` is an enum verify_failure */
	PROTOCOL_REASONS,
};

struct protocol_report {
	uint32_t kind;
	uint32_t id;  /* of the child: its process id */
	uint32_t tag; /* CHILD, NONE: of the WANT that it answers; 0: of none in particular */

	/* CHILD: what was verified. */
	uint32_t strict, no_new_privs, filters, filters_before;

	/* NONE */
	uint32_t reason; /* enum protocol_reason */
	int32_t step;
	int32_t error_number;

	/* ENDED */
	int32_t wait_status;
	uint32_t reserved;
	uint64_t cpu_microseconds, peak_memory;
};

#endif
