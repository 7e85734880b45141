/* SPDX-License-Identifier: MIT */
/*
 * One decode on behalf of a caller of the library: what was asked for, how far it is, what came of it.  The one-call
 * functions drive it and block; a stream drives it step by step.
 */
#ifndef SAFE_DECODE_CALL_H
#define SAFE_DECODE_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../decode.h"
#include "../registry.h"
#include "../safe-decode.h"
#include "canvas.h"
#include "decoder.h"

enum call_stage {
	CALL_RECOGNISING, /* the start of the input is being read */
	CALL_WANTING,     /* a child is wanted */
	CALL_DECODING,
	CALL_OVER,
};

/* What a call is for. */
enum call_mode {
	CALL_WHOLE,  /* all that an input gives */
	CALL_PROBE,  /* its header */
	CALL_STREAM, /* either, a piece at a time */
};

struct call {
	struct safe_decoder *decoder;
	struct safe_input input;
	struct safe_request request;
	struct safe_limits limits;
	enum call_mode mode;
	bool info_only;
	enum call_stage stage;
	uint64_t started; /* decode_clock() */

	uint8_t start[REGISTRY_START]; /* of an input from a descriptor */
	size_t start_size;
	const struct safe_format *format;
	struct want want;
	struct decode decode;
	struct wire_consumer consumer;

	struct safe_info info;
	struct wire_image image;
	bool is_image; /* else sound or bytes, once announced */
	struct canvas canvas;
	uint32_t frames_begun;
	enum wire_failure damage;
	size_t rows_missing;
	uint64_t losses;
	struct safe_outcome outcome; /* once it is OVER */

	/* What differs between those who drive it; `driver` is theirs.  What none of on_image(), on_audio() and
	 * on_bytes() takes is refused.  All may be NULL. */
	void *driver;
	struct safe_outcome (*on_info)(struct call *call);  /* where that is all */
	struct safe_outcome (*on_image)(struct call *call); /* must set the canvas up, before rows come */
	struct safe_outcome (*on_bytes)(struct call *call);
	struct safe_outcome (*on_audio)(struct call *call);
	void (*on_tag)(struct call *call, enum wire_tag tag, const char *value, size_t size);
	void (*on_loss)(struct call *call);
	void (*on_frame)(struct call *call, uint32_t delay);
	void (*on_rows)(struct call *call);                      /* some pixels came */
	void *(*reserve_bytes)(struct call *call, size_t *size); /* room for bytes or samples */
	struct safe_outcome (*commit_bytes)(struct call *call, size_t size);
	struct safe_outcome (*on_end)(struct call *call);
};

/* Starts a call; input, request and limits are checked and copied.  Returns SAFE_OK or SAFE_USAGE. */
struct safe_outcome call_init(struct call *call, struct safe_decoder *decoder, const struct safe_input *input,
                              const struct safe_request *request, enum call_mode mode);

/* Reads once at the start of an input.  Returns false where there is nothing yet. */
bool call_recognise(struct call *call);

/* Milliseconds until the deadline, at most; -1: there is none. */
int call_time_left(const struct call *call);

/* The want is done: starts the decode, or is over. */
void call_begin(struct call *call);

/* Drives it to its end.  Returns the outcome. */
struct safe_outcome call_run(struct call *call);

/* From call_init() to the end in one: runs the call unless `begun` failed, fills *result, and releases everything.
 * Returns the outcome. */
struct safe_outcome call_complete(struct call *call, struct safe_outcome begun, struct safe_result *result);

/* Ends it wherever it is, and releases everything. */
void call_end(struct call *call);

/* Stores an outcome, and so ends it. */
void call_over(struct call *call, struct safe_outcome outcome);

/* Bytes of a packed row of what is decoded; 0 where that overflows. */
size_t call_row_bytes(const struct call *call);

/* Whether the picture fits memory of `size` bytes, with `stride` bytes from row to row. */
bool call_fits(const struct call *call, size_t size, size_t stride);

void call_result(const struct call *call, struct safe_result *result);
void posture_public(const struct sandbox_posture *verified, struct safe_posture *posture);

#endif
