/* SPDX-License-Identifier: MIT */
/* What the files of the icon decoder share. */
#ifndef SAFE_DECODE_ICO_H
#define SAFE_DECODE_ICO_H

#include <stddef.h>
#include <stdint.h>

#include "decoders/runtime/decoder.h"

/* Bytes of the input, all of which is in memory. */
struct slice {
	const uint8_t *data;
	size_t size;
};

/* ico_ani.c: the pictures of an animated cursor. */
struct animation {
	struct slice *pictures; /* owned; each an icon file */
	size_t count;
	struct slice rates, order; /* of the steps, as 32-bit numbers; empty: all alike, and each picture once */
	uint32_t rate;             /* of those that have no other, in 1/60 s */
	uint32_t steps;            /* 1 or more if there are pictures */
};

/* Returns WIRE_OK or a failure; animation_release() is next in either case. */
session_result animation_find(struct animation *animation, struct slice file);
void animation_release(struct animation *animation);

/* The picture of a step, or an empty slice if there is none; *delay in milliseconds. */
struct slice animation_at(const struct animation *animation, uint32_t step, uint32_t *delay);

#endif
