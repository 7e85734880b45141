/* SPDX-License-Identifier: MIT */
/* Frames of animations, by all calls that give some. */
#include <criterion/criterion.h>
#include <poll.h>
#include <string.h>

#include "tests/support/library_support.h"

#define ANIMATION "samples/gif/mixed-disposal.gif"

enum { FRAMES = 5, SIDE = 32, FRAME_SIZE = SIDE * SIDE * 4 };

static uint8_t expected[FRAMES][FRAME_SIZE];

/* Each frame by a call of its own. */
static void decode_each(struct sdec_pool *pool, const struct sdec_input *input)
{
	for (uint32_t i = 0; i < FRAMES; i++) {
		struct sdec_request request = { .size = sizeof(request), .first_frame = i };
		struct sdec_image image = { .size = sizeof(image) };
		cr_assert_eq(sdec_decode_image(pool, input, &request, &image, NULL), SDEC_OK);
		cr_assert(image.width == SIDE && image.height == SIDE && image.stride == (size_t)SIDE * 4);
		memcpy(expected[i], image.pixels, FRAME_SIZE);
		sdec_image_free(&image);
	}
	cr_assert_arr_neq(expected[0], expected[1], FRAME_SIZE);
}

Test(library_frames, all_at_once)
{
	struct sdec_pool *pool = open_decoder(NULL);
	struct blob file = read_blob(ANIMATION);
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_request request = { .size = sizeof(request) };
	struct sdec_frames frames = { .size = sizeof(frames) };

	decode_each(pool, &input);
	for (uint32_t first = 0; first < FRAMES; first++) {
		for (uint32_t most = 0; most <= FRAMES; most++) {
			request.first_frame = first;
			request.max_frames = most;
			cr_assert_eq(sdec_decode_frames(pool, &input, &request, &frames, NULL), SDEC_OK);
			size_t count = most == 0 || most > FRAMES - first ? FRAMES - first : most;
			cr_assert_eq(frames.count, count);
			/* Where the first frame is all that is wanted, nobody looks whether others follow. */
			cr_assert_eq(frames.animated, first > 0 || most != 1);
			cr_assert_eq(frames.loops, 0);
			for (size_t i = 0; i < count; i++) {
				cr_assert_eq(frames.frames[i].delay_milliseconds, frames.animated ? 1000 : 0);
				cr_assert_arr_eq(frames.frames[i].pixels, expected[first + i], FRAME_SIZE);
			}
			sdec_frames_free(&frames);
			cr_assert(!frames.frames && frames.count == 0);
		}
	}
	request.first_frame = FRAMES;
	cr_assert_eq(sdec_decode_frames(pool, &input, &request, &frames, NULL), SDEC_UNSUPPORTED);
	cr_assert_null(frames.frames);
	free_blob(&file);
	sdec_pool_close(&pool);
}

Test(library_frames, limits_are_on_all_together)
{
	struct sdec_pool *pool = open_decoder(NULL);
	struct blob file = read_blob(ANIMATION);
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_limits limits = { .size = sizeof(limits), .max_output = FRAMES * FRAME_SIZE };
	struct sdec_request request = { .size = sizeof(request), .limits = &limits };
	struct sdec_frames frames = { .size = sizeof(frames) };
	struct sdec_result result = { .size = sizeof(result) };

	cr_assert_eq(sdec_decode_frames(pool, &input, &request, &frames, NULL), SDEC_OK);
	sdec_frames_free(&frames);
	limits.max_output--;
	cr_assert_eq(sdec_decode_frames(pool, &input, &request, &frames, &result), SDEC_LIMIT);
	cr_assert_eq(result.limit, SDEC_LIMIT_OUTPUT);
	cr_assert_null(frames.frames);
	/* Pixels that come without alpha are more once they are given. */
	limits.max_output = FRAMES * FRAME_SIZE;
	limits.max_pixels = FRAMES * SIDE * SIDE - 1;
	cr_assert_eq(sdec_decode_frames(pool, &input, &request, &frames, &result), SDEC_LIMIT);
	cr_assert_eq(result.limit, SDEC_LIMIT_PIXELS);
	free_blob(&file);
	sdec_pool_close(&pool);
}

Test(library_frames, usage)
{
	struct sdec_pool *pool = open_decoder(NULL);
	struct blob file = read_blob(ANIMATION);
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_request request = { .size = sizeof(request), .max_frames = 2 };
	struct sdec_image image = { .size = sizeof(image) };
	struct sdec_frames frames = { .size = sizeof(frames) };

	cr_assert_eq(sdec_decode_image(pool, &input, &request, &image, NULL), SDEC_USAGE);
	cr_assert_eq(sdec_decode_frames(pool, &input, NULL, NULL, NULL), SDEC_USAGE);
	frames.size = sizeof(size_t);
	cr_assert_eq(sdec_decode_frames(pool, &input, NULL, &frames, NULL), SDEC_USAGE);
	frames = (struct sdec_frames){ .size = sizeof(frames) };
	free_blob(&file);
	file = read_blob("samples/wav/tone-s16.wav");
	input = memory_input(file.data, file.size);
	cr_assert_eq(sdec_decode_frames(pool, &input, NULL, &frames, NULL), SDEC_WRONG_KIND);
	sdec_frames_free(NULL);
	free_blob(&file);
	sdec_pool_close(&pool);
}

/* ---- by a stream ---- */

struct shown {
	unsigned infos, frames;
	uint32_t rows; /* of the last frame */
	uint8_t pixels[FRAME_SIZE];
};

static void show(struct shown *shown, const struct sdec_event *event)
{
	if (event->kind == SDEC_EVENT_INFO) {
		shown->infos++;
		cr_assert(event->info->animated && event->info->width == SIDE);
	} else if (event->kind == SDEC_EVENT_FRAME) {
		cr_assert(shown->frames == 0 || shown->rows == SIDE);
		cr_assert_eq(event->frame, shown->frames);
		cr_assert(event->x + event->width <= SIDE && event->y + event->height <= SIDE);
		cr_assert_eq(event->delay_milliseconds, 1000);
		shown->frames++;
		shown->rows = 0;
	} else if (event->kind == SDEC_EVENT_ROWS) {
		cr_assert_eq(event->first_row, shown->rows);
		for (uint32_t y = 0; y < event->rows; y++)
			memcpy(shown->pixels + (size_t)(event->first_row + y) * SIDE * 4,
			       (const uint8_t *)event->data + y * event->stride, (size_t)SIDE * 4);
		shown->rows += event->rows;
		if (shown->rows == SIDE)
			cr_assert_arr_eq(shown->pixels, expected[shown->frames - 1], FRAME_SIZE);
	}
}

Test(library_frames, by_a_stream)
{
	struct sdec_pool *pool = open_decoder(NULL);
	struct blob file = read_blob(ANIMATION);
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_request request = { .size = sizeof(request), .max_frames = SDEC_ALL_FRAMES };
	struct sdec_event event = { .size = sizeof(event) };
	struct sdec_stream *stream = NULL;
	struct shown shown = { 0 };

	decode_each(pool, &input);
	cr_assert_eq(sdec_stream_open(pool, &input, &request, &stream), SDEC_OK);
	do {
		struct pollfd fds = { .fd = sdec_stream_fd(stream), .events = POLLIN };
		cr_assert_geq(poll(&fds, 1, 10000), 0);
		cr_assert_eq(sdec_stream_step(stream, &event), SDEC_OK);
		show(&shown, &event);
	} while (event.kind != SDEC_EVENT_END);
	cr_assert(shown.infos == 1 && shown.frames == FRAMES && shown.rows == SIDE);
	sdec_stream_close(&stream);
	free_blob(&file);
	sdec_pool_close(&pool);
}
