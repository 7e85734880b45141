/* SPDX-License-Identifier: MIT */
/* Where the bytes or samples of a whole input go: memory that grows, or the caller's. */
#ifndef SAFE_DECODE_COLLECTION_H
#define SAFE_DECODE_COLLECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "call.h"

/* Zero at first, or on memory of the caller's. */
struct collection {
	uint8_t *data; /* owned, unless fixed */
	size_t size, filled;
	bool fixed;    /* it cannot grow */
	uint8_t spill; /* what comes though it is full */
};

/* What a call must have as on_bytes() or on_audio(). */
struct safe_outcome collection_accept(struct call *call);

/* From call_init() to the end, as call_complete().  Of a call that fails, what there was is given back to the system;
 * of memory of the caller's, `filled` bytes have come in either case. */
struct safe_outcome collection_complete(struct collection *collection, struct call *call, struct safe_outcome begun,
                                        struct safe_result *result);

#endif
