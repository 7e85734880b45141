/* SPDX-License-Identifier: MIT */
/* The command line, parsed over one table. */
#ifndef SAFE_DECODE_OPTIONS_H
#define SAFE_DECODE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "broker/decode/limits.h"
#include "broker/devices/device.h"
#include "broker/output/sink.h"
#include "broker/recognise/registry.h"
#include "broker/wire/status.h"

enum options_action {
	OPTIONS_DECODE,
	OPTIONS_HELP,
	OPTIONS_VERSION,
	OPTIONS_LIST_DECODERS,
};

/* All strings are borrowed from argv. */
struct options {
	enum options_action action;
	char **inputs; /* "-" is standard input; one at least when decoding */
	size_t input_count;
	const char *output;             /* NULL: standard output */
	const char *output_dir;         /* NULL: none */
	const char *index;              /* file to list the frames in; NULL: none */
	size_t jobs;                    /* at a time, with output_dir */
	const struct sink_format *sink; /* never NULL when decoding */
	bool to;                        /* the command line names it */
	bool foreign_extension;         /* the output has one that no format has, and nothing was named */
	uint32_t pixel_formats;         /* WIRE_FORMAT_BIT()s to ask for */
	uint32_t sample_formats;        /* likewise, of audio */
	const struct format *decoder;   /* NULL: by content */
	uint64_t allowed;               /* registry_set(); 0: all formats */
	uint32_t scale;                 /* 1, 2, 4 or 8 */
	struct wire_view view;          /* region, box and background */
	uint32_t orientation;           /* enum sdec_orientation */
	uint32_t first_frame;           /* frame or page wanted, from 0 */
	bool one_frame;                 /* it is named, and so the only one on a screen */
	bool frames;                    /* and all that come after it, */
	uint32_t max_frames;            /* unless they are more than these */
	bool numbered;                  /* the output's name has a number: a file for each frame */
	struct sdec_limits limits;
	enum device_kind device;   /* DEVICE_NONE: output goes to files */
	const char *device_name;   /* NULL without one */
	uint32_t show;             /* seconds that a picture is shown, or DEVICE_SHOW_DEFAULT */
	struct sound_limits sound; /* of what is played */
	uint32_t extract; /* enum wire_blob_kind: what is written instead of the picture; WIRE_BLOBS: nothing */
	bool enlarge, flatten;
	bool info, partial, strict, cover, posture, diagnose, quiet, verbose, force, skip_existing;
};

/* Parses the command line.  Permutes argv.  Returns SDEC_OK, or SDEC_USAGE after one line on standard error. */
enum sdec_status options_parse(int argc, char **argv, struct options *options);

/* Whether inputs may be shown as animations, which are decoded again for each loop. */
bool options_play(const struct options *options);

/* Whether pictures are turned as their orientation says: where somebody looks at them, unless the options say
 * otherwise.
 */
bool options_upright(const struct options *options);

/* The caller checks the stream for errors. */
void options_print_help(FILE *stream);

/* The name of an enum wire_pixel_format as in --pixels. */
const char *options_pixel_format_name(uint32_t pixel_format);

/* The name of an enum wire_blob_kind as in --extract. */
const char *options_blob_name(uint32_t kind);

/* The name of an enum wire_sample_format as in --samples. */
const char *options_sample_format_name(uint32_t sample_format);

#endif
