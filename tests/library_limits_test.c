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

#include "library_support.h"

static enum safe_status decode(struct safe_decoder *decoder, const struct safe_input *input,
                               const struct safe_limits *limits, struct safe_result *result)
{
	struct safe_request request = { .size = sizeof(request), .limits = limits };
	struct safe_image image = { .size = sizeof(image) };

	*result = (struct safe_result){ .size = sizeof(*result) };
	enum safe_status status = safe_decode_image(decoder, input, &request, &image, result);
	cr_assert_eq(result->status, status);
	cr_assert_eq(status == SAFE_OK, image.pixels != NULL);
	safe_image_free(&image);
	return status;
}

static void expect_limit(struct safe_decoder *decoder, const struct safe_input *input, const struct safe_limits *limits,
                         enum safe_limit wanted)
{
	struct safe_result result;

	cr_assert_eq(decode(decoder, input, limits, &result), SAFE_LIMIT, "%s: %s", safe_status_name(result.status),
	             result.reason);
	cr_assert_eq(result.limit, wanted, "%u instead of %u", result.limit, wanted);
	cr_assert_not_null(result.reason);
	/* The library has no options. */
	cr_assert_null(strstr(result.reason, "--"), "%s", result.reason);
}

/* ---- limits ---- */

Test(library_limits, each_limit_has_its_name)
{
	struct safe_decoder *decoder = open_decoder(NULL);
	struct blob file = read_blob(PHOTOGRAPH);
	struct safe_input input = memory_input(file.data, file.size);
	const struct {
		struct safe_limits limits;
		enum safe_limit wanted;
	} rows[] = {
		{ { .size = sizeof(struct safe_limits), .max_side = 858 }, SAFE_LIMIT_SIDE },
		{ { .size = sizeof(struct safe_limits), .max_pixels = 1165 * 859 - 1 }, SAFE_LIMIT_PIXELS },
		{ { .size = sizeof(struct safe_limits), .max_output = 1165 * 859 * 4 - 1 }, SAFE_LIMIT_OUTPUT },
		{ { .size = sizeof(struct safe_limits), .max_input = file.size - 1 }, SAFE_LIMIT_INPUT },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_limit(decoder, &input, &rows[i].limits, rows[i].wanted);
	struct safe_limits just = { .size = sizeof(just),
		                    .max_side = 1165,
		                    .max_pixels = 1165 * 859,
		                    .max_output = 1165 * 859 * 4,
		                    .max_input = file.size };
	struct safe_result result;
	cr_assert_eq(decode(decoder, &input, &just, &result), SAFE_OK);
	free_blob(&file);
	safe_decoder_close(&decoder);
}

Test(library_limits, formats_that_are_allowed)
{
	struct safe_decoder *decoder = open_decoder(NULL);
	struct blob file = read_blob(PHOTOGRAPH);
	struct safe_input input = memory_input(file.data, file.size);
	struct safe_request request = { .size = sizeof(request), .allow = "gzip,png" };
	struct safe_image image = { .size = sizeof(image) };
	struct safe_info info = { .size = sizeof(info) };
	struct safe_result result = { .size = sizeof(result) };

	cr_assert_eq(safe_decode_image(decoder, &input, &request, &image, &result), SAFE_UNSUPPORTED);
	cr_assert_str_eq(result.reason, "of a format that is not allowed: jpeg");
	cr_assert_eq(safe_probe(decoder, &input, &request, &info, &result), SAFE_UNSUPPORTED);
	request.allow = "gzip,jpeg";
	cr_assert_eq(safe_decode_image(decoder, &input, &request, &image, &result), SAFE_OK);
	safe_image_free(&image);
	free_blob(&file);
	safe_decoder_close(&decoder);
}

/* What was odd, and how much would have been enough. */
Test(library_limits, results_tell_what_the_command_line_does)
{
	struct safe_decoder *decoder = open_decoder(NULL);
	struct blob file = read_blob(PHOTOGRAPH);
	struct safe_input input = memory_input(file.data, file.size);
	struct safe_limits limits = { .size = sizeof(limits), .max_input = 1000 };
	struct safe_result result = { .size = sizeof(result) };

	cr_assert_eq(decode(decoder, &input, &limits, &result), SAFE_LIMIT);
	cr_assert_eq(result.limit, SAFE_LIMIT_INPUT);
	cr_assert_eq(result.needed, file.size);
	limits = (struct safe_limits){ .size = sizeof(limits) };
	cr_assert_eq(decode(decoder, &input, &limits, &result), SAFE_OK);
	cr_assert_eq(result.needed, 0);
	cr_assert_eq(result.notes, 0);
	/* The two bytes of its last marker. */
	input.data_size -= 2;
	cr_assert_eq(decode(decoder, &input, &limits, &result), SAFE_OK);
	cr_assert_eq(result.notes, SAFE_NOTE_END);
	uint8_t *longer = malloc(file.size + 100);
	cr_assert_not_null(longer);
	memcpy(longer, file.data, file.size);
	memset(longer + file.size, 'x', 100);
	input = memory_input(longer, file.size + 100);
	cr_assert_eq(decode(decoder, &input, &limits, &result), SAFE_OK);
	cr_assert(result.notes & SAFE_NOTE_TRAILING);
	free(longer);
	free_blob(&file);
	safe_decoder_close(&decoder);
}

Test(library_limits, memory_and_processor_time_get_children_of_their_own)
{
	struct safe_decoder *decoder = open_decoder(NULL);
	struct blob file = read_blob("samples/jpeg/progressive__test.jpg");
	struct safe_input input = memory_input(file.data, file.size);
	struct safe_limits limits = { .size = sizeof(limits), .memory = 16 << 20, .cpu_seconds = 5 };
	struct safe_result result;

	cr_assert_eq(decode(decoder, &input, &limits, &result), SAFE_OK, "%s", result.reason);
	limits.memory = UINT64_C(512) << 20;
	cr_assert_eq(decode(decoder, &input, &limits, &result), SAFE_OK);
	limits.memory++;
	cr_assert_eq(decode(decoder, &input, &limits, &result), SAFE_USAGE);
	free_blob(&file);

	file = read_blob(SCREENSHOT);
	input = memory_input(file.data, file.size);
	limits.memory = 4 << 20;
	cr_assert_eq(decode(decoder, &input, &limits, &result), SAFE_OK, "%s", result.reason);
	free_blob(&file);
	safe_decoder_close(&decoder);
}

/* Too little was reported as a broken sandbox. */
Test(library_limits, hardly_any_memory)
{
	struct safe_decoder *decoder = open_decoder(NULL);
	struct blob file = read_blob("samples/jpeg/peacock.progressive.jpeg");
	struct safe_input input = memory_input(file.data, file.size);
	struct safe_limits limits = { .size = sizeof(limits), .memory = (1 << 20) - 1 };
	struct safe_result result;

	cr_assert_eq(decode(decoder, &input, &limits, &result), SAFE_USAGE, "%s", result.reason);
	limits.memory = 1 << 20;
	(void)decode(decoder, &input, &limits, &result);
	cr_assert(result.status == SAFE_OK || result.limit == SAFE_LIMIT_MEMORY, "%s", result.reason);
	free_blob(&file);
	expect_works(decoder);
	safe_decoder_close(&decoder);
}

Test(library_limits, processor_time)
{
	struct safe_decoder *decoder = open_hostile(NULL);
	struct safe_input input = text_input("HOSTILE spin");
	struct safe_limits limits = { .size = sizeof(limits), .cpu_seconds = 1 };

	expect_limit(decoder, &input, &limits, SAFE_LIMIT_CPU);
	safe_decoder_close(&decoder);
}

Test(library_limits, a_stall)
{
	struct safe_decoder *decoder = open_hostile(NULL);
	struct safe_input input = text_input("HOSTILE spin");
	struct safe_limits limits = { .size = sizeof(limits), .stall_seconds = 1 };

	expect_limit(decoder, &input, &limits, SAFE_LIMIT_STALL);
	safe_decoder_close(&decoder);
}

/* What somebody says who wants no limit of processor time does not become a wait without end. */
Test(library_limits, a_stall_beside_the_most_processor_time, .timeout = 60)
{
	static const uint32_t most[] = { 2147484, 3000000, UINT32_MAX };
	struct safe_decoder *decoder = open_hostile(NULL);
	struct safe_input input = text_input("HOSTILE spin");

	for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
		struct safe_limits limits = { .size = sizeof(limits), .cpu_seconds = most[i], .stall_seconds = 1 };
		expect_limit(decoder, &input, &limits, SAFE_LIMIT_STALL);
	}
	safe_decoder_close(&decoder);
}

/* In memory, tags in front are passed over without a read that would stop at a limit: not so many of them. */
Test(library_limits, tags_without_end, .timeout = 60)
{
	enum { SIZE = 64 << 20, TAG = 10 };
	struct safe_decoder *decoder = open_decoder(NULL);
	char *tags = calloc(1, SIZE);
	struct safe_input input = { .size = sizeof(input), .data = tags, .data_size = SIZE };
	struct safe_stream *stream = NULL;
	struct safe_event event = { .size = sizeof(event) };

	cr_assert_not_null(tags);
	for (size_t place = 0; place + TAG <= SIZE; place += TAG)
		memcpy(tags + place, "ID3\3\0\0\0\0\0\0", TAG);
	cr_assert_eq(safe_stream_open(decoder, &input, NULL, &stream), SAFE_OK);
	clock_t before = clock();
	cr_assert_eq(safe_stream_step(stream, &event), SAFE_OK);
	cr_assert_lt(clock() - before, CLOCKS_PER_SEC / 20);
	safe_stream_close(&stream);
	free(tags);
	safe_decoder_close(&decoder);
}

Test(library_limits, a_deadline)
{
	struct safe_decoder *decoder = open_hostile(NULL);
	struct safe_input input = text_input("HOSTILE spin");
	struct safe_limits limits = { .size = sizeof(limits), .deadline_milliseconds = 200 };
	uint64_t before = now_milliseconds();

	expect_limit(decoder, &input, &limits, SAFE_LIMIT_DEADLINE);
	cr_assert_geq(now_milliseconds() - before, 200);
	cr_assert_lt(now_milliseconds() - before, 10000);
	safe_decoder_close(&decoder);
}

/* The deadline is of the whole decode: it runs while the start of the input is waited for, too. */
Test(library_limits, a_deadline_before_the_first_byte, .timeout = 30)
{
	struct safe_decoder *decoder = open_decoder(NULL);
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	struct safe_input input = fd_input(ends[0]);
	struct safe_limits limits = { .size = sizeof(limits), .deadline_milliseconds = 200 };
	expect_limit(decoder, &input, &limits, SAFE_LIMIT_DEADLINE);
	(void)close(ends[0]);
	(void)close(ends[1]);
	safe_decoder_close(&decoder);
}

/* ---- endings ---- */

Test(library_endings, statuses_and_reasons)
{
	struct safe_decoder *decoder = open_hostile(NULL);
	static const struct {
		const char *text;
		enum safe_status status;
	} rows[] = {
		{ "", SAFE_MALFORMED },
		{ "this is no picture", SAFE_UNSUPPORTED },
		{ "\xff\xd8\xff nor is this", SAFE_MALFORMED },
		{ "HOSTILE segfault 8", SAFE_KILLED },
		{ "HOSTILE call 57", SAFE_KILLED },
		{ "HOSTILE exit 0", SAFE_KILLED },
		{ "HOSTILE message 4 99999999", SAFE_KILLED },
		{ "HOSTILE long 4 4", SAFE_KILLED },
		{ "HOSTILE twice", SAFE_OK },
		{ "HOSTILE picture 4 4", SAFE_OK },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct safe_input input = text_input(rows[i].text);
		struct safe_result result;
		cr_assert_eq(decode(decoder, &input, NULL, &result), rows[i].status, "%s: %s", rows[i].text,
		             result.reason);
		cr_assert_eq(result.reason == NULL, rows[i].status == SAFE_OK);
	}
	safe_decoder_close(&decoder);
}

/* The figures were lost because the child was ended before the result was made. */
Test(library_endings, a_crash_tells_signal_time_and_memory)
{
	struct safe_decoder *decoder = open_hostile(NULL);
	struct safe_input input = text_input("HOSTILE segfault 8");
	struct safe_result result;

	cr_assert_eq(decode(decoder, &input, NULL, &result), SAFE_KILLED);
	cr_assert_eq(result.signal, SIGSEGV);
	cr_assert_gt(result.peak_memory, 4096);
	input = text_input("HOSTILE spin");
	struct safe_limits limits = { .size = sizeof(limits), .cpu_seconds = 1 };
	cr_assert_eq(decode(decoder, &input, &limits, &result), SAFE_LIMIT);
	cr_assert_gt(result.cpu_microseconds, 100000); /* the kernel counts the limit in ticks, and this precisely */
	safe_decoder_close(&decoder);
}

/* It was lost where the library saw it before the kernel did. */
Test(library_endings, the_time_is_told_where_the_kernel_does_not_limit_it)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	struct safe_limits limits = { .size = sizeof(limits), .cpu_seconds = 1 };
	struct safe_input input = text_input("HOSTILE spin");
	struct safe_result result;

	/* The limit says that it was set, and was not. */
	cr_assert_eq(seccomp_rule_add(filter, SCMP_ACT_ERRNO(0), SCMP_SYS(prlimit64), 2,
	                              SCMP_A1(SCMP_CMP_EQ, RLIMIT_CPU, 0), SCMP_A2(SCMP_CMP_NE, 0, 0)),
	             0);
	cr_assert_eq(seccomp_load(filter), 0);
	seccomp_release(filter);
	struct safe_decoder *decoder = open_hostile(NULL);
	cr_assert_eq(decode(decoder, &input, &limits, &result), SAFE_LIMIT);
	cr_assert_eq(result.limit, SAFE_LIMIT_CPU);
	cr_assert_geq(result.cpu_microseconds, 1000000);
	safe_decoder_close(&decoder);
}

Test(library_endings, partial_pictures_are_filled_with_zeros)
{
	struct safe_decoder *decoder = open_decoder(NULL);
	struct blob file = read_blob(PHOTOGRAPH);
	struct safe_input input = memory_input(file.data, file.size / 2);
	struct safe_image image = { .size = sizeof(image) };
	struct safe_request request = { .size = sizeof(request) };
	struct safe_result result = { .size = sizeof(result) };

	cr_assert_eq(safe_decode_image(decoder, &input, &request, &image, &result), SAFE_MALFORMED);
	request.flags = SAFE_PARTIAL;
	cr_assert_eq(safe_decode_image(decoder, &input, &request, &image, &result), SAFE_OK);
	cr_assert_neq(result.damage, 0);
	cr_assert_not_null(result.reason);
	cr_assert_gt(result.rows_missing, 100);
	cr_assert_lt(result.rows_missing, 800);
	const uint8_t *pixels = image.pixels;
	size_t missing = image.stride * (image.height - result.rows_missing);
	for (size_t i = missing; i < image.stride * image.height; i++)
		cr_assert_eq(pixels[i], 0);
	cr_assert_eq(pixels[3], 255);
	safe_image_free(&image);
	free_blob(&file);
	safe_decoder_close(&decoder);
}

Test(library_endings, the_wrong_kind)
{
	struct safe_decoder *decoder = open_decoder(NULL);
	struct blob file = read_blob(ROMEO);
	struct safe_input input = memory_input(file.data, file.size);
	struct safe_result result;

	cr_assert_eq(decode(decoder, &input, NULL, &result), SAFE_USAGE);
	free_blob(&file);
	file = read_blob(THUMBNAIL);
	input = memory_input(file.data, file.size);
	struct safe_bytes bytes = { .size = sizeof(bytes) };
	cr_assert_eq(safe_decode_bytes(decoder, &input, NULL, &bytes, NULL), SAFE_USAGE);
	cr_assert_null(bytes.data);
	free_blob(&file);
	safe_decoder_close(&decoder);
}

Test(library_endings, an_input_that_cannot_be_read)
{
	struct safe_decoder *decoder = open_decoder(NULL);
	int folder = open("samples", O_RDONLY | O_CLOEXEC);
	struct safe_input input = fd_input(folder);
	struct safe_result result;

	cr_assert_eq(decode(decoder, &input, NULL, &result), SAFE_IO);
	cr_assert_neq(result.error_number, 0);
	input.fd = 987; /* is not open */
	cr_assert_eq(decode(decoder, &input, NULL, &result), SAFE_IO);
	(void)close(folder);
	safe_decoder_close(&decoder);
}
