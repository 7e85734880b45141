/* SPDX-License-Identifier: MIT */
/* Which format an input is taken for, by its first bytes. */
#include <criterion/criterion.h>
#include <string.h>

#include "broker/recognise/recognise.h"
#include "broker/recognise/registry.h"

/* Whether an input that starts with these bytes is taken for `name`; NULL: for nothing. */
static void expect_format(const char *name, const void *start, size_t size)
{
	struct recognition result;
	bool known = recognise(start, size, true, NULL, &result) == RECOGNISE_KNOWN;

	cr_expect_str_eq(known ? result.format->name : "nothing", name ? name : "nothing");
}

#define EXPECT(name, start) expect_format(name, start, sizeof(start) - 1)

Test(registry, magics)
{
	EXPECT("gzip", "\x1f\x8b\x08");
	EXPECT("zlib", "\x78\x9c");
	EXPECT("bzip2", "BZh9");
	EXPECT("xz", "\3757zXZ\0");
	EXPECT("lzip", "LZIP\1");
	EXPECT("zstd", "\x28\xb5\x2f\xfd");
	EXPECT("lz4", "\x04\x22\x4d\x18");
	EXPECT("lz4", "\x02\x21\x4c\x18");
	EXPECT(NULL, "BZh0");
	EXPECT(NULL, "BZh");
	EXPECT(NULL, "\3757zXZ");
	EXPECT(NULL, "LZI");
	EXPECT(NULL, "\x28\xb5\x2f");
	EXPECT(NULL, "\x27\xb5\x2f\xfd"); /* zstd before it was finished */
	EXPECT(NULL, "a text that is of no format");
	EXPECT(NULL, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
}

Test(registry, sets)
{
	const struct format *jpeg = registry_by_name("jpeg"), *last = NULL;
	uint64_t set = 0;
	size_t count = 0;

	cr_assert_null(registry_set("png,jpeg,png", &set));
	cr_expect_eq(__builtin_popcountll(set), 2);
	cr_expect(registry_has(set, jpeg) && !registry_has(set, registry_by_name("zlib")));
	while (registry_at(count))
		last = registry_at(count++);
	cr_assert_null(registry_set(last->name, &set));
	cr_expect(registry_has(set, last) && set == UINT64_C(1) << (count - 1));
	/* Names that another one starts or ends with. */
	cr_assert_null(registry_set("lz4,lzma,ogg-flac", &set));
	cr_expect(!registry_has(set, registry_by_name("lzip")) && !registry_has(set, registry_by_name("flac")));
	static const struct {
		const char *names, *unknown;
	} wrong[] = {
		{ "lz", "lz" },       { "zlibx", "zlibx" }, { "", "" },
		{ ",jpeg", ",jpeg" }, { "jpeg,", "" },      { "jpeg,,png", ",png" },
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_expect_str_eq(registry_set(wrong[i].names, &set), wrong[i].unknown);
}

/* zstd and lz4 share the frames that are skipped: what comes next decides; else it is zstd. */
Test(registry, skipped_frames)
{
	EXPECT("zstd", "\x50\x2a\x4d\x18\0\0\0\0\x28\xb5\x2f\xfd");
	EXPECT("lz4", "\x5f\x2a\x4d\x18\0\0\0\0\x04\x22\x4d\x18");
	EXPECT("zstd", "\x50\x2a\x4d\x18\4\0\0\0abcd\x28\xb5\x2f\xfd");
	EXPECT("lz4", "\x50\x2a\x4d\x18\4\0\0\0abcd\x02\x21\x4c\x18");
	EXPECT("lz4", "\x50\x2a\x4d\x18\0\0\0\0\x50\x2a\x4d\x18\0\0\0\0\x04\x22\x4d\x18");
	EXPECT("zstd", "\x50\x2a\x4d\x18\4\0\0\0abcdefgh");
	EXPECT("zstd", "\x50\x2a\x4d\x18\xff\xff\xff\xffzzzzzzzz");
	EXPECT("zstd", "\x50\x2a\x4d\x18\4\0");
}

/* Literal coder settings, size of the dictionary, length. */
Test(registry, lzma_headers)
{
#define UNKNOWN "\xff\xff\xff\xff\xff\xff\xff\xff"
	EXPECT("lzma", "\x5d\0\0\x80\0" UNKNOWN);             /* 8 MiB */
	EXPECT("lzma", "\x5d\0\0\xc0\0" UNKNOWN);             /* 12 MiB */
	EXPECT("lzma", "\x5d\0\x10\0\0\x34\x12\0\0\0\0\0\0"); /* 4 KiB, and a length */
	EXPECT("lzma", "\x5d\xff\xff\xff\xff" UNKNOWN);
	EXPECT(NULL, "\x5d\0\0\x80\0\0\0\0\0\x40\0\0\0"); /* 256 GiB */
	EXPECT(NULL, "\x5d\1\0\x80\0" UNKNOWN);
	EXPECT(NULL, "\x5d\0\0\0\0" UNKNOWN);
	EXPECT(NULL, "\xe1\0\0\x80\0" UNKNOWN); /* pb is 5 */
	EXPECT(NULL, "\x05\0\0\x80\0" UNKNOWN); /* lc is 5 */
	EXPECT(NULL, "\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff");
#undef UNKNOWN
}

Test(registry, names)
{
	const struct format *format = NULL;

	for (size_t i = 0; (format = registry_at(i)) != NULL; i++)
		cr_expect_eq(registry_by_name(format->name), format);
	cr_expect_null(registry_by_name("nothing"));
}
