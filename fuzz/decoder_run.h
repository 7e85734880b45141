/* SPDX-License-Identifier: MIT */
/* One input through the decoder that is linked in, as a child runs it: request, session, messages and all. */
#ifndef SAFE_DECODE_FUZZ_DECODER_RUN_H
#define SAFE_DECODE_FUZZ_DECODER_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/recognise/registry.h"
#include "broker/wire/status.h"

struct decoder_run {
	uint32_t variant;
	bool random;      /* the decoder asks for parts of the input */
	size_t piece;     /* bytes that a read of the input gives at most */
	size_t out_piece; /* bytes that a write takes at most */
};

struct decoder_answer {
	enum sdec_status status;
	const char *reason;
	bool sound;          /* it is complete, and nothing was damaged or concealed */
	uint64_t size, hash; /* of the output */
};

/* The next format of the registry, from *index on, that this input may be of for this decoder: by content, or, if
 * nothing recognises it, by name.  NULL: no more. */
const struct format *decoder_next_format(size_t *index, const uint8_t *data, size_t size);

/* Whether the input says that it is of this format, or the format is one that only a name tells. */
bool decoder_is_told(const struct format *format, const uint8_t *data, size_t size);

/* What is asked for, the size of the input decides.  Aborts where the trusted wire reader refuses what the decoder
 * says, or the decoder does not have the last word. */
struct decoder_answer run_decoder(const struct decoder_run *run, const uint8_t *data, size_t size);

/* Which allocations may fail without a crash: those before this one.  libvorbis does not look whether it got what it
 * asked for; the session does. */
size_t decoder_survives(void);

/* The decoder's one-time initialisation. */
void decoder_prepare(void);

#endif
