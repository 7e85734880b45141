/* SPDX-License-Identifier: MIT */
#include "frame_index.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "escape.h"

enum { BUFFER_SIZE = 16 << 10 };

/* Nothing is left to be allocated or asked for later, when the process is confined. */
static int open_stream(struct frame_index *index)
{
	int fd = fcntl(index->output.fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	index->buffer = malloc(BUFFER_SIZE);
	index->stream = fd >= 0 && index->buffer ? fdopen(fd, "w") : NULL;
	if (index->stream)
		return setvbuf(index->stream, index->buffer, _IOFBF, BUFFER_SIZE);
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

struct outcome frame_index_open(struct frame_index *index, const char *path)
{
	*index = FRAME_INDEX_NONE;
	struct outcome outcome = output_prepare(&index->output, path);

	if (outcome.status == SDEC_OK && open_stream(index) != 0)
		outcome = outcome_of_output("cannot open the index", errno);
	return outcome;
}

struct outcome frame_index_add(struct frame_index *index, const struct frame_place *place)
{
	FILE *stream = index->stream;

	if (!stream)
		return outcome_ok();
	errno = 0;
	fprintf(stream,
	        "{\"frame\": %" PRIu64 ", \"width\": %" PRIu32 ", \"height\": %" PRIu32 ", \"delay\": %" PRIu32
	        ", \"offset\": %" PRIu64 ", \"size\": %" PRIu64 ", \"file\": ",
	        place->number, place->width, place->height, place->delay, place->offset, place->size);
	if (place->file)
		escape_json(stream, place->file);
	else
		fputs("null", stream);
	fputs("}\n", stream);
	return ferror(stream) ? outcome_of_output("cannot write the index", errno) : outcome_ok();
}

struct outcome frame_index_finish(struct frame_index *index)
{
	bool failed = index->stream && fflush(index->stream) != 0;

	return failed ? outcome_of_output("cannot write the index", errno) : outcome_ok();
}

struct outcome frame_index_commit(struct frame_index *index)
{
	struct outcome outcome = index->stream ? output_commit(&index->output) : outcome_ok();

	frame_index_abort(index);
	return outcome;
}

void frame_index_abort(struct frame_index *index)
{
	/* What is in its buffer goes to a file that nobody will see. */
	if (index->stream)
		(void)fclose(index->stream);
	free(index->buffer);
	output_abort(&index->output);
	*index = FRAME_INDEX_NONE;
}
