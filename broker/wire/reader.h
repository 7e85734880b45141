/* SPDX-License-Identifier: MIT */
/*
 * The one way by which a child's bytes reach the trusted side.
 *
 * The reader is a state machine over one const table (wire_reader.c).  It never blocks longer than the read function
 * that it is given, allocates nothing, and hands pixels and data to a consumer that supplies the memory for them, so
 * that they are copied from the pipe once.
 */
#ifndef SAFE_DECODE_WIRE_READER_H
#define SAFE_DECODE_WIRE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "status.h"
#include "wire.h"

/* Who takes what was decoded.  Everything has been checked against the request when it arrives here.  Each function
 * returns an outcome; anything but SDEC_OK ends the decode with that outcome.  `context` is the consumer's own.
 * audio() may be NULL where audio is not asked for, blob() where no block is, metadata(), loss() and forbidden() where
 * nobody wants to know. */
struct wire_consumer {
	void *context;

	/* The child's pledge; the place to verify it from outside before the request is sent. */
	struct outcome (*hello)(void *context);

	struct outcome (*image)(void *context, const struct wire_image *image);
	struct outcome (*frame)(void *context, const struct wire_frame *frame);
	struct outcome (*bytes)(void *context);

	/* Whole sample frames follow, but reserve() and commit() cut them anywhere. */
	struct outcome (*audio)(void *context, const struct wire_audio *audio);

	/* A tag, perhaps before audio().  The value has `size` bytes, 1 to WIRE_VALUE_MAX, none of them zero, and a
	 * zero byte after them.  They are the attacker's: escape them wherever they are shown. */
	struct outcome (*metadata)(void *context, enum wire_tag tag, const char *value, size_t size);

	/* A block of a picture, before image(): the next `size` bytes that reserve() and commit() see are its. */
	struct outcome (*blob)(void *context, enum wire_blob_kind kind, size_t size);

	/* So many parts of the stream were concealed or skipped so far. */
	struct outcome (*loss)(void *context, uint64_t parts);

	/* The decode ends because the decoder tried this system call. */
	void (*forbidden)(void *context, const struct wire_forbidden *forbidden);

	/* Room for the next pixels of the frame, samples or bytes: returns at least 1 byte of it and sets *size,
	 * or NULL when there is none (SDEC_IO).  The memory is only used until the commit that follows. */
	void *(*reserve)(void *context, size_t *size);

	/* `size` bytes were put at the start of what reserve() gave. */
	struct outcome (*commit)(void *context, size_t size);

	/* Where pixels, samples or bytes go as they are: a descriptor to which they can be moved without passing
	 * through memory, or -1.  moved() tells how much was, instead of reserve() and commit().  Both may be NULL. */
	int (*outlet)(void *context);
	struct outcome (*moved)(void *context, size_t size);

	/* The decode is complete.  `damage` is WIRE_OK, or why the rest of a partial result is missing: what lacks of
	 * the current frame is for the consumer to fill.  `notes` are WIRE_NOTE_... bits. */
	struct outcome (*end)(void *context, enum wire_failure damage, uint32_t notes);
};

/* Where a session stands.  Bits, so that a table row can name several. */
enum wire_state {
	WIRE_STATE_START = 1,    /* nothing came yet */
	WIRE_STATE_READY = 2,    /* HELLO came */
	WIRE_STATE_IMAGE = 4,    /* IMAGE came, and FRAME or END may */
	WIRE_STATE_FRAME = 8,    /* the current frame lacks pixels */
	WIRE_STATE_BYTES = 16,   /* BYTES came */
	WIRE_STATE_DAMAGED = 32, /* DAMAGE came */
	WIRE_STATE_OVER = 64,    /* END or FAIL came, or the stream was refused */
	WIRE_STATE_AUDIO = 128,  /* AUDIO came */
	WIRE_STATE_BLOB = 256,   /* the current block lacks bytes */
};

/* As splice(2) to a descriptor: bytes moved, 0 where that is not possible just now, -1 where it never is. */
typedef ssize_t wire_move_function(void *context, int to, size_t size);

struct wire_reader {
	const struct wire_consumer *consumer;
	wire_move_function *move;    /* the owner may set it; it has the read function's context */
	struct wire_request request; /* what was asked for, and so what may be answered */
	enum wire_state state;
	struct wire_header header;
	size_t header_filled;
	uint8_t payload[sizeof(struct wire_metadata) + 1]; /* of the longest message that is not bulk, and a zero */
	size_t payload_filled;
	uint64_t bulk_left;    /* bytes that the current PIXELS, SAMPLES or DATA message lacks */
	uint64_t messages;     /* that came */
	uint64_t input_pieces; /* in which the child got its input, as far as the owner counts them */
	uint64_t frame_left;   /* bytes that the current frame, or block, lacks */
	uint64_t output;       /* bytes of pixels, samples or data accepted so far */
	uint64_t frame_size;   /* bytes; of audio, a sample frame's */
	uint64_t frame_pixels;
	uint64_t pixels, promised; /* of all frames that began: pixels, and bytes */
	uint32_t frames_left;      /* that may still begin */
	uint32_t frames;           /* of the picture that was announced last, that began, without previews */
	uint32_t previews;         /* likewise */
	bool previewing;           /* the last was one: a frame must follow */
	uint32_t image_flags, width, height;
	uint32_t metadata_left; /* METADATA messages that may still come, */
	uint64_t metadata_size; /* and the bytes of those that came */
	uint64_t losses;
	bool part_wanted; /* READ came, and its answer has not left: the owner sends it, and then clears this */
	uint64_t part_offset;
	uint32_t part_length;  /* of what is in the input; perhaps 0 */
	uint32_t blobs_wanted; /* WIRE_BLOB_FLAG()s of those that may still come */
	enum wire_failure damage;
	struct outcome outcome; /* once the state is OVER */
};

enum wire_progress {
	WIRE_PROGRESS_MORE, /* a step was done: call again */
	WIRE_PROGRESS_WAIT, /* the read function had nothing (EAGAIN) */
	WIRE_PROGRESS_EOF,  /* the child closed its end before END or FAIL */
	WIRE_PROGRESS_OVER, /* reader->outcome says how */
};

/* As read(2): bytes read, 0 at the end, -1 with errno. */
typedef ssize_t wire_read_function(void *context, void *data, size_t size);

/* Starts a session.  `consumer` must outlive the reader. */
void wire_reader_init(struct wire_reader *reader, const struct wire_request *request,
                      const struct wire_consumer *consumer);

/* Reads once and acts on it.  After WIRE_PROGRESS_OVER it reads no more. */
enum wire_progress wire_reader_step(struct wire_reader *reader, wire_read_function *read_function, void *context);

#endif
