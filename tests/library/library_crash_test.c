/* SPDX-License-Identifier: MIT */
/* After a crash, what comes next has another address layout, and what was in flight goes on. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/library_support.h"

/* The address of the program's code in the child that decodes. */
static uint64_t where(struct sdec_pool *decoder)
{
	struct sdec_input input = text_input("HOSTILE where");
	struct sdec_request request = { .size = sizeof(request), .pixel_format = SDEC_RGBA16 };
	struct sdec_image image = { .size = sizeof(image) };
	uint64_t address = 0;

	cr_assert_eq(sdec_decode_image(decoder, &input, &request, &image, NULL), SDEC_OK);
	memcpy(&address, image.pixels, sizeof(address));
	sdec_image_free(&image);
	return address;
}

static enum sdec_status decode(struct sdec_pool *decoder, const char *text)
{
	struct sdec_input input = text_input(text);
	struct sdec_image image = { .size = sizeof(image) };
	enum sdec_status status = sdec_decode_image(decoder, &input, NULL, &image, NULL);

	sdec_image_free(&image);
	return status;
}

Test(library_crash, a_new_broker_with_a_new_layout)
{
	struct sdec_pool *decoder = open_hostile(NULL);
	static const char *const crashes[] = { "HOSTILE segfault 8", "HOSTILE call 57", "HOSTILE long 4 4",
		                               "HOSTILE exit 0" };

	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++) {
		uint64_t before = where(decoder);
		cr_assert_eq(where(decoder), before); /* forks of one broker */
		pid_t broker = the_broker();
		cr_assert_eq(decode(decoder, crashes[i]), SDEC_KILLED);
		cr_assert_neq(where(decoder), before, "%s", crashes[i]);
		expect_gone(broker, 5000);
		(void)where(decoder);
		cr_assert_eq(list_children(NULL, 0), 1);
	}
	sdec_pool_close(&decoder);
}

static int writer(int ends[2])
{
	cr_assert_eq(pipe(ends), 0);
	return ends[1];
}

/* A stream whose decoder waits for the rest of its input. */
Test(library_crash, what_is_in_flight_goes_on)
{
	struct sdec_pool *decoder = open_hostile(NULL);
	int ends[2];
	int end = writer(ends);
	struct sdec_input input = fd_input(ends[0]);
	struct sdec_stream *stream = NULL;
	struct sdec_event event = { .size = sizeof(event) };
	uint32_t rows = 0;

	cr_assert_eq(sdec_stream_open(decoder, &input, NULL, &stream), SDEC_OK);
	cr_assert_eq(dprintf(end, "HOSTILE picture 64"), 18);
	uint64_t until = now_milliseconds() + 300;
	while (now_milliseconds() < until)
		cr_assert_eq(sdec_stream_step(stream, &event), SDEC_OK);
	pid_t old = the_broker();
	cr_assert_eq(decode(decoder, "HOSTILE segfault 8"), SDEC_KILLED);
	cr_assert_eq(decode(decoder, "HOSTILE picture 4 4"), SDEC_OK);
	cr_assert(is_running(old));
	cr_assert_eq(list_children(NULL, 0), 2);
	cr_assert_eq(write(end, " 1000", 5), 5);
	cr_assert_eq(close(end), 0);
	while (event.kind != SDEC_EVENT_END) {
		cr_assert_eq(sdec_stream_step(stream, &event), SDEC_OK);
		rows += event.kind == SDEC_EVENT_ROWS ? event.rows : 0;
	}
	cr_assert_eq(rows, 1000);
	sdec_stream_close(&stream);
	expect_gone(old, 5000);
	cr_assert_eq(close(ends[0]), 0);
	sdec_pool_close(&decoder);
	cr_assert_eq(list_children(NULL, 0), 0);
}
