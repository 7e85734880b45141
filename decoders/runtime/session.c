/* SPDX-License-Identifier: MIT */
/* One decode, seen from inside: the request and the input come in, messages go out. */
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	INPUT_SIZE = 64 << 10,
	OUTPUT_SIZE = 256 << 10, /* pixels and data leave in pieces of about this size */
	SMALL_MESSAGE = 64,      /* more than any message but the bulk ones takes, header included */
	/* What the module has allocated as it was loaded, and small things of codecs. */
	MEMORY_BESIDES = 128 << 10,
};

/* ---- input ---- */

/* Reads once, through EINTR.  Returns 0 at the end and on error: there is nobody to tell. */
static size_t read_some(struct session *session, void *data, size_t size)
{
	ssize_t got = 0;

	do
		got = session->io->read(session->io->context, data, size);
	while (got < 0 && errno == EINTR);
	return got > 0 ? (size_t)got : 0;
}

static bool view_is_sane(const struct wire_request *request)
{
	const struct wire_view *view = &request->view;
	uint32_t scale = request->scale;
	bool fits = view->fit_width != 0 || view->fit_height != 0;

	return (scale == 1 || (!fits && (scale == 2 || scale == 4 || scale == 8))) && view->fit < WIRE_FITS &&
	       view->fit_width <= WIRE_SIDE_MAX && view->fit_height <= WIRE_SIDE_MAX &&
	       (view->crop_width == 0) == (view->crop_height == 0);
}

/* Returns how much there was: less than `size` only at the end. */
static size_t read_all(struct session *session, void *data, size_t size)
{
	size_t filled = 0, got = 1;

	while (filled < size && got > 0) {
		got = read_some(session, (uint8_t *)data + filled, size - filled);
		filled += got;
	}
	return filled;
}

static bool read_request(struct session *session)
{
	if (read_all(session, &session->request, sizeof(session->request)) < sizeof(session->request))
		return false;
	session->metadata_left = session->request.max_metadata;
	return session->request.version == WIRE_VERSION && session->request.operation >= WIRE_DECODE &&
	       session->request.operation <= WIRE_COVER && (session->request.flags & ~WIRE_FLAGS) == 0 &&
	       session->request.pixel_formats != 0 &&
	       session->request.pixel_formats < WIRE_FORMAT_BIT(WIRE_PIXEL_FORMATS) &&
	       session->request.sample_formats < WIRE_FORMAT_BIT(WIRE_SAMPLE_FORMATS) &&
	       session->request.max_frames > 0 && session->request.max_side <= WIRE_SIDE_MAX &&
	       view_is_sane(&session->request);
}

static session_result flush(struct session *session);

bool session_is_random(const struct session *session)
{
	return (session->request.flags & WIRE_RANDOM) != 0;
}

/* Asks for a part of the input and waits for it.  Returns how much of it there is; after DAMAGE, none. */
static size_t read_part(struct session *session, uint64_t offset, void *to, size_t size)
{
	struct wire_read read = { .offset = offset, .length = (uint32_t)size };
	struct wire_part part = { .length = 0 };

	if (session->damaged || session_put(session, WIRE_READ, &read, sizeof(read)) != WIRE_OK ||
	    flush(session) != WIRE_OK || read_all(session, &part, sizeof(part)) < sizeof(part) || part.length > size)
		return 0;
	return read_all(session, to, part.length);
}

size_t session_read_at(struct session *session, uint64_t offset, void *to, size_t size)
{
	uint64_t total = session->request.input_total;
	size_t done = 0, got = 0, wanted = 0;

	if (offset >= total)
		return 0;
	if (size > total - offset)
		size = (size_t)(total - offset);
	do {
		wanted = size - done < WIRE_READ_MAX ? size - done : WIRE_READ_MAX;
		got = wanted > 0 ? read_part(session, offset + done, (uint8_t *)to + done, wanted) : 0;
		done += got;
	} while (got == wanted && done < size);
	return done;
}

/* Fills the input buffer if all of it was given away. */
static void refill(struct session *session)
{
	if (session->input_given < session->input_size || session->input_ended)
		return;
	/* Sound that comes slowly must not wait for the buffer to fill: somebody listens. */
	if (session->sample_frame > 0)
		(void)flush(session);
	session->input_given = 0;
	session->input_size = 0;
	if (session_is_random(session))
		session->input_size = session_read_at(session, session->input_read, session->input, INPUT_SIZE);
	/* Whoever waits for the end of the pipe waits for the caller, who may be waiting for the last rows. */
	else if (session->request.input_total == 0 || session->input_read < session->request.input_total)
		session->input_size = read_some(session, session->input, INPUT_SIZE);
	session->input_read += session->input_size;
	session->input_ended = session->input_size == 0;
}

size_t session_read(struct session *session, const uint8_t **data)
{
	refill(session);
	size_t size = session->input_size - session->input_given;
	*data = session->input + session->input_given;
	session->input_given = session->input_size;
	session->consumed += size;
	return size;
}

uint64_t session_consumed(const struct session *session)
{
	return session->consumed;
}

bool session_has_more(struct session *session)
{
	refill(session);
	return session->input_given < session->input_size;
}

/* ---- output ---- */

static session_result flush(struct session *session)
{
	size_t sent = 0;

	session->bulk = session->loss = NO_BULK;
	while (sent < session->output_filled && !session->lost) {
		ssize_t put =
		        session->io->write(session->io->context, session->output + sent, session->output_filled - sent);
		if (put > 0)
			sent += (size_t)put;
		else if (put == 0 || errno != EINTR)
			session->lost = true;
	}
	session->output_filled = 0;
	return session->lost ? SESSION_STOP : WIRE_OK;
}

session_result session_put(struct session *session, enum wire_kind kind, const void *payload, size_t size)
{
	struct wire_header header = { .kind = kind, .length = (uint32_t)size };
	session_result result = WIRE_OK;

	if (session->output_size - session->output_filled < sizeof(header) + size)
		result = flush(session);
	session->bulk = NO_BULK;
	memcpy(session->output + session->output_filled, &header, sizeof(header));
	session->output_filled += sizeof(header);
	if (size > 0)
		memcpy(session->output + session->output_filled, payload, size);
	session->output_filled += size;
	return result;
}

session_result session_bulk_room(struct session *session, size_t least, uint8_t **room, size_t *size)
{
	size_t header = session->bulk == NO_BULK ? sizeof(struct wire_header) : 0;

	if (session->output_size - session->output_filled < header + least) {
		session_result result = flush(session);
		if (result != WIRE_OK)
			return result;
		header = sizeof(struct wire_header);
	}
	*room = session->output + session->output_filled + header;
	*size = session->output_size - session->output_filled - header;
	return WIRE_OK;
}

void session_bulk_commit(struct session *session, enum wire_kind kind, size_t size)
{
	struct wire_header header = { .kind = kind, .length = 0 };

	if (session->bulk == NO_BULK) {
		session->bulk = session->output_filled;
		session->output_filled += sizeof(header);
	} else {
		memcpy(&header, session->output + session->bulk, sizeof(header));
	}
	header.length += (uint32_t)size;
	memcpy(session->output + session->bulk, &header, sizeof(header));
	session->output_filled += size;
}

session_result session_grow_output(struct session *session, size_t least)
{
	size_t size = least + SMALL_MESSAGE;

	if (size < OUTPUT_SIZE)
		size = OUTPUT_SIZE;
	if (size <= session->output_size)
		return WIRE_OK;
	uint8_t *larger = realloc(session->output, size);
	if (!larger)
		return WIRE_FAIL_LIMIT_MEMORY;
	session->output = larger;
	session->output_size = size;
	return WIRE_OK;
}

/* ---- streams ---- */

session_result session_bytes(struct session *session)
{
	session_result result = session_grow_output(session, 1);

	if (result != WIRE_OK)
		return result;
	session->announced = true;
	session->bytes_left = session->request.max_output;
	result = session_put(session, WIRE_BYTES, NULL, 0);
	return session->request.operation == WIRE_INFO ? SESSION_STOP : result;
}

session_result session_data(struct session *session, uint8_t **data, size_t *size)
{
	return session_bulk_room(session, 1, data, size);
}

session_result session_commit_data(struct session *session, size_t size)
{
	if (size == 0)
		return WIRE_OK;
	if (size > session->bytes_left)
		return WIRE_FAIL_LIMIT_OUTPUT;
	session->bytes_left -= size;
	session_bulk_commit(session, WIRE_DATA, size);
	return session->lost ? SESSION_STOP : WIRE_OK;
}

/* ---- endings ---- */

bool session_partial(const struct session *session)
{
	return (session->request.flags & WIRE_PARTIAL) != 0;
}

session_result session_damage(struct session *session, enum wire_failure failure)
{
	struct wire_fail damage = { .failure = failure };

	if (!session_partial(session) || !session->announced)
		return failure;
	/* A preview that is not whole cannot be taken back. */
	if (session->previewing)
		return failure;
	session_end_rows(session);
	(void)session_put(session, WIRE_DAMAGE, &damage, sizeof(damage));
	session->damaged = true;
	return SESSION_STOP;
}

void session_note(struct session *session, uint32_t notes)
{
	session->notes |= notes;
}

session_result session_flaw(struct session *session, uint32_t note, enum wire_failure failure)
{
	if (session->request.flags & WIRE_STRICT)
		return session_damage(session, failure);
	session_note(session, note);
	return WIRE_OK;
}

void session_needs(struct session *session, uint64_t memory)
{
	session->needs = memory;
}

/* With what the session itself takes. */
static uint64_t all_needs(const struct session *session)
{
	uint64_t besides = (uint64_t)INPUT_SIZE + session->output_size + MEMORY_BESIDES + view_memory(&session->view);

	return session->needs > 0 && session->needs < UINT64_MAX - besides ? session->needs + besides : session->needs;
}

static void finish(struct session *session, session_result result)
{
	struct wire_end end = { .notes = session->notes };
	struct wire_fail fail = { .failure = result };

	if ((result == WIRE_OK || result == SESSION_STOP) && session->pictured && !session->announced)
		fail.failure = result = WIRE_FAIL_FRAME;
	if (result == WIRE_FAIL_LIMIT_MEMORY)
		fail.detail = all_needs(session);
	if (result == WIRE_OK || result == SESSION_STOP)
		(void)session_put(session, WIRE_END, &end, sizeof(end));
	else
		(void)session_put(session, WIRE_FAIL, &fail, sizeof(fail));
	(void)flush(session);
}

const struct wire_request *session_request(const struct session *session)
{
	return &session->request;
}

bool session_serve(const struct decoder *the_decoder, const struct session_io *io)
{
	/* Before the first allocation, so that even an arena without room can say so. */
	uint8_t small[4 * SMALL_MESSAGE];
	struct wire_hello hello = { .version = WIRE_VERSION };
	struct session session = { .io = io,
		                   .output = small,
		                   .output_size = sizeof(small),
		                   .bulk = NO_BULK,
		                   .loss = NO_BULK,
		                   .reduced = 1,
		                   .view = { .plain = true } };

	(void)session_put(&session, WIRE_HELLO, &hello, sizeof(hello));
	if (flush(&session) != WIRE_OK || !read_request(&session))
		return false;

	session_result result = WIRE_FAIL_LIMIT_MEMORY;
	session.input = malloc(INPUT_SIZE);
	session.output = malloc(OUTPUT_SIZE);
	if (session.input && session.output) {
		/* What is compressed is an eighth of what it stands for, or less. */
		memset(session.input, 0, io->touch / 8 < INPUT_SIZE ? io->touch / 8 : INPUT_SIZE);
		memset(session.output, 0, io->touch < OUTPUT_SIZE ? io->touch : OUTPUT_SIZE);
		session.output_size = OUTPUT_SIZE;
		if (!session_is_random(&session) && !session_has_more(&session))
			result = WIRE_FAIL_EMPTY;
		else if (session.request.operation == WIRE_COVER && !the_decoder->gives_covers)
			result = WIRE_FAIL_ABSENT;
		else
			result = the_decoder->decode(&session);
	} else {
		free(session.output);
		session.output = NULL;
	}
	uint8_t *allocated = session.output;
	if (!allocated)
		session.output = small;
	finish(&session, result);
	free(allocated);
	free(session.input);
	view_close(&session.view);
	return !session.lost;
}
