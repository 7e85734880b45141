/* SPDX-License-Identifier: MIT */
#include "frames.h"

#include <stdlib.h>

enum {
	SHOW_SECONDS = 10,
	UNATTENDED_PAGES =
	        10,     /* that are shown one after the other where nobody said for how long, or could turn them */
	SHORTEST = 10,  /* milliseconds; a frame that says less, or nothing, is shown for */
	NO_DELAY = 100, /* as browsers do */
	LATE = 200, /* milliseconds that are made up for; where decoding takes longer than showing, time goes slower */
};

void frames_start(struct frames *frames, const struct console *console, uint32_t seconds)
{
	struct screen hidden = frames->hidden;
	bool endless = seconds == DEVICE_SHOW_DEFAULT && console->keys;
	bool attended = seconds != DEVICE_SHOW_DEFAULT || console->keys;

	if (seconds == DEVICE_SHOW_DEFAULT)
		seconds = SHOW_SECONDS;
	*frames = (struct frames){ .time = endless ? -1 : INT64_C(1000) * seconds,
		                   .most_pages = attended ? UINT32_MAX : UNATTENDED_PAGES,
		                   .hidden = hidden };
}

void frames_next(struct frames *frames, bool page, uint32_t delay)
{
	frames->next_page = page;
	frames->delay = delay > SHORTEST ? delay : NO_DELAY;
}

/* ---- where ---- */

const struct screen *frames_canvas(struct frames *frames, const struct screen *screen)
{
	struct screen *hidden = &frames->hidden;
	uint8_t *memory = hidden->memory;
	size_t stride = (size_t)screen->width * (screen->bits / 8);
	size_t size = stride * screen->height; /* less than the screen has, which is sound */

	if (frames->shown == 0)
		return screen;
	if (size != hidden->size) {
		free(memory);
		memory = malloc(size);
	}
	*hidden = *screen;
	hidden->memory = memory;
	hidden->size = memory ? size : 0;
	hidden->stride = stride;
	hidden->x_offset = hidden->y_offset = 0;
	return memory ? hidden : NULL;
}

void frames_release(struct frames *frames)
{
	free(frames->hidden.memory);
	frames->hidden = (struct screen){ .memory = NULL };
}

/* ---- when ---- */

static int64_t end_of(const struct frames *frames)
{
	return frames->time < 0 ? INT64_MAX : frames->begun + frames->time;
}

/* Until the next frame is due.  A key ends all of them. */
static void wait_for_frame(struct frames *frames, const struct console *console)
{
	int64_t end = end_of(frames);
	int64_t left = (frames->due < end ? frames->due : end) - console_clock();

	frames->over = console_wait(console, left > 0 ? left : 0) || frames->due >= end;
}

/* A frame is on the screen: when is the next one?  By when this one was due, and not by when it was there, so that
 * nothing adds up. */
static void note_shown(struct frames *frames)
{
	int64_t now = console_clock();

	if (frames->shown++ == 0)
		frames->begun = frames->due = now;
	if (now - frames->due > LATE)
		frames->due = now;
	frames->due += frames->delay;
	frames->page = frames->next_page;
}

/* A key turns it. */
static void show_page(struct frames *frames, const struct console *console)
{
	(void)console_wait(console, frames->time);
	frames->over = frames->shown >= frames->most_pages;
}

bool frames_show(struct frames *frames, const struct console *console, const struct screen *screen)
{
	if (frames->shown > 0 && !frames->over && frames->page)
		show_page(frames, console);
	else if (frames->shown > 0 && !frames->over)
		wait_for_frame(frames, console);
	if (frames->over)
		return false;
	if (frames->shown > 0)
		screen_copy(screen, &frames->hidden);
	note_shown(frames);
	return true;
}

bool frames_again(const struct frames *frames)
{
	return !frames->over && console_clock() < end_of(frames);
}

static bool has_played(const struct frames *frames)
{
	return frames->shown > 1 && !frames->page;
}

uint32_t frames_patience(const struct frames *frames, const struct console *console)
{
	return console->keys || has_played(frames) ? 0 : (uint32_t)(frames->time / 1000);
}

void frames_linger(const struct frames *frames, const struct console *console)
{
	int64_t time = frames->time;

	if (has_played(frames) && time >= 0) {
		time = end_of(frames) - console_clock();
		time = time > 0 ? time : 0;
	}
	if (time != 0 && !frames->over)
		(void)console_wait(console, time);
}
