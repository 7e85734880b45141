/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broker/base/words.h"
#include "broker/wire/pixel_forms.h"
#include "broker/wire/wire.h"
#include "escape.h"
#include "interrupt.h"
#include "names.h"
#include "numbered.h"
#include "options_table.h"

#define STANDARD_OUTPUT "/dev/stdout"

static enum sdec_status choose_pixels(struct options_parsed *parsed)
{
	const uint32_t with_alpha = wire_alpha_formats();
	struct options *options = &parsed->options;
	char text[256] = "";

	bool native = parsed->pixel_format == OPTIONS_PIXELS_NATIVE;
	options->pixel_formats = native ? options->sink->accepted : options->sink->preferred;
	if (options->sink->accepted == 0) /* it takes no picture, and says so when one comes */
		options->pixel_formats = WIRE_FORMAT_BIT(WIRE_BGRA);
	/* Rows that lack are transparent, wherever the output format can say so. */
	if (options->partial && (options->pixel_formats & with_alpha))
		options->pixel_formats &= with_alpha;
	if (parsed->pixel_format == OPTIONS_PIXELS_UNSAID)
		return SDEC_OK;
	if (options->sink->accepted == 0)
		return options_complain("pixels", options->sink->name, "holds no pixels");
	if (native)
		return SDEC_OK;
	options->pixel_formats = WIRE_FORMAT_BIT(parsed->pixel_format);
	if (options->sink->accepted & options->pixel_formats)
		return SDEC_OK;
	(void)snprintf(text, sizeof(text), "is not supported by %s output, which takes", options->sink->name);
	const char *separator = " ";
	for (uint32_t format = 0; format < WIRE_PIXEL_FORMATS; format++) {
		size_t used = strlen(text);
		if (!(options->sink->accepted & WIRE_FORMAT_BIT(format)))
			continue;
		(void)snprintf(text + used, sizeof(text) - used, "%s%s", separator, options_pixel_format_name(format));
		separator = ", ";
	}
	return options_complain("pixels", options_pixel_format_name(parsed->pixel_format), text);
}

static enum sdec_status choose_samples(struct options_parsed *parsed)
{
	struct options *options = &parsed->options;

	/* A format without audio says so when some comes. */
	options->sample_formats = options->sink->samples;
	if (options->sample_formats == 0)
		options->sample_formats = WIRE_FORMAT_BIT(WIRE_SAMPLE_FORMATS) - 1;
	if (parsed->sample_format == WIRE_SAMPLE_FORMATS)
		return SDEC_OK;
	options->sample_formats = WIRE_FORMAT_BIT(parsed->sample_format);
	if (options->sink->samples & options->sample_formats)
		return SDEC_OK;
	return options_complain("samples", options_sample_format_name(parsed->sample_format),
	                        "is not supported by this output format");
}

/* What the extension of the output's name says about its pixels, or OPTIONS_PIXELS_UNSAID. */
static uint32_t pixels_by_file_name(const struct options *options)
{
	const char *dot = options->output ? strrchr(options->output, '.') : NULL;
	uint32_t format = 0;

	/* Only one that stands for the output format, too. */
	if (!dot || sink_format_by_file_name(options->output) != options->sink)
		return OPTIONS_PIXELS_UNSAID;
	if (words_have("pgm", dot + 1))
		return WIRE_GRAY;
	while (format < WIRE_PIXEL_FORMATS && !words_have(options_pixel_format_name(format), dot + 1))
		format++;
	return format < WIRE_PIXEL_FORMATS ? format : OPTIONS_PIXELS_UNSAID;
}

static bool has_extension(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const char *dot = strrchr(name, '.');

	return dot && dot != name && dot[1];
}

static void choose_sink(struct options_parsed *parsed)
{
	struct options *options = &parsed->options;

	if (options->output && strcmp(options->output, "-") == 0)
		options->output = NULL;
	if (options->index && strcmp(options->index, "-") == 0)
		options->index = STANDARD_OUTPUT;
	options->to = parsed->sink != NULL;
	options->sink = options->device == DEVICE_NONE ? parsed->sink : device_sink_format(options->device);
	/* Whatever the name of the file. */
	if (options->extract != WIRE_BLOBS)
		options->sink = sink_format_by_name("raw");
	if (!options->sink && options->output) {
		options->sink = sink_format_by_file_name(options->output);
		options->foreign_extension = !options->sink && has_extension(options->output);
	}
	if (!options->sink)
		options->sink = sink_format_by_name("raw");
}

static bool standard_input_twice(const struct options *options)
{
	size_t named = 0;

	for (size_t i = 0; i < options->input_count; i++)
		if (strcmp(options->inputs[i], "-") == 0)
			named++;
	return named > 1;
}

/* Options that exclude each other. */
static enum sdec_status check_conflicts(const struct options *options)
{
	const struct {
		bool conflict;
		const char *what;
	} conflicts[] = {
		{ options->output && options->output_dir, "--output and --output-dir exclude each other" },
		{ options->output && options->input_count > 1,
		  "--output takes one input; for several use --output-dir" },
		{ standard_input_twice(options), "standard input can be named only once" },
		{ options->info && (options->output || options->output_dir), "--info writes to standard output only" },
		{ options->diagnose && (options->output || options->output_dir || options->info || options->index),
		  "--diagnose writes no output" },
		{ options->device != DEVICE_NONE && (options->output || options->output_dir),
		  "--play, --framebuffer and --display cannot be combined with --output or --output-dir" },
		{ options->device != DEVICE_NONE && (options->info || options->diagnose),
		  "--info and --diagnose show and play nothing" },
		{ options->device == DEVICE_SPEAKER && options->cover,
		  "--cover gives a picture, which cannot be played" },
		{ (options->scale & (options->scale - 1)) != 0, "--scale takes 1, 2, 4 or 8" },
		{ options->scale > 1 && (options->view.fit_width > 0 || options->view.fit_height > 0),
		  "--scale and --fit exclude each other" },
		{ options->enlarge && options->view.fit_width == 0 && options->view.fit_height == 0,
		  "--enlarge needs --fit" },
		{ options->extract != WIRE_BLOBS && (options->info || options->cover || options->diagnose ||
		                                     options->frames || options->to || options->device != DEVICE_NONE),
		  "--extract writes a block as it is, and nothing else" },
		{ options->frames && options->device != DEVICE_NONE, "--frames and devices exclude each other" },
		{ options->frames && options->info, "--info counts frames by itself" },
		{ options->frames && !options->numbered && !options->diagnose && !options->sink->takes_frames,
		  "--frames: this output format holds one picture; number the files: -o NAME-%03d.png" },
		{ options->index && !options->frames, "--index needs --frames" },
		{ options->index && options->input_count > 1, "--index takes one input" },
		{ options->index && !options->output && !options->output_dir &&
		          strcmp(options->index, STANDARD_OUTPUT) == 0,
		  "--index and the output cannot both go to standard output" },
		{ options->index && options->output && strcmp(options->index, options->output) == 0,
		  "--index and --output need two files" },
		{ options->diagnose && options->input_count > 1, "--diagnose takes one input" },
		{ options->quiet && options->verbose, "--quiet and --verbose exclude each other" },
		{ options->force && options->skip_existing, "--force and --skip-existing exclude each other" },
		{ options->skip_existing && !options->output_dir, "--skip-existing needs --output-dir" },
	};
	for (size_t i = 0; i < sizeof(conflicts) / sizeof(conflicts[0]); i++)
		if (conflicts[i].conflict)
			return options_complain(NULL, NULL, conflicts[i].what);
	return SDEC_OK;
}

/* Whose output is there, only the first run knew. */
static enum sdec_status check_kept_names(const struct options *options)
{
	const char *clash[2];

	if (!options->skip_existing || !names_clash(options->inputs, options->input_count, clash))
		return SDEC_OK;
	if (!clash[0])
		return options_complain(NULL, NULL, "no memory to begin with");
	fputs("safe-decode: --skip-existing: \"", stderr);
	escape_text(stderr, clash[0]);
	fputs("\" and \"", stderr);
	escape_text(stderr, clash[1]);
	fputs("\" have the same name, so it cannot tell whose output is there\n", stderr);
	return SDEC_USAGE;
}

bool options_play(const struct options *options)
{
	return (options->device == DEVICE_FRAMEBUFFER || options->device == DEVICE_DISPLAY) && !options->one_frame;
}

bool options_upright(const struct options *options)
{
	bool shown = options->device != DEVICE_NONE || strcmp(options->sink->name, "preview") == 0;

	return options->orientation == SDEC_ORIENTATION_DEFAULT ? shown
	                                                        : options->orientation == SDEC_ORIENTATION_APPLY;
}

/* Whether each frame gets a file of its own. */
static enum sdec_status choose_names(struct options *options)
{
	struct numbered numbered;

	if (!options->frames || !options->output)
		return SDEC_OK;
	options->numbered = numbered_find(&numbered, options->output);
	if (options->numbered || !numbered_has_sign(options->output))
		return SDEC_OK;
	return options_complain("output", options->output, "has a % that is not a frame number: use %d or %03d, once");
}

enum sdec_status options_complete(struct options_parsed *parsed)
{
	struct options *options = &parsed->options;
	long processors = 1;

	/* Reads a file of the system: not for nothing. */
	if (options->output_dir && parsed->jobs == 0)
		processors = sysconf(_SC_NPROCESSORS_ONLN);

	options->jobs = parsed->jobs > 0 ? parsed->jobs : processors > 0 ? (size_t)processors : 1;
	if (options->jobs > INTERRUPT_CHILDREN)
		options->jobs = INTERRUPT_CHILDREN;
	if (options->device != DEVICE_NONE && (parsed->sink || parsed->pixel_format != OPTIONS_PIXELS_UNSAID ||
	                                       parsed->sample_format != WIRE_SAMPLE_FORMATS))
		return options_complain(NULL, NULL,
		                        "a device chooses formats for itself: no --to, --pixels, --samples");
	if (parsed->frame != UINT32_MAX && parsed->page != UINT32_MAX)
		return options_complain(NULL, NULL, "--frame and --page exclude each other");
	options->first_frame = parsed->frame != UINT32_MAX ? parsed->frame : parsed->page;
	options->one_frame = options->first_frame != UINT32_MAX;
	if (!options->one_frame)
		options->first_frame = 0;
	choose_sink(parsed);
	if (choose_names(options) != SDEC_OK)
		return SDEC_USAGE;
	if (parsed->pixel_format == OPTIONS_PIXELS_UNSAID)
		parsed->pixel_format = pixels_by_file_name(options);
	enum sdec_status status = check_conflicts(options);
	if (status == SDEC_OK)
		status = check_kept_names(options);
	if (status == SDEC_OK)
		status = choose_pixels(parsed);
	return status == SDEC_OK ? choose_samples(parsed) : status;
}
