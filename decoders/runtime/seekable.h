/* SPDX-License-Identifier: MIT */
/*
 * The input for codecs that go back and forth in it.  Where its parts can be had in any order, only some windows of it
 * are in memory; else all of it is.
 */
#ifndef SAFE_DECODE_SEEKABLE_H
#define SAFE_DECODE_SEEKABLE_H

#include <stddef.h>
#include <stdint.h>

#include "decoder.h"
#include "whole.h"

enum { SEEKABLE_WINDOWS = 16, SEEKABLE_WINDOW_SIZE = 64 << 10 };

/* A run of bytes that is in memory. */
struct seekable_window {
	uint64_t start;
	size_t size;
	uint64_t used; /* when it was looked at last */
};

struct seekable {
	struct session *session;
	struct whole whole; /* where it cannot be had in parts */
	uint64_t size;      /* bytes of the input */
	uint64_t held;      /* bytes of memory that this takes */
	uint8_t *memory;    /* owned: of the windows; NULL: there are none */
	struct seekable_window windows[SEEKABLE_WINDOWS];
	uint64_t uses; /* so far: the clock of the windows */
};

/* Returns WIRE_OK or WIRE_FAIL_LIMIT_MEMORY; seekable_close() is next in either case. */
session_result seekable_open(struct session *session, struct seekable *seekable);
void seekable_close(struct seekable *seekable);

/* Copies what there is of `size` bytes.  Returns how many: fewer only at the end. */
size_t seekable_read_at(struct seekable *seekable, uint64_t offset, void *to, size_t size);

#endif
