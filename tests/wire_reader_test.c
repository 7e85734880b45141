/* SPDX-License-Identifier: MIT */
/* The one way in: every message in every state, every length at its limits, truncation at every byte. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../broker/wire_reader.h"

enum { WIDTH = 3, HEIGHT = 2, PIXELS = WIDTH * HEIGHT * 4 };

/* ---- a stream of messages, and a consumer that counts ---- */

struct stream {
	uint8_t data[1 << 16];
	size_t size, taken;
	size_t piece; /* bytes a read gives at most; 0: all */
};

struct counts {
	unsigned hello, image, frame, bytes, end;
	size_t committed;
	enum wire_failure damage;
	uint8_t room[16];
	enum safe_status refuse_image; /* what image() returns */
	bool no_room;
};

static struct safe_outcome count_hello(void *context)
{
	((struct counts *)context)->hello++;
	return outcome_ok();
}

static struct safe_outcome count_image(void *context, const struct wire_image *image)
{
	struct counts *counts = context;

	cr_expect_eq(image->width, WIDTH);
	counts->image++;
	return outcome_of(counts->refuse_image, "refused");
}

static struct safe_outcome count_frame(void *context, const struct wire_frame *frame)
{
	(void)frame;
	((struct counts *)context)->frame++;
	return outcome_ok();
}

static struct safe_outcome count_bytes(void *context)
{
	((struct counts *)context)->bytes++;
	return outcome_ok();
}

static void *give_room(void *context, size_t *size)
{
	struct counts *counts = context;

	*size = sizeof(counts->room);
	return counts->no_room ? NULL : counts->room;
}

static struct safe_outcome count_commit(void *context, size_t size)
{
	((struct counts *)context)->committed += size;
	return outcome_ok();
}

static struct safe_outcome count_end(void *context, enum wire_failure damage, uint32_t notes)
{
	struct counts *counts = context;

	(void)notes;
	counts->end++;
	counts->damage = damage;
	return outcome_ok();
}

static ssize_t give(void *context, void *data, size_t size)
{
	struct stream *stream = context;
	size_t part = stream->size - stream->taken;

	if (part > size)
		part = size;
	if (stream->piece > 0 && part > stream->piece)
		part = stream->piece;
	memcpy(data, stream->data + stream->taken, part);
	stream->taken += part;
	return (ssize_t)part;
}

static void append(struct stream *stream, const void *data, size_t size)
{
	cr_assert_leq(size, sizeof(stream->data) - stream->size);
	memcpy(stream->data + stream->size, data, size);
	stream->size += size;
}

/* A message with `size` bytes of payload that claims to have `length`. */
static void put(struct stream *stream, uint32_t kind, uint32_t length, const void *payload, size_t size)
{
	struct wire_header header = { .kind = kind, .length = length };

	append(stream, &header, sizeof(header));
	append(stream, payload, size);
}

/* ---- well-formed messages ---- */

static struct wire_request make_request(void)
{
	return (struct wire_request){
		.version = WIRE_VERSION,
		.operation = WIRE_DECODE,
		.pixel_formats = WIRE_FORMAT_BIT(WIRE_BGRA),
		.flags = WIRE_PARTIAL,
		.max_side = 100,
		.max_frames = 1,
		.max_pixels = 1000,
		.max_output = 4000,
	};
}

static struct wire_image make_image(void)
{
	return (struct wire_image){ .width = WIDTH,
		                    .height = HEIGHT,
		                    .pixel_format = WIRE_BGRA,
		                    .frames = 1,
		                    .file_frames = 1,
		                    .color = WIRE_COLOR_RGB,
		                    .channels = 3,
		                    .depth = 8 };
}

/* Any message of this kind as a good child would send it, and `length` bytes of payload of a bulk one. */
static void put_good(struct stream *stream, uint32_t kind, uint32_t length)
{
	static const uint8_t bulk[4096];
	const struct wire_hello hello = { .version = WIRE_VERSION };
	const struct wire_image image = make_image();
	const struct wire_frame frame = { .delay = 0 };
	const struct wire_end end = { .notes = 0 };
	const struct wire_fail fail = { .failure = WIRE_FAIL_DATA };
	const struct {
		const void *payload;
		size_t size;
	} good[] = {
		[WIRE_HELLO] = { &hello, sizeof(hello) },
		[WIRE_IMAGE] = { &image, sizeof(image) },
		[WIRE_FRAME] = { &frame, sizeof(frame) },
		[WIRE_PIXELS] = { bulk, length },
		[WIRE_BYTES] = { bulk, 0 },
		[WIRE_DATA] = { bulk, length },
		[WIRE_DAMAGE] = { &fail, sizeof(fail) },
		[WIRE_END] = { &end, sizeof(end) },
		[WIRE_FAIL] = { &fail, sizeof(fail) },
	};
	put(stream, kind, (uint32_t)good[kind].size, good[kind].payload, good[kind].size);
}

/* The messages that lead to a state. */
static void reach(struct stream *stream, enum wire_state state)
{
	if (state == WIRE_STATE_START)
		return;
	put_good(stream, WIRE_HELLO, 0);
	if (state == WIRE_STATE_BYTES)
		put_good(stream, WIRE_BYTES, 0);
	if (state == WIRE_STATE_READY || state == WIRE_STATE_BYTES)
		return;
	put_good(stream, WIRE_IMAGE, 0);
	if (state == WIRE_STATE_DAMAGED)
		put_good(stream, WIRE_DAMAGE, 0);
	if (state == WIRE_STATE_FRAME)
		put_good(stream, WIRE_FRAME, 0);
}

static const enum wire_state states[] = { WIRE_STATE_START, WIRE_STATE_READY, WIRE_STATE_IMAGE,
	                                  WIRE_STATE_FRAME, WIRE_STATE_BYTES, WIRE_STATE_DAMAGED };

/* Reads the stream to its end.  Returns what the last step said. */
static enum wire_progress read_all(struct wire_reader *reader, struct stream *stream, struct counts *counts,
                                   const struct wire_request *request)
{
	const struct wire_consumer consumer = { .context = counts,
		                                .hello = count_hello,
		                                .image = count_image,
		                                .frame = count_frame,
		                                .bytes = count_bytes,
		                                .reserve = give_room,
		                                .commit = count_commit,
		                                .end = count_end };
	enum wire_progress progress = WIRE_PROGRESS_MORE;

	wire_reader_init(reader, request, &consumer);
	while (progress == WIRE_PROGRESS_MORE)
		progress = wire_reader_step(reader, give, stream);
	return progress;
}

static enum safe_status status_of(struct stream *stream, const struct wire_request *request)
{
	static struct counts counts;
	struct wire_reader reader;

	counts = (struct counts){ .hello = 0 };
	stream->taken = 0;
	enum wire_progress progress = read_all(&reader, stream, &counts, request);
	/* A stream that just stops is no verdict. */
	return progress == WIRE_PROGRESS_OVER ? reader.outcome.status : SAFE_OK;
}

/* ---- tests ---- */

/* Written out by hand, so that a slip in the table does not repeat itself here. */
static bool may_come(uint32_t kind, enum wire_state state)
{
	switch (kind) {
	case WIRE_HELLO:
		return state == WIRE_STATE_START;
	case WIRE_IMAGE:
	case WIRE_BYTES:
		return state == WIRE_STATE_READY;
	case WIRE_FRAME:
		return state == WIRE_STATE_IMAGE;
	case WIRE_PIXELS:
		return state == WIRE_STATE_FRAME;
	case WIRE_DATA:
		return state == WIRE_STATE_BYTES;
	case WIRE_DAMAGE:
		return state == WIRE_STATE_IMAGE || state == WIRE_STATE_FRAME || state == WIRE_STATE_BYTES;
	case WIRE_END: /* after IMAGE alone its frame lacks */
		return state == WIRE_STATE_BYTES || state == WIRE_STATE_DAMAGED;
	case WIRE_FAIL:
		return state != WIRE_STATE_START && state != WIRE_STATE_DAMAGED;
	default:
		return false;
	}
}

Test(wire_reader, every_message_in_every_state)
{
	static struct stream stream;
	const struct wire_request request = make_request();

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		for (uint32_t kind = WIRE_HELLO; kind <= WIRE_FAIL; kind++) {
			stream.size = 0;
			reach(&stream, states[i]);
			put_good(&stream, kind, 4);
			enum safe_status status = status_of(&stream, &request);
			enum safe_status good = kind == WIRE_FAIL ? SAFE_MALFORMED : SAFE_OK;
			cr_expect_eq(status, may_come(kind, states[i]) ? good : SAFE_KILLED, "kind %u in state %d: %s",
			             kind, (int)states[i], status_name(status));
		}
	}
}

Test(wire_reader, unknown_kinds)
{
	static struct stream stream;
	const struct wire_request request = make_request();
	const uint32_t unknown[] = { 0, WIRE_FAIL + 1, WIRE_FAIL + 2, 255, 65536, UINT32_MAX };

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		for (size_t j = 0; j < sizeof(unknown) / sizeof(unknown[0]); j++) {
			stream.size = 0;
			reach(&stream, states[i]);
			put(&stream, unknown[j], 0, "", 0);
			cr_expect_eq(status_of(&stream, &request), SAFE_KILLED);
		}
	}
}

/* Each kind's state, its shortest and its longest payload. */
static const struct {
	uint32_t kind;
	enum wire_state state;
	uint32_t shortest, longest;
} lengths[] = {
	{ WIRE_HELLO, WIRE_STATE_START, 4, 4 },  { WIRE_IMAGE, WIRE_STATE_READY, 40, 40 },
	{ WIRE_FRAME, WIRE_STATE_IMAGE, 4, 4 },  { WIRE_PIXELS, WIRE_STATE_FRAME, 1, PIXELS },
	{ WIRE_BYTES, WIRE_STATE_READY, 0, 0 },  { WIRE_DATA, WIRE_STATE_BYTES, 1, 4000 },
	{ WIRE_DAMAGE, WIRE_STATE_FRAME, 4, 4 }, { WIRE_END, WIRE_STATE_BYTES, 4, 4 },
	{ WIRE_FAIL, WIRE_STATE_BYTES, 4, 4 },
};

static enum safe_status status_of_length(size_t row, uint32_t length)
{
	static struct stream stream;
	const struct wire_request request = make_request();

	stream.size = 0;
	reach(&stream, lengths[row].state);
	/* Only the header: the length alone must be judged, before any payload is waited for. */
	put(&stream, lengths[row].kind, length, "", 0);
	return status_of(&stream, &request);
}

Test(wire_reader, every_length)
{
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint32_t shortest = lengths[i].shortest, longest = lengths[i].longest;
		cr_expect_eq(status_of_length(i, shortest), SAFE_OK, "row %zu", i);
		cr_expect_eq(status_of_length(i, longest), SAFE_OK, "row %zu", i);
		cr_expect_eq(status_of_length(i, longest + 1), SAFE_KILLED, "row %zu", i);
		cr_expect_eq(status_of_length(i, UINT32_MAX), SAFE_KILLED, "row %zu", i);
		cr_expect_eq(status_of_length(i, UINT32_MAX - 7), SAFE_KILLED, "row %zu", i);
		if (shortest > 0)
			cr_expect_eq(status_of_length(i, shortest - 1), SAFE_KILLED, "row %zu", i);
	}
}

/* A whole decode, and where each of its messages ends. */
static void put_decode(struct stream *stream)
{
	stream->size = 0;
	put_good(stream, WIRE_HELLO, 0);
	put_good(stream, WIRE_IMAGE, 0);
	put_good(stream, WIRE_FRAME, 0);
	put_good(stream, WIRE_PIXELS, PIXELS / 3);
	put_good(stream, WIRE_PIXELS, PIXELS - PIXELS / 3);
	put_good(stream, WIRE_END, 0);
}

Test(wire_reader, truncation_at_every_byte)
{
	static struct stream stream;
	const struct wire_request request = make_request();

	put_decode(&stream);
	size_t whole = stream.size;
	for (stream.piece = 0; stream.piece < 12; stream.piece++) {
		for (stream.size = 0; stream.size <= whole; stream.size++) {
			struct counts counts = { .hello = 0 };
			struct wire_reader reader;
			stream.taken = 0;
			enum wire_progress progress = read_all(&reader, &stream, &counts, &request);
			cr_expect_eq(progress, stream.size == whole ? WIRE_PROGRESS_OVER : WIRE_PROGRESS_EOF);
			cr_expect_eq(counts.end, stream.size == whole);
		}
	}
}

Test(wire_reader, whole_decode_in_pieces_of_every_size)
{
	static struct stream stream;
	const struct wire_request request = make_request();

	put_decode(&stream);
	for (stream.piece = 1; stream.piece <= stream.size; stream.piece++) {
		struct counts counts = { .hello = 0 };
		struct wire_reader reader;
		stream.taken = 0;
		cr_expect_eq(read_all(&reader, &stream, &counts, &request), WIRE_PROGRESS_OVER);
		cr_expect_eq(reader.outcome.status, SAFE_OK);
		cr_expect(counts.hello == 1 && counts.image == 1 && counts.frame == 1 && counts.end == 1);
		cr_expect_eq(counts.committed, PIXELS);
	}
}

static enum safe_status status_of_image(const struct wire_image *image, const struct wire_request *request)
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
		cr_expect_eq(status_of_image(&image, &request), SAFE_KILLED, #field " = " #value);                     \
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
	EXPECT_REFUSED(frames, 0);
	EXPECT_REFUSED(frames, 2); /* one was asked for */
	EXPECT_REFUSED(file_frames, 0);
	EXPECT_REFUSED(color, WIRE_COLORS);
	EXPECT_REFUSED(channels, 0);
	EXPECT_REFUSED(channels, 5);
	EXPECT_REFUSED(depth, 0);
	EXPECT_REFUSED(depth, 17);
	EXPECT_REFUSED(flags, WIRE_IMAGE_FLAGS + 1);
	EXPECT_REFUSED(orientation, 9);
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
	cr_expect_eq(status_of_image(&image, &request), SAFE_KILLED);
	image.width = image.height = 1U << 31;
	image.frames = 8; /* the product over the frames is 2^65 pixels */
	cr_expect_eq(status_of_image(&image, &request), SAFE_KILLED);
	image = make_image();
	request = make_request();
	request.max_pixels = WIDTH * HEIGHT - 1;
	cr_expect_eq(status_of_image(&image, &request), SAFE_KILLED);
	request = make_request();
	request.max_output = PIXELS - 1;
	cr_expect_eq(status_of_image(&image, &request), SAFE_KILLED);
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
	cr_expect_eq(status_of(&stream, &request), SAFE_KILLED);
	/* END while the frame lacks. */
	stream.size = 0;
	reach(&stream, WIRE_STATE_IMAGE);
	put_good(&stream, WIRE_END, 0);
	cr_expect_eq(status_of(&stream, &request), SAFE_KILLED);
	/* Pixels after the last one, and a frame after the last one. */
	for (uint32_t kind = WIRE_FRAME; kind <= WIRE_PIXELS; kind++) {
		stream.size = 0;
		reach(&stream, WIRE_STATE_FRAME);
		put_good(&stream, WIRE_PIXELS, PIXELS);
		put_good(&stream, kind, 4);
		cr_expect_eq(status_of(&stream, &request), SAFE_KILLED);
	}
	/* Data over the limit, in pieces that are each under it. */
	stream.size = 0;
	reach(&stream, WIRE_STATE_BYTES);
	put_good(&stream, WIRE_DATA, 3000);
	put_good(&stream, WIRE_DATA, 1001);
	cr_expect_eq(status_of(&stream, &request), SAFE_KILLED);
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
		enum safe_status expected =
		        listed ? outcome_of_failure((enum wire_failure)failure).status : SAFE_KILLED;
		cr_expect_neq(expected, SAFE_OK);
		cr_expect_eq(status_of(&stream, &request), expected, "failure %u", failure);
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
	cr_expect_eq(reader.outcome.status, SAFE_OK);
	cr_expect_eq(counts.damage, WIRE_FAIL_DATA);
	request.flags = 0;
	cr_expect_eq(status_of(&stream, &request), SAFE_KILLED);
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
	cr_expect_eq(status_of(&stream, &request), SAFE_OK);
	stream.size = 0;
	reach(&stream, WIRE_STATE_FRAME);
	cr_expect_eq(status_of(&stream, &request), SAFE_KILLED);
	stream.size = 0;
	reach(&stream, WIRE_STATE_BYTES);
	put_good(&stream, WIRE_DATA, 1);
	cr_expect_eq(status_of(&stream, &request), SAFE_KILLED);
}

Test(wire_reader, nothing_is_read_after_the_end)
{
	static struct stream stream;
	const struct wire_request request = make_request();
	struct counts counts = { .hello = 0 };
	struct wire_reader reader;

	put_decode(&stream);
	size_t whole = stream.size;
	put_good(&stream, WIRE_HELLO, 0);
	cr_expect_eq(read_all(&reader, &stream, &counts, &request), WIRE_PROGRESS_OVER);
	cr_expect_eq(wire_reader_step(&reader, give, &stream), WIRE_PROGRESS_OVER);
	cr_expect_eq(stream.taken, whole);
	cr_expect_eq(reader.outcome.status, SAFE_OK);
}

Test(wire_reader, the_consumer_can_refuse)
{
	static struct stream stream;
	const struct wire_request request = make_request();
	struct counts counts = { .refuse_image = SAFE_IO };
	struct wire_reader reader;

	put_decode(&stream);
	cr_expect_eq(read_all(&reader, &stream, &counts, &request), WIRE_PROGRESS_OVER);
	cr_expect_eq(reader.outcome.status, SAFE_IO);
	counts = (struct counts){ .no_room = true };
	stream.taken = 0;
	cr_expect_eq(read_all(&reader, &stream, &counts, &request), WIRE_PROGRESS_OVER);
	cr_expect_eq(reader.outcome.status, SAFE_IO);
}

static ssize_t fail_to_read(void *context, void *data, size_t size)
{
	(void)data;
	(void)size;
	errno = *(int *)context;
	return -1;
}

Test(wire_reader, read_errors)
{
	const struct wire_request request = make_request();
	const struct wire_consumer consumer = { .context = NULL };
	struct wire_reader reader;
	int error = EAGAIN;

	wire_reader_init(&reader, &request, &consumer);
	cr_expect_eq(wire_reader_step(&reader, fail_to_read, &error), WIRE_PROGRESS_WAIT);
	error = EIO;
	cr_expect_eq(wire_reader_step(&reader, fail_to_read, &error), WIRE_PROGRESS_OVER);
	cr_expect_eq(reader.outcome.status, SAFE_IO);
	cr_expect_eq(reader.outcome.error_number, EIO);
}
