/* SPDX-License-Identifier: MIT */
#include "frame_index.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/fds.h"
#include "escape.h"

enum { BUFFER_SIZE = 16 << 10 };

struct outcome frame_index_open(struct frame_index *index, const char *path)
{
	*index = FRAME_INDEX_NONE;
	struct outcome outcome = output_prepare(&index->output, path);

	index->buffer = malloc(BUFFER_SIZE);
	if (outcome.status == SDEC_OK && !index->buffer)
		outcome = outcome_of_output("no memory for the index", ENOMEM);
	index->is_open = outcome.status == SDEC_OK;
	return outcome;
}

/* Writes all that was kept back. */
static struct outcome flush(struct frame_index *index)
{
	if (fds_write_all(index->output.fd, index->buffer, index->filled) != 0)
		return outcome_of_output("cannot write the index", errno);
	index->filled = 0;
	return outcome_ok();
}

static struct outcome put_text(struct frame_index *index, const char *text, size_t size)
{
	struct outcome outcome = outcome_ok();

	while (size > 0 && outcome.status == SDEC_OK) {
		size_t part = BUFFER_SIZE - index->filled < size ? BUFFER_SIZE - index->filled : size;
		memcpy(index->buffer + index->filled, text, part);
		index->filled += part;
		text += part;
		size -= part;
		if (index->filled == BUFFER_SIZE)
			outcome = flush(index);
	}
	return outcome;
}

static void print_line(FILE *stream, const struct frame_place *place)
{
	fprintf(stream,
	        "{\"frame\": %" PRIu64 ", \"width\": %" PRIu32 ", \"height\": %" PRIu32 ", \"pixels\": \"%s\""
	        ", \"delay\": %" PRIu32 ", \"offset\": %" PRIu64 ", \"size\": %" PRIu64 ", \"file\": ",
	        place->number, place->width, place->height, place->pixels, place->delay, place->offset, place->size);
	if (place->file)
		escape_json(stream, place->file);
	else
		fputs("null", stream);
	fputs("}\n", stream);
}

struct outcome frame_index_add(struct frame_index *index, const struct frame_place *place)
{
	char *line = NULL;
	size_t size = 0;

	if (!index->is_open)
		return outcome_ok();
	FILE *stream = open_memstream(&line, &size);
	if (stream)
		print_line(stream, place);
	bool failed = !stream || ferror(stream);
	failed = (stream && fclose(stream) != 0) || failed;
	struct outcome outcome =
	        failed ? outcome_of_output("no memory for the index", ENOMEM) : put_text(index, line, size);
	free(line);
	return outcome;
}

struct outcome frame_index_finish(struct frame_index *index)
{
	return index->is_open ? flush(index) : outcome_ok();
}

struct outcome frame_index_commit(struct frame_index *index)
{
	struct outcome outcome = index->is_open ? output_commit(&index->output) : outcome_ok();

	frame_index_abort(index);
	return outcome;
}

void frame_index_abort(struct frame_index *index)
{
	free(index->buffer);
	output_abort(&index->output);
	*index = FRAME_INDEX_NONE;
}
