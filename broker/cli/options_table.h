/* SPDX-License-Identifier: MIT */
/* What the files that parse, complete and explain the command line share. */
#ifndef SAFE_DECODE_OPTIONS_TABLE_H
#define SAFE_DECODE_OPTIONS_TABLE_H

#include "options.h"

/* What a row of the table does with its argument. */
enum option_kind {
	OPTION_FLAG,    /* sets a bool */
	OPTION_TEXT,    /* sets a const char * */
	OPTION_ACTION,  /* sets the action to `least` */
	OPTION_COUNT32, /* sets a uint32_t, `least` to `most` */
	OPTION_COUNT64, /* sets a uint64_t */
	OPTION_SIZE,    /* sets a uint64_t; takes K, M, G */
	OPTION_PIXELS,  /* looks a pixel format up */
	OPTION_SAMPLES, /* looks a sample format up */
	OPTION_BLOB,    /* looks a kind of block up */
	OPTION_SINK,    /* looks an output format up */
	OPTION_DECODER, /* looks a format up */
	OPTION_FORMATS, /* looks several formats up */
	OPTION_CROP,    /* sets a region */
	OPTION_FIT,     /* sets a box */
	OPTION_COLOR,   /* sets the background */
	OPTION_TURN,    /* looks a way to treat the orientation up */
	OPTION_DEVICE,  /* sets the kind of device to `least`; its argument may be left out */
};

/* Pixel formats that are none of the wire's. */
enum {
	OPTIONS_PIXELS_NATIVE = WIRE_PIXEL_FORMATS, /* what loses least */
	OPTIONS_PIXELS_UNSAID,
};

/* What the command line says, before it is put together. */
struct options_parsed {
	struct options options;
	uint32_t jobs;
	uint32_t frame, page; /* UINT32_MAX: not said */
	const struct sink_format *sink;
	uint32_t pixel_format;  /* or OPTIONS_PIXELS_... */
	uint32_t sample_format; /* WIRE_SAMPLE_FORMATS: not said */
};

struct option_row {
	const char *name;
	char letter; /* 0: none */
	enum option_kind kind;
	const char *argument; /* as --help names it; NULL: takes none */
	const char *help;
	size_t offset; /* in struct options_parsed */
	uint64_t least, most;
};

enum { OPTION_ROWS = 50 };

extern const struct option_row options_rows[OPTION_ROWS];

/* One line on standard error: "safe-decode: --OPTION: "VALUE" what".  Option and value may be NULL. */
enum sdec_status options_complain(const char *option, const char *value, const char *what);

/* Chooses what the command line leaves open, and refuses what does not go together. */
enum sdec_status options_complete(struct options_parsed *parsed);

#endif
