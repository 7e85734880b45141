/* SPDX-License-Identifier: MIT */
#include "view.h"

#include <stdlib.h>
#include <string.h>

#include "broker/wire/pixel_forms.h"
#include "flatten.h"
#include "reduce.h"

enum { STAGE_SIZE = 64 << 10 };

/* ---- what is to be done ---- */

static uint32_t divided(uint32_t length, uint32_t by)
{
	return length / by + (length % by != 0);
}

/* length * numerator / denominator, rounded, but not to nothing. */
static uint32_t in_proportion(uint32_t length, uint32_t numerator, uint32_t denominator)
{
	uint64_t result = ((uint64_t)length * numerator + denominator / 2) / denominator;

	return result == 0 ? 1 : result > UINT32_MAX ? UINT32_MAX : (uint32_t)result;
}

struct plan {
	struct turn_rectangle region; /* of the upright picture */
	uint32_t width, height;       /* that it is to get */
};

static bool crop_side(uint32_t side, uint32_t *place, uint32_t *length)
{
	if (*place >= side)
		return false;
	if (*length > side - *place)
		*length = side - *place;
	return true;
}

static bool crop(const struct wire_view *wanted, uint32_t width, uint32_t height, struct turn_rectangle *region)
{
	*region = (struct turn_rectangle){ 0, 0, width, height };
	if (wanted->crop_width == 0)
		return true;
	*region = (struct turn_rectangle){ wanted->crop_x, wanted->crop_y, wanted->crop_width, wanted->crop_height };
	return crop_side(width, &region->x, &region->width) && crop_side(height, &region->y, &region->height);
}

/* Whether the box is the wider one of two shapes. */
static bool is_wider(uint32_t box_width, uint32_t box_height, uint32_t width, uint32_t height)
{
	return (uint64_t)box_width * height > (uint64_t)box_height * width;
}

static void fit_inside(struct plan *plan, uint32_t box_width, uint32_t box_height)
{
	if (is_wider(box_width, box_height, plan->width, plan->height)) {
		plan->width = in_proportion(plan->width, box_height, plan->height);
		plan->height = box_height;
	} else {
		plan->height = in_proportion(plan->height, box_width, plan->width);
		plan->width = box_width;
	}
}

/* Cuts the region to the shape of the box. */
static void fit_cover(struct plan *plan, uint32_t box_width, uint32_t box_height)
{
	struct turn_rectangle *region = &plan->region;
	uint32_t width = region->width, height = region->height;

	if (is_wider(box_width, box_height, width, height))
		region->height = in_proportion(width, box_height, box_width);
	else
		region->width = in_proportion(height, box_width, box_height);
	region->x += (width - region->width) / 2;
	region->y += (height - region->height) / 2;
	plan->width = box_width;
	plan->height = box_height;
}

/* Not enlarged: the middle of it, as far as the box reaches. */
static void cut_middle(struct plan *plan, uint32_t box_width, uint32_t box_height)
{
	struct turn_rectangle *region = &plan->region;

	if (box_width < region->width) {
		region->x += (region->width - box_width) / 2;
		region->width = box_width;
	}
	if (box_height < region->height) {
		region->y += (region->height - box_height) / 2;
		region->height = box_height;
	}
	plan->width = region->width;
	plan->height = region->height;
}

/* To a length of one side; the other one follows. */
static void fit_side(struct plan *plan, uint32_t wanted_width, uint32_t wanted_height, bool may_grow)
{
	uint32_t width = plan->width, height = plan->height;

	if (!may_grow && (wanted_width > width || wanted_height > height))
		return;
	plan->width = wanted_width > 0 ? wanted_width : in_proportion(width, wanted_height, height);
	plan->height = wanted_height > 0 ? wanted_height : in_proportion(height, wanted_width, width);
}

static void fit(struct plan *plan, const struct wire_request *request)
{
	const struct wire_view *wanted = &request->view;
	uint32_t box_width = wanted->fit_width, box_height = wanted->fit_height;
	bool may_grow = (request->flags & WIRE_ENLARGE) != 0 || wanted->fit == WIRE_FIT_EXACT;
	bool wider = box_width > plan->region.width, higher = box_height > plan->region.height;

	plan->width = plan->region.width;
	plan->height = plan->region.height;
	if (box_width == 0 && box_height == 0)
		return;
	if (wanted->fit == WIRE_FIT_EXACT || box_width == 0 || box_height == 0)
		fit_side(plan, box_width, box_height, may_grow);
	else if (wanted->fit == WIRE_FIT_COVER && !may_grow && (wider || higher))
		cut_middle(plan, box_width, box_height);
	else if (wanted->fit == WIRE_FIT_COVER)
		fit_cover(plan, box_width, box_height);
	else if (may_grow || box_width < plan->width || box_height < plan->height)
		fit_inside(plan, box_width, box_height);
}

/* One side of the region, in pixels of what is given. */
static struct resample_side give_side(uint32_t place, uint32_t length, const struct view_picture *picture, uint32_t to,
                                      uint32_t *first, uint32_t *count)
{
	uint32_t reduced = picture->reduced;
	/* A pixel that stands for the first of a square lies half a square before its middle. */
	double shift = picture->corners ? 0.5 - 0.5 / reduced : 0;

	*first = place / reduced;
	*count = divided(place + length, reduced) - *first;
	return (struct resample_side){ .from = *count,
		                       .to = to,
		                       .start = (double)place / reduced - *first + shift,
		                       .extent = (double)length / reduced };
}

static bool is_as_it_is(const struct resample_side *side)
{
	return side->from == side->to;
}

enum wire_failure view_plan(struct view *view, const struct wire_request *request, const struct view_picture *picture)
{
	bool exchange = turn_exchanges_sides(picture->orientation);
	struct plan plan = { .width = 0 };

	*view = (struct view){ .picture = *picture, .background = request->view.background };
	view->scale = request->scale > picture->reduced ? request->scale / picture->reduced : 1;
	view->given_width = divided(picture->width, picture->reduced);
	view->given_height = divided(picture->height, picture->reduced);
	view->format = picture->flattened ? flatten_source(picture->format) : picture->format;
	if (!crop(&request->view, exchange ? picture->height : picture->width,
	          exchange ? picture->width : picture->height, &plan.region))
		return WIRE_FAIL_REGION;
	fit(&plan, request);
	struct turn_rectangle stored = turn_stored(picture->orientation, picture->width, picture->height, &plan.region);
	uint32_t to_width = exchange ? plan.height : plan.width, to_height = exchange ? plan.width : plan.height;
	struct turn_rectangle *region = &view->region;
	if (request->scale > 1) {
		to_width = divided(stored.width, request->scale);
		to_height = divided(stored.height, request->scale);
	}
	view->across = give_side(stored.x, stored.width, picture, to_width, &region->x, &region->width);
	view->down = give_side(stored.y, stored.height, picture, to_height, &region->y, &region->height);
	view->resamples = request->scale == 1 && !(is_as_it_is(&view->across) && is_as_it_is(&view->down));
	view->turns = picture->orientation > TURN_NONE;
	view->width = exchange ? to_height : to_width;
	view->height = exchange ? to_width : to_height;
	view->plain = view->scale == 1 && !view->resamples && !view->turns && !picture->flattened &&
	              region->width == view->given_width && region->height == view->given_height;
	if (view->width > request->max_side || view->height > request->max_side)
		return WIRE_FAIL_LIMIT_SIDE;
	return (uint64_t)view->width * view->height <= request->max_pixels ? WIRE_OK : WIRE_FAIL_LIMIT_PIXELS;
}

/* Squares begin at the corner of the region. */
static bool is_aligned(const struct turn_rectangle *region, uint32_t width, uint32_t height, uint32_t reduction)
{
	return region->x % reduction == 0 && region->y % reduction == 0 &&
	       (region->width % reduction == 0 || region->x + region->width == width) &&
	       (region->height % reduction == 0 || region->y + region->height == height);
}

/* Two pixels or more of what is given for each that is wanted, so that the filter has the last word. */
static bool leaves_enough(const struct view *view, uint32_t reduction)
{
	return view->across.extent / reduction >= 2.0 * view->across.to &&
	       view->down.extent / reduction >= 2.0 * view->down.to;
}

uint32_t view_reduction(const struct wire_request *request, uint32_t width, uint32_t height, uint32_t orientation,
                        uint32_t most)
{
	struct view view;
	struct view_picture picture = {
		.width = width, .height = height, .reduced = 1, .orientation = orientation, .format = WIRE_RGB
	};

	if (view_plan(&view, request, &picture) != WIRE_OK)
		return 1;
	for (uint32_t reduction = most < 8 ? most : 8; reduction > 1; reduction /= 2)
		if (request->scale > 1
		            ? request->scale % reduction == 0 && is_aligned(&view.region, width, height, reduction)
		            : leaves_enough(&view, reduction))
			return reduction;
	return 1;
}

/* ---- memory ---- */

static size_t given_stride(const struct view *view)
{
	return view->given_width * (size_t)wire_pixel_bytes[view->format];
}

static size_t stage_rows(const struct view *view)
{
	size_t rows = STAGE_SIZE / given_stride(view);

	return view->scale > 1 ? view->scale : rows > 0 ? rows : 1;
}

uint64_t view_memory(const struct view *view)
{
	size_t pixel_bytes = wire_pixel_bytes[view->format];
	uint64_t memory = 0;

	if (view->plain)
		return 0;
	memory = stage_rows(view) * given_stride(view) + (uint64_t)view->across.to * pixel_bytes;
	if (view->resamples)
		memory += resample_memory(&view->across, &view->down);
	if (view->turns)
		memory += turn_memory(view->picture.orientation, view->across.to, view->down.to, pixel_bytes);
	return memory;
}

bool view_open(struct view *view)
{
	size_t pixel_bytes = wire_pixel_bytes[view->format];

	view->stage_rows = stage_rows(view);
	view->stage = calloc(view->stage_rows, given_stride(view));
	view->sized = calloc(view->across.to, pixel_bytes);
	return view->stage && view->sized &&
	       (!view->resamples || resample_open(&view->resample, view->format, &view->across, &view->down)) &&
	       (!view->turns ||
	        turn_open(&view->turn, view->picture.orientation, view->across.to, view->down.to, pixel_bytes));
}

void view_close(struct view *view)
{
	free(view->stage);
	free(view->sized);
	resample_close(&view->resample);
	turn_close(&view->turn);
	view->stage = view->sized = NULL;
}

/* ---- rows ---- */

void view_begin(struct view *view)
{
	view->rows_in = 0;
	view->staged = view->place = 0;
	if (view->resamples)
		resample_begin(&view->resample);
	if (view->turns)
		turn_begin(&view->turn);
}

static uint32_t send(struct view *view, const uint8_t *row, const struct view_sink *sink)
{
	uint8_t *room = NULL;
	uint32_t result = sink->room(sink->context, &room);

	if (result != WIRE_OK)
		return result;
	if (view->picture.flattened)
		flatten_row(view->picture.format, room, row, view->width, view->background);
	else
		memcpy(room, row, view->width * (size_t)wire_pixel_bytes[view->format]);
	return sink->sent(sink->context);
}

static uint32_t send_turned(struct view *view, const struct view_sink *sink)
{
	const uint8_t *row = NULL;
	uint32_t result = WIRE_OK;

	while (result == WIRE_OK && (row = turn_take(&view->turn)) != NULL)
		result = send(view, row, sink);
	return result;
}

/* A row that has its size. */
static uint32_t turn(struct view *view, const uint8_t *row, const struct view_sink *sink)
{
	if (!view->turns)
		return send(view, row, sink);
	turn_put(&view->turn, row);
	return send_turned(view, sink);
}

/* A row of the region. */
static uint32_t size(struct view *view, const uint8_t *row, const struct view_sink *sink)
{
	uint32_t result = WIRE_OK;

	if (!view->resamples)
		return turn(view, row, sink);
	resample_put(&view->resample, row);
	while (result == WIRE_OK && resample_take(&view->resample, view->sized))
		result = turn(view, view->sized, sink);
	return result;
}

static uint32_t region_rows_left(const struct view *view)
{
	uint32_t end = view->region.y + view->region.height;

	return view->rows_in < end ? end - view->rows_in : 0;
}

uint8_t *view_room(struct view *view, size_t *count)
{
	size_t most = view->stage_rows - view->staged;
	uint32_t left = region_rows_left(view);

	if (view->rows_in < view->region.y)
		left = view->region.y - view->rows_in; /* nobody wants these */
	else if (left == 0)
		left = view->given_height - view->rows_in; /* nor these */
	*count = left < most ? left : most;
	view->place = view->staged;
	return view->stage + view->staged * given_stride(view);
}

/* Reduces the rows that are staged, if they are all of a row of squares. */
static uint32_t reduce(struct view *view, const struct view_sink *sink)
{
	const uint8_t *from = view->stage + view->region.x * (size_t)wire_pixel_bytes[view->format];

	if (view->staged < view->scale && region_rows_left(view) > 0)
		return WIRE_OK;
	reduce_rows(view->format, view->scale, view->region.width, from, given_stride(view), view->staged, view->sized);
	view->staged = 0;
	return turn(view, view->sized, sink);
}

uint32_t view_commit(struct view *view, size_t count, const struct view_sink *sink)
{
	bool wanted = view->rows_in >= view->region.y && region_rows_left(view) > 0;
	const uint8_t *from = view->stage + view->place * given_stride(view) +
	                      view->region.x * (size_t)wire_pixel_bytes[view->format];
	uint32_t result = WIRE_OK;

	view->rows_in += (uint32_t)count;
	view->place += count;
	if (!wanted || count == 0)
		return WIRE_OK;
	if (view->scale > 1) {
		view->staged += count;
		return reduce(view, sink);
	}
	for (size_t i = 0; result == WIRE_OK && i < count; i++)
		result = size(view, from + i * given_stride(view), sink);
	return result;
}

bool view_is_done(const struct view *view)
{
	return region_rows_left(view) == 0 && view->rows_in < view->given_height;
}

uint32_t view_end(struct view *view, const struct view_sink *sink)
{
	/* Where none has come, there is nothing to show. */
	if (!view->turns || region_rows_left(view) == 0 || view->turn.rows_in == 0)
		return WIRE_OK;
	turn_end(&view->turn);
	return send_turned(view, sink);
}
