/* SPDX-License-Identifier: MIT */
/* Wrong arguments, structs of older and newer callers, and the posture. */
#include <criterion/criterion.h>
#include <stddef.h>
#include <string.h>

#include "tests/support/library_support.h"

/* ---- wrong arguments ---- */

Test(library_usage, of_the_configuration)
{
	struct sdec_pool *decoder = (struct sdec_pool *)&decoder;
	const struct sdec_config wrong[] = {
		{ .size = sizeof(wrong[0]), .memory = 1 },
		{ .size = sizeof(wrong[0]), .memory = UINT64_MAX },
		{ .size = sizeof(wrong[0]), .spares = 65 },
		{ .size = sizeof(wrong[0]), .idle_seconds = UINT32_MAX },
	};

	cr_assert_eq(sdec_pool_open(NULL, NULL), SDEC_USAGE);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		cr_assert_eq(sdec_pool_open(&wrong[i], &decoder), SDEC_USAGE);
		cr_assert_null(decoder);
	}
	sdec_pool_close(NULL);
	sdec_pool_close(&decoder);
}

Test(library_usage, of_nothing)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct sdec_input input = text_input("x");
	struct sdec_image image = { .size = sizeof(image) };
	struct sdec_bytes bytes = { .size = sizeof(bytes) };
	struct sdec_audio audio = { .size = sizeof(audio) };
	struct sdec_info info = { .size = sizeof(info) };
	struct sdec_event event = { .size = sizeof(event) };
	struct sdec_posture posture = { .size = sizeof(posture) };
	struct sdec_stream *stream = NULL;
	uint8_t pixel[4];

	cr_assert_eq(sdec_decode_image(NULL, &input, NULL, &image, NULL), SDEC_USAGE);
	cr_assert_eq(sdec_decode_image(decoder, NULL, NULL, &image, NULL), SDEC_USAGE);
	cr_assert_eq(sdec_decode_image(decoder, &input, NULL, NULL, NULL), SDEC_USAGE);
	cr_assert_eq(sdec_decode_image_into(NULL, &input, NULL, pixel, 4, 4, &image, NULL), SDEC_USAGE);
	cr_assert_eq(sdec_decode_image_into(decoder, &input, NULL, NULL, 4, 4, &image, NULL), SDEC_USAGE);
	cr_assert_eq(sdec_decode_bytes(NULL, &input, NULL, &bytes, NULL), SDEC_USAGE);
	cr_assert_eq(sdec_decode_bytes(decoder, NULL, NULL, &bytes, NULL), SDEC_USAGE);
	cr_assert_eq(sdec_decode_bytes(decoder, &input, NULL, NULL, NULL), SDEC_USAGE);
	cr_assert_eq(sdec_decode_audio(NULL, &input, NULL, &audio, NULL), SDEC_USAGE);
	cr_assert_eq(sdec_decode_audio(decoder, NULL, NULL, &audio, NULL), SDEC_USAGE);
	cr_assert_eq(sdec_decode_audio(decoder, &input, NULL, NULL, NULL), SDEC_USAGE);
	cr_assert_eq(sdec_decode_audio_into(NULL, &input, NULL, pixel, 4, &audio, NULL), SDEC_USAGE);
	cr_assert_eq(sdec_decode_audio_into(decoder, &input, NULL, NULL, 4, &audio, NULL), SDEC_USAGE);
	cr_assert_eq(sdec_probe(NULL, &input, NULL, &info, NULL), SDEC_USAGE);
	cr_assert_eq(sdec_probe(decoder, NULL, NULL, &info, NULL), SDEC_USAGE);
	cr_assert_eq(sdec_stream_open(NULL, &input, NULL, &stream), SDEC_USAGE);
	cr_assert_eq(sdec_stream_open(decoder, NULL, NULL, &stream), SDEC_USAGE);
	cr_assert_eq(sdec_stream_open(decoder, &input, NULL, NULL), SDEC_USAGE);
	cr_assert_null(stream);
	cr_assert_eq(sdec_stream_fd(NULL), -1);
	cr_assert_eq(sdec_stream_step(NULL, &event), SDEC_USAGE);
	cr_assert_eq(sdec_stream_into(NULL, pixel, 4, 4), SDEC_USAGE);
	cr_assert_eq(sdec_pool_posture(NULL, NULL, &posture), SDEC_USAGE);
	cr_assert_eq(sdec_pool_posture(decoder, "no such format", &posture), SDEC_USAGE);
	sdec_stream_close(NULL);
	sdec_stream_close(&stream);
	sdec_image_free(NULL);
	sdec_bytes_free(NULL);
	sdec_audio_free(NULL);
	sdec_image_free(&image);
	sdec_bytes_free(&bytes);
	sdec_audio_free(&audio);
	cr_assert_eq(list_children(NULL, 0), 0); /* none of this started a broker */
	sdec_pool_close(&decoder);
}

/* "*result is filled in either case": it was not where the output argument was wrong. */
Test(library_usage, the_result_is_filled_whatever_is_wrong)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct sdec_input input = text_input("x");
	struct sdec_image image = { .size = sizeof(size_t), .pixels = &image };
	struct sdec_result result = { .size = sizeof(result), .status = 99, .signal = 99 };

	cr_assert_eq(sdec_decode_image(decoder, &input, NULL, &image, &result), SDEC_USAGE);
	cr_assert_eq(result.status, SDEC_USAGE);
	cr_assert_eq(result.signal, 0);
	cr_assert_not_null(result.reason);
	cr_assert_eq(image.pixels, &image); /* beyond what this caller said that it has */
	result.status = 99;
	cr_assert_eq(sdec_decode_bytes(decoder, &input, NULL, NULL, &result), SDEC_USAGE);
	cr_assert_eq(result.status, SDEC_USAGE);
	result.status = 99;
	cr_assert_eq(sdec_decode_image_into(decoder, &input, NULL, NULL, 4, 4, NULL, &result), SDEC_USAGE);
	cr_assert_eq(result.status, SDEC_USAGE);
	sdec_pool_close(&decoder);
}

Test(library_usage, of_requests)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct sdec_input input = text_input("x");
	const struct sdec_limits much = { .size = sizeof(much), .max_side = 524289 };
	const struct sdec_request wrong[] = {
		{ .size = sizeof(wrong[0]), .pixel_format = SDEC_RGBA_F32 + 1 },
		{ .size = sizeof(wrong[0]), .pixel_format = UINT32_MAX },
		{ .size = sizeof(wrong[0]), .flags = 1024 },
		{ .size = sizeof(wrong[0]), .flags = SDEC_HEADER_ONLY },
		{ .size = sizeof(wrong[0]), .sample_format = 5 },
		{ .size = sizeof(wrong[0]), .allow = "" },
		{ .size = sizeof(wrong[0]), .allow = "jpeg," },
		{ .size = sizeof(wrong[0]), .scale = 3 },
		{ .size = sizeof(wrong[0]), .scale = 16 },
		{ .size = sizeof(wrong[0]), .scale = 2, .fit_width = 10 },
		{ .size = sizeof(wrong[0]), .fit_height = 524289 },
		{ .size = sizeof(wrong[0]), .fit_width = 10, .fit = SDEC_FIT_COVER + 1 },
		{ .size = sizeof(wrong[0]), .crop_width = 10 },
		{ .size = sizeof(wrong[0]), .crop_height = 10 },
		{ .size = sizeof(wrong[0]), .crop_x = 1 },
		{ .size = sizeof(wrong[0]), .orientation = SDEC_ORIENTATION_APPLY + 1 },
		{ .size = sizeof(wrong[0]), .flags = SDEC_FLATTEN, .background = 0x1000000 },
		{ .size = sizeof(wrong[0]), .colors = SDEC_COLORS_SRGB + 1 },
		{ .size = sizeof(wrong[0]), .format = "" },
		{ .size = sizeof(wrong[0]), .limits = &much },
	};
	struct sdec_image image = { .size = sizeof(image) };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_assert_eq(sdec_decode_image(decoder, &input, &wrong[i], &image, NULL), SDEC_USAGE, "%zu", i);
	input = (struct sdec_input){ .size = sizeof(input), .kind = SDEC_INPUT_MEMORY, .data_size = 5 };
	cr_assert_eq(sdec_decode_image(decoder, &input, NULL, &image, NULL), SDEC_USAGE);
	/* It once read standard input. */
	input = (struct sdec_input){ .size = sizeof(input) };
	cr_assert_eq(sdec_decode_image(decoder, &input, NULL, &image, NULL), SDEC_USAGE);
	input = (struct sdec_input){ .size = sizeof(input), .kind = 3, .data = "x", .data_size = 1 };
	cr_assert_eq(sdec_decode_image(decoder, &input, NULL, &image, NULL), SDEC_USAGE);
	input = fd_input(-1);
	cr_assert_eq(sdec_decode_image(decoder, &input, NULL, &image, NULL), SDEC_USAGE);
	sdec_pool_close(&decoder);
}

/* What a call does not give is refused before any decoder is started. */
Test(library_usage, of_another_kind)
{
	static const uint8_t sound[] = { '.', 's', 'n', 'd', 0, 0, 0, 24, 0, 0, 0, 4, 0, 0, 0,    3,
		                         0,   0,   31,  64,  0, 0, 0, 1,  0, 0, 1, 2, 3, 4, 0xff, 0xff };
	struct sdec_pool *decoder = open_decoder(NULL);
	struct sdec_input input = memory_input(sound, sizeof(sound));
	struct sdec_image image = { .size = sizeof(image) };
	struct sdec_bytes bytes = { .size = sizeof(bytes) };
	struct sdec_audio audio = { .size = sizeof(audio) };
	struct sdec_result result = { .size = sizeof(result) };

	cr_assert_eq(sdec_decode_image(decoder, &input, NULL, &image, &result), SDEC_WRONG_KIND);
	cr_assert_str_eq(result.reason, "the input gives sound");
	cr_assert_null(image.pixels);
	cr_assert_eq(sdec_decode_bytes(decoder, &input, NULL, &bytes, NULL), SDEC_WRONG_KIND);
	struct blob file = read_blob(THUMBNAIL);
	input = memory_input(file.data, file.size);
	cr_assert_eq(sdec_decode_audio(decoder, &input, NULL, &audio, &result), SDEC_WRONG_KIND);
	cr_assert_str_eq(result.reason, "the input gives a picture");
	cr_assert_null(audio.samples);
	free_blob(&file);
	file = read_blob(ROMEO);
	input = memory_input(file.data, file.size);
	cr_assert_eq(sdec_decode_audio(decoder, &input, NULL, &audio, &result), SDEC_WRONG_KIND);
	cr_assert_str_eq(result.reason, "the input gives bytes");
	free_blob(&file);
	cr_assert_eq(list_children(NULL, 0), 0);
	expect_works(decoder);
	sdec_pool_close(&decoder);
}

/* A struct whose size was forgotten was taken for one of zeros: limits were ignored, and standard input was read. */
Test(library_usage, a_size_that_was_not_set)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob(THUMBNAIL);
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_limits limits = { .max_side = 1 };
	struct sdec_request request = { .pixel_format = SDEC_RGB };
	struct sdec_image image = { .size = sizeof(image) };
	struct sdec_config config = { .no_spares = 1 };
	struct sdec_pool *other = NULL;

	cr_assert_eq(sdec_decode_image(decoder, &input, &request, &image, NULL), SDEC_USAGE);
	request.size = sizeof(request);
	request.limits = &limits;
	cr_assert_eq(sdec_decode_image(decoder, &input, &request, &image, NULL), SDEC_USAGE);
	input.size = 0;
	cr_assert_eq(sdec_decode_image(decoder, &input, NULL, &image, NULL), SDEC_USAGE);
	cr_assert_eq(sdec_pool_open(&config, &other), SDEC_USAGE);
	free_blob(&file);
	sdec_pool_close(&decoder);
}

/* ---- sizes ---- */

/* Copies of the public structs as a caller has them that was compiled against a later header. */
#define LATER(type)                                                                                                    \
	struct {                                                                                                       \
		struct type now;                                                                                       \
		unsigned char later[64];                                                                               \
	}

static void mark(void *later, size_t size)
{
	memset(later, 0xa5, size);
}

static void expect_marked(const unsigned char *later, size_t size)
{
	for (size_t i = 0; i < size; i++)
		cr_assert_eq(later[i], 0xa5);
}

Test(library_sizes, a_later_caller)
{
	LATER(sdec_config) config = { .now = { .size = sizeof(config) } };
	LATER(sdec_input) input = { .now = { .size = sizeof(input), .kind = SDEC_INPUT_MEMORY } };
	LATER(sdec_request) request = { .now = { .size = sizeof(request) } };
	LATER(sdec_limits) limits = { .now = { .size = sizeof(limits), .max_side = 32 } };
	LATER(sdec_image) image = { .now = { .size = sizeof(image) } };
	LATER(sdec_audio) audio = { .now = { .size = sizeof(audio) } };
	LATER(sdec_result) result = { .now = { .size = sizeof(result) } };
	LATER(sdec_info) info = { .now = { .size = sizeof(info) } };
	LATER(sdec_posture) posture = { .now = { .size = sizeof(posture) } };
	struct blob file = read_blob(THUMBNAIL);

	struct sdec_pool *decoder = NULL;
	config.now.programs = built_program("decoders");
	cr_assert_eq(sdec_pool_open(&config.now, &decoder), SDEC_OK);
	input.now.data = file.data;
	input.now.data_size = file.size;
	request.now.limits = &limits.now;
	mark(image.later, sizeof(image.later));
	mark(audio.later, sizeof(audio.later));
	mark(result.later, sizeof(result.later));
	mark(info.later, sizeof(info.later));
	mark(posture.later, sizeof(posture.later));
	cr_assert_eq(sdec_decode_image(decoder, &input.now, &request.now, &image.now, &result.now), SDEC_OK);
	cr_assert_eq(image.now.size, sizeof(image));
	cr_assert_eq(image.now.width, 32);
	sdec_image_free(&image.now);
	cr_assert_eq(sdec_probe(decoder, &input.now, &request.now, &info.now, NULL), SDEC_OK);
	cr_assert_eq(info.now.size, sizeof(info));
	cr_assert_eq(sdec_pool_posture(decoder, "jpeg", &posture.now), SDEC_OK);
	expect_marked(image.later, sizeof(image.later));
	expect_marked(result.later, sizeof(result.later));
	expect_marked(info.later, sizeof(info.later));
	expect_marked(posture.later, sizeof(posture.later));
	struct blob tone = read_blob("samples/wav/tone-s16.wav");
	struct sdec_input sound = memory_input(tone.data, tone.size);
	cr_assert_eq(sdec_decode_audio(decoder, &sound, NULL, &audio.now, NULL), SDEC_OK);
	cr_assert_eq(audio.now.sample_frames, 400);
	cr_assert_eq(audio.now.speakers[2], 0);
	sdec_audio_free(&audio.now);
	expect_marked(audio.later, sizeof(audio.later));
	free_blob(&tone);
	limits.now.max_side = 31;
	cr_assert_eq(sdec_decode_image(decoder, &input.now, &request.now, &image.now, NULL), SDEC_LIMIT);
	free_blob(&file);
	sdec_pool_close(&decoder);
}

/* What a later caller asks for, and this library does not know, it does not pass over. */
Test(library_sizes, a_later_caller_who_asks_for_more)
{
	LATER(sdec_config) config = { .now = { .size = sizeof(config), .programs = built_program("decoders") } };
	LATER(sdec_input) input = { .now = { .size = sizeof(input), .kind = SDEC_INPUT_MEMORY } };
	LATER(sdec_request) request = { .now = { .size = sizeof(request) } };
	LATER(sdec_limits) limits = { .now = { .size = sizeof(limits) } };
	unsigned char *const tails[] = { input.later, request.later, limits.later };
	struct blob file = read_blob(THUMBNAIL);
	struct sdec_pool *decoder = NULL;
	struct sdec_stream *stream = NULL;

	config.later[63] = 1;
	cr_assert_eq(sdec_pool_open(&config.now, &decoder), SDEC_USAGE);
	cr_assert_null(decoder);
	config.later[63] = 0;
	cr_assert_eq(sdec_pool_open(&config.now, &decoder), SDEC_OK);
	input.now.data = file.data;
	input.now.data_size = file.size;
	request.now.limits = &limits.now;
	for (size_t i = 0; i < 2 * sizeof(tails) / sizeof(tails[0]); i++) {
		unsigned char *byte = &tails[i / 2][i % 2 ? 63 : 0];
		struct sdec_image image = { .size = sizeof(image) };
		struct sdec_info info = { .size = sizeof(info) };
		*byte = 1;
		cr_expect_eq(sdec_decode_image(decoder, &input.now, &request.now, &image, NULL), SDEC_USAGE, "%zu", i);
		cr_expect_eq(sdec_probe(decoder, &input.now, &request.now, &info, NULL), SDEC_USAGE, "%zu", i);
		cr_expect_eq(sdec_stream_open(decoder, &input.now, &request.now, &stream), SDEC_USAGE, "%zu", i);
		cr_expect_null(stream);
		*byte = 0;
		cr_expect_eq(sdec_decode_image(decoder, &input.now, &request.now, &image, NULL), SDEC_OK, "%zu", i);
		sdec_image_free(&image);
	}
	free_blob(&file);
	sdec_pool_close(&decoder);
}

/* What lies behind the size that a caller gives is neither read nor written. */
Test(library_sizes, an_older_caller)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob(THUMBNAIL);
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_limits limits = { .size = offsetof(struct sdec_limits, max_side), .max_side = 1 };
	struct sdec_request request = {
		.size = offsetof(struct sdec_request, pixel_format), .limits = &limits, .pixel_format = 99, .flags = 99
	};
	struct sdec_image image = { .size = sizeof(image) };
	struct sdec_result result = { .size = offsetof(struct sdec_result, limit), .limit = 77, .signal = 77 };
	struct sdec_info info = { .size = offsetof(struct sdec_info, height), .height = 77, .orientation = 77 };
	struct sdec_posture posture = { .size = offsetof(struct sdec_posture, strict), .strict = 77 };

	input.size = offsetof(struct sdec_input, name);
	input.name = (const char *)1;
	cr_assert_eq(sdec_decode_image(decoder, &input, &request, &image, &result), SDEC_OK);
	cr_assert_eq(result.status, SDEC_OK);
	cr_assert_eq(result.limit, 77);
	cr_assert_eq(result.signal, 77);
	sdec_image_free(&image);
	cr_assert_eq(sdec_probe(decoder, &input, &request, &info, NULL), SDEC_OK);
	cr_assert_eq(info.width, 32);
	cr_assert_eq(info.height, 77);
	cr_assert_eq(info.orientation, 77);
	cr_assert_eq(sdec_pool_posture(decoder, NULL, &posture), SDEC_OK);
	cr_assert_neq(posture.verified, 0);
	cr_assert_eq(posture.strict, 77);
	free_blob(&file);
	sdec_pool_close(&decoder);
}

/* ---- posture ---- */

/* A decoder of less memory than the default could not tell its posture. */
Test(library_posture, of_a_decoder_with_little_memory)
{
	struct sdec_config config = { .size = sizeof(config), .memory = 32 << 20 };
	struct sdec_pool *decoder = open_decoder(&config);
	struct sdec_posture posture = { .size = sizeof(posture) };

	cr_assert_eq(sdec_pool_posture(decoder, NULL, &posture), SDEC_OK);
	cr_assert_neq(posture.verified, 0);
	cr_assert_neq(posture.no_new_privs, 0);
	cr_assert(posture.strict || posture.filters == posture.inherited + 1);
	expect_works(decoder);
	sdec_pool_close(&decoder);
}
