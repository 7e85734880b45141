/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../wire.h"
#include "../words.h"
#include "escape.h"
#include "interrupt.h"

/* What a row of the table does with its argument. */
enum kind {
	FLAG,    /* sets a bool */
	TEXT,    /* sets a const char * */
	ACTION,  /* sets the action to `least` */
	COUNT32, /* sets a uint32_t, `least` to `most` */
	COUNT64, /* sets a uint64_t */
	SIZE,    /* sets a uint64_t; takes K, M, G */
	PIXELS,  /* looks a pixel format up */
	SAMPLES, /* looks a sample format up */
	SINK,    /* looks an output format up */
	DECODER, /* looks a format up */
};

/* What the command line says, before it is put together. */
struct parsed {
	struct options options;
	uint32_t jobs;
	const struct sink_format *sink;
	uint32_t pixel_format;  /* WIRE_PIXEL_FORMATS: not said */
	uint32_t sample_format; /* WIRE_SAMPLE_FORMATS: not said */
};

#define AT(field) offsetof(struct parsed, field)
#define LIMIT(field) offsetof(struct parsed, options.limits.field)
#define GIB ((uint64_t)1 << 30)

static const struct row {
	const char *name;
	char letter; /* 0: none */
	enum kind kind;
	const char *argument; /* as --help names it; NULL: takes none */
	const char *help;
	size_t offset; /* in struct parsed */
	uint64_t least, most;
} rows[] = {
	{ "output", 'o', TEXT, "FILE", "write there, whole or not at all", AT(options.output), 0, 0 },
	{ "to", 't', SINK, "FORMAT", "output format; else by FILE's extension, else raw", 0, 0, 0 },
	{ "pixels", 'p', PIXELS, "FORMAT", "pixel format; default: bgra for raw, else by picture", 0, 0, 0 },
	{ "scale", 0, COUNT32, "N", "width and height reduced to 1/N: 1, 2, 4 or 8", AT(options.scale), 1, 8 },
	{ "samples", 0, SAMPLES, "FORMAT", "s16, s24, s32 or f32; default: as in the file", 0, 0, 0 },
	{ "cover", 0, FLAG, NULL, "decode the picture that is embedded in audio", AT(options.cover), 0, 0 },
	{ "info", 'i', FLAG, NULL, "print a JSON object an input; decode no pixels", AT(options.info), 0, 0 },
	{ "decoder", 0, DECODER, "NAME", "take the input for this format, not by its content", 0, 0, 0 },
	{ "list-decoders", 0, ACTION, NULL, "print the formats that can be decoded", 0, OPTIONS_LIST_DECODERS, 0 },
	{ "output-dir", 0, TEXT, "DIR", "write one file an input there; go on after failures", AT(options.output_dir),
	  0, 0 },
	{ "jobs", 'j', COUNT32, "N", "decodes at a time with --output-dir (default: CPUs)", AT(jobs), 1,
	  INTERRUPT_CHILDREN },
	{ "partial", 0, FLAG, NULL, "keep what was decoded of a damaged input", AT(options.partial), 0, 0 },
	{ "strict", 0, FLAG, NULL, "refuse damaged audio that could be concealed", AT(options.strict), 0, 0 },
	{ "max-side", 0, COUNT32, "N", "pixels a side (default 65535)", LIMIT(max_side), 1, WIRE_SIDE_MAX },
	{ "max-pixels", 0, COUNT64, "N", "pixels in all (default 268435456)", LIMIT(max_pixels), 1, INT64_MAX },
	{ "max-output", 0, SIZE, "SIZE", "bytes of output (default 4G)", LIMIT(max_output), 1, INT64_MAX },
	{ "max-input", 0, SIZE, "SIZE", "bytes of input (default 2G)", LIMIT(max_input), 1, INT64_MAX },
	{ "memory", 0, SIZE, "SIZE", "memory of the decoder (default 512M)", LIMIT(memory), (uint64_t)1 << 20,
	  1024 * GIB },
	{ "cpu", 0, COUNT32, "SECONDS", "processor time of the decoder (default 30)", LIMIT(cpu_seconds), 1, 86400 },
	{ "stall", 0, COUNT32, "SECONDS", "time without a byte from the decoder (default 30)", LIMIT(stall_seconds), 1,
	  86400 },
	{ "posture", 0, FLAG, NULL, "print what was verified of the sandbox, as JSON", AT(options.posture), 0, 0 },
	{ "diagnose", 0, FLAG, NULL, "run again to name a forbidden system call; no output", AT(options.diagnose), 0,
	  0 },
	{ "quiet", 'q', FLAG, NULL, "only errors on standard error", AT(options.quiet), 0, 0 },
	{ "verbose", 'v', FLAG, NULL, "more on standard error", AT(options.verbose), 0, 0 },
	{ "version", 0, ACTION, NULL, "print the version", 0, OPTIONS_VERSION, 0 },
	{ "help", 'h', ACTION, NULL, "print this", 0, OPTIONS_HELP, 0 },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static const char *const pixel_format_names[WIRE_PIXEL_FORMATS] = {
	[WIRE_BGRA] = "bgra",
	[WIRE_RGBA] = "rgba",
	[WIRE_BGRA_PREMULTIPLIED] = "bgra-premultiplied",
	[WIRE_RGBA_PREMULTIPLIED] = "rgba-premultiplied",
	[WIRE_RGB] = "rgb",
	[WIRE_BGR] = "bgr",
	[WIRE_GRAY] = "gray",
	[WIRE_RGBA16] = "rgba16",
};

const char *options_pixel_format_name(uint32_t pixel_format)
{
	return pixel_format_names[pixel_format];
}

static const char *const sample_format_names[WIRE_SAMPLE_FORMATS] = {
	[WIRE_S16] = "s16",
	[WIRE_S24] = "s24",
	[WIRE_S32] = "s32",
	[WIRE_F32] = "f32",
};

const char *options_sample_format_name(uint32_t sample_format)
{
	return sample_format_names[sample_format];
}

/* ---- complaints: one line ---- */

static enum safe_status complain(const char *option, const char *value, const char *what)
{
	fputs("safe-decode: ", stderr);
	if (option)
		fprintf(stderr, "--%s: ", option);
	if (value) {
		fputc('"', stderr);
		escape_text(stderr, value);
		fputs("\" ", stderr);
	}
	fprintf(stderr, "%s\n", what);
	return SAFE_USAGE;
}

/* The name at an index, or NULL past the last. */
typedef const char *name_at(size_t index);

static const char *sink_name_at(size_t index)
{
	const struct sink_format *format = sink_format_at(index);

	return format ? format->name : NULL;
}

static const char *decoder_name_at(size_t index)
{
	const struct safe_format *format = registry_at(index);

	return format ? format->name : NULL;
}

static const char *pixel_name_at(size_t index)
{
	return index < WIRE_PIXEL_FORMATS ? pixel_format_names[index] : NULL;
}

static const char *sample_name_at(size_t index)
{
	return index < WIRE_SAMPLE_FORMATS ? sample_format_names[index] : NULL;
}

static enum safe_status complain_unknown(const char *option, const char *value, name_at *names)
{
	char known[256] = "is not known; choose one of";
	const char *name = NULL;

	for (size_t i = 0; (name = names(i)) != NULL; i++) {
		size_t used = strlen(known);
		(void)snprintf(known + used, sizeof(known) - used, "%s %s", i > 0 ? "," : "", name);
	}
	return complain(option, value, known);
}

/* ---- numbers ---- */

/* Digits and, if `suffixes`, one of K, M, G.  Returns false if that is not what the text is, or it is out of range. */
static bool parse_number(const char *text, bool suffixes, uint64_t least, uint64_t most, uint64_t *number)
{
	static const char letters[] = "KMG";
	char *end = NULL;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno != 0)
		return false;
	const char *letter = suffixes && *end ? strchr(letters, *end) : NULL;
	if (letter) {
		if (__builtin_mul_overflow(value, UINT64_C(1) << (10 * (letter - letters + 1)), &value))
			return false;
		end++;
	}
	*number = value;
	return *end == '\0' && value >= least && value <= most;
}

static enum safe_status set_number(const struct row *row, const char *text, void *field)
{
	char expected[96];
	uint64_t number = 0;

	if (!parse_number(text, row->kind == SIZE, row->least, row->most, &number)) {
		(void)snprintf(expected, sizeof(expected), "is not a number from %llu to %llu%s",
		               (unsigned long long)row->least, (unsigned long long)row->most,
		               row->kind == SIZE ? ", perhaps with K, M or G" : "");
		return complain(row->name, text, expected);
	}
	if (row->kind == COUNT32)
		*(uint32_t *)field = (uint32_t)number;
	else
		*(uint64_t *)field = number;
	return SAFE_OK;
}

/* ---- rows ---- */

/* Looks a name up and stores its place among the names. */
static enum safe_status set_place(const struct row *row, const char *name, name_at *names, uint32_t *place)
{
	const char *known = NULL;

	for (uint32_t i = 0; (known = names(i)) != NULL; i++) {
		if (strcmp(name, known) == 0) {
			*place = i;
			return SAFE_OK;
		}
	}
	return complain_unknown(row->name, name, names);
}

static enum safe_status apply(const struct row *row, const char *argument, struct parsed *parsed)
{
	void *field = (char *)parsed + row->offset;

	switch (row->kind) {
	case FLAG:
		*(bool *)field = true;
		return SAFE_OK;
	case TEXT:
		*(const char **)field = argument;
		return *argument ? SAFE_OK : complain(row->name, argument, "is no name");
	case ACTION:
		parsed->options.action = (enum options_action)row->least;
		return SAFE_OK;
	case PIXELS:
		return set_place(row, argument, pixel_name_at, &parsed->pixel_format);
	case SAMPLES:
		return set_place(row, argument, sample_name_at, &parsed->sample_format);
	case SINK:
		parsed->sink = sink_format_by_name(argument);
		return parsed->sink ? SAFE_OK : complain_unknown(row->name, argument, sink_name_at);
	case DECODER:
		parsed->options.decoder = registry_by_name(argument);
		return parsed->options.decoder ? SAFE_OK : complain_unknown(row->name, argument, decoder_name_at);
	default:
		return set_number(row, argument, field);
	}
}

/* ---- getopt ---- */

enum { LONG_BASE = 256 }; /* values that getopt_long() returns for rows: above all letters */

static void fill_getopt(struct option long_options[ROWS + 1], char letters[2 * ROWS + 2])
{
	*letters++ = ':'; /* tells a missing argument from an unknown option */
	for (int i = 0; i < ROWS; i++) {
		int has_argument = rows[i].argument ? required_argument : no_argument;
		long_options[i] = (struct option){ rows[i].name, has_argument, NULL, LONG_BASE + i };
		if (!rows[i].letter)
			continue;
		*letters++ = rows[i].letter;
		if (rows[i].argument)
			*letters++ = ':';
	}
	*letters = '\0';
	long_options[ROWS] = (struct option){ NULL, 0, NULL, 0 };
}

static const struct row *find_row(int value)
{
	if (value >= LONG_BASE)
		return &rows[value - LONG_BASE];
	for (int i = 0; i < ROWS; i++)
		if (rows[i].letter == value)
			return &rows[i];
	return NULL;
}

static enum safe_status complain_option(int value, char **argv)
{
	/* A long option is the last element that was looked at; of letters, getopt says which. */
	char letter[] = { '-', (char)optopt, '\0' };
	const struct row *row = find_row(optopt);
	bool is_letter = optopt > 0 && optopt < LONG_BASE;
	const char *shown = is_letter ? letter : argv[optind - 1];

	if (value == ':')
		return complain(NULL, shown, "needs an argument; see --help");
	return complain(NULL, shown,
	                row && !row->argument ? "takes no argument; see --help" : "is not an option; see --help");
}

static enum safe_status parse_options(int argc, char **argv, struct parsed *parsed)
{
	struct option long_options[ROWS + 1];
	char letters[2 * ROWS + 2];
	int value = 0;

	fill_getopt(long_options, letters);
	opterr = 0;
	optind = 0; /* glibc: start over, for tests that parse more than once */
	while ((value = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
		const struct row *row = value == '?' || value == ':' ? NULL : find_row(value);
		enum safe_status status = row ? apply(row, optarg, parsed) : complain_option(value, argv);
		if (status != SAFE_OK)
			return status;
		if (parsed->options.action != OPTIONS_DECODE)
			break;
	}
	return SAFE_OK;
}

/* ---- putting it together ---- */

static enum safe_status choose_pixels(struct parsed *parsed)
{
	const uint32_t with_alpha = WIRE_FORMAT_BIT(WIRE_BGRA) | WIRE_FORMAT_BIT(WIRE_RGBA) |
	                            WIRE_FORMAT_BIT(WIRE_BGRA_PREMULTIPLIED) |
	                            WIRE_FORMAT_BIT(WIRE_RGBA_PREMULTIPLIED) | WIRE_FORMAT_BIT(WIRE_RGBA16);
	struct options *options = &parsed->options;
	char text[256] = "";

	options->pixel_formats = options->sink->preferred;
	if (options->sink->accepted == 0) /* it takes no picture, and says so when one comes */
		options->pixel_formats = WIRE_FORMAT_BIT(WIRE_BGRA);
	/* Rows that lack are transparent, wherever the output format can say so. */
	if (options->partial && (options->pixel_formats & with_alpha))
		options->pixel_formats &= with_alpha;
	if (parsed->pixel_format == WIRE_PIXEL_FORMATS)
		return SAFE_OK;
	if (options->sink->accepted == 0)
		return complain("pixels", options->sink->name, "holds no pixels");
	options->pixel_formats = WIRE_FORMAT_BIT(parsed->pixel_format);
	if (options->sink->accepted & options->pixel_formats)
		return SAFE_OK;
	(void)snprintf(text, sizeof(text), "cannot be held by %s; it takes", options->sink->name);
	const char *separator = " ";
	for (uint32_t format = 0; format < WIRE_PIXEL_FORMATS; format++) {
		size_t used = strlen(text);
		if (!(options->sink->accepted & WIRE_FORMAT_BIT(format)))
			continue;
		(void)snprintf(text + used, sizeof(text) - used, "%s%s", separator, pixel_format_names[format]);
		separator = ", ";
	}
	return complain("pixels", pixel_format_names[parsed->pixel_format], text);
}

static enum safe_status choose_samples(struct parsed *parsed)
{
	struct options *options = &parsed->options;

	/* A format without audio says so when some comes. */
	options->sample_formats = options->sink->samples;
	if (options->sample_formats == 0)
		options->sample_formats = WIRE_FORMAT_BIT(WIRE_SAMPLE_FORMATS) - 1;
	if (parsed->sample_format == WIRE_SAMPLE_FORMATS)
		return SAFE_OK;
	options->sample_formats = WIRE_FORMAT_BIT(parsed->sample_format);
	if (options->sink->samples & options->sample_formats)
		return SAFE_OK;
	return complain("samples", sample_format_names[parsed->sample_format], "cannot be held by this output format");
}

/* What the extension of the output's name says about its pixels, or WIRE_PIXEL_FORMATS. */
static uint32_t pixels_by_file_name(const struct options *options)
{
	const char *dot = options->output ? strrchr(options->output, '.') : NULL;
	uint32_t format = 0;

	/* Only one that stands for the output format, too. */
	if (!dot || sink_format_by_file_name(options->output) != options->sink)
		return WIRE_PIXEL_FORMATS;
	if (words_have("pgm", dot + 1))
		return WIRE_GRAY;
	while (format < WIRE_PIXEL_FORMATS && !words_have(pixel_format_names[format], dot + 1))
		format++;
	return format;
}

/* Options that exclude each other. */
static enum safe_status check_conflicts(const struct options *options)
{
	const struct {
		bool conflict;
		const char *what;
	} conflicts[] = {
		{ options->output && options->output_dir, "--output and --output-dir exclude each other" },
		{ options->output && options->input_count > 1,
		  "--output takes one input; for several use --output-dir" },
		{ options->info && (options->output || options->output_dir), "--info writes to standard output only" },
		{ options->diagnose && (options->output || options->output_dir || options->info),
		  "--diagnose writes no output" },
		{ (options->scale & (options->scale - 1)) != 0, "--scale takes 1, 2, 4 or 8" },
		{ options->quiet && options->verbose, "--quiet and --verbose exclude each other" },
	};
	for (size_t i = 0; i < sizeof(conflicts) / sizeof(conflicts[0]); i++)
		if (conflicts[i].conflict)
			return complain(NULL, NULL, conflicts[i].what);
	return SAFE_OK;
}

static enum safe_status complete(struct parsed *parsed)
{
	struct options *options = &parsed->options;
	long processors = 1;

	/* Reads a file of the system: not for nothing. */
	if (options->output_dir && parsed->jobs == 0)
		processors = sysconf(_SC_NPROCESSORS_ONLN);

	options->jobs = parsed->jobs > 0 ? parsed->jobs : processors > 0 ? (size_t)processors : 1;
	if (options->jobs > INTERRUPT_CHILDREN)
		options->jobs = INTERRUPT_CHILDREN;
	options->sink = parsed->sink;
	if (!options->sink && options->output)
		options->sink = sink_format_by_file_name(options->output);
	if (!options->sink)
		options->sink = sink_format_by_name("raw");
	if (parsed->pixel_format == WIRE_PIXEL_FORMATS)
		parsed->pixel_format = pixels_by_file_name(options);
	enum safe_status status = check_conflicts(options);
	if (status == SAFE_OK)
		status = choose_pixels(parsed);
	return status == SAFE_OK ? choose_samples(parsed) : status;
}

enum safe_status options_parse(int argc, char **argv, struct options *options)
{
	static char standard_input[] = "-";
	static char *default_inputs[] = { standard_input, NULL };
	struct parsed parsed = { .options = { .limits = limits_resolve(NULL), .scale = 1 },
		                 .pixel_format = WIRE_PIXEL_FORMATS,
		                 .sample_format = WIRE_SAMPLE_FORMATS };
	enum safe_status status = parse_options(argc, argv, &parsed);

	if (status == SAFE_OK && parsed.options.action == OPTIONS_DECODE) {
		bool any = optind < argc;
		parsed.options.inputs = any ? argv + optind : default_inputs;
		parsed.options.input_count = any ? (size_t)(argc - optind) : 1;
		status = complete(&parsed);
	}
	*options = parsed.options;
	return status;
}

/* ---- help ---- */

void options_print_help(FILE *stream)
{
	fputs("usage: safe-decode [OPTION]... [INPUT]...\n"
	      "Decodes untrusted pictures, sound and compressed data in a process that can\n"
	      "do nothing else.\n"
	      "No INPUT or \"-\": standard input.  Default output: standard output.\n\n",
	      stream);
	for (int i = 0; i < ROWS; i++) {
		char name[40];
		(void)snprintf(name, sizeof(name), "--%s%s%s", rows[i].name, rows[i].argument ? " " : "",
		               rows[i].argument ? rows[i].argument : "");
		fprintf(stream, "  %c%c%c %-20s %s\n", rows[i].letter ? '-' : ' ',
		        rows[i].letter ? rows[i].letter : ' ', rows[i].letter ? ',' : ' ', name, rows[i].help);
	}
	fputs("\noutput formats:\n", stream);
	const struct sink_format *sink = NULL;
	for (size_t i = 0; (sink = sink_format_at(i)) != NULL; i++)
		fprintf(stream, "  %-8s %s\n", sink->name, sink->description);
	fputs("\npixel formats:\n ", stream);
	for (uint32_t format = 0; format < WIRE_PIXEL_FORMATS; format++)
		fprintf(stream, " %s", pixel_format_names[format]);
	fputs("\n\nexit codes:\n"
	      "  0  complete                     4  a limit was reached\n"
	      "  1  wrong command line           5  the decoder crashed, broke a rule, or lied\n"
	      "  2  input or output failed       6  no sandbox: nothing was decoded\n"
	      "  3  not valid, or ends early     7  no decoder for this format or variant\n\n"
	      "examples:\n"
	      "  safe-decode image.jpg > raw.bgra\n"
	      "  safe-decode -o picture.png image.jpg\n"
	      "  safe-decode --info *.png\n"
	      "  safe-decode --output-dir out -t ppm *.jpg\n",
	      stream);
}

void options_print_decoders(FILE *stream)
{
	const struct safe_format *format = NULL;

	for (size_t i = 0; (format = registry_at(i)) != NULL; i++)
		fprintf(stream, "%-10s %s\n", format->name, format->description);
}
