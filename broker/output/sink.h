/* SPDX-License-Identifier: MIT */
/*
 * A sink writes what was decoded in one output format.  Adding one is one file that defines a `const struct
 * sink_format` and one row in sink.c.
 *
 * The functions below return outcomes and never print.  A sink belongs to one decode and one thread.
 */
#ifndef SAFE_DECODE_SINK_H
#define SAFE_DECODE_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/wire/status.h"
#include "broker/wire/wire.h"

struct sink;

/* What writes the format.  Any function may be NULL. */
struct sink_writer {
	/* The image or the audio is known: write the header, allocate sink->state.  It may change sink->writer. */
	struct outcome (*begin)(struct sink *sink);
	/* One whole row, sink->stride bytes.  NULL: pixels go to the descriptor as they are. */
	struct outcome (*row)(struct sink *sink, const uint8_t *row);
	/* Whole sample frames, which it may change.  NULL: samples go to the descriptor as they are. */
	struct outcome (*samples)(struct sink *sink, uint8_t *data, size_t size);
	/* A piece of a stream.  NULL: bytes go to the descriptor as they are. */
	struct outcome (*bytes)(struct sink *sink, const uint8_t *data, size_t size);
	/* All that comes has come: write the rest. */
	struct outcome (*end)(struct sink *sink);
	/* Frees sink->state, after success and failure alike. */
	void (*release)(struct sink *sink);
};

struct sink_format {
	const char *name;        /* as in --to */
	const char *extensions;  /* of file names, separated by spaces, the usual one first; "" if none */
	const char *description; /* for --help, one line */
	uint32_t accepted;       /* WIRE_FORMAT_BIT()s of pixel formats that it can write; 0: no pictures */
	uint32_t preferred;      /* those of them that it asks for when --pixels does not say */
	uint32_t samples;        /* WIRE_FORMAT_BIT()s of sample formats that it can write; 0: no audio */
	bool takes_bytes;        /* it can write a stream of bytes, too */
	bool takes_frames;       /* it can write several pictures, one after the other */
	struct sink_writer writer;
	const char
	        *module; /* file name of the module that has the writer, where its library is costly to load; or NULL */
};

/* What such a module exports, under the name safe_decode_sink. */
#define SINK_MODULE_SYMBOL "safe_decode_sink"

struct sink {
	const struct sink_format *format;
	struct sink_writer writer;
	int fd;                  /* borrowed: written to, never closed */
	uint32_t pixel_formats;  /* that are wanted */
	struct wire_image image; /* once an image began; in the format that is written */
	struct wire_audio audio; /* once audio began */
	size_t stride;           /* bytes a row, or a sample frame */
	uint64_t rows_left;      /* of the picture */
	uint8_t *buffer;         /* owned; one row at least */
	size_t buffer_size;
	size_t buffer_filled;
	uint8_t *narrow; /* owned; what comes in where it has to be widened, else NULL */
	size_t narrow_size, narrow_filled;
	enum wire_pixel_format narrow_format;
	uint64_t written; /* bytes of pixels, samples or data that came in, */
	uint64_t before;  /* of these, of the pictures before this one */
	uint64_t put;     /* bytes that sink_write() was given */
	uint64_t most;    /* that it takes; set after sink_init() where there is a limit */
	bool is_image, is_audio;
	void *device; /* borrowed; that formats of broker/devices draw on or play through, set after sink_init() */
	void *state;  /* of the format */
};

/* The format of this name, or NULL.  The formats by index, NULL past the last. */
const struct sink_format *sink_format_by_name(const char *name);
const struct sink_format *sink_format_at(size_t index);

/* The format that a file name's extension stands for (case does not matter), or NULL. */
const struct sink_format *sink_format_by_file_name(const char *file_name);

/* What to ask a decoder for so that a sink can write one of `pixel_formats`. */
uint32_t sink_request(uint32_t pixel_formats);

/* Loads what the format needs, so that nothing has to be mapped later.  That it cannot be found, the first picture
 * tells. */
void sink_prepare(const struct sink_format *format);

/* Starts a sink that writes one of `pixel_formats` to descriptor `fd`, which must stay open until sink_release(). */
void sink_init(struct sink *sink, const struct sink_format *format, uint32_t pixel_formats, int fd);

/* Frees what the sink holds.  Safe on a sink that failed, and twice. */
void sink_release(struct sink *sink);

/* The calls of one decode, in this order: sink_image(), sink_audio() or sink_bytes(), then any number of sink_reserve()
 * and sink_commit(), then sink_end().  sink_end() fills the rows that lack with zero bytes if `fill`, and fails with
 * SDEC_IO where the descriptor does. */
struct outcome sink_image(struct sink *sink, const struct wire_image *image);

/* Between two pictures, of formats that take several: the next frame or page. */
struct outcome sink_next(struct sink *sink, const struct wire_image *image);
struct outcome sink_audio(struct sink *sink, const struct wire_audio *audio);
struct outcome sink_bytes(struct sink *sink);

/* Bytes of pixels that an image which began will be, headers and compression aside. */
uint64_t sink_image_size(const struct sink *sink);

void *sink_reserve(struct sink *sink, size_t *size);
struct outcome sink_commit(struct sink *sink, size_t size);

/* Instead of these two: the descriptor, where all that comes goes to it as it is, else -1; and what was moved there. */
int sink_outlet(const struct sink *sink);
void sink_moved(struct sink *sink, size_t size);
struct outcome sink_end(struct sink *sink, bool fill);

/* Does a part of what sink_end() does for a picture with missing rows, and sets *more while that is not all. */
struct outcome sink_fill(struct sink *sink, bool *more);

/* For formats: writes all of it to the descriptor, through short writes and EINTR. */
struct outcome sink_write(struct sink *sink, const void *data, size_t size);

#endif
