/* SPDX-License-Identifier: MIT */
/* Attacks on the trusted side: messages that the grammar of the wire, or plain sense, does not allow. */
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hostile.h"

enum { SIDE = 4, MANY = 4096 };

static _Noreturn void leave(void)
{
	for (;;)
		syscall(SYS_exit, 0);
}

static struct wire_image good_image(const struct session *session, uint32_t side)
{
	struct wire_image image = {
		.width = side, .height = side, .frames = 1, .color = WIRE_COLOR_RGB, .channels = 3, .depth = 8
	};

	image.pixel_format = session_choose_format(session, &image);
	return image;
}

static const struct wire_audio good_audio = {
	.rate = 44100, .channels = 2, .sample_format = WIRE_S16, .depth = 16, .frames = WIRE_UNKNOWN
};
static const struct wire_fail some_failure = { .failure = WIRE_FAIL_DATA };

/* The payload of a message of this kind that is as it should be.  Returns its size. */
static size_t good_payload(const struct session *session, uint32_t kind, uint8_t payload[sizeof(struct wire_metadata)])
{
	struct wire_image image = good_image(session, SIDE);
	const struct wire_loss loss = { .parts = 1 };
	const struct wire_hello hello = { .version = WIRE_VERSION };
	const struct wire_read one_byte = { .length = 1 };
	const struct wire_blob blob = { .kind = WIRE_BLOB_EXIF, .size = sizeof(uint32_t) };
	static const uint8_t zeros[SIDE * SIDE * 4];
	const struct {
		const void *bytes;
		size_t size;
	} payloads[WIRE_KINDS] = {
		[WIRE_HELLO] = { &hello, sizeof(hello) },
		[WIRE_IMAGE] = { &image, sizeof(image) },
		[WIRE_FRAME] = { zeros, sizeof(struct wire_frame) },
		[WIRE_PIXELS] = { zeros, (size_t)SIDE * SIDE * wire_pixel_bytes[image.pixel_format] },
		[WIRE_DATA] = { zeros, 1 },
		[WIRE_DAMAGE] = { &some_failure, sizeof(some_failure) },
		[WIRE_END] = { zeros, sizeof(struct wire_end) },
		[WIRE_FAIL] = { &some_failure, sizeof(some_failure) },
		[WIRE_AUDIO] = { &good_audio, sizeof(good_audio) },
		[WIRE_SAMPLES] = { zeros, 4 },
		[WIRE_METADATA] = { "\0\0\0\0title", 9 },
		[WIRE_LOSS] = { &loss, sizeof(loss) },
		[WIRE_READ] = { &one_byte, sizeof(one_byte) },
		[WIRE_BLOB] = { &blob, sizeof(blob) },
		[WIRE_BLOB_DATA] = { zeros, sizeof(uint32_t) },
	};

	memset(payload, 0, sizeof(struct wire_metadata));
	if (kind >= WIRE_KINDS || !payloads[kind].bytes)
		return 0;
	if (kind == WIRE_METADATA) /* may be longer */
		memset(payload, 'x', sizeof(struct wire_metadata));
	memcpy(payload, payloads[kind].bytes, payloads[kind].size);
	return payloads[kind].size;
}

static void say_good(const struct session *session, uint32_t kind)
{
	uint8_t payload[sizeof(struct wire_metadata)];
	size_t size = good_payload(session, kind, payload);

	say(kind, (uint32_t)size, payload, size);
}

/* The messages after which the reader is in each of its states. */
static const uint8_t ways[][4] = {
	{ 0 },                                   /* ready: the session has said HELLO */
	{ WIRE_IMAGE },                          /* image */
	{ WIRE_IMAGE, WIRE_FRAME },              /* frame */
	{ WIRE_BYTES },                          /* bytes */
	{ WIRE_BYTES, WIRE_DAMAGE },             /* damaged */
	{ WIRE_AUDIO },                          /* audio */
	{ WIRE_IMAGE, WIRE_FRAME, WIRE_PIXELS }, /* image, all of which came */
	{ WIRE_IMAGE, WIRE_FRAME, WIRE_DAMAGE }, /* damaged image */
	{ WIRE_AUDIO, WIRE_DAMAGE },             /* damaged audio */
};

/* In state `first`, a message of kind `second` and length `third`, and then it closes its output.  A length that is
 * larger than any payload is claimed only. */
session_result say_in_state(struct session *session, const struct arguments *arguments)
{
	static uint8_t payload[sizeof(struct wire_metadata)];
	size_t state = arguments->first % (sizeof(ways) / sizeof(ways[0]));
	uint32_t kind = (uint32_t)arguments->second;

	for (size_t i = 0; i < sizeof(ways[0]) && ways[state][i] != 0; i++)
		say_good(session, ways[state][i]);
	size_t good = good_payload(session, kind, payload);
	/* Who asks does not know the right length: 0 to 2 are one less than it, it, and one more, and 3 and N are N. */
	uint64_t length = arguments->third < 3 ? good + arguments->third - 1 : arguments->third - 3;
	say(kind, (uint32_t)length, payload, length < sizeof(payload) ? (size_t)length : sizeof(payload));
	leave();
}

/* Blocks where they may not be.  EXIF is asked for. */
session_result blocks(struct session *session, const struct arguments *arguments)
{
	static const uint8_t cases[][8] = {
		{ WIRE_BLOB, WIRE_BLOB_DATA, WIRE_BLOB, WIRE_BLOB_DATA },                     /* twice */
		{ WIRE_IMAGE, WIRE_BLOB, WIRE_BLOB_DATA },                                    /* behind the header, */
		{ WIRE_IMAGE, WIRE_FRAME, WIRE_PIXELS, WIRE_BLOB, WIRE_BLOB_DATA, WIRE_END }, /* or the pixels */
		{ WIRE_BLOB, WIRE_IMAGE },                                                    /* nothing of it, */
		{ WIRE_BLOB, WIRE_BLOB_DATA, WIRE_BLOB_DATA },                                /* or too much */
		{ WIRE_BLOB_DATA },
	};
	const uint8_t *kinds = cases[arguments->first % (sizeof(cases) / sizeof(cases[0]))];

	for (size_t i = 0; i < sizeof(cases[0]) && kinds[i] != 0; i++)
		say_good(session, kinds[i]);
	return SESSION_STOP;
}

/* A whole, good answer of the format's kind, but for the 32 bits at offset `second` of the message of kind `first`. */
session_result field(struct session *session, const struct arguments *arguments)
{
	static const uint8_t answers[][5] = {
		{ WIRE_IMAGE, WIRE_FRAME, WIRE_PIXELS, WIRE_END },
		{ WIRE_BYTES, WIRE_DATA, WIRE_END },
		{ WIRE_METADATA, WIRE_AUDIO, WIRE_SAMPLES, WIRE_LOSS, WIRE_END },
		{ WIRE_BLOB, WIRE_BLOB_DATA, WIRE_IMAGE, WIRE_END }, /* where nothing is decoded */
	};
	bool is_block = arguments->first == WIRE_BLOB;
	const uint8_t *kinds = answers[is_block ? 3 : session_request(session)->variant % 3];
	uint32_t value = (uint32_t)arguments->third;
	uint8_t payload[sizeof(struct wire_metadata)];

	for (size_t i = 0; i < sizeof(answers[0]) && kinds[i] != 0; i++) {
		bool last = kinds[i] == WIRE_END;
		uint32_t kind = last && (arguments->first == WIRE_FAIL || arguments->first == WIRE_DAMAGE)
		                        ? (uint32_t)arguments->first
		                        : kinds[i];
		size_t size = good_payload(session, kind, payload);
		if (kind == arguments->first && arguments->second + sizeof(value) <= sizeof(payload))
			memcpy(payload + arguments->second, &value, sizeof(value));
		if (kind == WIRE_PIXELS && arguments->first == WIRE_IMAGE && arguments->second == 8 &&
		    value < WIRE_PIXEL_FORMATS)
			size = (size_t)SIDE * SIDE * wire_pixel_bytes[value];
		say(kind, (uint32_t)size, payload, size);
		if (kind == WIRE_DAMAGE)
			say_good(session, WIRE_END);
	}
	return SESSION_STOP;
}

session_result half_header(struct session *session, const struct arguments *arguments)
{
	static const struct wire_header header = { .kind = WIRE_IMAGE, .length = sizeof(struct wire_image) };

	(void)session;
	(void)arguments;
	if (write(STDOUT_FILENO, &header, sizeof(header) / 2) < 0)
		leave();
	leave();
}

session_result half_message(struct session *session, const struct arguments *arguments)
{
	struct wire_image image = good_image(session, SIDE);

	(void)arguments;
	say(WIRE_IMAGE, sizeof(image), &image, sizeof(image) / 2);
	leave();
}

/* The same message again and again, many of them a write, so that they cost this side next to nothing.  `count` of
 * them; 0: without end.  `number` at the start of the payload counts up. */
static void say_many(uint32_t kind, const void *payload, size_t size, uint64_t count, bool number)
{
	static uint8_t batch[MANY * (sizeof(struct wire_header) + sizeof(struct wire_loss))];
	struct wire_header header = { .kind = kind, .length = (uint32_t)size };
	size_t one = sizeof(header) + size;
	size_t together = sizeof(batch) / one;
	uint64_t said = 0;

	while (count == 0 || said < count) {
		size_t filled = 0;
		for (; filled < together * one && (count == 0 || said < count); filled += one) {
			said++;
			memcpy(batch + filled, &header, sizeof(header));
			if (size > 0)
				memcpy(batch + filled + sizeof(header), payload, size);
			if (number)
				memcpy(batch + filled + sizeof(header), &said, sizeof(said));
		}
		if (write(STDOUT_FILENO, batch, filled) < 0)
			leave();
	}
}

/* Announces an animation of as many frames of one pixel as `first` says, and sends a million. */
session_result frames_without_end(struct session *session, const struct arguments *arguments)
{
	struct wire_image image = good_image(session, 1);
	struct {
		struct wire_frame frame;
		struct wire_header pixels;
		uint8_t pixel[4];
	} frame = { .pixels = { .kind = WIRE_PIXELS, .length = wire_pixel_bytes[image.pixel_format] } };

	image.frames = (uint32_t)arguments->first;
	image.flags = WIRE_IMAGE_ANIMATION;
	say(WIRE_IMAGE, sizeof(image), &image, sizeof(image));
	for (int i = 0; i < 1000000; i++)
		say(WIRE_FRAME, sizeof(frame.frame), &frame,
		    sizeof(frame.frame) + sizeof(frame.pixels) + frame.pixels.length);
	return SESSION_STOP;
}

session_result tags_without_end(struct session *session, const struct arguments *arguments)
{
	static const struct {
		uint32_t tag;
		char value[4];
	} tag = { WIRE_TAG_TITLE, { 'x', 'y', 'z', '!' } };

	(void)arguments;
	if (arguments->first != 0)
		say_good(session, WIRE_AUDIO);
	say_many(WIRE_METADATA, &tag, sizeof(tag), 0, false);
	return WIRE_OK;
}

session_result losses_without_end(struct session *session, const struct arguments *arguments)
{
	static const struct wire_loss loss;

	(void)arguments;
	say_good(session, WIRE_AUDIO);
	say_many(WIRE_LOSS, &loss, sizeof(loss), 0, true);
	return WIRE_OK;
}

/* Messages of no length, which might cost nothing of any limit. */
session_result empty_without_end(struct session *session, const struct arguments *arguments)
{
	say_good(session, WIRE_BYTES);
	say_many((uint32_t)arguments->first, NULL, 0, 0, false);
	return WIRE_OK;
}

/* As many tags as may be, of every byte that a value can have, in every place, and sound after them. */
session_result tag_bytes(struct session *session, const struct arguments *arguments)
{
	struct wire_metadata metadata;

	(void)arguments;
	for (uint32_t i = 0; i < WIRE_METADATA_MAX; i++) {
		metadata.tag = i % WIRE_TAGS;
		for (size_t place = 0; place < WIRE_VALUE_MAX; place++)
			metadata.value[place] = (uint8_t)(1 + (place * (i + 1) + i) % 255);
		memcpy(metadata.value, "\033]0;owned\007\033[2J\r\n\x9b", 17);
		say(WIRE_METADATA, sizeof(metadata), &metadata, sizeof(metadata));
	}
	say_good(session, WIRE_AUDIO);
	if (session_request(session)->operation != WIRE_INFO)
		say_good(session, WIRE_SAMPLES);
	return SESSION_STOP;
}

/* Sound whose header makes no sense together, though each field is within its bounds, and what follows is not what it
 * says: `first` 0: fewer samples than announced, 1: more, 2: after END. */
session_result absurd_sound(struct session *session, const struct arguments *arguments)
{
	struct wire_audio audio = { .rate = WIRE_RATE_MAX,
		                    .channels = WIRE_CHANNELS_MAX,
		                    .sample_format = WIRE_S16,
		                    .depth = WIRE_DEPTH_MAX,
		                    .flags = WIRE_AUDIO_FLOAT | WIRE_AUDIO_LOSSY,
		                    .frames = UINT64_MAX - 1 };
	static const uint8_t samples[2 * WIRE_CHANNELS_MAX];

	if (arguments->first == 1)
		audio.frames = 0;
	say(WIRE_AUDIO, sizeof(audio), &audio, sizeof(audio));
	if (session_request(session)->operation == WIRE_INFO)
		return SESSION_STOP;
	say(WIRE_SAMPLES, sizeof(samples), samples, sizeof(samples));
	if (arguments->first == 2) {
		say_good(session, WIRE_END);
		say(WIRE_SAMPLES, sizeof(samples), samples, sizeof(samples));
	}
	return SESSION_STOP;
}

/* A small picture when asked what it is, and a larger one when asked for it. */
session_result disagree(struct session *session, const struct arguments *arguments)
{
	struct arguments size = *arguments;

	if (session_request(session)->operation == WIRE_INFO)
		size.first = size.second = SIDE;
	return picture(session, &size);
}

/* The same with sound: CHANNELS FRAMES, of which it says, when asked what it is, that there are 2 and SIDE. */
session_result disagree_sound(struct session *session, const struct arguments *arguments)
{
	static const uint8_t samples[2 * WIRE_CHANNELS_MAX];
	struct wire_audio audio = good_audio;
	bool asked = session_request(session)->operation == WIRE_INFO;

	audio.frames = asked ? SIDE : arguments->second;
	if (!asked)
		audio.channels = (uint32_t)arguments->first;
	say(WIRE_AUDIO, sizeof(audio), &audio, sizeof(audio));
	for (unsigned long i = 0; !asked && i < arguments->second; i++)
		say(WIRE_SAMPLES, 2 * audio.channels, samples, 2 * (size_t)audio.channels);
	return SESSION_STOP;
}

/* Says what it was told: whatever it is, it was in the memory of this child. */
session_result echo(struct session *session, const struct arguments *arguments)
{
	(void)session;
	return answer(arguments->text);
}

/* The same in pixels: a row of them, which nobody has to convert. */
session_result paint(struct session *session, const struct arguments *arguments)
{
	struct wire_image image = good_image(session, 1);
	uint8_t row[256] = { 0 };
	size_t length = strnlen(arguments->text, sizeof(row));

	image.flags = WIRE_IMAGE_ALPHA;
	image.pixel_format = session_choose_format(session, &image);
	image.width = sizeof(row) / wire_pixel_bytes[image.pixel_format];
	memcpy(row, arguments->text, length);
	say(WIRE_IMAGE, sizeof(image), &image, sizeof(image));
	say_good(session, WIRE_FRAME);
	say(WIRE_PIXELS, image.width * wire_pixel_bytes[image.pixel_format], row,
	    (size_t)image.width * wire_pixel_bytes[image.pixel_format]);
	return SESSION_STOP;
}

/* Reads, though all that it needs is there. */
session_result read_for_ever(struct session *session, const struct arguments *arguments)
{
	const uint8_t *data = NULL;

	(void)arguments;
	while (session_read(session, &data) > 0)
		;
	return answer("end of the input");
}

/* ---- at random ---- */

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Up to 64 messages, of which most follow what may follow, and most are as they should be: the same for each `first`.
 */
session_result at_random(struct session *session, const struct arguments *arguments)
{
	static const uint8_t answers[3][8] = {
		{ WIRE_IMAGE, WIRE_FRAME, WIRE_PIXELS, WIRE_DAMAGE, WIRE_END, WIRE_FAIL, WIRE_FRAME, WIRE_PIXELS },
		{ WIRE_BYTES, WIRE_DATA, WIRE_DATA, WIRE_DATA, WIRE_DAMAGE, WIRE_END, WIRE_FAIL, WIRE_DATA },
		{ WIRE_METADATA, WIRE_AUDIO, WIRE_SAMPLES, WIRE_LOSS, WIRE_SAMPLES, WIRE_DAMAGE, WIRE_END, WIRE_FAIL },
	};
	const uint8_t *usual = answers[session_request(session)->variant % 3];
	uint64_t state = arguments->first * 2 + 1;
	size_t next = 0;
	uint8_t payload[sizeof(struct wire_metadata)];

	for (int i = 0; i < 16; i++)
		(void)next_random(&state);
	for (int i = 0; i < 64; i++) {
		uint64_t dice = next_random(&state);
		uint32_t kind =
		        dice % 8 == 0 ? (uint32_t)(dice >> 8) % (WIRE_KINDS + 1) : usual[next % sizeof(answers[0])];
		next += dice % 16 < 13 ? 1 : (dice >> 16) % sizeof(answers[0]);
		size_t size = good_payload(session, kind, payload);
		if ((dice >> 24) % 16 == 0) {
			uint32_t value = (uint32_t)next_random(&state) >> (dice >> 32) % 32;
			memcpy(payload + (dice >> 40) % (size + 1), &value, sizeof(value));
		}
		if ((dice >> 48) % 32 == 0)
			size = (dice >> 56) % 64;
		say(kind, (uint32_t)size, payload, size);
	}
	return SESSION_STOP;
}
