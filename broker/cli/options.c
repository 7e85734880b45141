/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "broker/wire/wire.h"
#include "escape.h"
#include "options_table.h"
#include "options_view.h"

static const char *const pixel_format_names[WIRE_PIXEL_FORMATS] = {
	[WIRE_BGRA] = "bgra",
	[WIRE_RGBA] = "rgba",
	[WIRE_BGRA_PREMULTIPLIED] = "bgra-premultiplied",
	[WIRE_RGBA_PREMULTIPLIED] = "rgba-premultiplied",
	[WIRE_RGB] = "rgb",
	[WIRE_BGR] = "bgr",
	[WIRE_GRAY] = "gray",
	[WIRE_RGBA16] = "rgba16",
	[WIRE_GRAY_ALPHA] = "gray-alpha",
	[WIRE_GRAY16] = "gray16",
	[WIRE_GRAY_ALPHA16] = "gray-alpha16",
	[WIRE_RGB16] = "rgb16",
	[WIRE_RGBA_F16] = "rgbaf16",
	[WIRE_RGBA_F32] = "rgbaf32",
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

static const char *const blob_names[WIRE_BLOBS] = {
	[WIRE_BLOB_ICC] = "icc",
	[WIRE_BLOB_EXIF] = "exif",
	[WIRE_BLOB_XMP] = "xmp",
};

const char *options_blob_name(uint32_t kind)
{
	return blob_names[kind];
}

/* ---- complaints: one line ---- */

enum sdec_status options_complain(const char *option, const char *value, const char *what)
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
	return SDEC_USAGE;
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
	const struct format *format = registry_at(index);

	return format ? format->name : NULL;
}

static const char *pixel_name_at(size_t index)
{
	if (index == OPTIONS_PIXELS_NATIVE)
		return "native";
	return index < WIRE_PIXEL_FORMATS ? pixel_format_names[index] : NULL;
}

static const char *sample_name_at(size_t index)
{
	return index < WIRE_SAMPLE_FORMATS ? sample_format_names[index] : NULL;
}

static const char *turn_name_at(size_t index)
{
	static const char *const names[] = { "keep", "apply" };

	return index < sizeof(names) / sizeof(names[0]) ? names[index] : NULL;
}

static const char *blob_name_at(size_t index)
{
	return index < WIRE_BLOBS ? blob_names[index] : NULL;
}

static enum sdec_status complain_unknown(const char *option, const char *value, name_at *names)
{
	char known[512] = "is not known; choose one of";
	const char *name = NULL;

	for (size_t i = 0; (name = names(i)) != NULL; i++) {
		size_t used = strlen(known);
		(void)snprintf(known + used, sizeof(known) - used, "%s %s", i > 0 ? "," : "", name);
	}
	return options_complain(option, value, known);
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

static enum sdec_status set_number(const struct option_row *row, const char *text, void *field)
{
	char expected[96];
	uint64_t number = 0;

	if (!parse_number(text, row->kind == OPTION_SIZE, row->least, row->most, &number)) {
		(void)snprintf(expected, sizeof(expected), "is not a number from %llu to %llu%s",
		               (unsigned long long)row->least, (unsigned long long)row->most,
		               row->kind == OPTION_SIZE ? ", perhaps with K, M or G" : "");
		return options_complain(row->name, text, expected);
	}
	if (row->kind == OPTION_COUNT32)
		*(uint32_t *)field = (uint32_t)number;
	else
		*(uint64_t *)field = number;
	return SDEC_OK;
}

/* ---- rows ---- */

/* Looks a name up and stores its place among the names. */
static enum sdec_status set_place(const struct option_row *row, const char *name, name_at *names, uint32_t *place)
{
	const char *known = NULL;

	for (uint32_t i = 0; (known = names(i)) != NULL; i++) {
		if (strcmp(name, known) == 0) {
			*place = i;
			return SDEC_OK;
		}
	}
	return complain_unknown(row->name, name, names);
}

static enum sdec_status set_formats(const struct option_row *row, const char *names, uint64_t *set)
{
	const char *unknown = registry_set(names, set);
	char name[64];

	if (!unknown)
		return SDEC_OK;
	(void)snprintf(name, sizeof(name), "%s", unknown);
	name[strcspn(name, ",")] = '\0';
	return complain_unknown(row->name, name, decoder_name_at);
}

static enum sdec_status set_view(const struct option_row *row, const char *text, struct options *options)
{
	if (row->kind == OPTION_CROP)
		return options_parse_crop(text, &options->view)
		               ? SDEC_OK
		               : options_complain(row->name, text, "is not X,Y,WIDTH,HEIGHT in pixels");
	if (row->kind == OPTION_FIT)
		return options_parse_fit(text, &options->view)
		               ? SDEC_OK
		               : options_complain(row->name, text,
		                                  "is not WIDTHxHEIGHT in pixels, perhaps with ! or ^, or one of them");
	options->flatten = true;
	return options_parse_color(text, &options->view.background)
	               ? SDEC_OK
	               : options_complain(row->name, text,
	                                  "is not a color: use #RRGGBB, or black, white, gray, red, green, blue");
}

_Static_assert(SDEC_ORIENTATION_KEEP == 1 && SDEC_ORIENTATION_APPLY == 2, "as turn_name_at() has them");

static enum sdec_status set_orientation(const struct option_row *row, const char *name, struct options *options)
{
	uint32_t place = 0;
	enum sdec_status status = set_place(row, name, turn_name_at, &place);

	options->orientation = SDEC_ORIENTATION_KEEP + place;
	return status;
}

static enum sdec_status set_device(const struct option_row *row, const char *name, struct options_parsed *parsed)
{
	struct options *options = &parsed->options;

	if (options->device != DEVICE_NONE && options->device != row->least)
		return options_complain(row->name, NULL, "use only one of --play, --framebuffer and --display");
	if (name && !*name)
		return options_complain(row->name, name, "is not a name");
	options->device = (enum device_kind)row->least;
	options->device_name = name ? name : device_usual_name(options->device);
	return SDEC_OK;
}

static enum sdec_status apply(const struct option_row *row, const char *argument, struct options_parsed *parsed)
{
	void *field = (char *)parsed + row->offset;

	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return SDEC_OK;
	case OPTION_TEXT:
		*(const char **)field = argument;
		return *argument ? SDEC_OK : options_complain(row->name, argument, "is not a name");
	case OPTION_ACTION:
		parsed->options.action = (enum options_action)row->least;
		return SDEC_OK;
	case OPTION_PIXELS:
		return set_place(row, argument, pixel_name_at, &parsed->pixel_format);
	case OPTION_SAMPLES:
		return set_place(row, argument, sample_name_at, &parsed->sample_format);
	case OPTION_BLOB:
		return set_place(row, argument, blob_name_at, &parsed->options.extract);
	case OPTION_SINK:
		parsed->sink = sink_format_by_name(argument);
		return parsed->sink ? SDEC_OK : complain_unknown(row->name, argument, sink_name_at);
	case OPTION_DECODER:
		parsed->options.decoder = registry_by_name(argument);
		return parsed->options.decoder ? SDEC_OK : complain_unknown(row->name, argument, decoder_name_at);
	case OPTION_FORMATS:
		return set_formats(row, argument, &parsed->options.allowed);
	case OPTION_CROP:
	case OPTION_FIT:
	case OPTION_COLOR:
		return set_view(row, argument, &parsed->options);
	case OPTION_TURN:
		return set_orientation(row, argument, &parsed->options);
	case OPTION_DEVICE:
		return set_device(row, argument, parsed);
	default:
		return set_number(row, argument, field);
	}
}

/* ---- getopt ---- */

enum { LONG_BASE = 256 }; /* values that getopt_long() returns for rows: above all letters */

static void fill_getopt(struct option long_options[OPTION_ROWS + 1], char letters[2 * OPTION_ROWS + 2])
{
	*letters++ = ':'; /* tells a missing argument from an unknown option */
	for (int i = 0; i < OPTION_ROWS; i++) {
		int has_argument = options_rows[i].kind == OPTION_DEVICE ? optional_argument
		                   : options_rows[i].argument            ? required_argument
		                                                         : no_argument;
		long_options[i] = (struct option){ options_rows[i].name, has_argument, NULL, LONG_BASE + i };
		if (!options_rows[i].letter)
			continue;
		*letters++ = options_rows[i].letter;
		if (options_rows[i].argument)
			*letters++ = ':';
	}
	*letters = '\0';
	long_options[OPTION_ROWS] = (struct option){ NULL, 0, NULL, 0 };
}

static const struct option_row *find_row(int value)
{
	if (value >= LONG_BASE)
		return &options_rows[value - LONG_BASE];
	for (int i = 0; i < OPTION_ROWS; i++)
		if (options_rows[i].letter == value)
			return &options_rows[i];
	return NULL;
}

static enum sdec_status complain_option(int value, char **argv)
{
	/* A long option is the last element that was looked at; of letters, getopt says which. */
	char letter[] = { '-', (char)optopt, '\0' };
	const struct option_row *row = find_row(optopt);
	bool is_letter = optopt > 0 && optopt < LONG_BASE;
	const char *shown = is_letter ? letter : argv[optind - 1];

	if (value == ':')
		return options_complain(NULL, shown, "needs an argument; see --help");
	return options_complain(
	        NULL, shown, row && !row->argument ? "takes no argument; see --help" : "is not an option; see --help");
}

static enum sdec_status parse_options(int argc, char **argv, struct options_parsed *parsed)
{
	struct option long_options[OPTION_ROWS + 1];
	char letters[2 * OPTION_ROWS + 2];
	int value = 0;

	fill_getopt(long_options, letters);
	opterr = 0;
	optind = 0; /* glibc: start over, for tests that parse more than once */
	while ((value = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
		const struct option_row *row = value == '?' || value == ':' ? NULL : find_row(value);
		enum sdec_status status = row ? apply(row, optarg, parsed) : complain_option(value, argv);
		if (status != SDEC_OK)
			return status;
		if (parsed->options.action != OPTIONS_DECODE)
			break;
	}
	return SDEC_OK;
}

enum sdec_status options_parse(int argc, char **argv, struct options *options)
{
	static char standard_input[] = "-";
	static char *default_inputs[] = { standard_input, NULL };
	struct options_parsed parsed = { .options = { .limits = limits_resolve(NULL),
		                                      .scale = 1,
		                                      .extract = WIRE_BLOBS,
		                                      .show = DEVICE_SHOW_DEFAULT,
		                                      .max_frames = 10000,
		                                      .sound = SOUND_LIMITS_DEFAULT },
		                         .frame = UINT32_MAX,
		                         .page = UINT32_MAX,
		                         .pixel_format = OPTIONS_PIXELS_UNSAID,
		                         .sample_format = WIRE_SAMPLE_FORMATS };
	enum sdec_status status = parse_options(argc, argv, &parsed);

	if (status == SDEC_OK && parsed.options.action == OPTIONS_DECODE) {
		bool any = optind < argc;
		parsed.options.inputs = any ? argv + optind : default_inputs;
		parsed.options.input_count = any ? (size_t)(argc - optind) : 1;
		status = options_complete(&parsed);
	}
	*options = parsed.options;
	return status;
}
