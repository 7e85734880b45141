/* SPDX-License-Identifier: MIT */
/*
 * When the frames of an animation, or the pages of a document, take each other's place on a screen.
 *
 * The first is drawn on the screen as its rows come.  Each later one is drawn on memory of the screen's size, and
 * copied when its time has come: so a frame is decoded while the one before is seen, and no more than one.
 */
#ifndef SAFE_DECODE_FRAMES_H
#define SAFE_DECODE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console.h"
#include "screen.h"

#define DEVICE_SHOW_DEFAULT UINT32_MAX /* seconds: until a key is pressed; where there is none to press, 10 */

/* Times are milliseconds, and points in time those of console_clock(). */
struct frames {
	int64_t time;         /* for how long a picture, an animation or a page is shown; -1: until a key is pressed */
	uint32_t shown;       /* frames so far, of all loops */
	uint32_t most_pages;  /* that are shown one after the other */
	bool page;            /* what is on the screen is a page, which a key turns; */
	bool next_page;       /* so is what is being drawn, */
	uint32_t delay;       /* or it is a frame of an animation that is shown for so long */
	int64_t begun;        /* when the first was there */
	int64_t due;          /* when the next is to be there */
	bool over;            /* nothing more is to be shown: a key was pressed, or the time is over */
	struct screen hidden; /* its memory is owned */
};

/* A picture begins, perhaps of several frames, which is shown for `seconds` or DEVICE_SHOW_DEFAULT. */
void frames_start(struct frames *frames, const struct console *console, uint32_t seconds);

/* What is drawn next is a page, or is shown for so many milliseconds. */
void frames_next(struct frames *frames, bool page, uint32_t delay);

/* Where the next frame is drawn: on the screen, or on memory that is like it.  NULL where there is no memory. */
const struct screen *frames_canvas(struct frames *frames, const struct screen *screen);

/* The next frame is drawn: waits until it is due, and brings it to the screen.  Returns whether it is there. */
bool frames_show(struct frames *frames, const struct console *console, const struct screen *screen);

/* All frames of an animation were shown: whether there is time to show them again. */
bool frames_again(const struct frames *frames);

/* Leaves what is on the screen there until the time is over.  Returns for how many seconds it will, if it is a still
 * and there is no key that could end it; else 0. */
uint32_t frames_patience(const struct frames *frames, const struct console *console);
void frames_linger(const struct frames *frames, const struct console *console);

void frames_release(struct frames *frames);

#endif
