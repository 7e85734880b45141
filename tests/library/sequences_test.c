/* SPDX-License-Identifier: MIT */
/*
 * Every sequence of four messages that a decoder can send, in every way to call the library, with all flags: none
 * crashes the caller or breaks a promise.  (A header without a picture, and then damage, once divided by the width of
 * no canvas.)
 *
 * A sequence whose start already ends the decode is not tried longer.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "broker/wire/wire.h"
#include "tests/support/played_child.h"

enum { LENGTH = 5, MOST = 8, MESSAGE_MOST = 128 };

struct message {
	const char *name;
	uint8_t bytes[MESSAGE_MOST];
	size_t size;
};

static struct message messages[32];
static size_t message_count;

static void add(const char *name, uint32_t kind, const void *payload, size_t size)
{
	struct message *message = &messages[message_count++];
	struct wire_header header = { .kind = kind, .length = (uint32_t)size };

	message->name = name;
	memcpy(message->bytes, &header, sizeof(header));
	if (size > 0)
		memcpy(message->bytes + sizeof(header), payload, size);
	message->size = sizeof(header) + size;
}

static void make_messages(void)
{
	static const uint8_t zeros[24];
	const struct wire_hello hello = { .version = WIRE_VERSION };
	struct wire_image image = { .width = 3,
		                    .height = 2,
		                    .pixel_format = WIRE_BGRA,
		                    .frames = 1,
		                    .color = WIRE_COLOR_RGB,
		                    .channels = 3,
		                    .depth = 8 };
	const struct wire_frame frame = { .delay = 0 };
	const struct wire_audio audio = {
		.rate = 8000, .channels = 2, .sample_format = WIRE_S16, .depth = 16, .frames = WIRE_UNKNOWN
	};
	const struct wire_fail fail = { .failure = WIRE_FAIL_DATA };
	const struct wire_loss loss = { .parts = 1 };
	const struct wire_end finish = { .notes = 0 };
	const struct wire_forbidden forbidden = { .system_call = 39 };
	const uint32_t tag[2] = { WIRE_TAG_TITLE, 0x00414141 };
	const struct wire_blob blob = { .kind = WIRE_BLOB_EXIF, .size = 24 };
	const struct wire_read read = { .offset = 1, .length = 4096 };

	message_count = 0;
	add("hello", WIRE_HELLO, &hello, sizeof(hello));
	add("image", WIRE_IMAGE, &image, sizeof(image));
	image.flags = WIRE_IMAGE_ANIMATION;
	add("animation", WIRE_IMAGE, &image, sizeof(image));
	image.flags = 0;
	image.pixel_format = WIRE_RGB;
	add("image to be widened", WIRE_IMAGE, &image, sizeof(image));
	image.height = 1;
	add("smaller image", WIRE_IMAGE, &image, sizeof(image));
	add("frame", WIRE_FRAME, &frame, sizeof(frame));
	add("pixels", WIRE_PIXELS, zeros, 24);
	add("rows of it", WIRE_PIXELS, zeros, 9);
	add("fewer pixels", WIRE_PIXELS, zeros, 18);
	add("a few pixels", WIRE_PIXELS, zeros, 5);
	add("bytes", WIRE_BYTES, NULL, 0);
	add("data", WIRE_DATA, zeros, 5);
	add("damage", WIRE_DAMAGE, &fail, sizeof(fail));
	add("end", WIRE_END, &finish, sizeof(finish));
	add("fail", WIRE_FAIL, &fail, sizeof(fail));
	add("audio", WIRE_AUDIO, &audio, sizeof(audio));
	add("samples", WIRE_SAMPLES, zeros, 8);
	add("metadata", WIRE_METADATA, tag, 7);
	add("loss", WIRE_LOSS, &loss, sizeof(loss));
	add("block", WIRE_BLOB, &blob, sizeof(blob));
	add("all of it", WIRE_BLOB_DATA, zeros, 24);
	add("read", WIRE_READ, &read, sizeof(read));
	add("forbidden", WIRE_FORBIDDEN, &forbidden, sizeof(forbidden));
}

struct sweep {
	struct played played;
	enum played_way way;
	const char *format;
	uint32_t flags;
	uint8_t said[MOST * MESSAGE_MOST];
	const char *names[MOST];
	size_t longest; /* sequence that is tried, its start included */
	size_t sequences;
};

static void judge(const struct sweep *sweep, size_t length, const char *broken)
{
	char text[256] = "";

	if (!broken)
		return;
	for (size_t i = 0; i < length; i++) {
		strncat(text, sweep->names[i], sizeof(text) - strlen(text) - 1);
		strncat(text, ", ", sizeof(text) - strlen(text) - 1);
	}
	cr_expect(false, "%s %s, flags %u, way %d: %s", text, sweep->format, sweep->flags, (int)sweep->way, broken);
}

static void extend(struct sweep *sweep, size_t size, size_t length)
{
	for (size_t i = 0; i < message_count; i++) {
		const char *broken = NULL;
		memcpy(sweep->said + size, messages[i].bytes, messages[i].size);
		sweep->names[length] = messages[i].name;
		sweep->played.said = sweep->said;
		sweep->played.size = size + messages[i].size;
		(void)played_call(&sweep->played, sweep->way, sweep->format, sweep->flags, &broken);
		judge(sweep, length + 1, broken);
		sweep->sequences++;
		if (sweep->played.silent && length + 1 < sweep->longest)
			extend(sweep, size + messages[i].size, length + 1);
	}
}

static const uint32_t flags[] = { 0,
	                          SDEC_PARTIAL,
	                          SDEC_STRICT,
	                          SDEC_PARTIAL | SDEC_STRICT,
	                          SDEC_HEADER_ONLY,
	                          SDEC_HEADER_ONLY | SDEC_PARTIAL,
	                          SDEC_HEADER_ONLY | SDEC_STRICT,
	                          SDEC_HEADER_ONLY | SDEC_PARTIAL | SDEC_STRICT,
	                          SDEC_TAGS | SDEC_EXIF };
/* The decoder of TIFF may read its input in any order. */
static const char *const formats[] = { "jpeg", "tiff", "gzip", "wav" };

Test(sequences, none_breaks_a_promise, .timeout = 300)
{
	static struct sweep sweep = { .longest = LENGTH };
	size_t all = 0;

	make_messages();
	played_init(&sweep.played);
	for (int way = 0; way < PLAYED_WAYS; way++) {
		for (size_t format = 0; format < sizeof(formats) / sizeof(formats[0]); format++) {
			for (size_t flag = 0; flag < sizeof(flags) / sizeof(flags[0]); flag++) {
				sweep.way = (enum played_way)way;
				sweep.format = formats[format];
				sweep.flags = flags[flag];
				/* One that was verified before and one that has still to say hello: by turns. */
				sweep.played.verified = flag % 2 == 0;
				sweep.sequences = 0;
				extend(&sweep, 0, 0);
				all += sweep.sequences;
			}
		}
	}
	played_end(&sweep.played);
	cr_log_info("%zu sequences", all);
	cr_expect_gt(all, 20000);
}

static size_t message_named(const char *name)
{
	size_t i = 0;

	while (i < message_count && strcmp(messages[i].name, name) != 0)
		i++;
	cr_assert_lt(i, message_count);
	return i;
}

/* Puts messages at the start of all sequences; returns their size. */
static size_t start_with(struct sweep *sweep, const char *const *names, size_t count)
{
	size_t size = 0;

	for (size_t i = 0; i < count; i++) {
		const struct message *message = &messages[message_named(names[i])];
		memcpy(sweep->said + size, message->bytes, message->size);
		sweep->names[i] = message->name;
		size += message->size;
	}
	return size;
}

/* Behind a page, which is whole or not: another of another size, and whatever there is.  (Damage in a second page was
 * once told with the row counts of the first, without an end.) */
Test(sequences, none_breaks_a_promise_behind_a_page, .timeout = 300)
{
	static const char *const starts[][4] = { { "hello", "image", "frame", "pixels" },
		                                 { "hello", "smaller image", "frame", "rows of it" },
		                                 { "hello", "animation", "frame", "pixels" } };
	static const enum played_way ways[] = { PLAYED_STREAM, PLAYED_STREAM_INTO, PLAYED_FRAMES };
	static struct sweep sweep = { .format = "jpeg", .longest = MOST };

	make_messages();
	played_init(&sweep.played);
	for (size_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
		for (size_t start = 0; start < sizeof(starts) / sizeof(starts[0]); start++) {
			sweep.way = ways[way];
			sweep.flags = start == 2 ? 0 : SDEC_PARTIAL;
			extend(&sweep, start_with(&sweep, starts[start], 4), 4);
		}
	}
	played_end(&sweep.played);
	cr_log_info("%zu sequences", sweep.sequences);
	cr_expect_gt(sweep.sequences, 2000);
}

/* What crashed callers: only the header is wanted, of a picture that may be partial, and the decoder says damage. */
Test(sequences, damage_where_only_the_header_is_wanted)
{
	static const char *const names[] = { "hello", "image", "damage", "end" };
	static struct sweep sweep;
	const char *broken = NULL;

	make_messages();
	played_init(&sweep.played);
	sweep.played.said = sweep.said;
	sweep.played.size = start_with(&sweep, names, 4);
	enum sdec_status status =
	        played_call(&sweep.played, PLAYED_STREAM, "jpeg", SDEC_PARTIAL | SDEC_HEADER_ONLY, &broken);
	cr_expect_eq(status, SDEC_KILLED);
	cr_expect_null(broken);
	played_end(&sweep.played);
}
