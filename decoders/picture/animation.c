/* SPDX-License-Identifier: MIT */
#include "animation.h"

#include <stdlib.h>
#include <string.h>

#include "rows.h"

enum { PIXEL_BYTES = 4 };

static size_t row_bytes(const struct animation *animation)
{
	return (size_t)animation->image->width * PIXEL_BYTES;
}

bool animation_wanted(const struct session *session)
{
	const struct wire_request *request = session_request(session);

	return request->operation == WIRE_DECODE && (request->max_frames > 1 || request->first_frame > 0);
}

uint64_t animation_memory(const struct session *session, const struct wire_image *image)
{
	uint64_t row = (uint64_t)image->width * PIXEL_BYTES;

	return animation_wanted(session) ? 2 * row * image->height : row;
}

session_result animation_open(struct animation *animation, struct session *session, const struct wire_image *image)
{
	*animation = (struct animation){ .session = session, .image = image, .single = !animation_wanted(session) };
	if (!animation->single)
		return compositor_open(&animation->compositor, image->width, image->height);
	animation->row = calloc(image->width, PIXEL_BYTES);
	return animation->row ? WIRE_OK : WIRE_FAIL_LIMIT_MEMORY;
}

void animation_close(struct animation *animation)
{
	compositor_close(&animation->compositor);
	free(animation->row);
	*animation = (struct animation){ 0 };
}

static session_result send(struct animation *animation, const uint8_t *pixels, uint32_t count)
{
	return rows_send(animation->session, animation->image, PIXELS_RGBA, pixels, row_bytes(animation), count);
}

/* Rows above or below of the only frame. */
static session_result send_empty(struct animation *animation, uint32_t end)
{
	session_result result = WIRE_OK;

	if (animation->rows < end)
		memset(animation->row, 0, row_bytes(animation));
	for (; result == WIRE_OK && animation->rows < end; animation->rows++)
		result = send(animation, animation->row, 1);
	return result;
}

static uint32_t least(uint64_t left, uint64_t right)
{
	return (uint32_t)(left < right ? left : right);
}

/* What may differ from the frame before: the new rectangle, and the last one, if it is disposed of. */
static struct compositor_frame changed_by(const struct animation *animation, const struct compositor_frame *place)
{
	const struct compositor_frame *before = &animation->before;
	uint32_t width = animation->image->width, height = animation->image->height;
	bool none = before->width == 0 || before->height == 0;
	uint32_t left = none ? place->x : least(place->x, before->x);
	uint32_t top = none ? place->y : least(place->y, before->y);
	uint64_t right = (uint64_t)place->x + place->width, bottom = (uint64_t)place->y + place->height;

	if (!none && (uint64_t)before->x + before->width > right)
		right = (uint64_t)before->x + before->width;
	if (!none && (uint64_t)before->y + before->height > bottom)
		bottom = (uint64_t)before->y + before->height;
	left = least(left, width);
	top = least(top, height);
	return (struct compositor_frame){
		.x = left, .y = top, .width = least(right, width) - left, .height = least(bottom, height) - top
	};
}

session_result animation_begin(struct animation *animation, const struct compositor_frame *place, uint32_t delay)
{
	struct compositor_frame changed = changed_by(animation, place);
	session_result result = session_frame_part(animation->session, animation->single ? 0 : compositor_delay(delay),
	                                           changed.x, changed.y, changed.width, changed.height);

	animation->place = *place;
	animation->before = *place;
	if (place->dispose == COMPOSITOR_KEEP)
		animation->before.width = 0;
	animation->rows = 0;
	if (result == WIRE_OK && !animation->single)
		result = compositor_begin(&animation->compositor, place);
	return result;
}

session_result animation_rows(struct animation *animation, const uint8_t *pixels, size_t stride, uint32_t count)
{
	const struct compositor_frame *place = &animation->place;
	session_result result = animation->single ? send_empty(animation, place->y) : WIRE_OK;

	for (; result == WIRE_OK && count > 0; count--, pixels += stride) {
		if (!animation->single) {
			compositor_draw(&animation->compositor, animation->rows++, pixels);
			continue;
		}
		/* What is beside the frame stays as it was made: transparent. */
		memcpy(animation->row + (size_t)place->x * PIXEL_BYTES, pixels, (size_t)place->width * PIXEL_BYTES);
		animation->rows++;
		result = send(animation, animation->row, 1);
	}
	return result;
}

session_result animation_end(struct animation *animation, enum wire_failure damage)
{
	uint32_t height = animation->image->height;
	session_result result = WIRE_OK;

	if (!animation->single) {
		uint64_t whole = (uint64_t)animation->place.y + animation->rows;
		bool all = damage == WIRE_OK || whole > height;
		result = send(animation, animation->compositor.pixels, all ? height : (uint32_t)whole);
	} else if (damage == WIRE_OK) {
		result = send_empty(animation, height);
	}
	return result == WIRE_OK && damage != WIRE_OK ? session_damage(animation->session, damage) : result;
}
