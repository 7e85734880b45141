/* SPDX-License-Identifier: MIT */
/* Sound on its way to a card that is none, and that stumbles where it is told to. */
#include <criterion/criterion.h>
#include <string.h>

#include "broker/devices/device.h"

enum { CARD_BYTES = 1 << 20, PENDING = 1000, RATE = 8000 };

/* What happened to the card. */
static struct card {
	uint8_t heard[CARD_BYTES];
	size_t size, stride;
	size_t fails_at; /* bytes; 0: never */
	int starts, drains, stops;
} card;

static struct outcome start(void *context, const struct wire_audio *audio)
{
	cr_assert_eq(context, &card);
	card.stride = (size_t)audio->channels * wire_sample_bytes[audio->sample_format];
	card.starts++;
	return outcome_ok();
}

static struct outcome play(void *context, const uint8_t *samples, size_t frames, uint64_t *gaps)
{
	cr_assert_eq(context, &card);
	cr_assert(frames > 0 && card.size + frames * card.stride <= CARD_BYTES);
	memcpy(card.heard + card.size, samples, frames * card.stride);
	card.size += frames * card.stride;
	(*gaps)++;
	return card.fails_at > 0 && card.size >= card.fails_at ? outcome_of(SDEC_IO, "the card is gone") : outcome_ok();
}

static uint64_t pending(void *context)
{
	cr_assert_eq(context, &card);
	return PENDING;
}

static struct outcome drain(void *context)
{
	cr_assert_eq(context, &card);
	card.drains++;
	return outcome_ok();
}

static void stop(void *context)
{
	cr_assert_eq(context, &card);
	card.stops++;
}

static const struct speaker_driver driver = {
	.start = start, .play = play, .pending = pending, .drain = drain, .stop = stop
};

/* What was told of the progress. */
static uint64_t told, tellings;

static void hear(void *context, uint64_t frames)
{
	cr_assert_eq(context, &told);
	cr_assert(frames >= told);
	told = frames;
	tellings++;
}

static struct device make_device(void)
{
	memset(&card, 0, sizeof(card));
	told = tellings = 0;
	return (struct device){
		.kind = DEVICE_SPEAKER,
		.speaker = { .driver = &driver,
		             .context = &card,
		             .limits = SOUND_LIMITS_DEFAULT,
		             .heard = hear,
		             .heard_context = &told },
	};
}

static struct outcome begin(struct sink *sink, struct device *device, const struct wire_audio *audio)
{
	sink_init(sink, device_sink_format(DEVICE_SPEAKER), 0, -1);
	sink->device = device;
	return sink_audio(sink, audio);
}

static struct outcome feed(struct sink *sink, const uint8_t *samples, size_t size, size_t piece)
{
	struct outcome outcome = outcome_ok();

	while (size > 0 && outcome.status == SDEC_OK) {
		size_t room = 0;
		uint8_t *place = sink_reserve(sink, &room);
		size_t part = piece < size ? piece : size;
		cr_assert(place && room > 0);
		if (part > room)
			part = room;
		memcpy(place, samples, part);
		outcome = sink_commit(sink, part);
		samples += part;
		size -= part;
	}
	return outcome;
}

static struct wire_audio make_audio(uint32_t rate, uint32_t channels, uint64_t frames)
{
	return (struct wire_audio){
		.rate = rate, .channels = channels, .sample_format = WIRE_S16, .depth = 16, .frames = frames
	};
}

Test(speaker, whole_frames_in_pieces_of_every_size)
{
	static uint8_t samples[4 * 5000];
	const struct wire_audio audio = make_audio(RATE, 2, WIRE_UNKNOWN);

	for (size_t i = 0; i < sizeof(samples); i++)
		samples[i] = (uint8_t)(i * 7 + i / 256);
	for (size_t piece = 1; piece < 40000; piece = piece * 3 + 1) {
		struct device device = make_device();
		struct sink sink;
		cr_assert_eq(begin(&sink, &device, &audio).status, SDEC_OK);
		cr_assert_eq(feed(&sink, samples, sizeof(samples), piece).status, SDEC_OK);
		cr_assert_eq(sink_end(&sink, false).status, SDEC_OK);
		sink_release(&sink);
		cr_assert_eq(card.size, sizeof(samples));
		cr_assert_arr_eq(card.heard, samples, sizeof(samples));
		cr_assert(card.starts == 1 && card.drains == 1 && card.stops == 1);
		/* What is buffered was not heard, and news come eight times a second at least. */
		cr_assert_eq(told, 5000 - PENDING);
		cr_assert(tellings >= 5000 / (RATE / 8) && device.speaker.gaps == tellings);
	}
}

Test(speaker, a_card_that_fails_ends_the_sound)
{
	static uint8_t samples[4 * 5000];
	struct device device = make_device();
	const struct wire_audio audio = make_audio(RATE, 2, WIRE_UNKNOWN);
	struct sink sink;

	card.fails_at = 8000;
	cr_assert_eq(begin(&sink, &device, &audio).status, SDEC_OK);
	cr_expect_eq(feed(&sink, samples, sizeof(samples), sizeof(samples)).status, SDEC_IO);
	sink_release(&sink);
	cr_expect(card.size == 8000 && card.drains == 0 && card.stops == 1);
}

/* Nothing that a decoder says reaches the card before it was compared with what the user allows. */
Test(speaker, limits)
{
	static const struct {
		uint32_t rate, channels;
		uint64_t frames;
		enum sdec_status status;
	} cases[] = {
		{ 4000, 1, 0, SDEC_OK },
		{ 3999, 1, 0, SDEC_LIMIT },
		{ 1, 1, WIRE_UNKNOWN, SDEC_LIMIT },
		{ 192000, 8, 100, SDEC_OK },
		{ 192001, 8, 100, SDEC_LIMIT },
		{ WIRE_RATE_MAX, 1, 0, SDEC_LIMIT },
		{ 48000, 9, 100, SDEC_LIMIT },
		{ 48000, WIRE_CHANNELS_MAX, 100, SDEC_LIMIT },
		{ 48000, 2, UINT64_C(48000) * 86400, SDEC_OK },
		{ 48000, 2, UINT64_C(48000) * 86400 + 1, SDEC_LIMIT },
		{ 48000, 2, WIRE_UNKNOWN - 1, SDEC_LIMIT },
		{ 48000, 2, WIRE_UNKNOWN, SDEC_OK },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct wire_audio audio = make_audio(cases[i].rate, cases[i].channels, cases[i].frames);
		struct device device = make_device();
		struct sink sink;
		cr_expect_eq(begin(&sink, &device, &audio).status, cases[i].status, "%zu", i);
		cr_expect_eq(card.starts, cases[i].status == SDEC_OK ? 1 : 0, "%zu", i);
		sink_release(&sink);
		cr_expect_eq(card.stops, card.starts, "%zu", i);
	}
}

Test(speaker, a_sound_that_is_longer_than_it_said)
{
	static uint8_t samples[4 * RATE * 3];
	const struct wire_audio audio = make_audio(RATE, 2, 10);
	struct device device = make_device();
	struct sink sink;

	device.speaker.limits.max_seconds = 2;
	cr_assert_eq(begin(&sink, &device, &audio).status, SDEC_OK);
	cr_expect_eq(feed(&sink, samples, sizeof(samples), 4000).status, SDEC_LIMIT);
	sink_release(&sink);
	cr_expect(card.size <= (size_t)4 * RATE * 2);
}
