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

#include "formats.h"

enum {
	DEFAULT_COLUMNS = 80,
	DEFAULT_LINES = 24,
	MAX_COLUMNS = 1000,
	CELL_TEXT = 48,     /* bytes that one coloured cell takes at most */
	STREAM_BYTES = 512, /* of a stream of bytes that are shown */
};

struct sums {
	uint64_t red, green, blue, count;
};

struct preview {
	uint32_t columns, rows; /* of the small picture, pixels; rows are half cells on a terminal, cells elsewhere */
	uint32_t next_row;      /* of the large picture */
	bool color;
	struct sums *sums; /* `columns` of them, for the row of the small picture that is being filled */
	uint8_t *above;    /* RGB of the small row above, while its lower half is being filled */
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

/* The largest size that keeps the picture's shape, fits, and does not enlarge it.  A cell is twice as high as wide. */
static void choose_size(struct preview *preview, const struct wire_image *image, uint32_t columns, uint32_t lines)
{
	uint64_t width = image->width < columns ? image->width : columns;
	uint64_t height = (width * image->height + image->width / 2) / image->width;

	if (height > 2 * (uint64_t)lines) {
		height = 2 * (uint64_t)lines;
		width = (height * image->width + image->height / 2) / image->height;
	}
	if (!preview->color)
		height = (height + 1) / 2;
	preview->columns = width > 0 ? (uint32_t)width : 1;
	preview->rows = height > 0 ? (uint32_t)height : 1;
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
	preview->sums = calloc(preview->columns, sizeof(*preview->sums));
	preview->above = calloc(preview->columns, 3);
	preview->line = calloc(preview->columns + 1, CELL_TEXT);
	if (!preview->sums || !preview->above || !preview->line)
		return outcome_of(SDEC_IO, "no memory for the preview");
	return outcome_ok();
}

/* Transparent parts show two grays, as picture editors draw them. */
static unsigned background(uint32_t x, uint32_t y)
{
	return (x / 8 + y / 8) % 2 ? 0x66 : 0x99;
}

static void add_row(struct preview *preview, const uint8_t *row, uint32_t width)
{
	for (uint32_t x = 0; x < width; x++, row += 4) {
		/* Column of the small picture; a narrow picture has one for each pixel. */
		struct sums *sums = &preview->sums[(uint64_t)x * preview->columns / width];
		unsigned alpha = row[3];
		unsigned behind = (255 - alpha) * background(x, preview->next_row);
		sums->red += (row[0] * alpha + behind) / 255;
		sums->green += (row[1] * alpha + behind) / 255;
		sums->blue += (row[2] * alpha + behind) / 255;
		sums->count++;
	}
}

static void average(struct sums *sums, uint8_t rgb[3])
{
	uint64_t count = sums->count > 0 ? sums->count : 1;

	rgb[0] = (uint8_t)(sums->red / count);
	rgb[1] = (uint8_t)(sums->green / count);
	rgb[2] = (uint8_t)(sums->blue / count);
	memset(sums, 0, sizeof(*sums));
}

static struct outcome write_shades(struct sink *sink)
{
	struct preview *preview = sink->state;

	for (uint32_t x = 0; x < preview->columns; x++) {
		uint8_t rgb[3];
		average(&preview->sums[x], rgb);
		unsigned luma = (rgb[0] * 19595U + rgb[1] * 38470U + rgb[2] * 7471U + 0x8000U) >> 16;
		preview->line[x] = shades[luma * (sizeof(shades) - 1) / 256];
	}
	preview->line[preview->columns] = '\n';
	return sink_write(sink, preview->line, preview->columns + 1);
}

/* One line of cells: the row above, and what is in the sums below, if anything. */
static struct outcome write_cells(struct sink *sink, bool below)
{
	struct preview *preview = sink->state;
	char *end = preview->line;

	for (uint32_t x = 0; x < preview->columns; x++) {
		const uint8_t *above = &preview->above[(size_t)x * 3];
		uint8_t rgb[3];
		end += sprintf(end, "\033[38;2;%u;%u;%u", above[0], above[1], above[2]);
		if (below) {
			average(&preview->sums[x], rgb);
			end += sprintf(end, ";48;2;%u;%u;%u", rgb[0], rgb[1], rgb[2]);
		}
		end += sprintf(end, "m\xe2\x96\x80"); /* upper half block */
	}
	end += sprintf(end, "\033[0m\n");
	return sink_write(sink, preview->line, (size_t)(end - preview->line));
}

/* Row `small` of the small picture is complete. */
static struct outcome finish_row(struct sink *sink, uint32_t small)
{
	struct preview *preview = sink->state;

	if (!preview->color)
		return write_shades(sink);
	if (small % 2 == 1)
		return write_cells(sink, true);
	for (uint32_t x = 0; x < preview->columns; x++)
		average(&preview->sums[x], &preview->above[(size_t)x * 3]);
	return small + 1 == preview->rows ? write_cells(sink, false) : outcome_ok();
}

static struct outcome take_row(struct sink *sink, const uint8_t *row)
{
	struct preview *preview = sink->state;
	uint32_t height = sink->image.height;
	uint32_t small = (uint32_t)((uint64_t)preview->next_row * preview->rows / height);

	add_row(preview, row, sink->image.width);
	preview->next_row++;
	/* The next row, or the end, belongs to another row of the small picture. */
	bool complete = preview->next_row == height || (uint64_t)preview->next_row * preview->rows / height != small;
	return complete ? finish_row(sink, small) : outcome_ok();
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
	free(preview->sums);
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
