/* SPDX-License-Identifier: MIT */
/*
 * A picture viewer that need not trust the pictures: an example of how an event loop uses libsafe-decode.
 *
 * Rows are shown as they arrive, in steps between which the window answers.  Moving on ends a decode at once.
 * Animations play, and the pages of a document are stepped through.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <SDL2/SDL.h>

#include "viewer.h"

enum {
	FIRST_WIDTH = 1024, /* of the window */
	FIRST_HEIGHT = 768,
	STREAM_WAIT = 10, /* milliseconds in which events may wait for the stream */
	STEPS_TIME = 10,  /* milliseconds of steps before the window has its turn */
	REDRAW_TIME = 33, /* milliseconds, at least, between two drawings of a picture that arrives */
	REDRAW_SHARE = 4, /* and at least so many times the time that one takes */
	PATIENCE = 150,   /* milliseconds before a decode that gives nothing is told; most are faster */
	NAME_SIZE = 256,  /* of a name that is shown */
	STATE_SIZE = 32,  /* of how far it is */
	TITLE_SIZE = NAME_SIZE + 176,
};

#define ZOOM_STEP 1.25

struct viewer {
	struct sdec_pool *decoder;
	SDL_Window *window;
	struct screen screen; /* of the size of the window: all is drawn by hand */
	struct view view;

	char **paths;
	int count, current;
	struct picture picture;

	bool stale;           /* what is shown is not what is */
	uint64_t redraw_from; /* when it may be drawn anew */
	bool quit;
};

static bool report(const char *what)
{
	(void)fprintf(stderr, "viewer: %s: %s\n", what, SDL_GetError());
	return false;
}

/* ---- which picture ---- */

static void show_page(struct viewer *viewer, int index, uint32_t page)
{
	picture_close(&viewer->picture);
	viewer->current = index;
	viewer->view = (struct view){ .fit = true, .zoom = 1 };
	picture_open(&viewer->picture, viewer->decoder, viewer->paths[index], page);
	viewer->stale = true;
	viewer->redraw_from = viewer->picture.stream ? SDL_GetTicks64() + PATIENCE : 0;
}

static void show(struct viewer *viewer, int index)
{
	show_page(viewer, index, 0);
}

/* Past the last comes the first. */
static void move(struct viewer *viewer, int by)
{
	show(viewer, (viewer->current + by + viewer->count) % viewer->count);
}

/* To the next page or the one before; where there is none, to another file. */
static void turn_page(struct viewer *viewer, bool back)
{
	uint32_t page = viewer->picture.page;
	uint32_t pages = viewer->picture.pages;

	if (back ? page == 0 : page + 1 >= pages) {
		move(viewer, back ? -1 : 1);
		return;
	}
	show_page(viewer, viewer->current, back ? page - 1 : page + 1);
	/* What is known does not depend on whether this one can be decoded. */
	viewer->picture.pages = pages;
}

/* Lets the decode go on.  Waits for it, but not long. */
static void advance(struct viewer *viewer)
{
	struct picture *picture = &viewer->picture;
	struct pollfd ready = { .fd = sdec_stream_fd(picture->stream), .events = POLLIN };
	uint64_t until = SDL_GetTicks64() + STEPS_TIME;
	bool arrives = picture_arrives(picture);
	uint32_t rows = picture->rows;
	uint32_t width = picture->info.width;

	if (poll(&ready, 1, STREAM_WAIT) <= 0)
		return;
	while (picture_step(picture) && SDL_GetTicks64() < until)
		continue;
	if (width != picture->info.width) {
		viewer->view.x = picture_width(picture) / 2.0;
		viewer->view.y = picture_height(picture) / 2.0;
	}
	bool over = arrives && !picture_arrives(picture);
	if (rows != picture->rows || width != picture->info.width || over || !picture->stream)
		viewer->stale = true;
	if (over || !picture->stream)
		viewer->redraw_from = 0;
}

/* ---- what is shown ---- */

/* How far the picture is; empty when all is well. */
static void find_state(const struct picture *picture, char state[STATE_SIZE])
{
	state[0] = '\0';
	if (picture->status != SDEC_OK)
		(void)snprintf(state, STATE_SIZE, "%s", picture_verdict(picture));
	else if (picture->animation.paused)
		(void)snprintf(state, STATE_SIZE, "paused");
	else if (picture_arrives(picture) && picture->rows > 0)
		(void)snprintf(state, STATE_SIZE, "%.0f%% is here", 100.0 * picture->rows / picture->info.height);
	else if (picture_arrives(picture))
		(void)snprintf(state, STATE_SIZE,
		               picture->is_file || picture->info.height > 0 ? "decoding" : "waiting");
}

static void set_title(const struct viewer *viewer)
{
	const struct picture *picture = &viewer->picture;
	char name[NAME_SIZE];
	char size[48] = "";
	char page[48] = "";
	char state[STATE_SIZE];
	char title[TITLE_SIZE];

	text_name(name, sizeof(name), picture->path);
	find_state(picture, state);
	if (picture->info.width > 0)
		(void)snprintf(size, sizeof(size), "%s %ux%u, zoom %.0f%%", picture->pages > 1 ? ":" : "",
		               picture_width(picture), picture_height(picture), viewer->view.zoom * 100);
	if (picture->pages > 1)
		(void)snprintf(page, sizeof(page), ", page %" PRIu32 " of %" PRIu32, picture->page + 1, picture->pages);
	(void)snprintf(title, sizeof(title), "%s (%d of %d)%s%s%s%s", name, viewer->current + 1, viewer->count, page,
	               size, *state ? ": " : "", state);
	SDL_SetWindowTitle(viewer->window, title);
}

static void draw_words(struct viewer *viewer)
{
	const struct picture *picture = &viewer->picture;
	char name[NAME_SIZE];
	char state[STATE_SIZE];
	char words[STATE_SIZE + sizeof("...")];

	text_name(name, sizeof(name), picture->path);
	find_state(picture, state);
	if (picture->status != SDEC_OK)
		text_card(&viewer->screen, state, name, picture->reason, picture->rows > 0);
	if (!picture_arrives(picture))
		return;
	(void)snprintf(words, sizeof(words), "%s...", state);
	text_corner(&viewer->screen, words);
}

/* Shows what was drawn. */
static bool present(const struct viewer *viewer, SDL_Surface *window)
{
	const struct screen *screen = &viewer->screen;
	SDL_Surface *drawn = SDL_CreateRGBSurfaceWithFormatFrom(screen->pixels, screen->width, screen->height, 32,
	                                                        screen->width * 4, SDL_PIXELFORMAT_BGRA32);

	if (!drawn)
		return report("no memory to draw");
	bool done = SDL_SetSurfaceBlendMode(drawn, SDL_BLENDMODE_NONE) == 0 &&
	            SDL_BlitSurface(drawn, NULL, window, NULL) == 0 && SDL_UpdateWindowSurface(viewer->window) == 0;
	SDL_FreeSurface(drawn);
	return done || report("cannot draw");
}

static bool draw(struct viewer *viewer)
{
	struct screen *screen = &viewer->screen;
	SDL_Surface *window = SDL_GetWindowSurface(viewer->window);

	if (!window)
		return report("no window");
	if ((window->w != screen->width || window->h != screen->height) && !screen_resize(screen, window->w, window->h))
		return report("no memory for the window");
	view_settle(&viewer->view, &viewer->picture, screen);
	if (!screen_draw(screen, &viewer->picture, &viewer->view))
		return report("no memory to draw");
	draw_words(viewer);
	if (!present(viewer, window))
		return false;
	set_title(viewer);
	return true;
}

static bool redraw(struct viewer *viewer)
{
	uint64_t before = SDL_GetTicks64();

	if (!viewer->stale || before < viewer->redraw_from)
		return true;
	viewer->stale = false;
	if (!draw(viewer))
		return false;
	uint64_t after = SDL_GetTicks64();
	uint64_t pause = (after - before) * REDRAW_SHARE;
	/* A decode must not wait for drawings that nobody could tell apart. */
	if (picture_arrives(&viewer->picture))
		viewer->redraw_from = after + (pause > REDRAW_TIME ? pause : REDRAW_TIME);
	return true;
}

/* ---- what the user does ---- */

static void change_zoom(struct viewer *viewer, double factor, int x, int y)
{
	view_zoom(&viewer->view, &viewer->screen, factor, x, y);
}

static void press(struct viewer *viewer, SDL_Keycode key)
{
	struct view *view = &viewer->view;
	int middle_x = viewer->screen.width / 2;
	int middle_y = viewer->screen.height / 2;

	switch (key) {
	case SDLK_ESCAPE:
	case SDLK_q:
		viewer->quit = true;
		break;
	case SDLK_SPACE:
		if (animation_is_there(&viewer->picture))
			animation_toggle(&viewer->picture);
		else
			move(viewer, 1);
		break;
	case SDLK_RIGHT:
	case SDLK_DOWN:
		move(viewer, 1);
		break;
	case SDLK_PAGEDOWN:
		turn_page(viewer, false);
		break;
	case SDLK_PAGEUP:
		turn_page(viewer, true);
		break;
	case SDLK_LEFT:
	case SDLK_UP:
	case SDLK_BACKSPACE:
		move(viewer, -1);
		break;
	case SDLK_HOME:
		show(viewer, 0);
		break;
	case SDLK_END:
		show(viewer, viewer->count - 1);
		break;
	case SDLK_f:
	case SDLK_0:
		view->fit = true;
		break;
	case SDLK_1:
		change_zoom(viewer, 1 / view->zoom, middle_x, middle_y);
		break;
	case SDLK_PLUS:
	case SDLK_EQUALS:
	case SDLK_KP_PLUS:
		change_zoom(viewer, ZOOM_STEP, middle_x, middle_y);
		break;
	case SDLK_MINUS:
	case SDLK_KP_MINUS:
		change_zoom(viewer, 1 / ZOOM_STEP, middle_x, middle_y);
		break;
	default:
		return;
	}
}

static void turn_wheel(struct viewer *viewer, const SDL_MouseWheelEvent *wheel)
{
	int x = 0;
	int y = 0;

	(void)SDL_GetMouseState(&x, &y);
	if (wheel->y != 0)
		change_zoom(viewer, wheel->y > 0 ? ZOOM_STEP : 1 / ZOOM_STEP, x, y);
}

static void drag(struct viewer *viewer, const SDL_MouseMotionEvent *motion)
{
	viewer->view.x -= motion->xrel / viewer->view.zoom;
	viewer->view.y -= motion->yrel / viewer->view.zoom;
}

static void handle(struct viewer *viewer, const SDL_Event *event)
{
	uint64_t redraw_from = viewer->redraw_from;

	switch (event->type) {
	case SDL_QUIT:
		viewer->quit = true;
		return;
	case SDL_KEYDOWN:
		press(viewer, event->key.keysym.sym);
		break;
	case SDL_MOUSEWHEEL:
		turn_wheel(viewer, &event->wheel);
		break;
	case SDL_MOUSEMOTION:
		if (!(event->motion.state & SDL_BUTTON_LMASK))
			return;
		drag(viewer, &event->motion);
		break;
	case SDL_WINDOWEVENT:
		break;
	default:
		return;
	}
	viewer->stale = true;
	/* What the user does shows at once; a picture that was just opened has a moment to arrive. */
	if (redraw_from == viewer->redraw_from)
		viewer->redraw_from = 0;
}

/* Waits until there is something to do, and does what is not the user's. */
static void proceed(struct viewer *viewer, SDL_Event *event)
{
	int wait = animation_wait(&viewer->picture);

	if (wait < 0 && viewer->stale)
		return;
	if (wait == 0 && !viewer->picture.animation.ready)
		advance(viewer);
	else if (wait != 0 && SDL_WaitEventTimeout(event, wait))
		handle(viewer, event);
	if (animation_show(&viewer->picture)) {
		viewer->stale = true;
		viewer->redraw_from = 0;
	}
}

static int run(struct viewer *viewer)
{
	SDL_Event event;

	show(viewer, 0);
	while (!viewer->quit) {
		proceed(viewer, &event);
		while (!viewer->quit && SDL_PollEvent(&event))
			handle(viewer, &event);
		if (!redraw(viewer))
			return SDEC_IO;
	}
	return SDEC_OK;
}

/* ---- beginning and end ---- */

/* Where there is no display, SDL may take a driver that shows nothing. */
static bool is_invisible(const char *driver)
{
	const char *wanted = SDL_GetHint(SDL_HINT_VIDEODRIVER); /* SDL_VIDEODRIVER of the environment */
	bool shows = !driver ||
	             (strcmp(driver, "offscreen") != 0 && strcmp(driver, "dummy") != 0 && strcmp(driver, "evdev") != 0);

	return !shows && !(wanted && strstr(wanted, driver));
}

static bool start(struct viewer *viewer)
{
	/* Nothing here needs OpenGL, which takes a second and 90 MiB to load. */
	(void)SDL_SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0");
	if (SDL_Init(SDL_INIT_VIDEO) != 0)
		return report("no display");
	if (is_invisible(SDL_GetCurrentVideoDriver())) {
		(void)fprintf(stderr, "viewer: no display\n");
		return false;
	}
	viewer->window = SDL_CreateWindow("viewer", SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED, FIRST_WIDTH,
	                                  FIRST_HEIGHT, SDL_WINDOW_RESIZABLE);
	if (!viewer->window)
		return report("no window");
	enum sdec_status status = sdec_pool_open(NULL, &viewer->decoder);
	if (status != SDEC_OK)
		(void)fprintf(stderr, "viewer: no decoder: %s\n", sdec_status_name(status));
	return status == SDEC_OK;
}

static void stop(struct viewer *viewer)
{
	picture_close(&viewer->picture);
	sdec_pool_close(&viewer->decoder);
	free(viewer->screen.pixels);
	/* The window goes with the process.  SDL 2 speaks to the X server by two connections; if one takes the window
	 * away before the other has said something about it, Xlib ends the process, with status 1. */
}

static const char usage[] = "usage: viewer FILE...\n"
                            "\n"
                            "right, down, space                next file\n"
                            "left, up, backspace               previous file\n"
                            "page down, page up                next and previous page, or file\n"
                            "space                             pause and resume an animation\n"
                            "home, end                         first and last file\n"
                            "f, 0                              the whole picture\n"
                            "1, +, -, the wheel                zoom: 1:1, in, out; drag to move the picture\n"
                            "q, Escape                         quit\n";

int main(int argc, char **argv)
{
	struct viewer viewer = { .picture = { .fd = -1 }, .paths = argv + 1, .count = argc - 1 };

	bool help = argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);

	if (argc < 2 || help) {
		(void)fputs(usage, help ? stdout : stderr);
		return help ? SDEC_OK : SDEC_USAGE;
	}
	int status = start(&viewer) ? run(&viewer) : SDEC_IO;
	stop(&viewer);
	return status;
}
