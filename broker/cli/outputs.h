/* SPDX-License-Identifier: MIT */
/*
 * Where the outputs of a run go: to standard output, to the one file or device of --output, or to a folder.
 *
 * No output destroys a file that the run did not make itself, unless --output or --force says so: an input of the run,
 * by whatever name, is such a file.  With --force an output may replace its own input, but never another one, which may
 * not have been read yet.
 */
#ifndef SAFE_DECODE_OUTPUTS_H
#define SAFE_DECODE_OUTPUTS_H

#include <stdbool.h>

#include "broker/output/sink.h"
#include "broker/recognise/registry.h"
#include "broker/wire/status.h"
#include "frame_index.h"
#include "names.h"
#include "numbered.h"
#include "options.h"
#include "output.h"

struct outputs {
	const struct options *options; /* borrowed */
	struct output single;          /* that of --output, until an input takes it */
	int folder;                    /* that of --output-dir; -1: none */
	struct names names;            /* in it */
	struct numbered numbered;      /* that of --output, whose folder it is then */
	struct frame_index index;      /* that of --index */
	bool index_here;               /* it is in the folder of the others */
	struct file_id *inputs; /* owned; with --force, those of all inputs, which it does not allow to replace */
};

#define OUTPUTS_NONE ((struct outputs){ .single = OUTPUT_NONE, .folder = -1, .index = FRAME_INDEX_NONE })

/* Opens what can be opened before an input is read, so that the process can confine itself then.  Returns SDEC_OK, or
 * SDEC_IO and sets *about to the name that this is about; outputs_close() is next in either case. */
struct outcome outputs_open(struct outputs *outputs, const struct options *options, const char **about);
void outputs_close(struct outputs *outputs);

/* The folder in which outputs get their names, or -1; and whether files must be opened there later. */
int outputs_folder(const struct outputs *outputs, bool *opens);

/* What an input is decoded to. */
struct outputs_given {
	struct output output; /* closed: standard output */
	const char *path;     /* as messages name it, valid until outputs_close(); NULL: standard output */
	bool kept;            /* it is there already, and stays: there is nothing to decode */
};

/* Gives an input its output, once its format is known.  Returns SDEC_OK, SDEC_IO, or SDEC_USAGE where a picture or
 * sound would get an extension that no output format has. */
struct outcome outputs_give(struct outputs *outputs, const char *input, const struct format *format,
                            struct outputs_given *given);

/* Of an output whose name has a number: the file of the next frame. */
struct outcome outputs_give_next(struct outputs *outputs, struct outputs_given *given);

/* The format that this is written in: bytes are no picture, whatever extension they get. */
const struct sink_format *outputs_sink(const struct options *options, enum sdec_kind kind);

#endif
