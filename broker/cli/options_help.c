/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "options_table.h"

void options_print_help(FILE *stream)
{
	fputs("usage: safe-decode [OPTION]... [INPUT]...\n"
	      "Decodes untrusted pictures, sound and compressed data in a process that can do\n"
	      "nothing else.  Without INPUT, or if INPUT is \"-\", standard input is decoded.\n"
	      "Output goes to standard output by default.\n\n",
	      stream);
	for (int i = 0; i < OPTION_ROWS; i++) {
		const struct option_row *row = &options_rows[i];
		char name[40];
		const char *blank = row->argument && row->kind != OPTION_DEVICE ? " " : "";
		(void)snprintf(name, sizeof(name), "--%s%s%s", row->name, blank, row->argument ? row->argument : "");
		fprintf(stream, "  %c%c%c %-20s %s\n", row->letter ? '-' : ' ', row->letter ? row->letter : ' ',
		        row->letter ? ',' : ' ', name, row->help);
	}
	fputs("\noutput formats:\n", stream);
	const struct sink_format *sink = NULL;
	for (size_t i = 0; (sink = sink_format_at(i)) != NULL; i++)
		fprintf(stream, "  %-8s %s\n", sink->name, sink->description);
	fputs("\npixel formats:\n ", stream);
	for (uint32_t format = 0; format < WIRE_PIXEL_FORMATS; format++)
		fprintf(stream, "%s %s", format == WIRE_RGBA16 ? "\n " : "", options_pixel_format_name(format));
	fputs(" native\n\nexit codes:\n"
	      "  0  complete                     4  a limit was reached\n"
	      "  1  wrong command line           5  the decoder crashed, broke a rule, or lied\n"
	      "  2  reading or writing failed    6  no sandbox: nothing was decoded\n"
	      "  3  invalid or truncated input   7  no decoder for this format or variant\n\n"
	      "examples:\n"
	      "  safe-decode image.jpg > raw.bgra\n"
	      "  safe-decode -o picture.png image.jpg\n"
	      "  safe-decode --info *.png\n"
	      "  safe-decode --output-dir out -t ppm *.jpg\n"
	      "  safe-decode --play song.flac\n",
	      stream);
}
