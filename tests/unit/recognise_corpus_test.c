/* SPDX-License-Identifier: MIT */
/* Recognition of many inputs: what decides must be right and stay so, however the bytes come. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "broker/recognise/recognise.h"
#include "broker/recognise/registry.h"
#include "tests/support/recognise_support.h"

enum { MOST = RECOGNISE_MOST + 1000 };

static uint64_t state = 88172645463325252;

static uint64_t random_number(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static size_t read_start(const char *path, uint8_t *bytes)
{
	FILE *file = fopen(path, "re");

	if (!file)
		return 0;
	size_t size = fread(bytes, 1, MOST, file);
	fclose(file);
	return size;
}

static bool same(const struct recognised *one, enum recognise_answer answer, const struct recognition *result)
{
	return one->answer == answer && one->result.format == result->format &&
	       one->result.looks_like == result->looks_like;
}

/* What was decided stays so with more bytes, with as many as `more` says, and with the end: if it came before. */
static void expect_stable(const char *path, const uint8_t *bytes, size_t size, const char *name)
{
	struct recognised first = recognise_growing(bytes, size, name);
	struct recognition result = { .more = 1 };
	enum recognise_answer answer = RECOGNISE_MORE;

	cr_assert_neq(first.answer, RECOGNISE_MORE, "%s", path);
	for (size_t at = 0; answer == RECOGNISE_MORE; at = result.more) {
		answer = recognise(bytes, at < size ? at : size, at > size, name, &result);
		cr_assert(answer != RECOGNISE_MORE || result.more > at, "%s: %zu", path, at);
	}
	cr_expect(same(&first, answer, &result), "%s: in steps", path);
	if (first.at > size)
		return; /* it took the end */
	for (unsigned i = 0; i < 20; i++) {
		size_t part = first.at + random_number() % (size - first.at + 1);
		answer = recognise(bytes, part, i % 2, name, &result);
		cr_expect(same(&first, answer, &result), "%s: %zu and %zu bytes", path, first.at, part);
	}
	answer = recognise(bytes, size, true, name, &result);
	cr_expect(same(&first, answer, &result), "%s: whole", path);
}

/* ---- files ---- */

/* The formats that files of a folder may have, where those are ours. */
static const char *formats_of(const char *path)
{
	static const char *const rows[][2] = {
		{ "jpeg", "jpeg" },
		{ "png", "png" },
		{ "gif", "gif" },
		{ "webp", "webp" },
		{ "avif", "avif" },
		{ "jxl", "jxl" },
		{ "heif", "heif" },
		{ "pnm", "pnm" },
		{ "pam", "pam" },
		{ "pfm", "pfm" },
		{ "farbfeld", "farbfeld" },
		{ "qoi", "qoi" },
		{ "hdr", "hdr" },
		{ "exr", "exr" },
		{ "dds", "dds" },
		{ "psd", "psd" },
		{ "bmp", "bmp" },
		{ "ico", "ico" },
		{ "tga", "tga" },
		{ "pcx", "pcx" },
		{ "sun", "sun" },
		{ "xpm", "xpm" },
		{ "xbm", "xbm" },
		{ "tiff", "tiff" },
		{ "jpeg2000", "jpeg2000" },
		{ "flac", "flac ogg-flac" },
		{ "vorbis", "vorbis" },
		{ "opus", "opus" },
		{ "mp3", "mp3" },
		{ "wav", "wav" },
		{ "aiff", "aiff" },
		{ "au", "au" },
		{ "gzip", "gzip" },
		{ "zlib", "zlib" },
		{ "bz2", "bzip2" },
		{ "xz", "xz" },
		{ "lzip", "lzip" },
		{ "lzma", "lzma" },
		{ "zstd", "zstd" },
		{ "lz4", "lz4" },
		{ "photograph.jpg", "jpeg" },
		{ "screenshot.png", "png" },
		{ "brotli", "brotli" },
		{ "deflate", "deflate" },
	};
	size_t length = strcspn(path, "/");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strlen(rows[i][0]) == length && strncmp(path, rows[i][0], length) == 0)
			return rows[i][1];
	return NULL;
}

/* Whether there is a mark, or an extension that tells what has none. */
static bool is_tellable(const char *path, const char *formats)
{
	if (strcmp(formats, "brotli") != 0 && strcmp(formats, "deflate") != 0)
		return true;
	const char *dot = strrchr(path, '.');
	return dot && (strcmp(dot, ".br") == 0 || strcmp(dot, ".deflate") == 0);
}

/* A row of a manifest: the path, and in its ninth field what must become of the file. */
static void expect_file(const char *folder, char *line)
{
	static uint8_t bytes[MOST];
	static char path[8192];
	const char *expected = line;

	for (unsigned i = 0; i < 8 && expected; i++)
		expected = strchr(expected + (i > 0), '\t');
	bool decodes = expected && strncmp(expected + 1, "decodes", 7) == 0;
	line[strcspn(line, "\t")] = '\0';
	snprintf(path, sizeof(path), "%s/%s", folder, line);
	size_t size = read_start(path, bytes);
	const char *formats = formats_of(line);
	struct recognition result;
	enum recognise_answer answer = recognise(bytes, size, true, line, &result);
	expect_stable(path, bytes, size, line);
	expect_stable(path, bytes, size, NULL);
	if (formats && !is_tellable(line, formats))
		cr_expect(answer == RECOGNISE_UNKNOWN, "%s", path);
	else if (formats && decodes)
		cr_expect(answer == RECOGNISE_KNOWN && strstr(formats, result.format->name), "%s: %s", path,
		          answer == RECOGNISE_KNOWN ? result.format->name : "unknown");
	if (!formats && decodes)
		cr_expect(answer == RECOGNISE_UNKNOWN && result.looks_like, "%s: %s", path,
		          answer == RECOGNISE_KNOWN ? result.format->name : "looks like nothing");
}

static unsigned expect_folder(const char *folder)
{
	char path[256];
	static char line[4096];
	unsigned files = 0;

	snprintf(path, sizeof(path), "%s/MANIFEST.tsv", folder);
	FILE *manifest = fopen(path, "re");
	while (manifest && fgets(line, sizeof(line), manifest)) {
		if (line[0] == '#' || strncmp(line, "path\t", 5) == 0)
			continue;
		expect_file(folder, line);
		files++;
	}
	if (manifest)
		fclose(manifest);
	return files;
}

Test(recognise_corpus, samples_are_what_their_manifest_says)
{
	cr_expect_geq(expect_folder("samples"), 50);
}

Test(recognise_corpus, the_corpus_is_what_its_manifest_says)
{
	expect_folder("../shared/corpus");
}

/* Sources, licences and the like are of none of our formats. */
Test(recognise_corpus, no_text_is_taken_for_a_format)
{
	static const char *const folders[] = { "/usr/share/common-licenses",
		                               "/usr/include",
		                               "/usr/include/linux",
		                               "/usr/share/perl5",
		                               "broker",
		                               "decoders",
		                               "tests" };
	static uint8_t bytes[MOST];
	char path[600];
	unsigned texts = 0;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		DIR *folder = opendir(folders[i]);
		for (struct dirent *entry; folder && texts < 5000 && (entry = readdir(folder));) {
			snprintf(path, sizeof(path), "%s/%s", folders[i], entry->d_name);
			size_t size = entry->d_type == DT_REG ? read_start(path, bytes) : 0;
			if (size == 0 || memchr(bytes, 0, size))
				continue;
			struct recognition result;
			enum recognise_answer answer = recognise(bytes, size, true, NULL, &result);
			cr_expect(answer == RECOGNISE_UNKNOWN && result.looks_like, "%s", path);
			texts++;
		}
		if (folder)
			closedir(folder);
	}
	cr_expect_geq(texts, 100);
}

/* ---- random bytes ---- */

static void fill(uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(random_number() >> 32);
}

/* What few bytes tell, random bytes can have by chance: of 2^24 inputs, one starts as gzip does, and one as JPEG.  A
 * header of zlib is at one start in 1000, and blocks of deflate that are right for long enough behind one in many
 * thousands of those.  A codestream of JPEG XL starts with two bytes and a size that must be plausible: one in 100,000
 * does. (Of inputs that are shorter than a frame of MP3, one in 7,000 is taken for a cut one.) */
Test(recognise_corpus, random_bytes_are_of_no_format)
{
	static uint8_t bytes[8192];
	unsigned known = 0;

	for (unsigned i = 0; i < 100000; i++) {
		size_t size = 4096 + random_number() % 4096;
		struct recognition result;
		fill(bytes, size);
		known += recognise(bytes, size, true, NULL, &result) == RECOGNISE_KNOWN;
	}
	cr_expect_leq(known, 3, "%u", known);
}

/* Starts that look like something, and then random bytes: most of them must be undecided for a while. */
Test(recognise_corpus, answers_stay_the_same_for_random_bytes)
{
	static const struct {
		const char *bytes;
		size_t size;
	} starts[] = {
		{ "", 0 },
		{ "\x78\x9c", 2 },
		{ "\x78\x01\x4b", 3 },
		{ "\x78\xda\xed", 3 },
		{ "\xff\xfb\x90\x64", 4 },
		{ "\xff\xfe", 2 },
		{ "ID3\4\0\0\0\0\0\5", 10 },
		{ "OggS\0\2", 6 },
		{ "RIFF\0\0\0\0WAVE", 12 },
		{ "\x50\x2a\x4d\x18\2\0\0\0", 8 },
		{ "\x5d\0\0\x80\0", 5 },
		{ "\xff\xd8", 2 },
		{ "plain text, ", 12 },
	};
	static uint8_t bytes[2048];
	char what[32];

	for (unsigned i = 0; i < 2600; i++) {
		size_t start = i % (sizeof(starts) / sizeof(starts[0]));
		size_t size = starts[start].size + random_number() % (sizeof(bytes) - 64);
		fill(bytes, size);
		memcpy(bytes, starts[start].bytes, starts[start].size);
		/* Some have many bytes that mean something. */
		for (size_t j = starts[start].size; i % 3 == 0 && j < size; j += 1 + random_number() % 8)
			bytes[j] = (uint8_t) "\xff\xfb\0 \x90"[random_number() % 5];
		snprintf(what, sizeof(what), "random input %u", i);
		expect_stable(what, bytes, size, i % 2 ? "a.mp3" : NULL);
	}
}

/* ---- cost ---- */

static double milliseconds(const uint8_t *bytes, size_t size)
{
	struct timespec start, end;
	struct recognition result;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	(void)recognise(bytes, size, false, NULL, &result);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	return (double)(end.tv_sec - start.tv_sec) * 1e3 + (double)(end.tv_nsec - start.tv_nsec) / 1e6;
}

/* Inputs of 64 KiB that keep each part of it busy to the end: all take about 1 ms at most. */
Test(recognise_corpus, the_worst_inputs_cost_little)
{
	static const struct {
		const char *bytes;
		size_t size;
	} patterns[] = {
		{ "\xff\xfb\x90\x64\0\0", 6 },
		{ "\xff\xe3\x14\xc0\0", 5 },
		{ "\xff\xfb\0\0\0\0\0", 7 },
		{ "\xff", 1 },
		{ "\0", 1 },
		{ "\x50\x2a\x4d\x18\0\0\0\0", 8 },
		{ "ID3\4\0\0\0\0\0\0", 10 },
		{ "OggS\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 27 },
		{ "\xff\xd8\xc0", 3 },
		{ "\xff\xfe\x41", 3 },
	};
	static uint8_t bytes[RECOGNISE_MOST];

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		double least = 1e9;
		for (size_t j = 0; j < sizeof(bytes); j++)
			bytes[j] = (uint8_t)patterns[i].bytes[j % patterns[i].size];
		for (unsigned j = 0; j < 5; j++) {
			double taken = milliseconds(bytes, sizeof(bytes));
			least = taken < least ? taken : least;
		}
		cr_log_info("pattern %zu: %.3f ms", i, least);
		cr_expect_lt(least, 20, "pattern %zu: %.3f ms", i, least);
	}
}
