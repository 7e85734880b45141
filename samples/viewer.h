/* SPDX-License-Identifier: MIT */
/* The parts of the viewer: a picture that arrives, where it is shown, and text. */
#ifndef SAFE_DECODE_VIEWER_H
#define SAFE_DECODE_VIEWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/safe-decode.h"

/* ---- a picture, of which there may be only the first rows yet (viewer_picture.c) ---- */

enum { REASON_SIZE = 256 };

/* What comes after the first frame, once it is known that there may be something (viewer_animation.c). */
struct animation {
	bool plays;     /* the stream gives frames, from the first on */
	bool several;   /* there is more than one */
	bool over;      /* they were shown as often as the file says */
	bool paused;    /* by the user */
	uint8_t *next;  /* owned: the frame that is shown next; of the same form as the pixels of its picture */
	bool ready;     /* all of it is there */
	uint32_t delay; /* milliseconds: how long it is to be shown */
	uint32_t x, y, width, height; /* where it may differ from the one before */
	uint64_t due;   /* by SDL_GetTicks64(): when it is to be shown; while paused: how long after the pause */
	uint32_t loops; /* times that all frames were shown */
};

struct picture {
	const char *path;           /* borrowed */
	struct sdec_pool *decoder;  /* borrowed */
	uint32_t page;              /* of a document, from 0 */
	uint32_t pages;             /* 1 of all else */
	int fd;                     /* what the stream reads; -1: none */
	struct sdec_stream *stream; /* NULL: the decode is over */
	bool is_file;               /* all of the input is there: whoever waits, waits for the decoder */
	struct sdec_info info;      /* width 0: the header has not come yet */
	uint8_t *pixels;            /* owned: the whole picture, packed, SDEC_BGRA_PREMULTIPLIED, not turned */
	uint32_t rows;              /* of it that are there */
	enum sdec_status status;    /* how the decode ended; SDEC_OK as long as it has not */
	char reason[REASON_SIZE];   /* printable ASCII; where it ended badly */
	struct animation animation;
};

/* Begins to decode a file, or one of its pages.  Never fails: what goes wrong is in `status` and `reason`. */
void picture_open(struct picture *picture, struct sdec_pool *decoder, const char *path, uint32_t page);

/* Does one thing that can be done without waiting.  Returns whether it may be worth calling again at once. */
bool picture_step(struct picture *picture);

/* Starts a stream of `frames` frames on the input, from where it stands. */
void picture_start(struct picture *picture, const struct sdec_limits *limits, uint32_t frames);

/* Ends the decode.  What has come is kept, unless it is nothing that could be shown. */
void picture_end(struct picture *picture, enum sdec_status status, const char *reason, int error_number);

/* Whether the first frame, or the only one, is still on its way. */
bool picture_arrives(const struct picture *picture);

/* What has come of the picture, in a word or two, for people.  Static. */
const char *picture_verdict(const struct picture *picture);

/* Ends the decode, wherever it is, and frees everything. */
void picture_close(struct picture *picture);

/* ---- frames that follow one another in time (viewer_animation.c) ---- */

/* Of a picture whose first frame has come: plays what may follow it.  An animation is decoded anew each time it is
 * shown, one frame ahead, so that memory does not depend on how long it is. */
void animation_begin(struct picture *picture);

/* Takes an event of a stream that plays. */
void animation_take(struct picture *picture, const struct sdec_event *event);

/* How many milliseconds there is nothing to do; 0: the stream is to be stepped, or a frame to be shown; -1: until the
 * user does something. */
int animation_wait(const struct picture *picture);

/* Shows the next frame if it is due.  Returns whether it was. */
bool animation_show(struct picture *picture);

/* Whether there is something to pause. */
bool animation_is_there(const struct picture *picture);

/* Pauses, and goes on; after the end, begins again. */
void animation_toggle(struct picture *picture);

/* Width and height as they are seen: turned as EXIF says. */
uint32_t picture_width(const struct picture *picture);
uint32_t picture_height(const struct picture *picture);

/* ---- what is on the screen (viewer_draw.c) ---- */

/* Pixels of the window, packed, four bytes each: blue, green, red, unused. */
struct screen {
	uint8_t *pixels; /* owned */
	int width, height;
};

/* Which part of a picture is seen, how large. */
struct view {
	bool fit;    /* zoom and place follow the window: all is seen, and nothing enlarged */
	double zoom; /* pixels of the screen for a pixel of the picture */
	double x, y; /* the point of the picture, as it is seen, in the middle of the window */
};

struct rectangle {
	int x, y, width, height;
};

/* Makes a view that fits follow the window, and others keep the picture in sight. */
void view_settle(struct view *view, const struct picture *picture, const struct screen *screen);

/* Zooms by a factor; what is at (x, y) of the screen stays there. */
void view_zoom(struct view *view, const struct screen *screen, double factor, int x, int y);

/* Changes the size of a screen.  Returns false where there is no memory. */
bool screen_resize(struct screen *screen, int width, int height);

void screen_fill(struct screen *screen, const struct rectangle *where, uint32_t rgb);

/* Draws what of the picture is there and in view.  Returns false where there is no memory. */
bool screen_draw(struct screen *screen, const struct picture *picture, const struct view *view);

/* ---- text (viewer_text.c) ---- */

/* Copies a file's name so that it can be shown: without its folder, and what is not printable ASCII as \xNN. */
void text_name(char *to, size_t size, const char *path);

/* Draws a line of printable ASCII into the lower left corner; what does not fit is not drawn. */
void text_corner(struct screen *screen, const char *text);

/* Says what is wrong, on a card in the middle of the screen, or at its lower edge. */
void text_card(struct screen *screen, const char *heading, const char *name, const char *why, bool below);

#endif
