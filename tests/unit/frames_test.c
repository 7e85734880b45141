/* SPDX-License-Identifier: MIT */
/* Which frames and pages a session sends of those that a decoder gives, and what the reader makes of them. */
#include <criterion/criterion.h>
#include <string.h>

#include "broker/wire/reader.h"
#include "decoders/runtime/decoder.h"

enum { FRAMES = 5, SIDE = 8, ROOM = 1 << 16 };

/* ---- decoders: of frame or page N all bytes are N, and the delay is N, too ---- */

static session_result give_frame(struct session *session, const struct wire_image *image, unsigned index)
{
	session_result result = session_frame_part(session, index, 1, 2, 3, 4);

	for (uint32_t left = image->height; result == WIRE_OK && left > 0;) {
		uint8_t *rows = NULL;
		size_t count = 0;
		result = session_rows(session, &rows, &count);
		if (result != WIRE_OK)
			break;
		memset(rows, (int)index, count * image->width * wire_pixel_bytes[image->pixel_format]);
		result = session_commit_rows(session, count);
		left -= (uint32_t)count;
	}
	return result;
}

static struct wire_image image_of(struct session *session, uint32_t side, uint32_t frames, uint32_t flags)
{
	struct wire_image image = { .width = side,
		                    .height = side,
		                    .frames = frames,
		                    .loops = 3,
		                    .color = WIRE_COLOR_RGB,
		                    .channels = 3,
		                    .depth = 8,
		                    .flags = flags };

	image.pixel_format = session_choose_format(session, &image);
	return image;
}

static session_result animate(struct session *session, uint32_t frames)
{
	struct wire_image image = image_of(session, SIDE, frames, WIRE_IMAGE_ANIMATION);
	session_result result = session_image(session, &image);

	for (unsigned i = 0; result == WIRE_OK && i < FRAMES; i++)
		result = give_frame(session, &image, i);
	return result;
}

static session_result animate_known(struct session *session)
{
	return animate(session, FRAMES);
}

static session_result animate_unknown(struct session *session)
{
	return animate(session, 0);
}

/* Page N is N + 1 pixels wide and high. */
static session_result give_pages(struct session *session)
{
	session_result result = WIRE_OK;

	for (unsigned i = 0; result == WIRE_OK && i < FRAMES; i++) {
		struct wire_image image = image_of(session, i + 1, 0, 0);
		result = session_image(session, &image);
		if (result == WIRE_OK)
			result = give_frame(session, &image, i);
	}
	return result;
}

/* ---- a session in memory ---- */

struct exchange {
	struct wire_request request;
	size_t taken;
	uint8_t said[ROOM];
	size_t size, read;
};

static ssize_t give_request(void *context, void *data, size_t size)
{
	struct exchange *exchange = context;
	static const char input[] = "input";
	size_t all = sizeof(exchange->request) + sizeof(input);
	uint8_t bytes[sizeof(exchange->request) + sizeof(input)];

	memcpy(bytes, &exchange->request, sizeof(exchange->request));
	memcpy(bytes + sizeof(exchange->request), input, sizeof(input));
	if (size > all - exchange->taken)
		size = all - exchange->taken;
	memcpy(data, bytes + exchange->taken, size);
	exchange->taken += size;
	return (ssize_t)size;
}

static ssize_t keep_answer(void *context, const void *data, size_t size)
{
	struct exchange *exchange = context;

	cr_assert_leq(size, sizeof(exchange->said) - exchange->size);
	memcpy(exchange->said + exchange->size, data, size);
	exchange->size += size;
	return (ssize_t)size;
}

static ssize_t read_answer(void *context, void *data, size_t size)
{
	struct exchange *exchange = context;

	if (size > exchange->size - exchange->read)
		size = exchange->size - exchange->read;
	memcpy(data, exchange->said + exchange->read, size);
	exchange->read += size;
	return (ssize_t)size;
}

/* ---- what comes of it ---- */

struct seen {
	unsigned images, frames;
	uint32_t widths[FRAMES], values[FRAMES], delays[FRAMES];
	struct wire_frame last;
	struct wire_image image;
	size_t bytes; /* of the last frame */
	uint8_t room[64];
	bool ended;
};

static struct outcome see_hello(void *context)
{
	(void)context;
	return outcome_ok();
}

static struct outcome see_image(void *context, const struct wire_image *image)
{
	struct seen *seen = context;

	seen->images++;
	seen->image = *image;
	return outcome_ok();
}

static struct outcome see_frame(void *context, const struct wire_frame *frame)
{
	struct seen *seen = context;

	cr_assert_lt(seen->frames, FRAMES);
	seen->widths[seen->frames] = seen->image.width;
	seen->delays[seen->frames] = frame->delay;
	seen->frames++;
	seen->last = *frame;
	seen->bytes = 0;
	return outcome_ok();
}

static void *see_reserve(void *context, size_t *size)
{
	struct seen *seen = context;

	*size = sizeof(seen->room);
	return seen->room;
}

static struct outcome see_commit(void *context, size_t size)
{
	struct seen *seen = context;

	seen->values[seen->frames - 1] = seen->room[0];
	for (size_t i = 0; i < size; i++)
		cr_assert_eq(seen->room[i], seen->room[0]);
	seen->bytes += size;
	return outcome_ok();
}

static struct outcome see_end(void *context, enum wire_failure damage, uint32_t notes)
{
	struct seen *seen = context;

	(void)notes;
	seen->ended = damage == WIRE_OK;
	return outcome_ok();
}

static struct outcome decode(session_result (*give)(struct session *session), const struct wire_request *request,
                             struct seen *seen)
{
	static struct exchange exchange;
	const struct decoder tried = { .name = "tried", .decode = give };
	const struct session_io io = { .read = give_request, .write = keep_answer, .context = &exchange };
	const struct wire_consumer consumer = { .context = seen,
		                                .hello = see_hello,
		                                .image = see_image,
		                                .frame = see_frame,
		                                .reserve = see_reserve,
		                                .commit = see_commit,
		                                .end = see_end };
	struct wire_reader reader;
	enum wire_progress progress = WIRE_PROGRESS_MORE;

	exchange = (struct exchange){ .request = *request };
	*seen = (struct seen){ 0 };
	(void)session_serve(&tried, &io);
	wire_reader_init(&reader, request, &consumer);
	while (progress == WIRE_PROGRESS_MORE)
		progress = wire_reader_step(&reader, read_answer, &exchange);
	cr_assert_eq(progress, WIRE_PROGRESS_OVER);
	return reader.outcome;
}

static struct wire_request request_for(uint32_t first, uint32_t most)
{
	return (struct wire_request){ .version = WIRE_VERSION,
		                      .operation = WIRE_DECODE,
		                      .pixel_formats = WIRE_FORMAT_BIT(WIRE_RGB),
		                      .max_side = 100,
		                      .first_frame = first,
		                      .max_frames = most,
		                      .max_metadata = 4096,
		                      .max_pixels = 1 << 20,
		                      .max_output = 1 << 20,
		                      .scale = 1 };
}

static unsigned expected_count(uint32_t first, uint32_t most)
{
	unsigned left = first < FRAMES ? FRAMES - first : 0;

	return most < left ? most : left;
}

static session_result (*const givers[])(struct session *session) = { animate_known, animate_unknown, give_pages };

Test(frames, every_first_and_every_number)
{
	struct seen seen;

	for (size_t giver = 0; giver < sizeof(givers) / sizeof(givers[0]); giver++) {
		bool pages = givers[giver] == give_pages;
		for (uint32_t first = 0; first <= FRAMES + 1; first++) {
			for (uint32_t most = 1; most <= FRAMES + 1; most++) {
				struct wire_request request = request_for(first, most);
				struct outcome outcome = decode(givers[giver], &request, &seen);
				unsigned count = expected_count(first, most);
				cr_assert_eq(seen.frames, count, "%zu: %u from %u: %u", giver, most, first,
				             seen.frames);
				cr_assert_eq(outcome.status, count > 0 ? SDEC_OK : SDEC_UNSUPPORTED);
				cr_assert_eq(seen.ended, count > 0);
				cr_assert_eq(seen.images, pages ? count : count > 0);
				for (unsigned i = 0; i < count; i++) {
					cr_assert_eq(seen.values[i], first + i);
					cr_assert_eq(seen.delays[i], first + i);
					cr_assert_eq(seen.widths[i], pages ? first + i + 1 : SIDE);
				}
			}
		}
	}
}

/* The first that comes differs from nothing in part, whatever was before it. */
Test(frames, rectangles)
{
	struct seen seen;
	struct wire_request request = request_for(2, 1);

	cr_assert_eq(decode(animate_known, &request, &seen).status, SDEC_OK);
	cr_expect(seen.last.x == 0 && seen.last.y == 0 && seen.last.width == SIDE && seen.last.height == SIDE);
	request.max_frames = 2;
	cr_assert_eq(decode(animate_known, &request, &seen).status, SDEC_OK);
	cr_expect(seen.last.x == 1 && seen.last.y == 2 && seen.last.width == 3 && seen.last.height == 4);
	request.scale = 2; /* pixels 1 to 3 and 2 to 5 are in squares 0 to 1 and 1 to 2 */
	cr_assert_eq(decode(animate_known, &request, &seen).status, SDEC_OK);
	cr_expect_eq(seen.image.width, SIDE / 2);
	cr_expect(seen.last.x == 0 && seen.last.y == 1 && seen.last.width == 2 && seen.last.height == 2);
	request.scale = 8;
	cr_assert_eq(decode(animate_known, &request, &seen).status, SDEC_OK);
	cr_expect(seen.last.x == 0 && seen.last.y == 0 && seen.last.width == 1 && seen.last.height == 1);
	cr_expect_eq(seen.bytes, 3);
}

Test(frames, limits_are_on_all_frames)
{
	struct seen seen;
	struct wire_request request = request_for(0, UINT32_MAX);

	request.max_pixels = FRAMES * SIDE * SIDE;
	cr_expect_eq(decode(animate_unknown, &request, &seen).status, SDEC_OK);
	request.max_pixels--;
	struct outcome outcome = decode(animate_unknown, &request, &seen);
	cr_expect_eq(outcome.status, SDEC_LIMIT);
	cr_expect_eq(outcome.limit, SDEC_LIMIT_PIXELS);
	cr_expect_eq(seen.frames, FRAMES - 1);
	request.max_pixels = 1 << 20;
	request.max_output = FRAMES * SIDE * SIDE * 3 - 1;
	outcome = decode(animate_unknown, &request, &seen);
	cr_expect_eq(outcome.limit, SDEC_LIMIT_OUTPUT);
	request.max_output = 3 * (1 + 4 + 9 + 16) + 74; /* the last page has 75 bytes */
	outcome = decode(give_pages, &request, &seen);
	cr_expect_eq(outcome.limit, SDEC_LIMIT_OUTPUT);
	cr_expect_eq(seen.frames, FRAMES - 1);
}

/* Frames that are passed over count for nothing. */
Test(frames, what_is_not_wanted_is_free)
{
	struct seen seen;
	struct wire_request request = request_for(FRAMES - 1, 1);

	request.max_pixels = SIDE * SIDE;
	request.max_output = SIDE * SIDE * 3;
	cr_expect_eq(decode(animate_unknown, &request, &seen).status, SDEC_OK);
	cr_expect_eq(seen.values[0], FRAMES - 1);
}

Test(frames, information_is_about_the_page_that_is_wanted)
{
	struct seen seen;
	struct wire_request request = request_for(2, 1);

	request.operation = WIRE_INFO;
	cr_expect_eq(decode(give_pages, &request, &seen).status, SDEC_OK);
	cr_expect_eq(seen.image.width, 3);
	cr_expect_eq(seen.frames, 0);
	request.scale = 2;
	cr_expect_eq(decode(give_pages, &request, &seen).status, SDEC_OK);
	cr_expect_eq(seen.image.width, 2);
	cr_expect_eq(decode(animate_known, &request, &seen).status, SDEC_OK);
	cr_expect_eq(seen.image.frames, FRAMES);
	cr_expect_eq(seen.image.loops, 3);
	request.first_frame = FRAMES;
	cr_expect_eq(decode(animate_known, &request, &seen).status, SDEC_UNSUPPORTED);
}
