/* SPDX-License-Identifier: MIT */
/* The compiled-in list of formats, of what tells them, and of the decoder programs that take them. */
#ifndef SAFE_DECODE_REGISTRY_H
#define SAFE_DECODE_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/safe-decode.h"
#include "look.h"

struct format {
	const char *name;        /* as in --decoder and --info: "jpeg" */
	const char *program;     /* file name of the decoder program that takes it */
	uint32_t variant;        /* wire_request.variant for it */
	enum sdec_kind kind;     /* what it gives */
	const char *description; /* for --list-decoders */
	const char *extensions;  /* of file names, separated by spaces */
	const char *mime;        /* type of media, NULL: there is none */
	bool random_access;      /* its decoder can ask for parts of the input: WIRE_RANDOM */

	/* What tells it: any of some patterns, which one without bytes ends; a look at its start; or evidence that
	 * gathers.  All NULL: only the name. */
	const struct look_pattern *marks;
	look_function *look;
	guess_function *guess;
};

/* For rows of the table. */
/* clang-format off */
#define BY_MARKS(...) .marks = (const struct look_pattern[]){ __VA_ARGS__, { .size = 0 } }
/* clang-format on */
#define BY_LOOK(function) .look = function
#define BY_NAME .look = NULL
#define RANDOM_ACCESS .random_access = true

/* The format by index, NULL past the last; by name, or NULL. */
const struct format *registry_at(size_t index);
const struct format *registry_by_name(const char *name);

/* A set of formats: the bit 1 << index of each.  Names are separated by commas, and an empty one is unknown.  Returns
 * NULL, or the first unknown one in `names`. */
const char *registry_set(const char *names, uint64_t *set);
bool registry_has(uint64_t set, const struct format *format);

/* For what content does not tell: the format of those without a mark whose extension the file name has, or NULL. */
const struct format *registry_by_file_name(const char *name);

/* The size of the tag that an input starts with, whose first `size` bytes these are; 0: none. */
size_t registry_prefix(const uint8_t *start, size_t size);

#endif
