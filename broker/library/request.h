/* SPDX-License-Identifier: MIT */
/* What callers of the library ask for, and what they are told, in terms of a call. */
#ifndef SAFE_DECODE_REQUEST_H
#define SAFE_DECODE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/decode/call.h"
#include "broker/safe-decode.h"
#include "broker/service/pool.h"

/* What a call is for. */
enum request_mode {
	REQUEST_WHOLE,  /* all that an input gives */
	REQUEST_COVER,  /* the picture that is embedded in it */
	REQUEST_PROBE,  /* its header */
	REQUEST_FRAMES, /* all frames or pages */
	REQUEST_STREAM, /* either, a piece at a time */
};

/* A call on behalf of a caller. */
struct request {
	struct call call; /* first */
	struct sdec_pool *decoder;
	uint32_t pixel_format; /* that is to be given */
	bool info_only;
	struct sdec_info info;
	size_t rows_missing;
};

/* Starts a call; input, request and limits are checked and copied.  Returns SDEC_OK or SDEC_USAGE; request_end() is
 * next in either case. */
struct outcome request_begin(struct request *request, struct sdec_pool *decoder, const struct sdec_input *input,
                             const struct sdec_request *given, enum request_mode mode, const struct call_driver *driver,
                             void *context);

/* From request_begin() to the end in one: runs the call unless `begun` failed, fills *result, and releases everything.
 * Returns the outcome. */
struct outcome request_complete(struct request *request, struct outcome begun, struct sdec_result *result);

void request_end(struct request *request);

/* For drivers: the request that a call is part of, and how they tell what was announced. */
static inline struct request *request_of(struct call *call)
{
	return (struct request *)call;
}

struct outcome request_describe_image(struct call *call); /* SDEC_LIMIT where it is too large once it is written */
struct outcome request_describe_audio(struct call *call);
struct outcome request_refuse_others(struct call *call); /* no decoder need be started for what nobody takes */
struct outcome request_describe(struct call *call);      /* what only information is wanted of */

/* Bytes of a packed row of what is decoded; 0 where that overflows. */
size_t request_row_bytes(const struct request *request);

/* Whether the picture fits memory of `size` bytes, with `stride` bytes from row to row. */
bool request_fits(const struct request *request, size_t size, size_t stride);

void request_result(const struct request *request, struct sdec_result *result);

#endif
