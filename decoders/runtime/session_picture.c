/* SPDX-License-Identifier: MIT */
/* The session's part about pictures: which frames and pages are sent, and at what size. */
#include <stdlib.h>

#include "broker/wire/pixel_forms.h"
#include "decoders/pixels/reduce.h"
#include "session.h"

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
	return wire_choose_format(image, session->request.pixel_formats);
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
		result = session_grow_output(session, session->stride);
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
