/* SPDX-License-Identifier: MIT */
/* Where the bytes or samples of a whole input go: memory that grows, or the caller's. */
#ifndef SAFE_DECODE_COLLECTION_H
#define SAFE_DECODE_COLLECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "request.h"

/* Zero at first, or on memory of the caller's. */
struct collection {
	struct request request;
	uint8_t *data; /* owned, unless fixed */
	size_t size, filled;
	bool fixed;    /* it cannot grow */
	uint8_t spill; /* what comes though it is full */
};

/* For drivers whose context is a collection. */
void *collection_reserve(struct call *call, size_t *size);
struct outcome collection_commit(struct call *call, size_t size);

/* As request_begin() and request_complete().  Of a call that fails, what there was is given back to the system; of
 * memory of the caller's, `filled` bytes have come in either case. */
struct outcome collection_begin(struct collection *collection, struct sdec_pool *decoder,
                                const struct sdec_input *input, const struct sdec_request *request,
                                enum request_mode mode, const struct call_driver *driver);
struct outcome collection_complete(struct collection *collection, struct outcome begun, struct sdec_result *result);

#endif
