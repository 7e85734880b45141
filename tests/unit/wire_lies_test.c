/* SPDX-License-Identifier: MIT */
/* What a child can claim that is not so, and what the wire reader makes of it. */
#include "tests/support/wire_stream.h"

static enum sdec_status status_of_image(const struct wire_image *image, const struct wire_request *request)
{
	static struct stream stream;

	stream.size = 0;
	put_good(&stream, WIRE_HELLO, 0);
	put(&stream, WIRE_IMAGE, sizeof(*image), image, sizeof(*image));
	return status_of(&stream, request);
}

/* One field of an image that is otherwise good. */
#define EXPECT_REFUSED(field, value)                                                                                   \
	do {                                                                                                           \
		struct wire_image image = make_image();                                                                \
		image.field = (value);                                                                                 \
		cr_expect_eq(status_of_image(&image, &request), SDEC_KILLED, #field " = " #value);                     \
	} while (0)

Test(wire_reader, images_that_lie)
{
	const struct wire_request request = make_request();

	EXPECT_REFUSED(width, 0);
	EXPECT_REFUSED(height, 0);
	EXPECT_REFUSED(width, request.max_side + 1);
	EXPECT_REFUSED(height, UINT32_MAX);
	EXPECT_REFUSED(pixel_format, WIRE_RGBA); /* was not asked for */
	EXPECT_REFUSED(pixel_format, WIRE_PIXEL_FORMATS);
	EXPECT_REFUSED(pixel_format, 32); /* a shift too far */
	EXPECT_REFUSED(pixel_format, UINT32_MAX);
	EXPECT_REFUSED(color, WIRE_COLORS);
	EXPECT_REFUSED(channels, 0);
	EXPECT_REFUSED(channels, 5);
	EXPECT_REFUSED(depth, 0);
	EXPECT_REFUSED(depth, WIRE_DEPTH_MAX + 1);
	EXPECT_REFUSED(flags, WIRE_IMAGE_FLAGS + 1);
	EXPECT_REFUSED(orientation, 9);
	EXPECT_REFUSED(flags, WIRE_IMAGE_UPRIGHT); /* nobody asked for that */
}

/* A picture with these flags, of WIDTH x HEIGHT, where this was wanted. */
static enum sdec_status status_of_view(struct wire_view view, uint32_t request_flags, uint32_t image_flags)
{
	static struct stream stream;
	struct wire_image image = make_image();
	struct wire_request request = make_request();

	request.operation = WIRE_INFO;
	request.flags |= request_flags;
	request.view = view;
	image.flags = image_flags;
	stream.size = 0;
	put_good(&stream, WIRE_HELLO, 0);
	put(&stream, WIRE_IMAGE, sizeof(image), &image, sizeof(image));
	put_good(&stream, WIRE_END, 0);
	return status_of(&stream, &request);
}

static enum sdec_status status_of_size(uint32_t crop_width, uint32_t crop_height, uint32_t fit_width,
                                       uint32_t fit_height)
{
	const struct wire_view view = {
		.crop_width = crop_width, .crop_height = crop_height, .fit_width = fit_width, .fit_height = fit_height
	};

	return status_of_view(view, 0, 0);
}

Test(wire_reader, pictures_that_are_larger_than_was_wanted)
{
	cr_expect_eq(status_of_size(WIDTH, HEIGHT, 0, 0), SDEC_OK);
	cr_expect_eq(status_of_size(WIDTH - 1, HEIGHT, 0, 0), SDEC_KILLED);
	cr_expect_eq(status_of_size(WIDTH, HEIGHT - 1, 0, 0), SDEC_KILLED);
	cr_expect_eq(status_of_size(0, 0, WIDTH, HEIGHT), SDEC_OK);
	cr_expect_eq(status_of_size(0, 0, WIDTH - 1, HEIGHT), SDEC_KILLED);
	cr_expect_eq(status_of_size(0, 0, WIDTH, HEIGHT - 1), SDEC_KILLED);
	cr_expect_eq(status_of_size(0, 0, WIDTH, 0), SDEC_OK);
	cr_expect_eq(status_of_size(0, 0, 0, HEIGHT - 1), SDEC_KILLED);
	/* What is cropped may become larger than that. */
	cr_expect_eq(status_of_size(1, 1, 0, HEIGHT), SDEC_OK);
}

Test(wire_reader, views_that_were_not_asked_for)
{
	const struct wire_view all = { .fit_width = 0 };

	cr_expect_eq(status_of_view(all, 0, WIRE_IMAGE_ALPHA), SDEC_OK);
	cr_expect_eq(status_of_view(all, 0, WIRE_IMAGE_UPRIGHT), SDEC_KILLED);
	cr_expect_eq(status_of_view(all, WIRE_UPRIGHT, WIRE_IMAGE_UPRIGHT | WIRE_IMAGE_ALPHA), SDEC_OK);
	cr_expect_eq(status_of_view(all, WIRE_FLATTEN, 0), SDEC_OK);
	cr_expect_eq(status_of_view(all, WIRE_FLATTEN, WIRE_IMAGE_ALPHA), SDEC_KILLED);
}

Test(wire_reader, sizes_that_overflow_or_pass_a_limit)
{
	struct wire_image image = make_image();
	struct wire_request request = make_request();

	request.max_side = UINT32_MAX;
	request.max_frames = UINT32_MAX;
	request.max_pixels = UINT64_MAX;
	request.max_output = UINT64_MAX;
	image.width = image.height = UINT32_MAX; /* times 4 bytes: more than 64 bits */
	cr_expect_eq(status_of_image(&image, &request), SDEC_KILLED);
	image.width = image.height = 1U << 31; /* 2^62 pixels, and 2^64 bytes */
	cr_expect_eq(status_of_image(&image, &request), SDEC_KILLED);
	request.pixel_formats = WIRE_FORMAT_BIT(WIRE_RGBA_F32);
	image.pixel_format = WIRE_RGBA_F32;
	image.width = image.height = 1U << 30; /* 2^60 pixels, and 2^64 bytes */
	cr_expect_eq(status_of_image(&image, &request), SDEC_KILLED);
	image = make_image();
	request = make_request();
	request.max_pixels = WIDTH * HEIGHT - 1;
	cr_expect_eq(status_of_image(&image, &request), SDEC_KILLED);
	request = make_request();
	request.max_output = PIXELS - 1;
	cr_expect_eq(status_of_image(&image, &request), SDEC_KILLED);
}

/* ---- frames and pages ---- */

static const struct wire_frame whole_frame = { .width = WIDTH, .height = HEIGHT };

static const struct wire_frame whole_preview = { .width = WIDTH, .height = HEIGHT, .flags = WIRE_FRAME_PREVIEW };

static void put_image(struct stream *stream, uint32_t flags)
{
	struct wire_image image = make_image();

	image.flags = flags;
	image.frames = 0;
	put(stream, WIRE_IMAGE, sizeof(image), &image, sizeof(image));
}

static void put_frame(struct stream *stream, const struct wire_frame *frame)
{
	put(stream, WIRE_FRAME, sizeof(*frame), frame, sizeof(*frame));
	put_good(stream, WIRE_PIXELS, PIXELS);
}

/* "i": a page, "a": an animation, "f": a frame, "p": a preview, "d": damage, "e": the end. */
static enum sdec_status status_of_frames(const char *messages, const struct wire_request *request)
{
	static struct stream stream;

	stream.size = 0;
	put_good(&stream, WIRE_HELLO, 0);
	for (; *messages; messages++) {
		if (*messages == 'f')
			put_frame(&stream, &whole_frame);
		else if (*messages == 'p')
			put_frame(&stream, &whole_preview);
		else if (*messages == 'd')
			put_good(&stream, WIRE_DAMAGE, 0);
		else if (*messages == 'e')
			put_good(&stream, WIRE_END, 0);
		else
			put_image(&stream, *messages == 'a' ? WIRE_IMAGE_ANIMATION : 0);
	}
	return status_of(&stream, request);
}

Test(wire_reader, orders_of_frames_and_pages)
{
	static const struct {
		const char *messages;
		uint32_t max_frames;
		enum sdec_status status;
	} rows[] = {
		{ "ife", 1, SDEC_OK },       { "afe", 1, SDEC_OK },
		{ "afffe", 3, SDEC_OK },     { "affffe", 3, SDEC_KILLED }, /* one more than was asked for */
		{ "ififife", 3, SDEC_OK },   { "iffe", 3, SDEC_KILLED },   /* a page has one frame */
		{ "iife", 3, SDEC_KILLED },                                /* a page without a frame */
		{ "ie", 3, SDEC_KILLED },    { "ae", 3, SDEC_KILLED },
		{ "ifie", 3, SDEC_KILLED },  { "ifife", 1, SDEC_KILLED }, /* a page more than was asked for */
		{ "afife", 3, SDEC_KILLED },                              /* a page in an animation */
		{ "ifafe", 3, SDEC_KILLED }, { "afafe", 3, SDEC_KILLED },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wire_request request = make_request();
		request.max_frames = rows[i].max_frames;
		cr_expect_eq(status_of_frames(rows[i].messages, &request), rows[i].status, "%s", rows[i].messages);
	}
}

Test(wire_reader, orders_of_previews)
{
	static const struct {
		const char *messages;
		enum sdec_status status;
	} rows[] = {
		{ "ipfe", SDEC_OK },     { "ippfe", SDEC_OK },       { "apffe", SDEC_OK },
		{ "ipfipfe", SDEC_OK },  { "ippppppppfe", SDEC_OK }, { "ipppppppppfe", SDEC_KILLED },
		{ "ipe", SDEC_KILLED },  { "ipde", SDEC_KILLED },    { "ipfde", SDEC_OK },
		{ "ifpe", SDEC_KILLED }, { "afpfe", SDEC_KILLED },   { "ipife", SDEC_KILLED },
		{ "pife", SDEC_KILLED }, { "ipfpe", SDEC_KILLED },
	};
	struct wire_request request = make_request();

	request.max_frames = 2;
	request.max_pixels = request.max_output = UINT64_MAX;
	cr_expect_eq(status_of_frames("ipfe", &request), SDEC_KILLED, "nobody asked for it");
	request.flags |= WIRE_PREVIEW;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(status_of_frames(rows[i].messages, &request), rows[i].status, "%s", rows[i].messages);
	/* They count. */
	request.max_pixels = 3 * WIDTH * HEIGHT - 1;
	cr_expect_eq(status_of_frames("ipfe", &request), SDEC_OK);
	cr_expect_eq(status_of_frames("ippfe", &request), SDEC_KILLED);
	request.max_pixels = UINT64_MAX;
	request.max_output = 3 * PIXELS - 1;
	cr_expect_eq(status_of_frames("ippfe", &request), SDEC_KILLED);
}

Test(wire_reader, flags_of_frames_that_do_not_exist)
{
	static struct stream stream;
	struct wire_request request = make_request();
	struct wire_frame frame = whole_frame;

	request.flags |= WIRE_PREVIEW;
	for (uint32_t bit = 1; bit < 32; bit++) {
		frame.flags = UINT32_C(1) << bit;
		stream.size = 0;
		put_good(&stream, WIRE_HELLO, 0);
		put_image(&stream, 0);
		put_frame(&stream, &frame);
		put_good(&stream, WIRE_END, 0);
		cr_expect_eq(status_of(&stream, &request), SDEC_KILLED, "bit %u", bit);
	}
}

Test(wire_reader, limits_are_on_all_frames_together)
{
	struct wire_request request = make_request();

	request.max_frames = UINT32_MAX;
	request.max_pixels = 3 * WIDTH * HEIGHT;
	cr_expect_eq(status_of_frames("afffe", &request), SDEC_OK);
	cr_expect_eq(status_of_frames("affffe", &request), SDEC_KILLED);
	cr_expect_eq(status_of_frames("ififife", &request), SDEC_OK);
	cr_expect_eq(status_of_frames("ifififife", &request), SDEC_KILLED);
	request.max_pixels = UINT64_MAX;
	request.max_output = 3 * PIXELS + PIXELS - 1;
	cr_expect_eq(status_of_frames("afffe", &request), SDEC_OK);
	cr_expect_eq(status_of_frames("affffe", &request), SDEC_KILLED);
	cr_expect_eq(status_of_frames("ifififife", &request), SDEC_KILLED);
}

Test(wire_reader, rectangles_outside_of_the_picture)
{
	static const struct {
		struct wire_frame frame;
		enum sdec_status status;
	} rows[] = {
		{ { .width = WIDTH, .height = HEIGHT }, SDEC_OK },
		{ { .x = WIDTH, .y = HEIGHT }, SDEC_OK },
		{ { .x = 1, .y = 1, .width = WIDTH - 1, .height = HEIGHT - 1, .delay = UINT32_MAX }, SDEC_OK },
		{ { .x = 1, .width = WIDTH, .height = HEIGHT }, SDEC_KILLED },
		{ { .y = 1, .width = WIDTH, .height = HEIGHT }, SDEC_KILLED },
		{ { .x = WIDTH + 1 }, SDEC_KILLED },
		{ { .y = HEIGHT + 1 }, SDEC_KILLED },
		{ { .x = 2, .width = UINT32_MAX }, SDEC_KILLED }, /* the sum overflows */
		{ { .y = 2, .height = UINT32_MAX }, SDEC_KILLED },
	};
	const struct wire_request request = make_request();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static struct stream stream;
		stream.size = 0;
		reach(&stream, WIRE_STATE_READY);
		put_image(&stream, 0);
		put_frame(&stream, &rows[i].frame);
		put_good(&stream, WIRE_END, 0);
		cr_expect_eq(status_of(&stream, &request), rows[i].status, "row %zu", i);
	}
}

Test(wire_reader, fewer_and_more_than_announced)
{
	static struct stream stream;
	const struct wire_request request = make_request();

	/* END while a pixel lacks. */
	stream.size = 0;
	reach(&stream, WIRE_STATE_FRAME);
	put_good(&stream, WIRE_PIXELS, PIXELS - 1);
	put_good(&stream, WIRE_END, 0);
	cr_expect_eq(status_of(&stream, &request), SDEC_KILLED);
	/* END while the frame lacks. */
	stream.size = 0;
	reach(&stream, WIRE_STATE_IMAGE);
	put_good(&stream, WIRE_END, 0);
	cr_expect_eq(status_of(&stream, &request), SDEC_KILLED);
	/* Pixels after the last one, and a frame after the last one. */
	for (uint32_t kind = WIRE_FRAME; kind <= WIRE_PIXELS; kind++) {
		stream.size = 0;
		reach(&stream, WIRE_STATE_FRAME);
		put_good(&stream, WIRE_PIXELS, PIXELS);
		put_good(&stream, kind, 4);
		cr_expect_eq(status_of(&stream, &request), SDEC_KILLED);
	}
	/* Data over the limit, in pieces that are each under it. */
	stream.size = 0;
	reach(&stream, WIRE_STATE_BYTES);
	put_good(&stream, WIRE_DATA, 3000);
	put_good(&stream, WIRE_DATA, 1001);
	cr_expect_eq(status_of(&stream, &request), SDEC_KILLED);
}

Test(wire_reader, failure_codes)
{
	static struct stream stream;
	const struct wire_request request = make_request();

	for (uint32_t failure = 0; failure < WIRE_FAILURES + 3; failure++) {
		struct wire_fail fail = { .failure = failure };
		bool listed = failure > WIRE_OK && failure < WIRE_FAILURES;
		stream.size = 0;
		put_good(&stream, WIRE_HELLO, 0);
		put(&stream, WIRE_FAIL, sizeof(fail), &fail, sizeof(fail));
		enum sdec_status expected =
		        listed ? outcome_of_failure((enum wire_failure)failure).status : SDEC_KILLED;
		cr_expect_neq(expected, SDEC_OK);
		cr_expect_eq(status_of(&stream, &request), expected, "failure %u", failure);
		stream.size = 0;
		reach(&stream, WIRE_STATE_FRAME);
		put(&stream, WIRE_DAMAGE, sizeof(fail), &fail, sizeof(fail));
		cr_expect_eq(status_of(&stream, &request), listed ? SDEC_OK : SDEC_KILLED, "damage %u", failure);
	}
}

/* How much memory would be enough is told with that failure alone. */
Test(wire_reader, needed_memory)
{
	static struct stream stream;
	const struct wire_request request = make_request();

	for (uint32_t failure = WIRE_OK + 1; failure < WIRE_FAILURES; failure++) {
		struct wire_fail fail = { .failure = failure, .reserved = UINT32_MAX, .detail = UINT64_MAX - 1 };
		struct counts counts = { .hello = 0 };
		struct wire_reader reader;
		stream.size = stream.taken = 0;
		put_good(&stream, WIRE_HELLO, 0);
		put(&stream, WIRE_FAIL, sizeof(fail), &fail, sizeof(fail));
		cr_expect_eq(read_all(&reader, &stream, &counts, &request), WIRE_PROGRESS_OVER);
		cr_expect_eq(reader.outcome.needed, failure == WIRE_FAIL_LIMIT_MEMORY ? UINT64_MAX - 1 : 0,
		             "failure %u", failure);
	}
}

Test(wire_reader, other_versions)
{
	static struct stream stream;
	const struct wire_request request = make_request();
	const uint32_t others[] = { 0, WIRE_VERSION + 1, UINT32_MAX };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct wire_hello hello = { .version = others[i] };
		stream.size = 0;
		put(&stream, WIRE_HELLO, sizeof(hello), &hello, sizeof(hello));
		cr_expect_eq(status_of(&stream, &request), SDEC_KILLED, "version %u", others[i]);
	}
}

Test(wire_reader, every_note)
{
	static struct stream stream;
	const struct wire_request request = make_request();

	for (unsigned bit = 0; bit < 32; bit++) {
		struct wire_end end = { .notes = UINT32_C(1) << bit };
		stream.size = 0;
		reach(&stream, WIRE_STATE_BYTES);
		put(&stream, WIRE_END, sizeof(end), &end, sizeof(end));
		cr_expect_eq(status_of(&stream, &request), end.notes & WIRE_NOTES ? SDEC_OK : SDEC_KILLED, "bit %u",
		             bit);
	}
}

Test(wire_reader, damage_only_when_partial_results_are_wanted)
{
	static struct stream stream;
	struct wire_request request = make_request();
	struct counts counts = { .hello = 0 };
	struct wire_reader reader;

	stream.size = 0;
	reach(&stream, WIRE_STATE_FRAME);
	put_good(&stream, WIRE_PIXELS, 4);
	put_good(&stream, WIRE_DAMAGE, 0);
	put_good(&stream, WIRE_END, 0);
	cr_expect_eq(read_all(&reader, &stream, &counts, &request), WIRE_PROGRESS_OVER);
	cr_expect_eq(reader.outcome.status, SDEC_OK);
	cr_expect_eq(counts.damage, WIRE_FAIL_DATA);
	request.flags = 0;
	cr_expect_eq(status_of(&stream, &request), SDEC_KILLED);
}

Test(wire_reader, information_only)
{
	static struct stream stream;
	struct wire_request request = make_request();

	request.operation = WIRE_INFO;
	request.max_output = 0;
	stream.size = 0;
	reach(&stream, WIRE_STATE_IMAGE);
	put_good(&stream, WIRE_END, 0);
	cr_expect_eq(status_of(&stream, &request), SDEC_OK);
	/* Where nothing is decoded, nothing can be missing. */
	static const enum wire_state announced[] = { WIRE_STATE_IMAGE, WIRE_STATE_BYTES, WIRE_STATE_AUDIO };
	for (size_t i = 0; i < sizeof(announced) / sizeof(announced[0]); i++) {
		stream.size = 0;
		reach(&stream, announced[i]);
		put_good(&stream, WIRE_DAMAGE, 0);
		cr_expect_eq(status_of(&stream, &request), SDEC_KILLED, "state %d", (int)announced[i]);
	}
	stream.size = 0;
	reach(&stream, WIRE_STATE_FRAME);
	cr_expect_eq(status_of(&stream, &request), SDEC_KILLED);
	stream.size = 0;
	reach(&stream, WIRE_STATE_BYTES);
	put_good(&stream, WIRE_DATA, 1);
	cr_expect_eq(status_of(&stream, &request), SDEC_KILLED);
}
