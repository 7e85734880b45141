/* SPDX-License-Identifier: MIT */
/* What the files of the hostile decoder share. */
#ifndef SAFE_DECODE_HOSTILE_H
#define SAFE_DECODE_HOSTILE_H

#include "decoders/runtime/decoder.h"

/* What stands behind the command's name. */
struct arguments {
	unsigned long first, second, third, fourth;
	const char *text; /* all of it */
};

typedef session_result attack(struct session *session, const struct arguments *arguments);

/* A message, not through the session, which would not do such things.  `size` bytes follow, whatever `length` says. */
void say(uint32_t kind, uint32_t length, const void *payload, size_t size);

/* What an attack that is not fatal found out: a stream of bytes that consists of this text. */
session_result answer(const char *text);

/* Like a real decoder: announces a picture, and sends it. */
session_result picture(struct session *session, const struct arguments *arguments);

/* The same without the pixels. */
session_result begin_picture(struct session *session, const struct arguments *arguments, struct wire_image *image);

/* Before the lock-down: whatever helps. */
void prepare_search(void);

/* kernel.c: what only the kernel can refuse. */
attack try_call, try_call_32, descriptors, read_clock, read_coarse_clock, block_signals, between_ticks;
/* memory.c */
attack recurse, exhaust, execute_heap, search;
/* wire.c: what the wire reader must refuse. */
attack say_in_state, field, blocks, half_header, half_message, frames_without_end, tags_without_end, losses_without_end,
        empty_without_end, tag_bytes, absurd_sound, disagree, disagree_sound, echo, paint, read_for_ever, at_random;
/* parts.c: what may be asked of the input. */
attack part, parts_untaken, parts_without_end;
/* costs.c */
attack noise, damaged, relay;

#endif
