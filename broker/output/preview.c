/* SPDX-License-Identifier: MIT */
/*
 * The picture as text: two pixels a character cell, one above the other, in 24-bit colour on a terminal and as shades
 * of ASCII elsewhere.  Rows are averaged as they come, so that memory does not depend on the size of the picture.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "box.h"
#include "formats.h"

enum {
	DEFAULT_COLUMNS = 80,
	DEFAULT_LINES = 24,
	MAX_COLUMNS = 1000,
	CELL_TEXT = 48,     /* bytes that one coloured cell takes at most */
	STREAM_BYTES = 512, /* of a stream of bytes that are shown */
};

struct preview {
	uint32_t columns, rows; /* of the small picture, pixels; rows are half cells on a terminal, cells elsewhere */
	uint32_t next_row;      /* of the large picture */
	uint32_t next_small;    /* row of the small one */
	bool color;
	struct box box; /* owned */
	uint8_t *above; /* RGB of the small row above, while its lower half is being filled */
	char *line;
	struct waveform waveform; /* of audio */
};

static const char shades[] = " .:-=+*#%@";

/* Columns and lines that there are to draw on. */
static void get_terminal_size(int fd, uint32_t *columns, uint32_t *lines)
{
	struct winsize size;

	*columns = DEFAULT_COLUMNS;
	*lines = DEFAULT_LINES;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 1) {
		*columns = size.ws_col < MAX_COLUMNS ? size.ws_col : MAX_COLUMNS;
		*lines = size.ws_row - 1U; /* the prompt wants one */
	}
}

/* A cell is twice as high as wide. */
static void choose_size(struct preview *preview, const struct wire_image *image, uint32_t columns, uint32_t lines)
{
	box_fit(image->width, image->height, columns, 2 * lines, &preview->columns, &preview->rows);
	if (!preview->color)
		preview->rows = (preview->rows + 1) / 2;
}

static struct outcome begin(struct sink *sink)
{
	struct preview *preview = calloc(1, sizeof(*preview));
	uint32_t columns = 0, lines = 0;

	sink->state = preview;
	if (!preview)
		return outcome_of(SDEC_IO, "no memory for the preview");
	get_terminal_size(sink->fd, &columns, &lines);
	preview->color = isatty(sink->fd) != 0;
	preview->columns = columns;
	if (sink->is_audio)
		return outcome_ok();
	choose_size(preview, &sink->image, columns, lines);
	preview->above = calloc(preview->columns, BOX_CHANNELS);
	preview->line = calloc(preview->columns + 1, CELL_TEXT);
	if (!box_open(&preview->box, sink->image.width, sink->image.height, preview->columns, preview->rows) ||
	    !preview->above || !preview->line)
		return outcome_of(SDEC_IO, "no memory for the preview");
	return outcome_ok();
}

/* Transparent parts show two grays, as picture editors draw them. */
static unsigned background(uint32_t x, uint32_t y)
{
	return (x / 8 + y / 8) % 2 ? 0x66 : 0x99;
}

/* Puts a row of the picture on its background. */
static void blend_row(struct preview *preview, const uint8_t *row)
{
	uint8_t *rgb = preview->box.source;

	for (uint32_t x = 0; x < preview->box.source_width; x++, row += 4) {
		unsigned alpha = row[3];
		unsigned behind = (255 - alpha) * background(x, preview->next_row);
		for (int i = 0; i < BOX_CHANNELS; i++)
			*rgb++ = (uint8_t)((row[i] * alpha + behind + 127) / 255);
	}
	preview->next_row++;
}

static struct outcome write_shades(struct sink *sink)
{
	struct preview *preview = sink->state;
	const uint8_t *rgb = preview->box.row;

	for (uint32_t x = 0; x < preview->columns; x++, rgb += BOX_CHANNELS) {
		unsigned luma = (rgb[0] * 19595U + rgb[1] * 38470U + rgb[2] * 7471U + 0x8000U) >> 16;
		preview->line[x] = shades[luma * (sizeof(shades) - 1) / 256];
	}
	preview->line[preview->columns] = '\n';
	return sink_write(sink, preview->line, preview->columns + 1);
}

/* One line of cells: the row above, and the one that is complete now, if it is below. */
static struct outcome write_cells(struct sink *sink, bool below)
{
	struct preview *preview = sink->state;
	char *end = preview->line;

	for (uint32_t x = 0; x < preview->columns; x++) {
		const uint8_t *above = preview->above + (size_t)x * BOX_CHANNELS;
		const uint8_t *rgb = preview->box.row + (size_t)x * BOX_CHANNELS;
		end += sprintf(end, "\033[38;2;%u;%u;%u", above[0], above[1], above[2]);
		if (below)
			end += sprintf(end, ";48;2;%u;%u;%u", rgb[0], rgb[1], rgb[2]);
		end += sprintf(end, "m\xe2\x96\x80"); /* upper half block */
	}
	end += sprintf(end, "\033[0m\n");
	return sink_write(sink, preview->line, (size_t)(end - preview->line));
}

static struct outcome take_row(struct sink *sink, const uint8_t *row)
{
	struct preview *preview = sink->state;

	blend_row(preview, row);
	if (!box_add_row(&preview->box))
		return outcome_ok();
	uint32_t small = preview->next_small++;
	if (!preview->color)
		return write_shades(sink);
	if (small % 2 == 1)
		return write_cells(sink, true);
	memcpy(preview->above, preview->box.row, (size_t)preview->columns * BOX_CHANNELS);
	return small + 1 == preview->rows ? write_cells(sink, false) : outcome_ok();
}

/* The start of a stream, with everything that is not plain text as a dot. */
static struct outcome take_bytes(struct sink *sink, const uint8_t *data, size_t size)
{
	char text[STREAM_BYTES];
	uint64_t before = sink->written - size;

	if (before >= STREAM_BYTES)
		return outcome_ok();
	if (size > STREAM_BYTES - before)
		size = (size_t)(STREAM_BYTES - before);
	for (size_t i = 0; i < size; i++) {
		bool plain = (data[i] >= 0x20 && data[i] < 0x7f) || data[i] == '\n';
		text[i] = (char)(plain ? data[i] : '.'); /* ASCII either way */
	}
	return sink_write(sink, text, size);
}

static struct outcome take_samples(struct sink *sink, uint8_t *data, size_t size)
{
	struct preview *preview = sink->state;

	waveform_add(&preview->waveform, data, size / 2);
	return outcome_ok();
}

static struct outcome end(struct sink *sink)
{
	const struct preview *preview = sink->state;
	char text[WAVEFORM_TEXT];

	if (sink->is_image)
		return outcome_ok();
	if (sink->is_audio)
		return sink_write(sink, text,
		                  waveform_draw(&preview->waveform, preview->columns, preview->color, text));
	return sink_write(sink, "\n", sink->written > STREAM_BYTES ? 1 : 0);
}

static void release(struct sink *sink)
{
	struct preview *preview = sink->state;

	if (!preview)
		return;
	box_release(&preview->box);
	free(preview->above);
	free(preview->line);
	free(preview);
}

const struct sink_format sink_preview = {
	.name = "preview",
	.extensions = "",
	.description = "the picture or sound, drawn as text",
	.accepted = WIRE_FORMAT_BIT(WIRE_RGBA),
	.preferred = WIRE_FORMAT_BIT(WIRE_RGBA),
	.samples = WIRE_FORMAT_BIT(WIRE_S16),
	.takes_bytes = true,
	.writer.begin = begin,
	.writer.row = take_row,
	.writer.samples = take_samples,
	.writer.bytes = take_bytes,
	.writer.end = end,
	.writer.release = release,
};
