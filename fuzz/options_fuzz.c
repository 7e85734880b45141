/* SPDX-License-Identifier: MIT */
/* The command line's parser, over arguments that are separated by line feeds. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/cli/interrupt.h"
#include "broker/cli/options.h"

#define REQUIRE(condition)                                                                                             \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

enum { TEXT_MAX = 1024, ARGUMENTS_MAX = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct options *options, char *const *arguments, int count)
{
	const struct sdec_limits *limits = &options->limits;

	if (options->action != OPTIONS_DECODE)
		return;
	REQUIRE(options->input_count >= 1 && options->inputs && options->sink);
	REQUIRE(options->jobs >= 1 && options->jobs <= INTERRUPT_CHILDREN);
	REQUIRE(options->pixel_formats != 0 && options->sample_formats != 0);
	REQUIRE(options->scale == 1 || options->scale == 2 || options->scale == 4 || options->scale == 8);
	const struct wire_view *view = &options->view;
	REQUIRE(view->fit_width <= WIRE_SIDE_MAX && view->fit_height <= WIRE_SIDE_MAX && view->fit < WIRE_FITS);
	REQUIRE((view->crop_width == 0) == (view->crop_height == 0) && view->background <= 0xffffff);
	REQUIRE(options->scale == 1 || (view->fit_width == 0 && view->fit_height == 0));
	REQUIRE(!(options->output && options->output_dir) && !(options->quiet && options->verbose));
	REQUIRE(limits->max_side >= 1 && limits->max_side <= WIRE_SIDE_MAX && limits->memory >= 1 << 20);
	REQUIRE(limits->max_pixels >= 1 && limits->max_output >= 1 && limits->max_input >= 1);
	REQUIRE(limits->cpu_seconds >= 1 && limits->stall_seconds >= 1 && limits->stall_seconds <= 86400);
	/* Each input is an argument, whatever the order that they are in now. */
	for (size_t i = 0;
	     i < options->input_count && options->inputs >= arguments && options->inputs < arguments + count; i++)
		REQUIRE(options->inputs[i] != NULL);
}

/* One line that can be shown. */
static void check_complaint(const char *text, size_t size)
{
	REQUIRE(size > 1 && text[size - 1] == '\n');
	for (size_t i = 0; i < size - 1; i++)
		REQUIRE(text[i] >= 0x20 && text[i] < 0x7f);
}

/* What standard error is for the time of a call. */
static char said[16 * TEXT_MAX];

static FILE *said_stream(void)
{
	static FILE *stream;

	if (!stream)
		stream = fmemopen(said, sizeof(said), "w");
	REQUIRE(stream);
	rewind(stream);
	return stream;
}

static void parse(int count, char **arguments)
{
	FILE *kept = stderr;
	struct options options;

	stderr = said_stream();
	optind = 0; /* as if getopt had never run */
	enum sdec_status status = options_parse(count, arguments, &options);
	long size = ftell(stderr);
	REQUIRE(fflush(stderr) == 0);
	stderr = kept;
	REQUIRE(status == SDEC_OK || status == SDEC_USAGE);
	if (status == SDEC_OK)
		check(&options, arguments, count);
	else
		check_complaint(said, (size_t)size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX + 1];
	char program[] = "safe-decode";
	char *arguments[ARGUMENTS_MAX + 2] = { program };
	int count = 1;

	if (size > TEXT_MAX)
		size = TEXT_MAX;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	for (char *next = text; next && count <= ARGUMENTS_MAX; count++) {
		arguments[count] = next;
		next = strchr(next, '\n');
		if (next)
			*next++ = '\0';
	}
	parse(count, arguments);
	return 0;
}
