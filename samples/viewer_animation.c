/* SPDX-License-Identifier: MIT */
/* Frames at their time: an animation. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <SDL2/SDL.h>

#include "viewer.h"

enum {
	PIXEL_BYTES = 4,
	NO_DELAY = 100, /* milliseconds that a frame is shown which says nothing about it, as browsers do */
	LATE = 200, /* milliseconds that are made up for; where decoding takes longer than showing, time goes slower */
};

/* For one time that all frames are decoded.  No frame is larger than the first; they count together. */
static const struct sdec_limits limits = {
	.size = sizeof(limits),
	.max_pixels = UINT64_C(64) << 30,
	.max_output = UINT64_C(256) << 30,
	.cpu_seconds = 3600,
	.work_seconds = 3600,
};

/* Begins with the first frame, again or for the first time. */
static void start(struct picture *picture)
{
	sdec_stream_close(&picture->stream);
	if (lseek(picture->fd, 0, SEEK_SET) != 0)
		picture_end(picture, SDEC_OK, NULL, 0); /* a pipe has been read */
	else
		picture_start(picture, &limits, SDEC_ALL_FRAMES);
}

void animation_begin(struct picture *picture)
{
	const struct sdec_info *info = &picture->info;

	/* Some files do not tell how many frames they have, nor whether they are animations, before all is read. */
	if (info->frames != 0 && (info->frames == 1 || !info->animated)) {
		picture_end(picture, SDEC_OK, NULL, 0);
		return;
	}
	picture->animation = (struct animation){ .plays = true, .due = SDL_GetTicks64() };
	start(picture);
}

bool animation_is_there(const struct picture *picture)
{
	return picture->animation.several && (picture->stream || picture->animation.over);
}

/* ---- decoding ---- */

static void take_info(struct picture *picture, const struct sdec_info *info)
{
	struct animation *animation = &picture->animation;
	size_t stride = (size_t)info->width * PIXEL_BYTES;

	if (!info->animated) {
		picture_end(picture, SDEC_OK, NULL, 0); /* pages */
		return;
	}
	if (info->width != picture->info.width || info->height != picture->info.height) {
		picture_end(picture, SDEC_IO, "the file has changed", 0);
		return;
	}
	picture->info = *info;
	if (!animation->next)
		animation->next = calloc(info->height, stride);
	if (!animation->next) {
		picture_end(picture, SDEC_LIMIT, "no memory for the animation", 0);
		return;
	}
	enum sdec_status status = sdec_stream_into(picture->stream, animation->next, info->height * stride, stride);
	if (status != SDEC_OK)
		picture_end(picture, status, "the picture does not fit its memory", 0);
}

static void take_frame(struct animation *animation, const struct sdec_event *event)
{
	animation->several |= event->frame > 0;
	animation->delay = event->delay_milliseconds > 0 ? event->delay_milliseconds : NO_DELAY;
	animation->x = event->x;
	animation->y = event->y;
	animation->width = event->width;
	animation->height = event->height;
}

/* All frames were shown once more.  Only now is it known that one frame was all. */
static void end_loop(struct picture *picture)
{
	struct animation *animation = &picture->animation;

	animation->loops++;
	animation->over = picture->info.loops != 0 && animation->loops >= picture->info.loops;
	if (!animation->several)
		picture_end(picture, SDEC_OK, NULL, 0);
	else if (animation->over)
		sdec_stream_close(&picture->stream); /* all else is there in case that it begins again */
	else
		start(picture);
}

void animation_take(struct picture *picture, const struct sdec_event *event)
{
	struct animation *animation = &picture->animation;

	switch (event->kind) {
	case SDEC_EVENT_INFO:
		take_info(picture, event->info);
		break;
	case SDEC_EVENT_FRAME:
		take_frame(animation, event);
		break;
	case SDEC_EVENT_ROWS:
		animation->ready = event->first_row + event->rows == picture->info.height;
		break;
	case SDEC_EVENT_END:
		end_loop(picture);
		break;
	default:
		break;
	}
}

/* ---- showing ---- */

int animation_wait(const struct picture *picture)
{
	const struct animation *animation = &picture->animation;
	uint64_t now = SDL_GetTicks64();

	if (!picture->stream || (animation->ready && animation->paused))
		return -1;
	if (!animation->ready || animation->due <= now)
		return 0;
	return animation->due - now < INT32_MAX ? (int)(animation->due - now) : INT32_MAX;
}

/* Brings over what may differ. */
static void put_on(struct picture *picture)
{
	const struct animation *animation = &picture->animation;
	size_t stride = (size_t)picture->info.width * PIXEL_BYTES;
	size_t place = (size_t)animation->y * stride + (size_t)animation->x * PIXEL_BYTES;

	for (uint32_t row = 0; row < animation->height; row++, place += stride)
		memcpy(picture->pixels + place, animation->next + place, (size_t)animation->width * PIXEL_BYTES);
}

bool animation_show(struct picture *picture)
{
	struct animation *animation = &picture->animation;
	uint64_t now = SDL_GetTicks64();

	if (!animation->ready || animation->paused || animation->due > now)
		return false;
	put_on(picture);
	animation->ready = false;
	/* By when it was due, and not by when it was shown: nothing adds up. */
	animation->due = (now - animation->due > LATE ? now : animation->due) + animation->delay;
	return true;
}

void animation_toggle(struct picture *picture)
{
	struct animation *animation = &picture->animation;
	uint64_t now = SDL_GetTicks64();

	if (animation->over) {
		animation->over = false;
		animation->loops = 0;
		animation->due = now;
		start(picture);
		return;
	}
	animation->paused = !animation->paused;
	if (animation->paused)
		animation->due = animation->due > now ? animation->due - now : 0;
	else
		animation->due += now;
}
