/* SPDX-License-Identifier: MIT */
/* Escapes, and the names of outputs. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/cli/escape.h"
#include "broker/cli/names.h"
#include "broker/wire/status.h"

static void expect_text(void (*escape)(FILE *, const char *), const char *text, const char *expected)
{
	char *output = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&output, &size);

	cr_assert_not_null(stream);
	escape(stream, text);
	cr_assert_eq(fclose(stream), 0);
	cr_expect_str_eq(output, expected);
	free(output);
}

Test(escape, text)
{
	expect_text(escape_text, "plain name.jpg", "plain name.jpg");
	expect_text(escape_text, "a\nb\tc\\d", "a\\nb\\tc\\\\d");
	expect_text(escape_text, "\033[31m\x7f\x80\xff", "\\x1b[31m\\x7f\\x80\\xff");
}

Test(escape, json)
{
	expect_text(escape_json, "plain", "\"plain\"");
	expect_text(escape_json, "\"\\\n\x7f", "\"\\\"\\\\\\u000a\\u007f\"");
	expect_text(escape_json, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\\u00e9\\u20ac\\ud83d\\ude00\"");
	/* A byte too few, an overlong form, a surrogate, beyond Unicode, a lone continuation. */
	expect_text(escape_json, "\xc3", "\"\\udcc3\"");
	expect_text(escape_json, "\xc0\xaf", "\"\\udcc0\\udcaf\"");
	expect_text(escape_json, "\xed\xa0\x80", "\"\\udced\\udca0\\udc80\"");
	expect_text(escape_json, "\xf4\x90\x80\x80", "\"\\udcf4\\udc90\\udc80\\udc80\"");
	expect_text(escape_json, "\x80", "\"\\udc80\"");
}

static void expect_name(struct names *names, const char *input, const char *format, const char *expected)
{
	const struct name *name = names_give(names, input, registry_by_name(format));

	cr_assert_not_null(name);
	cr_expect_str_eq(name->path, expected);
	cr_expect_str_eq(name->in_folder, expected + strlen("out/"));
}

Test(names, one_for_each_input)
{
	struct names names = { .folder = "out", .extension = "png", .longest = 255 };

	expect_name(&names, "a/photo.jpg", "jpeg", "out/photo.png");
	expect_name(&names, "b/photo.jpg", "jpeg", "out/photo-2.png");
	expect_name(&names, "a/photo.jpg", "jpeg", "out/photo.png"); /* the same input again */
	expect_name(&names, "photo-2.jpg", "jpeg", "out/photo-2-2.png");
	expect_name(&names, "c/photo.gif", "png", "out/photo-3.png");
	expect_name(&names, ".hidden", "png", "out/.hidden.png");
	expect_name(&names, "x.tar.gz", "gzip", "out/x.tar");
	expect_name(&names, "unnamed", "gzip", "out/unnamed.out");
	expect_name(&names, "-", "jpeg", "out/stdin.png");
	names_free(&names);
}

Test(names, no_longer_than_the_folder_takes)
{
	struct names names = { .folder = "out", .extension = "png", .longest = 13 };

	expect_name(&names, "a/0123456789.jpg", "jpeg", "out/012345678.png");
	expect_name(&names, "b/0123456789.jpg", "jpeg", "out/0123456-2.png");
	expect_name(&names, "0123456789", "gzip", "out/012345678.out");
	expect_name(&names, "0123456789abcdef.gz", "gzip", "out/0123456789abc");
	/* No character is cut in two, unless there are none. */
	expect_name(&names, "1234567\xe2\x82\xac.jpg", "jpeg", "out/1234567.png");
	expect_name(&names, "123456\xe2\x82\xac.jpg", "jpeg", "out/123456\xe2\x82\xac.png");
	expect_name(&names, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80.jpg", "jpeg",
	            "out/\x80\x80\x80\x80\x80\x80\x80\x80\x80.png");
	names_free(&names);
}

/* ---- reasons ---- */

/* They are the library's, too, which has none. */
Test(reasons, none_names_an_option)
{
	for (int failure = WIRE_OK + 1; failure < WIRE_FAILURES; failure++) {
		const char *reason = outcome_of_failure((enum wire_failure)failure).reason;
		cr_expect(reason && !strstr(reason, "--"), "%s", reason);
	}
}
