/* SPDX-License-Identifier: MIT */
/* What the library refuses and says about it: arguments, limits, damage; and structs of older and newer callers. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/library_support.h"

static enum sdec_status decode(struct sdec_pool *decoder, const struct sdec_input *input,
                               const struct sdec_limits *limits, struct sdec_result *result)
{
	struct sdec_request request = { .size = sizeof(request), .limits = limits };
	struct sdec_image image = { .size = sizeof(image) };

	*result = (struct sdec_result){ .size = sizeof(*result) };
	enum sdec_status status = sdec_decode_image(decoder, input, &request, &image, result);
	cr_assert_eq(result->status, status);
	cr_assert_eq(status == SDEC_OK, image.pixels != NULL);
	sdec_image_free(&image);
	return status;
}

static void expect_limit(struct sdec_pool *decoder, const struct sdec_input *input, const struct sdec_limits *limits,
                         enum sdec_limit wanted)
{
	struct sdec_result result;

	cr_assert_eq(decode(decoder, input, limits, &result), SDEC_LIMIT, "%s: %s", sdec_status_name(result.status),
	             result.reason);
	cr_assert_eq(result.limit, wanted, "%u instead of %u", result.limit, wanted);
	cr_assert_not_null(result.reason);
	/* The library has no options. */
	cr_assert_null(strstr(result.reason, "--"), "%s", result.reason);
}

/* ---- limits ---- */

Test(library_limits, each_limit_has_its_name)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob(PHOTOGRAPH);
	struct sdec_input input = memory_input(file.data, file.size);
	const struct {
		struct sdec_limits limits;
		enum sdec_limit wanted;
	} rows[] = {
		{ { .size = sizeof(struct sdec_limits), .max_side = 858 }, SDEC_LIMIT_SIDE },
		{ { .size = sizeof(struct sdec_limits), .max_pixels = 1165 * 859 - 1 }, SDEC_LIMIT_PIXELS },
		{ { .size = sizeof(struct sdec_limits), .max_output = 1165 * 859 * 4 - 1 }, SDEC_LIMIT_OUTPUT },
		{ { .size = sizeof(struct sdec_limits), .max_input = file.size - 1 }, SDEC_LIMIT_INPUT },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_limit(decoder, &input, &rows[i].limits, rows[i].wanted);
	struct sdec_limits just = { .size = sizeof(just),
		                    .max_side = 1165,
		                    .max_pixels = 1165 * 859,
		                    .max_output = 1165 * 859 * 4,
		                    .max_input = file.size };
	struct sdec_result result;
	cr_assert_eq(decode(decoder, &input, &just, &result), SDEC_OK);
	free_blob(&file);
	sdec_pool_close(&decoder);
}

Test(library_limits, formats_that_are_allowed)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob(PHOTOGRAPH);
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_request request = { .size = sizeof(request), .allow = "gzip,png" };
	struct sdec_image image = { .size = sizeof(image) };
	struct sdec_info info = { .size = sizeof(info) };
	struct sdec_result result = { .size = sizeof(result) };

	cr_assert_eq(sdec_decode_image(decoder, &input, &request, &image, &result), SDEC_UNSUPPORTED);
	cr_assert_str_eq(result.reason, "its format is not allowed: jpeg");
	cr_assert_eq(sdec_probe(decoder, &input, &request, &info, &result), SDEC_UNSUPPORTED);
	request.allow = "gzip,jpeg";
	cr_assert_eq(sdec_decode_image(decoder, &input, &request, &image, &result), SDEC_OK);
	sdec_image_free(&image);
	free_blob(&file);
	sdec_pool_close(&decoder);
}

/* What was odd, and how much would have been enough. */
Test(library_limits, results_tell_what_the_command_line_does)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob(PHOTOGRAPH);
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_limits limits = { .size = sizeof(limits), .max_input = 1000 };
	struct sdec_result result = { .size = sizeof(result) };

	cr_assert_eq(decode(decoder, &input, &limits, &result), SDEC_LIMIT);
	cr_assert_eq(result.limit, SDEC_LIMIT_INPUT);
	cr_assert_eq(result.needed, file.size);
	limits = (struct sdec_limits){ .size = sizeof(limits) };
	cr_assert_eq(decode(decoder, &input, &limits, &result), SDEC_OK);
	cr_assert_eq(result.needed, 0);
	cr_assert_eq(result.notes, 0);
	/* The two bytes of its last marker. */
	input.data_size -= 2;
	cr_assert_eq(decode(decoder, &input, &limits, &result), SDEC_OK);
	cr_assert_eq(result.notes, SDEC_NOTE_END);
	uint8_t *longer = malloc(file.size + 100);
	cr_assert_not_null(longer);
	memcpy(longer, file.data, file.size);
	memset(longer + file.size, 'x', 100);
	input = memory_input(longer, file.size + 100);
	cr_assert_eq(decode(decoder, &input, &limits, &result), SDEC_OK);
	cr_assert(result.notes & SDEC_NOTE_TRAILING);
	free(longer);
	free_blob(&file);
	sdec_pool_close(&decoder);
}

Test(library_limits, memory_and_processor_time_get_children_of_their_own)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob("samples/jpeg/progressive__test.jpg");
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_limits limits = { .size = sizeof(limits), .memory = 16 << 20, .cpu_seconds = 5 };
	struct sdec_result result;

	cr_assert_eq(decode(decoder, &input, &limits, &result), SDEC_OK, "%s", result.reason);
	limits.memory = UINT64_C(512) << 20;
	cr_assert_eq(decode(decoder, &input, &limits, &result), SDEC_OK);
	limits.memory++;
	cr_assert_eq(decode(decoder, &input, &limits, &result), SDEC_USAGE);
	free_blob(&file);

	file = read_blob(SCREENSHOT);
	input = memory_input(file.data, file.size);
	limits.memory = 4 << 20;
	cr_assert_eq(decode(decoder, &input, &limits, &result), SDEC_OK, "%s", result.reason);
	free_blob(&file);
	sdec_pool_close(&decoder);
}

/* Too little was reported as a broken sandbox. */
Test(library_limits, hardly_any_memory)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob("samples/jpeg/peacock.progressive.jpeg");
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_limits limits = { .size = sizeof(limits), .memory = (1 << 20) - 1 };
	struct sdec_result result;

	cr_assert_eq(decode(decoder, &input, &limits, &result), SDEC_USAGE, "%s", result.reason);
	limits.memory = 1 << 20;
	(void)decode(decoder, &input, &limits, &result);
	cr_assert(result.status == SDEC_OK || result.limit == SDEC_LIMIT_MEMORY, "%s", result.reason);
	free_blob(&file);
	expect_works(decoder);
	sdec_pool_close(&decoder);
}

Test(library_limits, processor_time)
{
	struct sdec_pool *decoder = open_hostile(NULL);
	struct sdec_input input = text_input("HOSTILE spin");
	struct sdec_limits limits = { .size = sizeof(limits), .cpu_seconds = 1 };

	expect_limit(decoder, &input, &limits, SDEC_LIMIT_CPU);
	sdec_pool_close(&decoder);
}

Test(library_limits, a_stall)
{
	struct sdec_pool *decoder = open_hostile(NULL);
	struct sdec_input input = text_input("HOSTILE spin");
	struct sdec_limits limits = { .size = sizeof(limits), .stall_seconds = 1 };

	expect_limit(decoder, &input, &limits, SDEC_LIMIT_STALL);
	sdec_pool_close(&decoder);
}

/* What somebody says who wants no limit of processor time does not become a wait without end. */
Test(library_limits, a_stall_beside_the_most_processor_time, .timeout = 60)
{
	static const uint32_t most[] = { 2147484, 3000000, UINT32_MAX };
	struct sdec_pool *decoder = open_hostile(NULL);
	struct sdec_input input = text_input("HOSTILE spin");

	for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
		struct sdec_limits limits = { .size = sizeof(limits), .cpu_seconds = most[i], .stall_seconds = 1 };
		expect_limit(decoder, &input, &limits, SDEC_LIMIT_STALL);
	}
	sdec_pool_close(&decoder);
}

/* In memory, tags in front are passed over without a read that would stop at a limit: not so many of them. */
Test(library_limits, tags_without_end, .timeout = 60)
{
	enum { SIZE = 64 << 20, TAG = 10 };
	struct sdec_pool *decoder = open_decoder(NULL);
	char *tags = calloc(1, SIZE);
	struct sdec_input input = { .size = sizeof(input), .kind = SDEC_INPUT_MEMORY, .data = tags, .data_size = SIZE };
	struct sdec_stream *stream = NULL;
	struct sdec_event event = { .size = sizeof(event) };

	cr_assert_not_null(tags);
	for (size_t place = 0; place + TAG <= SIZE; place += TAG)
		memcpy(tags + place, "ID3\3\0\0\0\0\0\0", TAG);
	cr_assert_eq(sdec_stream_open(decoder, &input, NULL, &stream), SDEC_OK);
	clock_t before = clock();
	cr_assert_eq(sdec_stream_step(stream, &event), SDEC_OK);
	cr_assert_lt(clock() - before, CLOCKS_PER_SEC / 20);
	sdec_stream_close(&stream);
	free(tags);
	sdec_pool_close(&decoder);
}

Test(library_limits, a_deadline)
{
	struct sdec_pool *decoder = open_hostile(NULL);
	struct sdec_input input = text_input("HOSTILE spin");
	struct sdec_limits limits = { .size = sizeof(limits), .deadline_milliseconds = 200 };
	uint64_t before = now_milliseconds();

	expect_limit(decoder, &input, &limits, SDEC_LIMIT_DEADLINE);
	cr_assert_geq(now_milliseconds() - before, 200);
	cr_assert_lt(now_milliseconds() - before, 10000);
	sdec_pool_close(&decoder);
}

/* Missing rows are the caller's own work, of which a few bytes of a decoder's can make much. */
Test(library_limits, a_deadline_while_missing_rows_are_filled, .timeout = 60)
{
	struct sdec_pool *decoder = open_hostile(NULL);
	struct sdec_input input = text_input("HOSTILE damaged 16384 16384");
	struct sdec_limits limits = { .size = sizeof(limits),
		                      .deadline_milliseconds = 200,
		                      .max_pixels = UINT64_C(1) << 28,
		                      .max_output = UINT64_C(1) << 30 };
	struct sdec_request request = { .size = sizeof(request), .limits = &limits, .flags = SDEC_PARTIAL };
	struct sdec_image image = { .size = sizeof(image) };
	struct sdec_frames frames = { .size = sizeof(frames) };
	struct sdec_result result = { .size = sizeof(result) };

	cr_expect_eq(sdec_decode_image(decoder, &input, &request, &image, &result), SDEC_LIMIT);
	cr_expect_eq(result.limit, SDEC_LIMIT_DEADLINE, "%s", result.reason);
	cr_expect_eq(sdec_decode_frames(decoder, &input, &request, &frames, &result), SDEC_LIMIT);
	cr_expect_eq(result.limit, SDEC_LIMIT_DEADLINE, "%s", result.reason);
	sdec_image_free(&image);
	sdec_frames_free(&frames);
	sdec_pool_close(&decoder);
}

/* The deadline is of the whole decode: it runs while the start of the input is waited for, too. */
Test(library_limits, a_deadline_before_the_first_byte, .timeout = 30)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	struct sdec_input input = fd_input(ends[0]);
	struct sdec_limits limits = { .size = sizeof(limits), .deadline_milliseconds = 200 };
	expect_limit(decoder, &input, &limits, SDEC_LIMIT_DEADLINE);
	(void)close(ends[0]);
	(void)close(ends[1]);
	sdec_pool_close(&decoder);
}

/* ---- endings ---- */

Test(library_endings, statuses_and_reasons)
{
	struct sdec_pool *decoder = open_hostile(NULL);
	static const struct {
		const char *text;
		enum sdec_status status;
	} rows[] = {
		{ "", SDEC_MALFORMED },
		{ "this is no picture", SDEC_UNSUPPORTED },
		{ "\xff\xd8\xff nor is this", SDEC_MALFORMED },
		{ "HOSTILE segfault 8", SDEC_KILLED },
		{ "HOSTILE call 57", SDEC_KILLED },
		{ "HOSTILE exit 0", SDEC_KILLED },
		{ "HOSTILE message 4 99999999", SDEC_KILLED },
		{ "HOSTILE long 4 4", SDEC_KILLED },
		{ "HOSTILE twice", SDEC_OK },
		{ "HOSTILE picture 4 4", SDEC_OK },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sdec_input input = text_input(rows[i].text);
		struct sdec_result result;
		cr_assert_eq(decode(decoder, &input, NULL, &result), rows[i].status, "%s: %s", rows[i].text,
		             result.reason);
		cr_assert_eq(result.reason == NULL, rows[i].status == SDEC_OK);
	}
	sdec_pool_close(&decoder);
}

/* The figures were lost because the child was ended before the result was made. */
Test(library_endings, a_crash_tells_signal_time_and_memory)
{
	struct sdec_pool *decoder = open_hostile(NULL);
	struct sdec_input input = text_input("HOSTILE segfault 8");
	struct sdec_result result;

	cr_assert_eq(decode(decoder, &input, NULL, &result), SDEC_KILLED);
	cr_assert_eq(result.signal, SIGSEGV);
	cr_assert_gt(result.peak_memory, 4096);
	input = text_input("HOSTILE spin");
	struct sdec_limits limits = { .size = sizeof(limits), .cpu_seconds = 1 };
	cr_assert_eq(decode(decoder, &input, &limits, &result), SDEC_LIMIT);
	cr_assert_gt(result.cpu_microseconds, 100000); /* the kernel counts the limit in ticks, and this precisely */
	sdec_pool_close(&decoder);
}

/* It was lost where the library saw it before the kernel did. */
Test(library_endings, the_time_is_told_where_the_kernel_does_not_limit_it)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	struct sdec_limits limits = { .size = sizeof(limits), .cpu_seconds = 1 };
	struct sdec_input input = text_input("HOSTILE spin");
	struct sdec_result result;

	/* The limit says that it was set, and was not. */
	cr_assert_eq(seccomp_rule_add(filter, SCMP_ACT_ERRNO(0), SCMP_SYS(prlimit64), 2,
	                              SCMP_A1(SCMP_CMP_EQ, RLIMIT_CPU, 0), SCMP_A2(SCMP_CMP_NE, 0, 0)),
	             0);
	cr_assert_eq(seccomp_load(filter), 0);
	seccomp_release(filter);
	struct sdec_pool *decoder = open_hostile(NULL);
	cr_assert_eq(decode(decoder, &input, &limits, &result), SDEC_LIMIT);
	cr_assert_eq(result.limit, SDEC_LIMIT_CPU);
	cr_assert_geq(result.cpu_microseconds, 1000000);
	sdec_pool_close(&decoder);
}

Test(library_endings, partial_pictures_are_filled_with_zeros)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob(PHOTOGRAPH);
	struct sdec_input input = memory_input(file.data, file.size / 2);
	struct sdec_image image = { .size = sizeof(image) };
	struct sdec_request request = { .size = sizeof(request) };
	struct sdec_result result = { .size = sizeof(result) };

	cr_assert_eq(sdec_decode_image(decoder, &input, &request, &image, &result), SDEC_MALFORMED);
	request.flags = SDEC_PARTIAL;
	cr_assert_eq(sdec_decode_image(decoder, &input, &request, &image, &result), SDEC_OK);
	cr_assert_neq(result.damage, 0);
	cr_assert_not_null(result.reason);
	cr_assert_gt(result.rows_missing, 100);
	cr_assert_lt(result.rows_missing, 800);
	const uint8_t *pixels = image.pixels;
	size_t missing = image.stride * (image.height - result.rows_missing);
	for (size_t i = missing; i < image.stride * image.height; i++)
		cr_assert_eq(pixels[i], 0);
	cr_assert_eq(pixels[3], 255);
	sdec_image_free(&image);
	free_blob(&file);
	sdec_pool_close(&decoder);
}

Test(library_endings, the_wrong_kind)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct blob file = read_blob(ROMEO);
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_result result;

	cr_assert_eq(decode(decoder, &input, NULL, &result), SDEC_WRONG_KIND);
	free_blob(&file);
	file = read_blob(THUMBNAIL);
	input = memory_input(file.data, file.size);
	struct sdec_bytes bytes = { .size = sizeof(bytes) };
	cr_assert_eq(sdec_decode_bytes(decoder, &input, NULL, &bytes, NULL), SDEC_WRONG_KIND);
	cr_assert_null(bytes.data);
	free_blob(&file);
	sdec_pool_close(&decoder);
}

Test(library_endings, an_input_that_cannot_be_read)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	int folder = open("samples", O_RDONLY | O_CLOEXEC);
	struct sdec_input input = fd_input(folder);
	struct sdec_result result;

	cr_assert_eq(decode(decoder, &input, NULL, &result), SDEC_IO);
	cr_assert_neq(result.error_number, 0);
	input.fd = 987; /* is not open */
	cr_assert_eq(decode(decoder, &input, NULL, &result), SDEC_IO);
	(void)close(folder);
	sdec_pool_close(&decoder);
}
