/* SPDX-License-Identifier: MIT */
/* What the files of the session share; decoders see decoder.h. */
#ifndef SAFE_DECODE_SESSION_H
#define SAFE_DECODE_SESSION_H

#include "decoder.h"
#include "decoders/pixels/view.h"

struct session {
	const struct session_io *io;
	struct wire_request request;

	uint8_t *input;                 /* INPUT_SIZE */
	size_t input_size, input_given; /* of what the buffer holds */
	uint64_t input_read;            /* since the start */
	uint64_t consumed;
	bool input_ended;

	/* Messages are gathered here and leave in one write. */
	uint8_t *output;
	size_t output_size, output_filled;
	size_t bulk; /* where the header of the bulk message that is being filled stands, or NO_BULK */
	size_t loss; /* where the payload of a LOSS message that has not left stands, or NO_BULK */
	bool lost;   /* the other side does not take bytes any more */

	struct wire_image image;  /* as it is sent */
	bool pictured;            /* a picture was announced, but perhaps not sent yet */
	bool image_sent;          /* the current one was */
	bool skipping;            /* the current frame is one before the first that is wanted */
	uint32_t frames_met;      /* of the file, that the decoder began */
	uint32_t frames_of_image; /* sent */
	uint32_t frames_sent;
	uint64_t pixels;   /* of these */
	uint64_t promised; /* bytes of these */
	size_t stride;     /* bytes a row */
	uint32_t frame_rows_left;
	struct wire_frame frame; /* the current one, */
	bool frame_due;          /* which is not sent before the first of its rows: a preview may come first */
	bool previewing;
	uint32_t previews; /* sent */
	struct view view;  /* what is made of it */
	uint32_t reduced;  /* 1, or by how much the decoder has reduced the sides, which were these */
	uint32_t whole_width, whole_height;
	bool reduced_to_corners;

	size_t sample_frame;    /* bytes of one sample of each channel; 0 before AUDIO */
	uint64_t bytes_left;    /* of max_output, in a stream or audio */
	uint32_t metadata_left; /* of max_metadata */
	uint32_t tags;          /* METADATA messages that were sent */
	uint64_t losses;
	uint32_t notes;
	uint64_t needs; /* memory, as far as the decoder says; 0: not known */
	bool damaged;   /* DAMAGE was sent */
	bool announced; /* IMAGE, AUDIO or BYTES was sent */
};

#define NO_BULK SIZE_MAX

/* Appends a message that is small enough to always fit after a flush.  Returns WIRE_OK or SESSION_STOP. */
session_result session_put(struct session *session, enum wire_kind kind, const void *payload, size_t size);

/* Room for at least `least` bytes of a bulk message, of which the buffer is large enough to hold one. */
session_result session_bulk_room(struct session *session, size_t least, uint8_t **room, size_t *size);

/* The first `size` bytes of the room belong to the message. */
void session_bulk_commit(struct session *session, enum wire_kind kind, size_t size);

/* No rows follow those that came, because of damage: sends those that can be sent all the same. */
void session_end_rows(struct session *session);

/* Makes the output buffer hold a header and `least` bytes, and preferably more.  WIRE_OK or WIRE_FAIL_LIMIT_MEMORY. */
session_result session_grow_output(struct session *session, size_t least);

#endif
