/* SPDX-License-Identifier: MIT */
/* What the parts of the JPEG 2000 decoder share. */
#ifndef SAFE_DECODE_JPEG2000_DECODE_H
#define SAFE_DECODE_JPEG2000_DECODE_H

#include <openjpeg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoders/pixels/pixels.h"
#include "decoders/runtime/decoder.h"
#include "decoders/runtime/whole.h"

enum {
	J2K_COLORS_MAX = 4,
	J2K_USED_MAX = J2K_COLORS_MAX + 1, /* and alpha */
	J2K_CHANNELS_MAX = 16,             /* that a file may define; more components are passed over */
	J2K_PALETTE_MAX = 1024,            /* entries */
};

enum j2k_space { J2K_UNKNOWN, J2K_GRAY, J2K_RGB, J2K_SYCC, J2K_CMYK };

/* A channel of the picture: a component, or a column of the palette that a component chooses from. */
struct j2k_channel {
	uint16_t component;
	bool mapped;
	uint8_t column;
};

struct j2k_meaning {
	uint16_t channel, kind, color;
};

/* What the boxes around the codestream say. */
struct j2k_boxes {
	uint64_t start, size; /* of the codestream */
	enum j2k_space space;
	bool icc;
	unsigned entries, columns; /* of the palette; 0: there is none */
	uint8_t column_bits[J2K_CHANNELS_MAX];
	uint16_t palette[J2K_PALETTE_MAX][J2K_CHANNELS_MAX]; /* of at most 16 bits: more are cut off */
	unsigned channels;                                   /* that are mapped; 0: each component is one */
	struct j2k_channel map[J2K_CHANNELS_MAX];
	unsigned meanings; /* 0: nobody says */
	struct j2k_meaning meaning[J2K_CHANNELS_MAX];
};

/* A component, as far as it is looked at, and how it becomes samples of the picture. */
struct j2k_source {
	struct j2k_channel channel;
	unsigned bits;
	bool is_signed;
};

struct decode {
	struct session *session;
	struct whole input;
	uint64_t position; /* in the codestream, where the library reads next */
	bool past_end;
	enum wire_failure complaint;
	struct j2k_boxes *boxes; /* owned */
	opj_codec_t *codec;
	opj_stream_t *stream;
	opj_image_t *picture;
	struct wire_image image;
	unsigned reduce; /* how often width and height are halved */
	enum j2k_space space;
	unsigned colors, used; /* channels that are looked at: the colours, and alpha behind them */
	bool alpha, associated, deep;
	struct j2k_source sources[J2K_USED_MAX];
	enum pixels_layout layout;
};

/* jpeg2000_boxes.c: finds the codestream and reads what is said of it.  WIRE_OK or a failure. */
session_result j2k_read_boxes(struct decode *decode);

/* jpeg2000_form.c: which components are the picture's colours; fills image. */
session_result j2k_describe(struct decode *decode);

/* jpeg2000_rows.c */
session_result j2k_send_rows(struct decode *decode);

#endif
