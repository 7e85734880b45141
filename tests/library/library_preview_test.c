/* SPDX-License-Identifier: MIT */
/* Coarse forms of progressive pictures, before the pictures: only by streams, and only if they were asked for. */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/library_support.h"

#define PROGRESSIVE "samples/jpeg/peacock.progressive.jpeg"
#define SEQUENTIAL "samples/jpeg/peacock.default.jpeg"
#define INTERLACED "samples/png/hippopotamus.interlaced.png"
#define ANIMATION "samples/png/animation-interlaced.apng"

struct seen {
	unsigned previews, frames;
	struct blob preview, picture; /* rows of the last of each, packed */
	uint32_t width, height;
	enum sdec_status status;
	struct sdec_result result;
};

static void keep(struct blob *blob, const struct sdec_event *event, size_t row_bytes)
{
	blob->data = realloc(blob->data, blob->size + event->rows * row_bytes);
	cr_assert_not_null(blob->data);
	for (size_t row = 0; row < event->rows; row++, blob->size += row_bytes)
		memcpy(blob->data + blob->size, (const uint8_t *)event->data + row * event->stride, row_bytes);
}

static void take(struct seen *seen, const struct sdec_event *event)
{
	if (event->kind == SDEC_EVENT_INFO) {
		seen->width = event->info->width;
		seen->height = event->info->height;
	} else if (event->kind == SDEC_EVENT_FRAME) {
		cr_assert_eq(event->frame, 0);
		cr_assert_eq(seen->frames, 0, "previews come first");
		seen->previews += event->preview != 0;
		seen->frames += event->preview == 0;
		(event->preview ? &seen->preview : &seen->picture)->size = 0;
	} else if (event->kind == SDEC_EVENT_ROWS) {
		struct blob *blob = event->preview ? &seen->preview : &seen->picture;
		cr_assert_eq(event->first_row * (size_t)seen->width * 4, blob->size);
		keep(blob, event, (size_t)seen->width * 4);
	}
}

static struct seen run(const char *path, size_t cut, struct sdec_request request)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob(path);
	struct sdec_input input = memory_input(file.data, file.size - cut);
	struct sdec_stream *stream = NULL;
	struct seen seen = { .result.size = sizeof(seen.result) };
	struct sdec_event event = { .size = sizeof(event) };

	request.size = sizeof(request);
	cr_assert_eq(sdec_stream_open(decoder, &input, &request, &stream), SDEC_OK);
	while ((seen.status = sdec_stream_step(stream, &event)) == SDEC_OK && event.kind != SDEC_EVENT_END) {
		struct pollfd ready = { .fd = sdec_stream_fd(stream), .events = POLLIN };
		if (event.kind == SDEC_EVENT_NONE)
			cr_assert_eq(poll(&ready, 1, 30000), 1);
		else
			take(&seen, &event);
	}
	sdec_stream_result(stream, &seen.result);
	sdec_stream_close(&stream);
	free_blob(&file);
	sdec_pool_close(&decoder);
	return seen;
}

static void forget(struct seen *seen)
{
	free_blob(&seen->preview);
	free_blob(&seen->picture);
}

/* The mean difference of two pictures' bytes. */
static double difference(const struct blob *one, const struct blob *other)
{
	double sum = 0;

	cr_assert_eq(one->size, other->size);
	for (size_t i = 0; i < one->size; i++)
		sum += abs(one->data[i] - other->data[i]);
	return sum / (double)one->size;
}

Test(library_previews, they_come_before_the_picture_and_are_like_it, .timeout = 60)
{
	static const char *const paths[] = { PROGRESSIVE, INTERLACED };

	for (size_t i = 0; i < 2; i++) {
		struct seen plain = run(paths[i], 0, (struct sdec_request){ .flags = 0 });
		struct seen seen = run(paths[i], 0, (struct sdec_request){ .flags = SDEC_PREVIEW });
		cr_assert_eq(plain.status, SDEC_OK);
		cr_assert_eq(plain.previews, 0);
		cr_assert_eq(seen.status, SDEC_OK, "%s", seen.result.reason);
		cr_assert_eq(seen.previews, 1);
		cr_assert_eq(seen.frames, 1);
		cr_assert_eq(difference(&seen.picture, &plain.picture), 0, "the picture is the same");
		double coarse = difference(&seen.preview, &seen.picture);
		cr_assert(coarse > 0.5 && coarse < 40, "%s: %f", paths[i], coarse);
		forget(&plain);
		forget(&seen);
	}
}

Test(library_previews, other_pictures_have_none, .timeout = 60)
{
	static const char *const paths[] = { SEQUENTIAL, ANIMATION, "samples/png/rgb-8.png" };

	for (size_t i = 0; i < 3; i++) {
		struct seen seen = run(paths[i], 0, (struct sdec_request){ .flags = SDEC_PREVIEW });
		cr_assert_eq(seen.status, SDEC_OK, "%s", paths[i]);
		cr_assert(seen.previews == 0 && seen.frames == 1, "%s: %u", paths[i], seen.previews);
		forget(&seen);
	}
}

Test(library_previews, they_are_fitted_and_turned_like_the_picture, .timeout = 60)
{
	struct seen seen = run(PROGRESSIVE, 0,
	                       (struct sdec_request){ .flags = SDEC_PREVIEW,
	                                              .crop_x = 10,
	                                              .crop_width = 60,
	                                              .crop_height = 60,
	                                              .fit_width = 30,
	                                              .fit_height = 30 });

	cr_assert_eq(seen.status, SDEC_OK, "%s", seen.result.reason);
	cr_assert(seen.previews == 1 && seen.frames == 1 && seen.width == 30 && seen.height == 30);
	cr_assert_eq(seen.preview.size, 30 * 30 * 4);
	cr_assert_lt(difference(&seen.preview, &seen.picture), 40);
	forget(&seen);
}

Test(library_previews, damage_comes_after_them, .timeout = 60)
{
	static const struct {
		const char *path;
		size_t cut;
	} files[] = { { PROGRESSIVE, 900 }, { INTERLACED, 150 } };

	for (size_t i = 0; i < 2; i++) {
		struct seen refused = run(files[i].path, files[i].cut, (struct sdec_request){ .flags = SDEC_PREVIEW });
		struct seen kept =
		        run(files[i].path, files[i].cut, (struct sdec_request){ .flags = SDEC_PREVIEW | SDEC_PARTIAL });
		struct seen plain = run(files[i].path, files[i].cut, (struct sdec_request){ .flags = SDEC_PARTIAL });
		cr_expect_eq(refused.status, SDEC_MALFORMED);
		cr_expect_leq(refused.previews, 1); /* the failure may overtake it */
		cr_expect_eq(kept.status, SDEC_OK);
		cr_expect(kept.result.damage != 0 && kept.frames == 1 && kept.previews == 1);
		cr_expect_eq(difference(&kept.picture, &plain.picture), 0);
		forget(&refused);
		forget(&kept);
		forget(&plain);
	}
}

Test(library_previews, they_need_room_within_the_limits, .timeout = 60)
{
	struct sdec_limits limits = { .size = sizeof(limits), .max_pixels = 2 * 100 * 75 - 1 };
	struct seen seen = run(PROGRESSIVE, 0, (struct sdec_request){ .flags = SDEC_PREVIEW, .limits = &limits });

	cr_assert_eq(seen.status, SDEC_OK);
	cr_assert_eq(seen.previews, 0);
	forget(&seen);
	limits.max_pixels++;
	seen = run(PROGRESSIVE, 0, (struct sdec_request){ .flags = SDEC_PREVIEW, .limits = &limits });
	cr_assert_eq(seen.previews, 1);
	forget(&seen);
}

Test(library_previews, not_by_one_call, .timeout = 60)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob(PROGRESSIVE);
	struct sdec_input input = memory_input(file.data, file.size);
	const struct sdec_request request = { .size = sizeof(request), .flags = SDEC_PREVIEW };
	struct sdec_image image = { .size = sizeof(image) };
	struct sdec_frames frames = { .size = sizeof(frames) };

	cr_assert_eq(sdec_decode_image(decoder, &input, &request, &image, NULL), SDEC_USAGE);
	cr_assert_eq(sdec_decode_frames(decoder, &input, &request, &frames, NULL), SDEC_USAGE);
	free_blob(&file);
	sdec_pool_close(&decoder);
}
