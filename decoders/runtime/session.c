/* SPDX-License-Identifier: MIT */
/* One decode, seen from inside: the request and the input come in, messages go out. */
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reduce.h"

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

static bool scale_is_sane(uint32_t scale)
{
	return scale == 1 || scale == 2 || scale == 4 || scale == 8;
}

static bool read_request(struct session *session)
{
	uint8_t *request = (uint8_t *)&session->request;
	size_t filled = 0;

	while (filled < sizeof(session->request)) {
		size_t got = read_some(session, request + filled, sizeof(session->request) - filled);
		if (got == 0)
			return false;
		filled += got;
	}
	session->metadata_left = session->request.max_metadata;
	return session->request.version == WIRE_VERSION && session->request.operation >= WIRE_DECODE &&
	       session->request.operation <= WIRE_COVER && (session->request.flags & ~WIRE_FLAGS) == 0 &&
	       session->request.pixel_formats != 0 &&
	       session->request.pixel_formats < WIRE_FORMAT_BIT(WIRE_PIXEL_FORMATS) &&
	       session->request.sample_formats < WIRE_FORMAT_BIT(WIRE_SAMPLE_FORMATS) &&
	       session->request.max_frames > 0 && session->request.max_side <= WIRE_SIDE_MAX &&
	       scale_is_sane(session->request.scale);
}

static session_result flush(struct session *session);

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
	/* Whoever waits for the end of the pipe waits for the caller, who may be waiting for the last rows. */
	if (session->request.input_total == 0 || session->input_read < session->request.input_total)
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

/* Makes the output buffer hold a header and `least` bytes, and preferably OUTPUT_SIZE. */
static session_result grow_output(struct session *session, size_t least)
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

/* ---- pictures ---- */

session_result session_check_size(const struct session *session, uint32_t width, uint32_t height, uint32_t frames)
{
	uint64_t pixels = (uint64_t)width * height;

	if (width == 0 || height == 0 || frames == 0)
		return WIRE_FAIL_HEADER;
	if (width > session->request.max_side || height > session->request.max_side)
		return WIRE_FAIL_LIMIT_SIDE;
	if (__builtin_mul_overflow(pixels, frames, &pixels) || pixels > session->request.max_pixels)
		return WIRE_FAIL_LIMIT_PIXELS;
	return WIRE_OK;
}

enum wire_pixel_format session_choose_format(const struct session *session, const struct wire_image *image)
{
	static const uint8_t with_alpha[] = {
		WIRE_RGBA, WIRE_BGRA, WIRE_RGBA_PREMULTIPLIED, WIRE_BGRA_PREMULTIPLIED, WIRE_RGBA16, WIRE_RGB,
		WIRE_BGR,  WIRE_GRAY
	};
	static const uint8_t opaque[] = {
		WIRE_RGB,    WIRE_BGR, WIRE_RGBA, WIRE_BGRA, WIRE_RGBA_PREMULTIPLIED, WIRE_BGRA_PREMULTIPLIED,
		WIRE_RGBA16, WIRE_GRAY
	};
	bool alpha = (image->flags & WIRE_IMAGE_ALPHA) != 0;
	const uint8_t *order = alpha ? with_alpha : opaque;
	uint32_t wanted = session->request.pixel_formats;

	if (image->depth > 8 && (wanted & WIRE_FORMAT_BIT(WIRE_RGBA16)))
		return WIRE_RGBA16;
	if (!alpha && image->color == WIRE_COLOR_GRAY && (wanted & WIRE_FORMAT_BIT(WIRE_GRAY)))
		return WIRE_GRAY;
	while (!(wanted & WIRE_FORMAT_BIT(*order)))
		order++;
	return (enum wire_pixel_format) * order;
}

uint32_t session_take_scale(struct session *session)
{
	uint32_t scale = session->scale;

	session->scale = 1;
	return scale;
}

/* What the session reduces itself needs memory for a row of squares. */
static session_result prepare_scale(struct session *session, struct wire_image *image)
{
	size_t size = 0;

	session->full_width = image->width;
	session->full_height = image->height;
	session->full_stride = (size_t)image->width * wire_pixel_bytes[image->pixel_format];
	image->width = (image->width + session->scale - 1) / session->scale;
	image->height = (image->height + session->scale - 1) / session->scale;
	free(session->square); /* of the page before */
	session->square = NULL;
	if (session->scale == 1 || (session->request.operation == WIRE_INFO && session->request.first_frame == 0))
		return WIRE_OK;
	if (__builtin_mul_overflow(session->full_stride, session->scale, &size))
		return WIRE_FAIL_LIMIT_MEMORY;
	session->square = malloc(size);
	return session->square ? WIRE_OK : WIRE_FAIL_LIMIT_MEMORY;
}

/* Whether one more frame is within the limits, which are on all frames together. */
static session_result check_frame(const struct session *session)
{
	const struct wire_request *request = &session->request;
	uint64_t pixels = (uint64_t)session->image.width * session->image.height;
	uint64_t bytes = 0;

	if (pixels > request->max_pixels - session->pixels)
		return WIRE_FAIL_LIMIT_PIXELS;
	if (__builtin_mul_overflow((uint64_t)session->stride, session->image.height, &bytes) ||
	    bytes > request->max_output - session->promised)
		return WIRE_FAIL_LIMIT_OUTPUT;
	return WIRE_OK;
}

static session_result send_image(struct session *session)
{
	session->image_sent = session->announced = true;
	return session_put(session, WIRE_IMAGE, &session->image, sizeof(session->image));
}

session_result session_image(struct session *session, const struct wire_image *announced)
{
	const struct wire_request *request = &session->request;
	struct wire_image image = *announced;
	session_result result = session_check_size(session, image.width, image.height, 1);

	if (session->frames_sent == request->max_frames)
		return SESSION_STOP;
	if (result == WIRE_OK && image.frames > 0 && request->first_frame >= image.frames)
		result = WIRE_FAIL_FRAME;
	if (result == WIRE_OK)
		result = prepare_scale(session, &image);
	if (result != WIRE_OK)
		return result;
	session->image = image;
	session->stride = (size_t)image.width * wire_pixel_bytes[image.pixel_format];
	session->pictured = true;
	session->image_sent = false;
	session->frames_of_image = 0;
	session->skipping = session->frames_met < request->first_frame;
	if (request->operation == WIRE_INFO && (!session->skipping || (image.flags & WIRE_IMAGE_ANIMATION))) {
		(void)send_image(session);
		return SESSION_STOP;
	}
	if (request->operation != WIRE_INFO)
		result = check_frame(session);
	if (result == WIRE_OK)
		result = grow_output(session, session->stride);
	/* One that nobody wants a frame of is not sent. */
	return result == WIRE_OK && !session->skipping ? send_image(session) : result;
}

session_result session_frame(struct session *session, uint32_t delay)
{
	return session_frame_part(session, delay, 0, 0, session->image.width, session->image.height);
}

bool session_pass_frame(struct session *session)
{
	bool passed = session->frames_met < session->request.first_frame;

	session->frames_met += passed;
	session->pictured |= passed;
	return passed;
}

/* A rectangle of what is scaled down: whatever it touches. */
static void reduce_span(uint32_t scale, uint32_t side, uint32_t *place, uint32_t *length)
{
	uint64_t end = ((uint64_t)*place + *length + scale - 1) / scale;

	*place /= scale;
	if (*place > side)
		*place = side;
	*length = (uint32_t)(end < side ? end : side) - *place;
}

session_result session_frame_part(struct session *session, uint32_t delay, uint32_t x, uint32_t y, uint32_t width,
                                  uint32_t height)
{
	struct wire_frame frame = { .delay = delay, .x = x, .y = y, .width = width, .height = height };
	bool animation = (session->image.flags & WIRE_IMAGE_ANIMATION) != 0;
	session_result result = WIRE_OK;

	session->frame_rows_left = session->image.height;
	session->full_rows_left = session->full_height;
	session->square_rows = 0;
	session->skipping = session->frames_met++ < session->request.first_frame;
	if (session->skipping)
		return WIRE_OK;
	if (session->frames_sent == session->request.max_frames)
		return SESSION_STOP;
	result = check_frame(session);
	/* The first that is wanted; or a page that is like the one before. */
	if (result == WIRE_OK && (!session->image_sent || (session->frames_of_image > 0 && !animation)))
		result = send_image(session);
	if (result != WIRE_OK)
		return result;
	reduce_span(session->scale, session->image.width, &frame.x, &frame.width);
	reduce_span(session->scale, session->image.height, &frame.y, &frame.height);
	/* Nothing of what it differs from was sent. */
	if (session->frames_of_image == 0)
		frame = (struct wire_frame){ delay, 0, 0, session->image.width, session->image.height };
	session->frames_of_image++;
	session->frames_sent++;
	session->pixels += (uint64_t)session->image.width * session->image.height;
	session->promised += (uint64_t)session->stride * session->image.height;
	return session_put(session, WIRE_FRAME, &frame, sizeof(frame));
}

/* Room for whole rows as they are sent. */
static session_result send_room(struct session *session, uint8_t **rows, size_t *count)
{
	size_t size = 0;
	session_result result = session_bulk_room(session, session->stride, rows, &size);

	*count = size / session->stride;
	if (*count > session->frame_rows_left)
		*count = session->frame_rows_left;
	return result;
}

static session_result send_rows(struct session *session, size_t count)
{
	if (count == 0)
		return WIRE_OK;
	session->frame_rows_left -= (uint32_t)count;
	if (session->skipping)
		return WIRE_OK;
	session_bulk_commit(session, WIRE_PIXELS, count * session->stride);
	return session->lost ? SESSION_STOP : WIRE_OK;
}

session_result session_rows(struct session *session, uint8_t **rows, size_t *count)
{
	if (session->scale == 1)
		return send_room(session, rows, count);
	*rows = session->square + session->square_rows * session->full_stride;
	*count = session->scale - session->square_rows;
	if (*count > session->full_rows_left)
		*count = session->full_rows_left;
	return WIRE_OK;
}

session_result session_commit_rows(struct session *session, size_t count)
{
	uint8_t *row = NULL;
	size_t room = 0;

	if (session->scale == 1)
		return send_rows(session, count);
	session->square_rows += count;
	session->full_rows_left -= (uint32_t)count;
	if (session->square_rows < session->scale && session->full_rows_left > 0)
		return WIRE_OK;
	session_result result = send_room(session, &row, &room);
	if (result != WIRE_OK)
		return result;
	reduce_rows((enum wire_pixel_format)session->image.pixel_format, session->scale, session->full_width,
	            session->square, session->square_rows, row);
	session->square_rows = 0;
	return send_rows(session, 1);
}

/* ---- streams ---- */

session_result session_bytes(struct session *session)
{
	session_result result = grow_output(session, 1);

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
	(void)session_put(session, WIRE_DAMAGE, &damage, sizeof(damage));
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
	uint64_t besides = (uint64_t)INPUT_SIZE + session->output_size + MEMORY_BESIDES;

	session->needs = memory > 0 && memory < UINT64_MAX - besides ? memory + besides : memory;
}

static void finish(struct session *session, session_result result)
{
	struct wire_end end = { .notes = session->notes };
	struct wire_fail fail = { .failure = result };

	if ((result == WIRE_OK || result == SESSION_STOP) && session->pictured && !session->announced)
		fail.failure = result = WIRE_FAIL_FRAME;
	if (result == WIRE_FAIL_LIMIT_MEMORY)
		fail.detail = session->needs;
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
	struct session session = {
		.io = io, .output = small, .output_size = sizeof(small), .bulk = NO_BULK, .loss = NO_BULK
	};

	(void)session_put(&session, WIRE_HELLO, &hello, sizeof(hello));
	if (flush(&session) != WIRE_OK || !read_request(&session))
		return false;

	session.scale = session.request.scale;
	session_result result = WIRE_FAIL_LIMIT_MEMORY;
	session.input = malloc(INPUT_SIZE);
	session.output = malloc(OUTPUT_SIZE);
	if (session.input && session.output) {
		/* What is compressed is an eighth of what it stands for, or less. */
		memset(session.input, 0, io->touch / 8 < INPUT_SIZE ? io->touch / 8 : INPUT_SIZE);
		memset(session.output, 0, io->touch < OUTPUT_SIZE ? io->touch : OUTPUT_SIZE);
		session.output_size = OUTPUT_SIZE;
		if (!session_has_more(&session))
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
	free(session.square);
	return !session.lost;
}
