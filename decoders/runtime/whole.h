/* SPDX-License-Identifier: MIT */
/* The whole input in memory, for codecs that go back and forth in it. */
#ifndef SAFE_DECODE_WHOLE_H
#define SAFE_DECODE_WHOLE_H

#include <stddef.h>
#include <stdint.h>

#include "decoder.h"

struct whole {
	uint8_t *data; /* owned */
	size_t size;
};

/* Reads the input to its end.  Returns WIRE_OK or WIRE_FAIL_LIMIT_MEMORY; whole_free() is next in either case. */
session_result whole_read(struct session *session, struct whole *whole);
void whole_free(struct whole *whole);

#endif
