/* SPDX-License-Identifier: MIT */
/*
 * What all decoders of compressed streams share: the loop that feeds a codec from the session's input and takes what it
 * gives, and the rules of what may follow the end of a member.
 *
 * A member is the unit that a codec ends at by itself: a gzip member, a bzip2 stream, a zstd frame.
 */
#ifndef SAFE_DECODE_STREAM_H
#define SAFE_DECODE_STREAM_H

#include "decoder.h"

#define STREAM_START_MAX 18 /* bytes that stream_peek() can show, at most: the longest header of a zstd frame */

struct stream {
	/* What the codec may take, and where it may give: it moves both on. */
	const uint8_t *input;
	size_t input_size;
	uint8_t *output;
	size_t output_size;
	bool input_ended;  /* nothing comes after `input` */
	bool member_ended; /* the codec sets it */
	bool given;        /* some output was */

	struct session *session;
	uint8_t start[STREAM_START_MAX]; /* what was peeked at and came in pieces */
	const uint8_t *next;             /* what comes after it */
	size_t next_size;
};

/* What follows a member and is none. */
enum stream_trailing {
	STREAM_REFUSED,
	STREAM_NOTED,  /* it is passed over with a note */
	STREAM_PADDED, /* the same, but zeros up to the end of the input are padding, of which nothing is said */
};

struct stream_format {
	/* How many of a member's first bytes tell that it is one, and whether these can be such, or the start of such
	 * where `size` is less.  NULL: nothing tells. */
	size_t start_size;
	bool (*starts)(const uint8_t *start, size_t size);

	bool several; /* members may follow one another */
	enum stream_trailing trailing;

	/* Makes the codec ready for a member.  NULL: it always is. */
	session_result (*begin)(void *codec, struct stream *stream);

	/* Takes input and gives output, until it has no use for more input or no room for more output, and sets
	 * member_ended.  Doing neither when there is no input left means that the input ends early.  Returns WIRE_OK or
	 * a failure. */
	session_result (*step)(void *codec, struct stream *stream);
};

/* Decodes all members of the session's input.  Returns what decode() must return. */
session_result stream_decode(struct session *session, const struct stream_format *format, void *codec);

/* The next bytes of input, without taking them: *size of them, at most STREAM_START_MAX, or fewer at the end of the
 * input.  For begin() and step(). */
const uint8_t *stream_peek(struct stream *stream, size_t *size);

/* How much of the input to give, at most, to a codec that has asked for `expected` bytes and that forgets what it has
 * decoded in a call in which it fails: the last bytes go one by one, so that such a call has decoded nothing. */
size_t stream_piece(const struct stream *stream, size_t expected);

/* Moves as much as there is and fits from `data` to the output.  Returns how much that was. */
size_t stream_give(struct stream *stream, const uint8_t *data, size_t size);

#endif
