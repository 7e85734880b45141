/* SPDX-License-Identifier: MIT */
/* Audio, tags and covers on the wire: what is taken, and what a child can claim that is not so. */
#include "tests/support/wire_stream.h"

static enum sdec_status status_of_audio(const struct wire_audio *audio, const struct wire_request *request)
{
	static struct stream stream;

	stream.size = 0;
	put_good(&stream, WIRE_HELLO, 0);
	put(&stream, WIRE_AUDIO, sizeof(*audio), audio, sizeof(*audio));
	return status_of(&stream, request);
}

/* One field of audio that is otherwise good. */
#define EXPECT_STATUS(field, value, status)                                                                            \
	do {                                                                                                           \
		struct wire_audio audio = make_audio();                                                                \
		audio.field = (value);                                                                                 \
		cr_expect_eq(status_of_audio(&audio, &request), status, #field " = " #value);                          \
	} while (0)

Test(wire_audio, fields)
{
	const struct wire_request request = make_request();

	EXPECT_STATUS(rate, 1, SDEC_OK);
	EXPECT_STATUS(rate, WIRE_RATE_MAX, SDEC_OK);
	EXPECT_STATUS(rate, 0, SDEC_KILLED);
	EXPECT_STATUS(rate, WIRE_RATE_MAX + 1, SDEC_KILLED);
	EXPECT_STATUS(channels, 0, SDEC_KILLED);
	EXPECT_STATUS(channels, 1, SDEC_KILLED); /* the layout has two */
	EXPECT_STATUS(channels, WIRE_CHANNELS_MAX + 1, SDEC_KILLED);
	EXPECT_STATUS(sample_format, WIRE_F32, SDEC_OK);
	EXPECT_STATUS(sample_format, WIRE_S24, SDEC_KILLED); /* was not asked for */
	EXPECT_STATUS(sample_format, WIRE_SAMPLE_FORMATS, SDEC_KILLED);
	EXPECT_STATUS(sample_format, 32, SDEC_KILLED); /* a shift too far */
	EXPECT_STATUS(depth, WIRE_DEPTH_MAX, SDEC_OK);
	EXPECT_STATUS(depth, 0, SDEC_KILLED);
	EXPECT_STATUS(depth, WIRE_DEPTH_MAX + 1, SDEC_KILLED);
	EXPECT_STATUS(channel_layout, 0, SDEC_OK);
	EXPECT_STATUS(channel_layout, WIRE_SPEAKER_BIT(WIRE_FRONT_CENTER), SDEC_KILLED);
	EXPECT_STATUS(channel_layout, WIRE_SPEAKER_BIT(WIRE_SPEAKERS) | 1, SDEC_KILLED);
	EXPECT_STATUS(flags, WIRE_AUDIO_FLAGS, SDEC_OK);
	EXPECT_STATUS(flags, WIRE_AUDIO_FLAGS + 1, SDEC_KILLED);
	EXPECT_STATUS(frames, 0, SDEC_OK);
	EXPECT_STATUS(flags, WIRE_AUDIO_VORBIS_ORDER, SDEC_OK);
}

/* The trusted side has a table of this order, of 8 channels at most. */
Test(wire_audio, vorbis_order_of_many_channels)
{
	static struct stream stream;
	const struct wire_request request = make_request();
	struct wire_audio audio = make_audio();

	audio.channel_layout = 0;
	audio.flags = WIRE_AUDIO_VORBIS_ORDER;
	for (audio.channels = 3; audio.channels < 12; audio.channels++) {
		stream.size = 0;
		put_good(&stream, WIRE_HELLO, 0);
		put(&stream, WIRE_AUDIO, sizeof(audio), &audio, sizeof(audio));
		struct counts counts = { .any_channels = true };
		struct wire_reader reader;
		stream.taken = 0;
		enum wire_progress progress = read_all(&reader, &stream, &counts, &request);
		cr_expect_eq(progress, audio.channels <= 8 ? WIRE_PROGRESS_EOF : WIRE_PROGRESS_OVER);
		cr_expect_eq(counts.audio, audio.channels <= 8);
	}
}

Test(wire_audio, only_where_it_was_asked_for)
{
	const struct wire_audio audio = make_audio();
	struct wire_request request = make_request();

	request.sample_formats = 0;
	cr_expect_eq(status_of_audio(&audio, &request), SDEC_KILLED);
	request = make_request();
	request.operation = WIRE_COVER;
	cr_expect_eq(status_of_audio(&audio, &request), SDEC_KILLED);
}

Test(wire_audio, a_consumer_need_not_take_everything)
{
	static struct stream stream;
	const struct wire_request request = make_request();
	const struct wire_consumer consumer = {
		.context = &(struct counts){ .no_room = false },
		.hello = count_hello,
		.reserve = give_room,
		.commit = count_commit,
		.end = count_end,
	};
	struct wire_reader reader;
	enum wire_progress progress = WIRE_PROGRESS_MORE;

	stream.size = stream.taken = 0;
	put_good(&stream, WIRE_HELLO, 0);
	put_good(&stream, WIRE_METADATA, 0);
	put_good(&stream, WIRE_AUDIO, 0);
	wire_reader_init(&reader, &request, &consumer);
	while (progress == WIRE_PROGRESS_MORE)
		progress = wire_reader_step(&reader, give, &stream);
	cr_expect_eq(reader.outcome.status, SDEC_UNSUPPORTED);
}

Test(wire_audio, whole_decode_in_pieces_of_every_size)
{
	static struct stream stream;
	const struct wire_request request = make_request();
	const struct wire_loss more = { .parts = 7 };

	stream.size = 0;
	reach(&stream, WIRE_STATE_AUDIO);
	put_good(&stream, WIRE_SAMPLES, 5 * SAMPLE_FRAME);
	put_good(&stream, WIRE_METADATA, 0);
	put_good(&stream, WIRE_LOSS, 0);
	put(&stream, WIRE_LOSS, sizeof(more), &more, sizeof(more));
	put_good(&stream, WIRE_SAMPLES, 40 * SAMPLE_FRAME);
	put_good(&stream, WIRE_END, 0);
	for (stream.piece = 1; stream.piece <= stream.size; stream.piece++) {
		struct counts counts = { .hello = 0 };
		struct wire_reader reader;
		stream.taken = 0;
		cr_expect_eq(read_all(&reader, &stream, &counts, &request), WIRE_PROGRESS_OVER);
		cr_expect_eq(reader.outcome.status, SDEC_OK);
		cr_expect(counts.audio == 1 && counts.metadata == 1 && counts.loss == 2 && counts.end == 1);
		cr_expect(counts.tag == WIRE_TAG_ALBUM && strcmp(counts.value, "An album") == 0);
		cr_expect_eq(counts.losses, more.parts);
		cr_expect_eq(counts.committed, 45 * SAMPLE_FRAME);
	}
}

Test(wire_audio, parts_of_a_sample_frame)
{
	static struct stream stream;
	const struct wire_request request = make_request();

	for (uint32_t size = 1; size <= 4 * SAMPLE_FRAME; size++) {
		stream.size = 0;
		reach(&stream, WIRE_STATE_AUDIO);
		put_good(&stream, WIRE_SAMPLES, size);
		cr_expect_eq(status_of(&stream, &request), size % SAMPLE_FRAME == 0 ? SDEC_OK : SDEC_KILLED);
	}
}

Test(wire_audio, more_than_the_limit_allows)
{
	static struct stream stream;
	const struct wire_request request = make_request();

	stream.size = 0;
	reach(&stream, WIRE_STATE_AUDIO);
	put_good(&stream, WIRE_SAMPLES, 3000);
	put_good(&stream, WIRE_SAMPLES, 1000);
	cr_expect_eq(status_of(&stream, &request), SDEC_OK);
	put_good(&stream, WIRE_SAMPLES, SAMPLE_FRAME);
	cr_expect_eq(status_of(&stream, &request), SDEC_KILLED);
}

/* ---- tags ---- */

static enum sdec_status status_of_tags(size_t count, uint32_t tag, const char *value, size_t size,
                                       uint32_t max_metadata)
{
	static struct stream stream;
	struct wire_request request = make_request();
	struct wire_metadata metadata = { .tag = tag };

	request.max_metadata = max_metadata;
	memcpy(metadata.value, value, size);
	stream.size = 0;
	put_good(&stream, WIRE_HELLO, 0);
	for (size_t i = 0; i < count; i++)
		put(&stream, WIRE_METADATA, (uint32_t)(sizeof(tag) + size), &metadata, sizeof(tag) + size);
	return status_of(&stream, &request);
}

Test(wire_audio, tags_that_lie)
{
	static char longest[WIRE_VALUE_MAX];

	memset(longest, 'a', sizeof(longest));
	cr_expect_eq(status_of_tags(1, WIRE_TAG_TITLE, longest, sizeof(longest), WIRE_VALUE_MAX), SDEC_OK);
	cr_expect_eq(status_of_tags(1, WIRE_TAG_TITLE, longest, sizeof(longest), WIRE_VALUE_MAX - 1), SDEC_KILLED);
	cr_expect_eq(status_of_tags(4, WIRE_TAG_TITLE, longest, 100, 400), SDEC_OK);
	cr_expect_eq(status_of_tags(4, WIRE_TAG_TITLE, longest, 100, 399), SDEC_KILLED);
	cr_expect_eq(status_of_tags(WIRE_METADATA_MAX, WIRE_TAG_TITLE, "x", 1, UINT32_MAX), SDEC_OK);
	cr_expect_eq(status_of_tags(WIRE_METADATA_MAX + 1, WIRE_TAG_TITLE, "x", 1, UINT32_MAX), SDEC_KILLED);
	cr_expect_eq(status_of_tags(1, WIRE_TAGS - 1, "x", 1, 1), SDEC_OK);
	cr_expect_eq(status_of_tags(1, WIRE_TAGS, "x", 1, 1), SDEC_KILLED);
	cr_expect_eq(status_of_tags(1, UINT32_MAX, "x", 1, 1), SDEC_KILLED);
	cr_expect_eq(status_of_tags(1, WIRE_TAG_TITLE, "a\0b", 3, 100), SDEC_KILLED);
	cr_expect_eq(status_of_tags(1, WIRE_TAG_TITLE, "ab\0", 3, 100), SDEC_KILLED);
	cr_expect_eq(status_of_tags(1, WIRE_TAG_TITLE, "\x1b[31m\xff\xfe", 7, 100), SDEC_OK); /* but only as data */
}

/* ---- losses ---- */

Test(wire_audio, losses_that_lie)
{
	static struct stream stream;
	struct wire_request request = make_request();
	const uint64_t counts[][2] = { { 0, 1 }, { 2, 2 }, { 2, 1 } };

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		stream.size = 0;
		reach(&stream, WIRE_STATE_AUDIO);
		put(&stream, WIRE_LOSS, sizeof(uint64_t), &counts[i][0], sizeof(uint64_t));
		put(&stream, WIRE_LOSS, sizeof(uint64_t), &counts[i][1], sizeof(uint64_t));
		cr_expect_eq(status_of(&stream, &request), SDEC_KILLED);
	}
	stream.size = 0;
	reach(&stream, WIRE_STATE_AUDIO);
	put_good(&stream, WIRE_LOSS, 0);
	cr_expect_eq(status_of(&stream, &request), SDEC_OK);
	request.flags = WIRE_STRICT;
	cr_expect_eq(status_of(&stream, &request), SDEC_KILLED);
	request = make_request();
	request.operation = WIRE_INFO;
	cr_expect_eq(status_of(&stream, &request), SDEC_KILLED);
}

/* They cost a child next to nothing, and the trusted side a moment each: a decode took minutes of its time, far beyond
 * any limit. */
struct endless {
	struct {
		struct wire_header header;
		struct wire_loss loss;
	} message;
	size_t taken;
};

static ssize_t give_losses(void *context, void *data, size_t size)
{
	struct endless *endless = context;

	if (endless->taken == 0)
		endless->message.loss.parts++;
	size_t left = sizeof(endless->message) - endless->taken;
	size_t part = size < left ? size : left;
	memcpy(data, (uint8_t *)&endless->message + endless->taken, part);
	endless->taken = (endless->taken + part) % sizeof(endless->message);
	return (ssize_t)part;
}

Test(wire_audio, losses_end)
{
	static struct stream start;
	struct endless endless = { .taken = 0 };
	struct counts counts = { .hello = 0 };
	const struct wire_consumer consumer = counting_consumer(&counts);
	struct wire_reader reader;
	const struct wire_request request = make_request();

	endless.message.header = (struct wire_header){ .kind = WIRE_LOSS, .length = sizeof(struct wire_loss) };
	reach(&start, WIRE_STATE_AUDIO);
	wire_reader_init(&reader, &request, &consumer);
	(void)read_on(&reader, &start);
	for (uint64_t steps = 0; wire_reader_step(&reader, give_losses, &endless) != WIRE_PROGRESS_OVER; steps++)
		cr_assert_lt(steps, 1000000);
	cr_expect_eq(reader.outcome.status, SDEC_KILLED);
	cr_expect_gt(counts.loss, 100000); /* as many as any decoder that means well has to report */
}

/* ---- other operations ---- */

Test(wire_audio, information_only)
{
	static struct stream stream;
	struct wire_request request = make_request();

	request.operation = WIRE_INFO;
	stream.size = 0;
	reach(&stream, WIRE_STATE_AUDIO);
	put_good(&stream, WIRE_METADATA, 0);
	put_good(&stream, WIRE_END, 0);
	cr_expect_eq(status_of(&stream, &request), SDEC_OK);
	stream.size = 0;
	reach(&stream, WIRE_STATE_AUDIO);
	put_good(&stream, WIRE_SAMPLES, SAMPLE_FRAME);
	cr_expect_eq(status_of(&stream, &request), SDEC_KILLED);
	/* Where nothing is decoded, nothing can be lost. */
	stream.size = 0;
	reach(&stream, WIRE_STATE_AUDIO);
	put_good(&stream, WIRE_LOSS, 0);
	cr_expect_eq(status_of(&stream, &request), SDEC_KILLED);
}

Test(wire_audio, covers)
{
	static struct stream stream;
	struct wire_request request = make_request();

	request.operation = WIRE_COVER;
	stream.size = 0;
	reach(&stream, WIRE_STATE_BYTES);
	put_good(&stream, WIRE_DATA, 4000);
	put_good(&stream, WIRE_END, 0);
	cr_expect_eq(status_of(&stream, &request), SDEC_OK);
	stream.size = 0;
	reach(&stream, WIRE_STATE_BYTES);
	put_good(&stream, WIRE_DATA, 4001);
	cr_expect_eq(status_of(&stream, &request), SDEC_KILLED);
	stream.size = 0;
	reach(&stream, WIRE_STATE_IMAGE); /* the bytes of a picture are wanted, not its pixels */
	cr_expect_eq(status_of(&stream, &request), SDEC_KILLED);
}
