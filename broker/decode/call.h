/* SPDX-License-Identifier: MIT */
/*
 * One decode from its input to its end: what was asked for, how far it is, what came of it.  The command line's jobs,
 * the library's one-call functions and its streams all drive this, and differ in where children come from (source.h)
 * and in what becomes of what was decoded (struct call_driver).
 *
 *     call_init() -> { poll what call_wants() says, call_step() }* -> call_end()
 */
#ifndef SAFE_DECODE_CALL_H
#define SAFE_DECODE_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "broker/recognise/recognise.h"
#include "broker/recognise/registry.h"
#include "broker/safe-decode.h"
#include "decode.h"
#include "source.h"

enum call_stage {
	CALL_RECOGNISING, /* the start of the input is being read */
	CALL_WANTING,     /* a child is wanted */
	CALL_DECODING,
	CALL_FINISHING, /* all has come, and its taker has still work to do */
	CALL_OVER,
};

enum { CALL_FIRST = 512 }; /* bytes, in which most formats show */

struct call;

/* What becomes of what is decoded.  A member that is NULL takes nothing and wants to know nothing; of image, audio and
 * bytes, what none takes is refused.  All return SDEC_OK to go on, or how the call ends. */
struct call_driver {
	/* The format is known, and no child was asked for yet.  May end the call. */
	struct outcome (*recognised)(struct call *call);
	/* There is a child, and not one of its bytes was read. */
	struct outcome (*started)(struct call *call);

	/* The header was read: of a picture, call->image is set, of sound, call->audio.  Of these the first that
	 * applies is called: where only information is wanted, info. */
	struct outcome (*info)(struct call *call);
	struct outcome (*image)(struct call *call); /* again for each further page */
	struct outcome (*audio)(struct call *call);
	struct outcome (*bytes)(struct call *call);

	struct outcome (*tag)(struct call *call, enum wire_tag tag, const char *value, size_t size);
	/* All of a block; the memory is the call's until its end, or the next block. */
	struct outcome (*blob)(struct call *call, enum wire_blob_kind kind, const void *data, size_t size);
	struct outcome (*frame)(struct call *call, const struct wire_frame *frame); /* call->frames_begun counts it */
	void (*loss)(struct call *call); /* call->losses has the new number */

	/* As in struct wire_consumer, for whatever was announced. */
	void *(*reserve)(struct call *call, size_t *size);
	struct outcome (*commit)(struct call *call, size_t size);
	int (*outlet)(struct call *call);
	void (*moved)(struct call *call, size_t size);

	/* All has come; call->damage says whether something is missing.  Does a little of what is left to do, and sets
	 * *more while that is not all. */
	struct outcome (*finish)(struct call *call, bool *more);
};

struct call_plan {
	struct child_source *source;
	const struct call_driver *driver;
	void *context; /* the driver's */

	const void *data; /* compressed bytes; NULL: they are read from `fd` */
	size_t data_size;
	int fd;
	const char *name;            /* of the input, for formats without a mark; or NULL */
	const struct format *format; /* NULL: by content */
	uint64_t allowed;            /* registry_set() of what may be decoded; 0: all formats */

	enum wire_operation operation;
	uint32_t pixel_formats;    /* WIRE_FORMAT_BIT()s, one of which is to come */
	uint32_t sample_formats;   /* likewise */
	uint32_t flags;            /* those of wire_request, but WIRE_FINITE and WIRE_RANDOM */
	uint32_t scale;            /* 1, 2, 4 or 8 */
	struct wire_view view;     /* of pictures */
	uint32_t first_frame;      /* frame or page wanted first, from 0 */
	uint32_t max_frames;       /* how many are wanted; 0: 1 */
	struct sdec_limits limits; /* resolved */
};

struct call {
	struct call_plan plan;
	enum call_stage stage;
	uint64_t started; /* decode_clock() */

	/* The start of an input from a descriptor, which is read until its format is known. */
	uint8_t *start; /* in `first`, or, where that is not enough, owned memory of RECOGNISE_MOST bytes */
	size_t start_size, start_more; /* bytes that are there; with how many looking again pays */
	uint8_t first[CALL_FIRST];
	const struct format *format;
	off_t file_size;     /* of the regular file that the input is, once the format is known; -1: it is none */
	uint64_t input_size; /* bytes, if known then; else 0 */
	uint64_t file_start; /* where the input starts in that file */
	bool is_random;      /* the child asks for the parts of the input that it needs */
	struct want want;
	bool answered; /* there is a child, or there will be none; want.done itself is for who holds the source's lock
	                */
	struct decode decode;
	struct wire_consumer consumer;

	/* A block that comes, of a picture: it is gathered here, and then the driver's. */
	uint8_t *blob; /* owned */
	size_t blob_size, blob_filled;
	enum wire_blob_kind blob_kind;

	/* What came of it. */
	enum sdec_kind kind; /* once announced */
	struct wire_image image;
	struct wire_audio audio;
	uint32_t frames_begun; /* of all pages; with a preview begins its frame */
	bool previewing;       /* what comes is a preview */
	uint64_t losses;
	enum wire_failure damage; /* of a partial result; WIRE_OK: none */
	uint32_t notes;           /* WIRE_NOTE_... */
	bool diagnosed;           /* the child was stopped at a system call: */
	struct wire_forbidden forbidden;
	struct outcome outcome; /* once it is OVER */
};

/* Starts a call.  What the plan points to must outlive it. */
void call_init(struct call *call, const struct call_plan *plan);

/* Fills `fds` with what to poll (entries that are not used have fd -1).  Returns after how many milliseconds at most to
 * call call_step(), or -1. */
int call_wants(const struct call *call, struct pollfd fds[PUMP_FDS]);

/* Does what can be done without waiting.  `fds` is as poll() left it; `waited` is the time that poll() took, in
 * nanoseconds.  Returns false when it is over, and call->outcome says how. */
bool call_step(struct call *call, const struct pollfd fds[PUMP_FDS], uint64_t waited);

/* Waits as poll() does.  Returns SDEC_OK, with nothing ready where it was interrupted; or SDEC_NO_SANDBOX. */
struct outcome call_poll(struct pollfd *fds, size_t count, int timeout);

/* Lets call_step() return after the message that is being taken; for a driver. */
void call_pause(struct call *call);

/* Drives it to its end.  Returns the outcome. */
struct outcome call_run(struct call *call);

/* Stores an outcome, and so ends it. */
void call_over(struct call *call, struct outcome outcome);

/* Ends it wherever it is, and releases everything. */
void call_end(struct call *call);

/* Milliseconds until the deadline, at most; -1: there is none. */
int call_time_left(const struct call *call);

#endif
