/* SPDX-License-Identifier: MIT */
/* The session's part about pictures: which frames and pages are sent, and at what size. */
#include "broker/wire/pixel_forms.h"
#include "decoders/pixels/flatten.h"
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

/* ---- what is made of a picture ---- */

static bool is_flattened(const struct session *session, const struct wire_image *image)
{
	return (session->request.flags & WIRE_FLATTEN) && (image->flags & WIRE_IMAGE_ALPHA);
}

/* The format that a picture is sent in. */
static enum wire_pixel_format sent_format(const struct session *session, const struct wire_image *image)
{
	struct wire_image sent = *image;

	if (is_flattened(session, image)) {
		sent.flags &= ~WIRE_IMAGE_ALPHA;
		/* Gray on a background that is not. */
		uint32_t back = session->request.view.background;
		if (back % 0x100 != back >> 16 || back % 0x100 != (back >> 8) % 0x100)
			sent.color = WIRE_COLOR_RGB;
	}
	return wire_choose_format(&sent, session->request.pixel_formats);
}

enum wire_pixel_format session_choose_format(const struct session *session, const struct wire_image *image)
{
	enum wire_pixel_format format = sent_format(session, image);

	return is_flattened(session, image) ? flatten_source(format) : format;
}

uint32_t session_take_scale(struct session *session, uint32_t width, uint32_t height, uint32_t orientation,
                            uint32_t most)
{
	bool upright = (session->request.flags & WIRE_UPRIGHT) != 0;

	session->reduced = view_reduction(&session->request, width, height, upright ? orientation : 0, most);
	session->whole_width = width;
	session->whole_height = height;
	return session->reduced;
}

void session_takes_corners(struct session *session)
{
	session->reduced_to_corners = true;
}

/* Makes of a picture as the decoder announces it one as it is sent. */
static session_result plan_view(struct session *session, struct wire_image *image)
{
	const struct wire_request *request = &session->request;
	struct view_picture picture = {
		.width = session->reduced > 1 ? session->whole_width : image->width,
		.height = session->reduced > 1 ? session->whole_height : image->height,
		.reduced = session->reduced,
		.corners = session->reduced_to_corners,
		.orientation = request->flags & WIRE_UPRIGHT ? image->orientation : 0,
		.flattened = is_flattened(session, image),
		.format = sent_format(session, image),
	};

	view_close(&session->view); /* of the page before */
	session_result result = view_plan(&session->view, request, &picture);
	if (result != WIRE_OK)
		return result;
	image->pixel_format = picture.format;
	image->width = session->view.width;
	image->height = session->view.height;
	if (picture.orientation > 1)
		image->flags |= WIRE_IMAGE_UPRIGHT;
	if (picture.flattened)
		image->flags &= ~WIRE_IMAGE_ALPHA;
	if (session->view.plain || (request->operation == WIRE_INFO && request->first_frame == 0))
		return WIRE_OK;
	return view_open(&session->view) ? WIRE_OK : WIRE_FAIL_LIMIT_MEMORY;
}

/* ---- frames and pages ---- */

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

/* It counts, whatever comes of it. */
static void count_frame(struct session *session)
{
	session->pixels += (uint64_t)session->image.width * session->image.height;
	session->promised += (uint64_t)session->stride * session->image.height;
}

/* All of its rows are to come. */
static void restart_frame(struct session *session)
{
	session->frame_rows_left = session->image.height;
	if (!session->view.plain)
		view_begin(&session->view);
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
		result = plan_view(session, &image);
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

/* Of a picture that is all that is wanted. */
static bool may_preview(const struct session *session)
{
	uint32_t kind = session->image.flags & (WIRE_IMAGE_PROGRESSIVE | WIRE_IMAGE_ANIMATION);

	return (session->request.flags & WIRE_PREVIEW) && kind == WIRE_IMAGE_PROGRESSIVE && session->frames_sent == 1;
}

session_result session_frame_part(struct session *session, uint32_t delay, uint32_t x, uint32_t y, uint32_t width,
                                  uint32_t height)
{
	struct wire_frame frame = { .delay = delay, .x = x, .y = y, .width = width, .height = height };
	bool animation = (session->image.flags & WIRE_IMAGE_ANIMATION) != 0;
	session_result result = WIRE_OK;

	restart_frame(session);
	session->frame_due = false;
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
	/* Nothing of what it differs from was sent, or what differs has moved. */
	if (session->frames_of_image == 0 || !session->view.plain)
		frame = (struct wire_frame){ .delay = delay,
			                     .width = session->image.width,
			                     .height = session->image.height };
	session->frames_of_image++;
	session->frames_sent++;
	count_frame(session);
	session->frame = frame;
	session->frame_due = may_preview(session);
	return session->frame_due ? WIRE_OK : session_put(session, WIRE_FRAME, &frame, sizeof(frame));
}

/* ---- previews ---- */

static session_result send_due_frame(struct session *session)
{
	if (!session->frame_due || session->previewing)
		return WIRE_OK;
	session->frame_due = false;
	return session_put(session, WIRE_FRAME, &session->frame, sizeof(session->frame));
}

bool session_wants_preview(const struct session *session)
{
	return session->frame_due && !session->previewing && session->previews < WIRE_PREVIEWS_MAX &&
	       check_frame(session) == WIRE_OK;
}

session_result session_begin_preview(struct session *session)
{
	struct wire_frame preview = session->frame;

	preview.flags |= WIRE_FRAME_PREVIEW;
	session->previewing = true;
	session->previews++;
	count_frame(session);
	restart_frame(session);
	return session_put(session, WIRE_FRAME, &preview, sizeof(preview));
}

void session_end_preview(struct session *session)
{
	session->previewing = false;
	restart_frame(session);
}

/* ---- rows ---- */

/* Room for whole rows as they are sent. */
static session_result send_room(struct session *session, uint8_t **rows, size_t *count)
{
	size_t size = 0;
	session_result result = send_due_frame(session);

	if (result == WIRE_OK)
		result = session_bulk_room(session, session->stride, rows, &size);
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

static session_result room_of_view(void *context, uint8_t **row)
{
	size_t count = 0;

	return send_room(context, row, &count);
}

static session_result sent_by_view(void *context)
{
	return send_rows(context, 1);
}

static struct view_sink sink_of(struct session *session)
{
	return (struct view_sink){ .room = room_of_view, .sent = sent_by_view, .context = session };
}

session_result session_rows(struct session *session, uint8_t **rows, size_t *count)
{
	if (session->view.plain)
		return send_room(session, rows, count);
	*rows = view_room(&session->view, count);
	return WIRE_OK;
}

session_result session_commit_rows(struct session *session, size_t count)
{
	const struct view_sink sink = sink_of(session);

	if (session->view.plain)
		return send_rows(session, count);
	session_result result = view_commit(&session->view, count, &sink);
	bool last = session->frames_sent == session->request.max_frames && !session->skipping && !session->previewing;
	return result == WIRE_OK && last && view_is_done(&session->view) ? SESSION_STOP : result;
}

void session_end_rows(struct session *session)
{
	const struct view_sink sink = sink_of(session);

	(void)send_due_frame(session);
	/* Damage follows: what cannot be sent is missing. */
	if (!session->view.plain && session->frame_rows_left > 0 && session->frames_of_image > 0)
		(void)view_end(&session->view, &sink);
}
