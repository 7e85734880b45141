/* SPDX-License-Identifier: MIT */
/* A picture and the stream that it arrives on. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "viewer.h"

enum { PIXEL_BYTES = 4 };

/* A quarter of what the library allows: the viewer has to keep all of them, and no camera makes more. */
#define MAX_PIXELS (UINT64_C(128) << 20)

void picture_end(struct picture *picture, enum sdec_status status, const char *reason, int error_number)
{
	picture->status = status;
	(void)snprintf(picture->reason, sizeof(picture->reason), "%s%s%s", reason ? reason : "",
	               reason && error_number != 0 ? ": " : "", error_number != 0 ? strerror(error_number) : "");
	sdec_stream_close(&picture->stream);
	if (picture->fd >= 0)
		(void)close(picture->fd);
	picture->fd = -1;
	free(picture->animation.next);
	picture->animation.next = NULL;
	picture->animation.ready = false;
	/* Nothing that could be shown has come. */
	if (status != SDEC_OK && picture->rows == 0) {
		free(picture->pixels);
		picture->pixels = NULL;
	}
}

void picture_start(struct picture *picture, const struct sdec_limits *limits, uint32_t frames)
{
	struct sdec_request request = { .size = sizeof(request),
		                        .limits = limits,
		                        .pixel_format = SDEC_BGRA_PREMULTIPLIED,
		                        .flags = SDEC_PREVIEW,
		                        .first_frame = picture->page,
		                        .max_frames = frames };
	struct sdec_input input = {
		.size = sizeof(input), .kind = SDEC_INPUT_FD, .fd = picture->fd, .name = picture->path
	};
	enum sdec_status status = sdec_stream_open(picture->decoder, &input, &request, &picture->stream);

	if (status != SDEC_OK)
		picture_end(picture, status, "the decode cannot be started", 0);
}

void picture_open(struct picture *picture, struct sdec_pool *decoder, const char *path, uint32_t page)
{
	struct sdec_limits limits = { .size = sizeof(limits), .max_pixels = MAX_PIXELS };
	struct stat file;

	*picture = (struct picture){ .path = path, .decoder = decoder, .page = page, .pages = page + 1 };
	/* Whatever is slow, a pipe that nobody writes to included, must not keep the window waiting. */
	picture->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (picture->fd < 0) {
		picture_end(picture, SDEC_IO, NULL, errno);
		return;
	}
	picture->is_file = fstat(picture->fd, &file) == 0 && S_ISREG(file.st_mode);
	picture_start(picture, &limits, 1);
}

/* Says what a file is that is not a picture. */
static void refuse(struct picture *picture, const struct sdec_info *info)
{
	char what[REASON_SIZE];

	if (info->kind == SDEC_KIND_AUDIO)
		(void)snprintf(what, sizeof(what),
		               "This is sound: %s, %u Hz, %u channel%s. The viewer has no sound output.", info->format,
		               info->rate, info->channels, info->channels == 1 ? "" : "s");
	else
		(void)snprintf(what, sizeof(what), "This is not a picture, but compressed data: %s.", info->format);
	picture_end(picture, SDEC_UNSUPPORTED, what, 0);
}

/* The header is here: makes room for the whole picture.  Pages that no row comes to cost nothing. */
static void make_room(struct picture *picture, const struct sdec_info *info)
{
	if (info->kind != SDEC_KIND_IMAGE) {
		refuse(picture, info);
		return;
	}
	size_t stride = (size_t)info->width * PIXEL_BYTES;
	picture->pixels = calloc(info->height, stride);
	if (!picture->pixels) {
		picture_end(picture, SDEC_LIMIT, "no memory for the picture", 0);
		return;
	}
	picture->info = *info;
	if (!info->animated && info->frames > picture->pages)
		picture->pages = info->frames;
	enum sdec_status status = sdec_stream_into(picture->stream, picture->pixels, info->height * stride, stride);
	if (status != SDEC_OK)
		picture_end(picture, status, "the picture does not fit its memory", 0);
}

static void take_event(struct picture *picture, const struct sdec_event *event)
{
	switch (event->kind) {
	case SDEC_EVENT_INFO:
		make_room(picture, event->info);
		break;
	case SDEC_EVENT_ROWS:
		/* A coarse form of the picture comes first, if there is one, and stays where the rest does not come. */
		if (picture->rows < event->first_row + event->rows)
			picture->rows = event->first_row + event->rows;
		break;
	case SDEC_EVENT_END:
		animation_begin(picture);
		break;
	default: /* such as the tags of sound, which come before it is known what it is */
		break;
	}
}

bool picture_step(struct picture *picture)
{
	struct sdec_event event = { .size = sizeof(event) };

	if (!picture->stream)
		return false;
	enum sdec_status status = sdec_stream_step(picture->stream, &event);
	if (status != SDEC_OK) {
		struct sdec_result result = { .size = sizeof(result) };
		sdec_stream_result(picture->stream, &result);
		/* What is wrong behind a picture is nothing that it lacks. */
		bool alone = picture->animation.plays && !picture->animation.several;
		picture_end(picture, alone ? SDEC_OK : status, result.reason, result.error_number);
		return false;
	}
	if (event.kind == SDEC_EVENT_NONE)
		return false;
	if (picture->animation.plays)
		animation_take(picture, &event);
	else
		take_event(picture, &event);
	return picture->stream && !picture->animation.ready;
}

bool picture_arrives(const struct picture *picture)
{
	return picture->stream && !picture->animation.plays;
}

const char *picture_verdict(const struct picture *picture)
{
	switch (picture->status) {
	case SDEC_OK:
		return "";
	case SDEC_IO:
		return "Cannot be read";
	case SDEC_MALFORMED:
		return "Damaged";
	case SDEC_LIMIT:
		return "Over a limit";
	case SDEC_KILLED:
		return "Suspicious";
	case SDEC_NO_SANDBOX:
		return "No sandbox";
	case SDEC_EXHAUSTED:
		return "Try again later";
	default:
		return "Cannot be shown";
	}
}

void picture_close(struct picture *picture)
{
	picture_end(picture, SDEC_OK, NULL, 0);
	free(picture->pixels);
	*picture = (struct picture){ .fd = -1 };
}

/* EXIF orientations 5 to 8 exchange rows and columns. */
static bool is_lying(const struct picture *picture)
{
	return picture->info.orientation >= 5 && picture->info.orientation <= 8;
}

uint32_t picture_width(const struct picture *picture)
{
	return is_lying(picture) ? picture->info.height : picture->info.width;
}

uint32_t picture_height(const struct picture *picture)
{
	return is_lying(picture) ? picture->info.width : picture->info.height;
}
