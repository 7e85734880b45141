/* SPDX-License-Identifier: MIT */
/* Audio into output formats, whatever the pieces in which it comes, and WAV files too large to be written here. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "broker/decode/channels.h"
#include "broker/output/sink.h"

static struct wire_audio make_audio(uint32_t channels, enum wire_sample_format format, uint64_t frames)
{
	return (struct wire_audio){
		.rate = 48000, .channels = channels, .sample_format = format, .depth = 16, .frames = frames
	};
}

static void feed(struct sink *sink, const uint8_t *samples, size_t size, size_t piece)
{
	while (size > 0) {
		size_t room = 0;
		uint8_t *place = sink_reserve(sink, &room);
		size_t part = piece < size ? piece : size;
		cr_assert(place && room > 0);
		if (part > room)
			part = room;
		memcpy(place, samples, part);
		cr_assert_eq(sink_commit(sink, part).status, SDEC_OK);
		samples += part;
		size -= part;
	}
}

/* What a sink makes of `size` bytes of samples, in pieces; returns how many bytes that are. */
static size_t write_audio(const char *name, const struct wire_audio *audio, const uint8_t *samples, size_t size,
                          size_t piece, uint8_t *output, size_t room)
{
	int fd = memfd_create("output", MFD_CLOEXEC);
	struct sink sink;

	cr_assert(fd >= 0);
	sink_init(&sink, sink_format_by_name(name), 0, fd);
	cr_assert_eq(sink_audio(&sink, audio).status, SDEC_OK);
	feed(&sink, samples, size, piece);
	cr_assert_eq(sink_end(&sink, true).status, SDEC_OK);
	sink_release(&sink);
	ssize_t got = pread(fd, output, room, 0);
	cr_assert(got >= 0 && (size_t)got < room);
	cr_assert_eq(close(fd), 0);
	return (size_t)got;
}

Test(sink_audio, pieces_of_every_size_give_the_same)
{
	uint8_t samples[240], whole[1024], other[1024];

	for (size_t i = 0; i < sizeof(samples); i++)
		samples[i] = (uint8_t)(i * 7 + 1);
	for (int i = 0; i < 3; i++) {
		const char *names[] = { "raw", "wav", "preview" };
		struct wire_audio audio = make_audio(6, WIRE_S16, WIRE_UNKNOWN);
		audio.flags = WIRE_AUDIO_VORBIS_ORDER;
		size_t size =
		        write_audio(names[i], &audio, samples, sizeof(samples), sizeof(samples), whole, sizeof(whole));
		cr_assert(size > 0);
		for (size_t piece = 1; piece < sizeof(samples); piece++) {
			cr_assert_eq(
			        write_audio(names[i], &audio, samples, sizeof(samples), piece, other, sizeof(other)),
			        size);
			cr_assert_arr_eq(whole, other, size, "%s in pieces of %zu", names[i], piece);
		}
	}
}

static uint64_t read_integer(const uint8_t *bytes, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)bytes[i] << (8 * i);
	return value;
}

/* The header that is written before any samples, for so many that are announced. */
static size_t write_header(uint64_t frames, uint8_t *output, size_t room)
{
	const struct wire_audio audio = make_audio(2, WIRE_S16, frames);
	int fd = memfd_create("output", MFD_CLOEXEC);
	struct sink sink;

	sink_init(&sink, sink_format_by_name("wav"), 0, fd);
	cr_assert_eq(sink_audio(&sink, &audio).status, SDEC_OK);
	ssize_t got = pread(fd, output, room, 0);
	sink_release(&sink);
	cr_assert_eq(close(fd), 0);
	return (size_t)got;
}

Test(sink_audio, files_of_4_gib)
{
	uint8_t header[256];
	const uint64_t frames = (uint64_t)3 << 30;

	cr_assert_eq(write_header(1000, header, sizeof(header)), 44);
	cr_assert_eq(read_integer(header + 40, 4), 4000);
	cr_assert_eq(write_header(frames, header, sizeof(header)), 80);
	cr_assert_arr_eq(header, "RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0", 20);
	cr_assert_eq(read_integer(header + 20, 8), 4 * frames + 72);
	cr_assert_eq(read_integer(header + 28, 8), 4 * frames);
	cr_assert_eq(read_integer(header + 36, 8), frames);
	cr_assert_arr_eq(header + 72, "data\xff\xff\xff\xff", 8);
	/* What overflows is not known. */
	cr_assert_eq(write_header(UINT64_MAX / 2, header, sizeof(header)), 80);
	cr_assert_arr_eq(header, "RIFF\xff\xff\xff\xffWAVEJUNK", 16);
}

/* As if so much had been written. */
Test(sink_audio, a_length_that_is_known_last)
{
	const struct wire_audio audio = make_audio(2, WIRE_S16, WIRE_UNKNOWN);
	int fd = memfd_create("output", MFD_CLOEXEC);
	uint8_t header[80];
	struct sink sink;

	sink_init(&sink, sink_format_by_name("wav"), 0, fd);
	cr_assert_eq(sink_audio(&sink, &audio).status, SDEC_OK);
	sink.written = (uint64_t)5 << 32;
	cr_assert_eq(sink_end(&sink, false).status, SDEC_OK);
	sink_release(&sink);
	cr_assert_eq(pread(fd, header, sizeof(header), 0), sizeof(header));
	cr_assert_arr_eq(header, "RF64\xff\xff\xff\xffWAVEds64", 16);
	cr_assert_eq(read_integer(header + 28, 8), (uint64_t)5 << 32);
	cr_assert_eq(close(fd), 0);
}

Test(sink_audio, formats_without_audio_say_so)
{
	const char *const names[] = { "png", "ppm", "pam", "bmp" };
	const struct wire_audio audio = make_audio(2, WIRE_S16, 1);
	const struct wire_audio deep = make_audio(2, WIRE_S24, 1);
	struct sink sink;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		sink_init(&sink, sink_format_by_name(names[i]), 0, -1);
		cr_expect_eq(sink_audio(&sink, &audio).status, SDEC_UNSUPPORTED);
		sink_release(&sink);
	}
	sink_init(&sink, sink_format_by_name("preview"), 0, -1);
	cr_expect_eq(sink_audio(&sink, &deep).status, SDEC_UNSUPPORTED);
	sink_release(&sink);
}

Test(sink_audio, orders_are_permutations_of_the_layout)
{
	static const uint32_t layouts[] = { 0, 0x4, 0x3, 0x7, 0x33, 0x607, 0x60f, 0x70f, 0x63f };
	static const enum wire_speaker seven_one[] = { WIRE_FRONT_LEFT, WIRE_FRONT_CENTER, WIRE_FRONT_RIGHT,
		                                       WIRE_SIDE_LEFT,  WIRE_SIDE_RIGHT,   WIRE_BACK_LEFT,
		                                       WIRE_BACK_RIGHT, WIRE_LOW_FREQUENCY };
	enum wire_speaker order[WIRE_CHANNELS_MAX];

	for (uint32_t channels = 1; channels <= 8; channels++) {
		struct wire_audio audio = make_audio(channels, WIRE_S16, 1);
		uint32_t seen = 0;
		audio.channel_layout = layouts[channels];
		audio.flags = WIRE_AUDIO_VORBIS_ORDER;
		cr_assert_eq(channels_order(&audio, order), channels);
		for (uint32_t i = 0; i < channels; i++)
			seen |= WIRE_SPEAKER_BIT(order[i]);
		cr_expect_eq(seen, layouts[channels]);
		cr_expect(channels_layout_name(layouts[channels]) != NULL);
	}
	cr_expect_arr_eq(order, seven_one, sizeof(seven_one));
	struct wire_audio discrete = make_audio(8, WIRE_S16, 1);
	cr_expect_eq(channels_order(&discrete, order), 0);
	cr_expect_eq(channels_in_wave_order(&discrete), NULL);
	cr_expect_eq(channels_layout_name(0), NULL);
}
