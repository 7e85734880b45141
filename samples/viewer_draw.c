/* SPDX-License-Identifier: MIT */
/*
 * Draws a part of a picture at some size, without the help of the graphics card: so a picture may have any size, and
 * each pixel of it is exact at 1:1.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "viewer.h"

enum {
	PIXEL_BYTES = 4,
	OPAQUE = 255,
	WHOLE = 256,
	SAMPLES_MAX = 4, /* that are averaged, each way, where many pixels of the picture share one of the screen */
	OUTSIDE = 0x202020,
	NOT_THERE = 0x303030, /* rows that have not come */
	LIGHT = 0x999999,     /* what shows through transparent pixels: a chessboard */
	DARK = 0x666666,
	SQUARE_BITS = 3, /* log2 of the size of its squares */
};

#define ZOOM_MIN (1.0 / 64)
#define ZOOM_MAX 64.0

/* ---- the screen ---- */

bool screen_resize(struct screen *screen, int width, int height)
{
	uint8_t *pixels = calloc((size_t)height, (size_t)width * PIXEL_BYTES);

	if (!pixels)
		return false;
	free(screen->pixels);
	*screen = (struct screen){ .pixels = pixels, .width = width, .height = height };
	return true;
}

static void set_pixel(uint8_t *pixel, uint32_t rgb)
{
	pixel[0] = (uint8_t)rgb;
	pixel[1] = (uint8_t)(rgb >> 8);
	pixel[2] = (uint8_t)(rgb >> 16);
	pixel[3] = OPAQUE;
}

static int clamp(int value, int least, int most)
{
	return value < least ? least : value > most ? most : value;
}

void screen_fill(struct screen *screen, const struct rectangle *where, uint32_t rgb)
{
	int left = clamp(where->x, 0, screen->width);
	int right = clamp(where->x + where->width, left, screen->width);
	int top = clamp(where->y, 0, screen->height);
	int bottom = clamp(where->y + where->height, top, screen->height);

	for (int y = top; y < bottom; y++)
		for (int x = left; x < right; x++)
			set_pixel(screen->pixels + ((size_t)y * (size_t)screen->width + (size_t)x) * PIXEL_BYTES, rgb);
}

/* ---- the view ---- */

/* A picture smaller than the window stays in its middle, a larger one covers it. */
static double settle_axis(double middle, double visible, double length)
{
	if (visible >= length)
		return length / 2;
	return fmin(fmax(middle, visible / 2), length - visible / 2);
}

void view_settle(struct view *view, const struct picture *picture, const struct screen *screen)
{
	double width = picture_width(picture);
	double height = picture_height(picture);

	if (width == 0 || height == 0)
		return;
	if (view->fit)
		view->zoom = fmin(1, fmin(screen->width / width, screen->height / height));
	view->x = settle_axis(view->x, screen->width / view->zoom, width);
	view->y = settle_axis(view->y, screen->height / view->zoom, height);
}

void view_zoom(struct view *view, const struct screen *screen, double factor, int x, int y)
{
	double from_middle_x = x - screen->width / 2.0;
	double from_middle_y = y - screen->height / 2.0;
	double zoom = fmin(fmax(view->zoom * factor, fmin(ZOOM_MIN, view->zoom)), ZOOM_MAX);

	view->fit = false;
	view->x += from_middle_x / view->zoom - from_middle_x / zoom;
	view->y += from_middle_y / view->zoom - from_middle_y / zoom;
	view->zoom = zoom;
}

/* ---- from the picture to the screen ---- */

/* Which pixels of the picture, along one axis, a pixel of the screen shows, and how much of each; the weights add up to
 * WHOLE.  None: the picture is not there. */
struct span {
	uint32_t first, step, samples;
	uint32_t weights[SAMPLES_MAX];
};

/* From where to where it reaches on the picture. */
static struct span find_span(double from, double to, uint32_t length)
{
	struct span span = { .first = (uint32_t)from, .step = 1 };
	uint32_t pixels = (uint32_t)ceil(fmin(to, length)) - span.first;
	double reach = fmin(to, length) - from;
	uint32_t before = 0;

	span.samples = pixels < SAMPLES_MAX ? pixels : SAMPLES_MAX;
	span.step = pixels / span.samples;
	for (uint32_t i = 0; i < span.samples; i++) {
		/* Each counts for as much of it as is covered; of many, some stand for all. */
		double covered =
		        pixels > SAMPLES_MAX ? (i + 1.0) / (double)SAMPLES_MAX : (span.first + i + 1 - from) / reach;
		uint32_t until = i + 1 == span.samples ? WHOLE : (uint32_t)lround(covered * (double)WHOLE);
		span.weights[i] = until - before;
		before = until;
	}
	return span;
}

static void find_spans(struct span *spans, int count, double middle, double zoom, uint32_t length)
{
	/* A whole number, so that at 1:1 pixels of the picture lie on pixels of the screen. */
	double origin = round(count / 2.0 - middle * zoom);

	for (int i = 0; i < count; i++) {
		double from = (i - origin) / zoom;
		double to = (i + 1 - origin) / zoom;
		/* Enlarged, pixels are squares. */
		if (zoom >= 1) {
			from = floor(from);
			to = from + 1;
		}
		spans[i] = from >= 0 && from < length ? find_span(from, to, length) : (struct span){ .samples = 0 };
	}
}

/* How to walk over the pixels as they are seen. */
struct walk {
	const uint8_t *start;  /* the pixel that is seen at the top left */
	ptrdiff_t right, down; /* bytes from a pixel to what is seen on its right, and below it */
	bool has_alpha;
};

/* For each EXIF orientation: whether rows and columns are exchanged, whether the first column and the first row of the
 * file are seen at the end. */
static const struct {
	bool exchange, columns_from_end, rows_from_end;
} orientations[] = {
	[0] = { false, false, false }, [1] = { false, false, false }, [2] = { false, true, false },
	[3] = { false, true, true },   [4] = { false, false, true },  [5] = { true, false, false },
	[6] = { true, false, true },   [7] = { true, true, true },    [8] = { true, true, false },
};

static struct walk plan_walk(const struct picture *picture)
{
	const struct sdec_info *info = &picture->info;
	uint32_t orientation =
	        info->orientation < sizeof(orientations) / sizeof(orientations[0]) ? info->orientation : 0;
	ptrdiff_t column = PIXEL_BYTES;
	ptrdiff_t row = (ptrdiff_t)info->width * PIXEL_BYTES;
	struct walk walk = { .start = picture->pixels, .has_alpha = info->has_alpha != 0 };

	if (orientations[orientation].columns_from_end) {
		walk.start += (ptrdiff_t)(info->width - 1) * column;
		column = -column;
	}
	if (orientations[orientation].rows_from_end) {
		walk.start += (ptrdiff_t)(info->height - 1) * row;
		row = -row;
	}
	walk.right = orientations[orientation].exchange ? row : column;
	walk.down = orientations[orientation].exchange ? column : row;
	return walk;
}

/* Averages pixels; they are premultiplied, so that transparent ones do not tint others. */
static void average(const struct walk *walk, const struct span *across, const struct span *down,
                    uint32_t sums[PIXEL_BYTES])
{
	const uint8_t *row = walk->start + (ptrdiff_t)across->first * walk->right + (ptrdiff_t)down->first * walk->down;

	for (int i = 0; i < PIXEL_BYTES; i++)
		sums[i] = WHOLE * WHOLE / 2; /* to round */
	for (uint32_t y = 0; y < down->samples; y++, row += down->step * walk->down) {
		const uint8_t *pixel = row;
		for (uint32_t x = 0; x < across->samples; x++, pixel += across->step * walk->right)
			for (int i = 0; i < PIXEL_BYTES; i++)
				sums[i] += pixel[i] * across->weights[x] * down->weights[y];
	}
	for (int i = 0; i < PIXEL_BYTES; i++)
		sums[i] /= WHOLE * WHOLE;
}

static uint32_t background(const struct walk *walk, int x, int y)
{
	if (!walk->has_alpha)
		return NOT_THERE;
	return ((x >> SQUARE_BITS) ^ (y >> SQUARE_BITS)) & 1 ? DARK : LIGHT;
}

static void draw_pixel(uint8_t *to, const uint32_t from[PIXEL_BYTES], uint32_t behind)
{
	uint32_t through = OPAQUE - from[3];

	set_pixel(to, behind);
	for (int i = 0; i < 3; i++)
		to[i] = (uint8_t)(from[i] + (to[i] * through + OPAQUE / 2) / OPAQUE);
	to[3] = OPAQUE;
}

static void draw_row(const struct screen *screen, int y, const struct walk *walk, const struct span *across,
                     const struct span *down)
{
	uint8_t *to = screen->pixels + (size_t)y * (size_t)screen->width * PIXEL_BYTES;

	for (int x = 0; x < screen->width; x++, to += PIXEL_BYTES) {
		uint32_t pixel[PIXEL_BYTES];
		if (across[x].samples == 0 || down->samples == 0) {
			set_pixel(to, OUTSIDE);
			continue;
		}
		average(walk, &across[x], down, pixel);
		draw_pixel(to, pixel, background(walk, x, y));
	}
}

bool screen_draw(struct screen *screen, const struct picture *picture, const struct view *view)
{
	if (!picture->pixels) {
		screen_fill(screen, &(struct rectangle){ 0, 0, screen->width, screen->height }, OUTSIDE);
		return true;
	}
	struct walk walk = plan_walk(picture);
	struct span *across = calloc((size_t)screen->width + (size_t)screen->height, sizeof(*across));
	if (!across)
		return false;
	struct span *down = across + screen->width;
	find_spans(across, screen->width, view->x, view->zoom, picture_width(picture));
	find_spans(down, screen->height, view->y, view->zoom, picture_height(picture));
	for (int y = 0; y < screen->height; y++)
		draw_row(screen, y, &walk, across, &down[y]);
	free(across);
	return true;
}
