/* SPDX-License-Identifier: MIT */
#include "outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/base/fds.h"

/* The extension of pictures in an output folder: raw pixels get their format's name, and blocks their kind's. */
static const char *picture_extension(const struct options *options)
{
	uint32_t formats = options->pixel_formats;

	if (options->extract != WIRE_BLOBS)
		return options_blob_name(options->extract);
	if (strcmp(options->sink->name, "raw") == 0 && (formats & (formats - 1)) == 0)
		return options_pixel_format_name((uint32_t)__builtin_ctz(options->pixel_formats));
	return options->sink->name;
}

/* ---- inputs ---- */

/* What cannot be looked at cannot be decoded either. */
static struct file_id look_at(const char *input)
{
	struct stat status;
	bool standard = strcmp(input, "-") == 0;
	bool there = (standard ? fstat(STDIN_FILENO, &status) : stat(input, &status)) == 0;

	return there ? file_id_of(&status) : (struct file_id){ .known = false };
}

static struct outcome look_at_inputs(struct outputs *outputs)
{
	const struct options *options = outputs->options;

	outputs->inputs = calloc(options->input_count, sizeof(*outputs->inputs));
	if (!outputs->inputs)
		return outcome_of_errno(SDEC_IO, "no memory to begin with", ENOMEM);
	for (size_t i = 0; i < options->input_count; i++)
		outputs->inputs[i] = look_at(options->inputs[i]);
	return outcome_ok();
}

/* Whether what has the name is an input of the run, but not this one. */
static bool is_other_input(const struct outputs *outputs, const char *input, const char *name)
{
	const struct options *options = outputs->options;
	struct stat status;
	bool other = false;

	if (!outputs->inputs || fstatat(outputs->folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	for (size_t i = 0; i < options->input_count; i++) {
		if (!file_id_same(file_id_of(&status), outputs->inputs[i]))
			continue;
		if (options->inputs[i] == input)
			return false;
		other = true;
	}
	return other;
}

/* ---- opening ---- */

static struct outcome open_folder(struct outputs *outputs, const char *path)
{
	if (mkdir(path, 0777) != 0 && errno != EEXIST)
		return outcome_of_output("cannot make the output folder", errno);
	outputs->folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (outputs->folder < 0)
		return outcome_of_output("cannot open the output folder", errno);
	outputs->names = (struct names){
		.folder = path,
		.extension = picture_extension(outputs->options),
		.longest = names_longest(outputs->folder),
	};
	return outputs->options->force ? look_at_inputs(outputs) : outcome_ok();
}

/* The folder of an output whose name has a number. */
static struct outcome open_numbered(struct outputs *outputs)
{
	const char *path = outputs->options->output;
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, (size_t)(slash + 1 - path)) : strdup(".");

	if (!folder || !numbered_find(&outputs->numbered, path)) {
		free(folder);
		return outcome_of_errno(SDEC_IO, "no memory to begin with", ENOMEM);
	}
	outputs->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int error = errno;
	free(folder);
	outputs->numbered.next = outputs->options->first_frame;
	return outputs->folder < 0 ? outcome_of_output("cannot open the output folder", error)
	                           : look_at_inputs(outputs);
}

static struct outcome open_output(struct outputs *outputs)
{
	const struct options *options = outputs->options;

	if (options->diagnose)
		return output_prepare(&outputs->single, "/dev/null");
	if (options->output_dir)
		return open_folder(outputs, options->output_dir);
	if (options->numbered)
		return open_numbered(outputs);
	return options->output ? output_prepare(&outputs->single, options->output) : outcome_ok();
}

/* ---- the index, which takes the place of no other file of the run ---- */

static bool is_index(const struct outputs *outputs, const char *name)
{
	return outputs->index_here && strcmp(outputs->index.output.name, name) == 0;
}

static struct outcome refuse_index(void)
{
	return outcome_of_output("is the file of --index", 0);
}

/* There is one. */
static bool is_input(const struct options *options, const char *path)
{
	struct stat file;

	return stat(path, &file) == 0 && S_ISREG(file.st_mode) &&
	       file_id_same(file_id_of(&file), look_at(options->inputs[0]));
}

static struct outcome open_index(struct outputs *outputs, const char *path)
{
	const struct output *index = &outputs->index.output;
	const struct output *single = &outputs->single;
	struct stat folder, other;

	if (is_input(outputs->options, path))
		return outcome_of_output("is the input, which its index does not replace", 0);
	struct outcome outcome = frame_index_open(&outputs->index, path);
	if (outcome.status != SDEC_OK || index->folder < 0)
		return outcome;
	int others = outputs->folder >= 0 ? outputs->folder : single->folder;
	outputs->index_here = others >= 0 && fstat(index->folder, &folder) == 0 && fstat(others, &other) == 0 &&
	                      file_id_same(file_id_of(&folder), file_id_of(&other));
	return single->name && is_index(outputs, single->name) ? refuse_index() : outcome_ok();
}

struct outcome outputs_open(struct outputs *outputs, const struct options *options, const char **about)
{
	*outputs = OUTPUTS_NONE;
	outputs->options = options;
	*about = options->output_dir ? options->output_dir : options->output;
	struct outcome outcome = open_output(outputs);
	if (outcome.status != SDEC_OK || !options->index)
		return outcome;
	*about = options->index;
	return open_index(outputs, options->index);
}

void outputs_close(struct outputs *outputs)
{
	output_abort(&outputs->single);
	frame_index_abort(&outputs->index);
	fds_close(&outputs->folder);
	names_free(&outputs->names);
	numbered_free(&outputs->numbered);
	free(outputs->inputs);
	outputs->inputs = NULL;
}

int outputs_folder(const struct outputs *outputs, bool *opens)
{
	*opens = outputs->folder >= 0;
	return *opens ? outputs->folder : output_folder(&outputs->single);
}

/* ---- extensions ---- */

static bool can_hold(const struct sink_format *sink, enum sdec_kind kind)
{
	return *sink->extensions && (kind == SDEC_KIND_AUDIO ? sink->samples : sink->accepted) != 0;
}

/* The reason lives as long as the program: one extension is refused at most, for there is one file. */
static struct outcome refuse_extension(enum sdec_kind kind)
{
	static char reason[160];
	const struct sink_format *sink = NULL;
	const char *separator = "";
	int used = snprintf(reason, sizeof(reason), "no output format has this extension; choose one with --to: ");

	for (size_t i = 0; (sink = sink_format_at(i)) != NULL; i++) {
		if (!can_hold(sink, kind) || used >= (int)sizeof(reason))
			continue;
		used += snprintf(reason + used, sizeof(reason) - (size_t)used, "%s%s", separator, sink->name);
		separator = ", ";
	}
	struct outcome outcome = outcome_of_output(reason, 0);
	outcome.status = SDEC_USAGE;
	return outcome;
}

const struct sink_format *outputs_sink(const struct options *options, enum sdec_kind kind)
{
	bool chosen = options->device != DEVICE_NONE || !options->output || options->to;

	return chosen || kind != SDEC_KIND_BYTES ? options->sink : sink_format_by_name("raw");
}

/* ---- outputs ---- */

static struct outcome give_single(struct outputs *outputs, const struct format *format, struct outputs_given *given)
{
	if (outputs->single.fd < 0)
		return outcome_ok();
	given->path = outputs->options->output;
	if (outputs->options->foreign_extension && format->kind != SDEC_KIND_BYTES)
		return refuse_extension(format->kind);
	/* A file has one input; what is thrown away may come of several. */
	if (output_folder(&outputs->single) < 0)
		return output_share(&outputs->single, &given->output);
	given->output = outputs->single;
	outputs->single = OUTPUT_NONE;
	return outcome_ok();
}

static struct outcome give_name(struct outputs *outputs, const char *input, const struct format *format,
                                struct outputs_given *given)
{
	const struct options *options = outputs->options;
	struct name *name = names_give(&outputs->names, input, format);

	if (!name)
		return outcome_of_errno(SDEC_IO, "cannot name the output", ENOMEM);
	given->path = name->path;
	if (!options->force && output_exists(outputs->folder, name->in_folder, &name->made)) {
		given->kept = options->skip_existing;
		return given->kept ? outcome_ok() : output_refused();
	}
	if (is_index(outputs, name->in_folder))
		return refuse_index();
	if (is_other_input(outputs, input, name->in_folder))
		return outcome_of_output("is another input of this run, which --force does not replace", 0);
	return output_prepare_in(&given->output, outputs->folder, name->in_folder, options->force, &name->made);
}

struct outcome outputs_give_next(struct outputs *outputs, struct outputs_given *given)
{
	struct numbered *numbered = &outputs->numbered;

	*given = (struct outputs_given){ .output = OUTPUT_NONE };
	if (!numbered_next(numbered))
		return outcome_of_errno(SDEC_IO, "cannot name the output", ENOMEM);
	given->path = numbered->path;
	/* It is read as long as there are frames. */
	if (is_index(outputs, numbered->in_folder))
		return refuse_index();
	if (is_other_input(outputs, NULL, numbered->in_folder))
		return outcome_of_output("is the input, which its own frames do not replace", 0);
	return output_prepare_in(&given->output, outputs->folder, numbered->in_folder, true, NULL);
}

struct outcome outputs_give(struct outputs *outputs, const char *input, const struct format *format,
                            struct outputs_given *given)
{
	*given = (struct outputs_given){ .output = OUTPUT_NONE };
	if (outputs->options->frames && format->kind != SDEC_KIND_IMAGE)
		return outcome_of(SDEC_UNSUPPORTED, "has no frames or pages: it is not a picture");
	if (outputs->options->numbered)
		return outputs->options->foreign_extension ? refuse_extension(format->kind)
		                                           : outputs_give_next(outputs, given);
	return outputs->folder >= 0 ? give_name(outputs, input, format, given) : give_single(outputs, format, given);
}
