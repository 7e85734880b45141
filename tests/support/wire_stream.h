/* SPDX-License-Identifier: MIT */
/* Streams of messages for the tests of the wire reader, and a consumer that counts. */
#ifndef SAFE_DECODE_WIRE_STREAM_H
#define SAFE_DECODE_WIRE_STREAM_H

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "broker/wire/reader.h"

enum { WIDTH = 3, HEIGHT = 2, PIXELS = WIDTH * HEIGHT * 4, CHANNELS = 2, SAMPLE_FRAME = CHANNELS * 2, BLOB_SIZE = 8 };

/* ---- a stream of messages, and a consumer that counts ---- */

struct stream {
	uint8_t data[1 << 16];
	size_t size, taken;
	size_t piece; /* bytes a read gives at most; 0: all */
};

struct counts {
	unsigned hello, image, frame, bytes, audio, metadata, blob, loss, forbidden, end;
	size_t committed;
	enum wire_failure damage;
	enum wire_tag tag;
	char value[WIRE_VALUE_MAX + 1]; /* of the last tag */
	uint64_t losses;
	uint8_t room[16];
	enum sdec_status refuse_image; /* what image() returns */
	bool no_room, empty_room, any_channels;
};

static inline struct outcome count_hello(void *context)
{
	((struct counts *)context)->hello++;
	return outcome_ok();
}

static inline struct outcome count_image(void *context, const struct wire_image *image)
{
	struct counts *counts = context;

	cr_expect_eq(image->width, WIDTH);
	counts->image++;
	return outcome_of(counts->refuse_image, "refused");
}

static inline struct outcome count_frame(void *context, const struct wire_frame *frame)
{
	(void)frame;
	((struct counts *)context)->frame++;
	return outcome_ok();
}

static inline struct outcome count_bytes(void *context)
{
	((struct counts *)context)->bytes++;
	return outcome_ok();
}

static inline struct outcome count_audio(void *context, const struct wire_audio *audio)
{
	struct counts *counts = context;

	cr_expect(counts->any_channels || audio->channels == CHANNELS);
	counts->audio++;
	return outcome_ok();
}

static inline struct outcome count_metadata(void *context, enum wire_tag tag, const char *value, size_t size)
{
	struct counts *counts = context;

	cr_assert(size >= 1 && size <= WIRE_VALUE_MAX && strlen(value) == size);
	counts->metadata++;
	counts->tag = tag;
	memcpy(counts->value, value, size + 1);
	return outcome_ok();
}

static inline struct outcome count_blob(void *context, enum wire_blob_kind kind, size_t size)
{
	cr_expect_eq(kind, WIRE_BLOB_EXIF);
	cr_expect_geq(size, 1);
	((struct counts *)context)->blob++;
	return outcome_ok();
}

static inline struct outcome count_loss(void *context, uint64_t parts)
{
	((struct counts *)context)->loss++;
	((struct counts *)context)->losses = parts;
	return outcome_ok();
}

static inline void count_forbidden(void *context, const struct wire_forbidden *forbidden)
{
	cr_expect_eq(forbidden->architecture, 62);
	cr_expect_eq(forbidden->system_call, 57);
	((struct counts *)context)->forbidden++;
}

static inline void *give_room(void *context, size_t *size)
{
	struct counts *counts = context;

	*size = counts->empty_room ? 0 : sizeof(counts->room);
	return counts->no_room ? NULL : counts->room;
}

static inline struct outcome count_commit(void *context, size_t size)
{
	((struct counts *)context)->committed += size;
	return outcome_ok();
}

static inline struct outcome count_end(void *context, enum wire_failure damage, uint32_t notes)
{
	struct counts *counts = context;

	(void)notes;
	counts->end++;
	counts->damage = damage;
	return outcome_ok();
}

static inline ssize_t give(void *context, void *data, size_t size)
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

static inline void append(struct stream *stream, const void *data, size_t size)
{
	cr_assert_leq(size, sizeof(stream->data) - stream->size);
	memcpy(stream->data + stream->size, data, size);
	stream->size += size;
}

/* A message with `size` bytes of payload that claims to have `length`. */
static inline void put(struct stream *stream, uint32_t kind, uint32_t length, const void *payload, size_t size)
{
	struct wire_header header = { .kind = kind, .length = length };

	append(stream, &header, sizeof(header));
	append(stream, payload, size);
}

/* ---- well-formed messages ---- */

static inline struct wire_request make_request(void)
{
	return (struct wire_request){
		.version = WIRE_VERSION,
		.operation = WIRE_DECODE,
		.pixel_formats = WIRE_FORMAT_BIT(WIRE_BGRA),
		.flags = WIRE_PARTIAL,
		.max_side = 100,
		.max_frames = 1,
		.max_metadata = 4096,
		.max_pixels = 1000,
		.max_output = 4000,
		.sample_formats = WIRE_FORMAT_BIT(WIRE_S16) | WIRE_FORMAT_BIT(WIRE_F32),
	};
}

static inline struct wire_image make_image(void)
{
	return (struct wire_image){ .width = WIDTH,
		                    .height = HEIGHT,
		                    .pixel_format = WIRE_BGRA,
		                    .frames = 1,
		                    .color = WIRE_COLOR_RGB,
		                    .channels = 3,
		                    .depth = 8 };
}

static inline struct wire_audio make_audio(void)
{
	return (struct wire_audio){ .rate = 44100,
		                    .channels = CHANNELS,
		                    .sample_format = WIRE_S16,
		                    .depth = 16,
		                    .channel_layout =
		                            WIRE_SPEAKER_BIT(WIRE_FRONT_LEFT) | WIRE_SPEAKER_BIT(WIRE_FRONT_RIGHT),
		                    .frames = WIRE_UNKNOWN };
}

/* Any message of this kind as a good child would send it, and `length` bytes of payload of a bulk one. */
static inline void put_good(struct stream *stream, uint32_t kind, uint32_t length)
{
	static const uint8_t bulk[4096];
	const struct wire_hello hello = { .version = WIRE_VERSION };
	const struct wire_image image = make_image();
	const struct wire_frame frame = { .delay = 0 };
	const struct wire_audio audio = make_audio();
	const struct wire_metadata metadata = { .tag = WIRE_TAG_ALBUM, .value = "An album" };
	const struct wire_loss loss = { .parts = 1 };
	const struct wire_forbidden forbidden = { .architecture = 62, .system_call = 57 };
	const struct wire_blob blob = { .kind = WIRE_BLOB_EXIF, .size = BLOB_SIZE };
	const struct wire_end end = { .notes = 0 };
	const struct wire_fail fail = { .failure = WIRE_FAIL_DATA };
	const struct wire_read read = { .length = 1 };
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
		[WIRE_AUDIO] = { &audio, sizeof(audio) },
		[WIRE_SAMPLES] = { bulk, length },
		[WIRE_METADATA] = { &metadata, sizeof(metadata.tag) + strlen("An album") },
		[WIRE_LOSS] = { &loss, sizeof(loss) },
		[WIRE_FORBIDDEN] = { &forbidden, sizeof(forbidden) },
		[WIRE_READ] = { &read, sizeof(read) },
		[WIRE_BLOB] = { &blob, sizeof(blob) },
		[WIRE_BLOB_DATA] = { bulk, length },
	};
	put(stream, kind, (uint32_t)good[kind].size, good[kind].payload, good[kind].size);
}

/* The messages that lead to a state. */
static inline void reach(struct stream *stream, enum wire_state state)
{
	if (state == WIRE_STATE_START)
		return;
	put_good(stream, WIRE_HELLO, 0);
	if (state == WIRE_STATE_BYTES)
		put_good(stream, WIRE_BYTES, 0);
	if (state == WIRE_STATE_AUDIO)
		put_good(stream, WIRE_AUDIO, 0);
	if (state == WIRE_STATE_READY || state == WIRE_STATE_BYTES || state == WIRE_STATE_AUDIO)
		return;
	put_good(stream, WIRE_IMAGE, 0);
	if (state == WIRE_STATE_DAMAGED)
		put_good(stream, WIRE_DAMAGE, 0);
	if (state == WIRE_STATE_FRAME)
		put_good(stream, WIRE_FRAME, 0);
}

static const enum wire_state states[] = { WIRE_STATE_START, WIRE_STATE_READY,   WIRE_STATE_IMAGE, WIRE_STATE_FRAME,
	                                  WIRE_STATE_BYTES, WIRE_STATE_DAMAGED, WIRE_STATE_AUDIO };

static inline struct wire_consumer counting_consumer(struct counts *counts)
{
	return (struct wire_consumer){ .context = counts,
		                       .hello = count_hello,
		                       .image = count_image,
		                       .frame = count_frame,
		                       .bytes = count_bytes,
		                       .audio = count_audio,
		                       .metadata = count_metadata,
		                       .blob = count_blob,
		                       .loss = count_loss,
		                       .forbidden = count_forbidden,
		                       .reserve = give_room,
		                       .commit = count_commit,
		                       .end = count_end };
}

/* Goes on to the stream's end.  Returns what the last step said. */
static inline enum wire_progress read_on(struct wire_reader *reader, struct stream *stream)
{
	enum wire_progress progress = WIRE_PROGRESS_MORE;

	while (progress == WIRE_PROGRESS_MORE)
		progress = wire_reader_step(reader, give, stream);
	return progress;
}

/* The same from the start; afterwards the reader has no consumer. */
static inline enum wire_progress read_all(struct wire_reader *reader, struct stream *stream, struct counts *counts,
                                          const struct wire_request *request)
{
	const struct wire_consumer consumer = counting_consumer(counts);

	wire_reader_init(reader, request, &consumer);
	return read_on(reader, stream);
}

static inline enum sdec_status status_of(struct stream *stream, const struct wire_request *request)
{
	static struct counts counts;
	struct wire_reader reader;

	counts = (struct counts){ .hello = 0 };
	stream->taken = 0;
	enum wire_progress progress = read_all(&reader, stream, &counts, request);
	/* A stream that just stops is no verdict. */
	return progress == WIRE_PROGRESS_OVER ? reader.outcome.status : SDEC_OK;
}

#endif
