/* SPDX-License-Identifier: MIT */
/* The compiled-in list of formats and of the decoder modules that take them. */
#ifndef SAFE_DECODE_REGISTRY_H
#define SAFE_DECODE_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "safe-decode.h"

struct safe_format {
	const char *name;        /* as in --decoder and --info: "jpeg" */
	const char *module;      /* file name of the module, without ".so" */
	uint32_t variant;        /* wire_request.variant for it */
	enum safe_kind kind;     /* what it gives */
	const char *description; /* for --list-decoders */
	const char *extensions;  /* of file names, separated by spaces; only for naming outputs */

	/* Whether an input that starts with these bytes is of this format; NULL: only by name. */
	bool (*recognise)(const uint8_t *start, size_t size);
};

/* How many bytes of the start of an input are enough to recognise any format. */
#define REGISTRY_START 64

/* The format by index, NULL past the last; by name, or NULL; by content, or NULL. */
const struct safe_format *registry_at(size_t index);
const struct safe_format *registry_by_name(const char *name);
const struct safe_format *registry_recognise(const uint8_t *start, size_t size);

/* For what content does not tell: the format of those without a mark whose extension the file name has, or NULL. */
const struct safe_format *registry_by_file_name(const char *name);

/* Bytes of the start that say nothing of the format: those of an ID3 tag, which FLAC may have before it as well as MP3;
 * 0 if there is none. */
size_t registry_prefix(const uint8_t *start, size_t size);

/* The format of what stands behind that in the file whose first `size` bytes were just read; NULL where there is no
 * such tag, or the descriptor cannot seek. */
const struct safe_format *registry_recognise_behind(int fd, const uint8_t *start, size_t size);

#endif
