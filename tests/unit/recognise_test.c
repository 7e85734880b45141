/* SPDX-License-Identifier: MIT */
/* What recognition says of inputs that come byte by byte. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "broker/recognise/recognise.h"
#include "broker/recognise/registry.h"
#include "tests/support/recognise_support.h"

#define TEXT(text) (const uint8_t *)(text), sizeof(text) - 1
#define EXPECT(name, bytes) expect_whole(name, NULL, TEXT(bytes), NULL)
#define EXPECT_LOOKS(looks, bytes) expect_whole(NULL, looks, TEXT(bytes), NULL)
#define EXPECT_AT(name, size, bytes) expect_at(name, size, TEXT(bytes))

static void expect_whole(const char *name, const char *looks, const uint8_t *bytes, size_t size, const char *file)
{
	struct recognition result;
	enum recognise_answer answer = recognise(bytes, size, true, file, &result);

	cr_expect_neq(answer, RECOGNISE_MORE);
	cr_expect_eq(answer == RECOGNISE_KNOWN, result.format != NULL);
	cr_expect_str_eq(result.format ? result.format->name : "nothing", name ? name : "nothing");
	if (looks)
		cr_expect_str_eq(result.looks_like ? result.looks_like : "nothing", looks);
}

/* Known with `at` bytes, and undecided with fewer. */
static void expect_at(const char *name, size_t at, const uint8_t *bytes, size_t size)
{
	struct recognised known = recognise_growing(bytes, size, NULL);

	cr_expect_str_eq(known.result.format ? known.result.format->name : "nothing", name);
	cr_expect_eq(known.at, at, "%s: decided at %zu", name, known.at);
}

Test(recognise, a_mark_is_enough)
{
	EXPECT_AT("jpeg", 3, "\xff\xd8\xff\xe0 and more");
	EXPECT_AT("png", 8, "\x89PNG\r\n\x1a\n and more");
	EXPECT_AT("gzip", 3, "\x1f\x8b\x08\0 and more");
	EXPECT_AT("flac", 4, "fLaC\0\0\0\x22");
	EXPECT_AT("xz", 6, "\3757zXZ\0\0\4");
	EXPECT_AT("zstd", 4, "\x28\xb5\x2f\xfd\x24");
	EXPECT_AT("lz4", 4, "\x04\x22\x4d\x18\x64");
	EXPECT_AT("bzip2", 10, "BZh91AY&SY and more");
	EXPECT_AT("lzip", 5, "LZIP\1\x0c");
	EXPECT_AT("aiff", 12, "FORM\0\0\1\0AIFFCOMM");
	EXPECT_AT("lzma", 14, "\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\0\x29");
}

Test(recognise, a_cut_mark_is_not)
{
	EXPECT("jpeg", "\xff\xd8");
	EXPECT("gzip", "\x1f\x8b");
	EXPECT(NULL, "\x89PNG");
	EXPECT(NULL, "\xff");
	expect_whole(NULL, NULL, (const uint8_t *)"", 0, NULL);
	EXPECT_LOOKS("text", "BZh9 is how it starts");
	EXPECT_LOOKS("text", "LZIP it is");
	EXPECT_LOOKS("text", "ID3 tags are in front");
	EXPECT_LOOKS("text", ".snd is AU");
}

/* ---- MPEG audio ---- */

enum { FRAME = 417, STREAM = 12 * FRAME };

/* Frames of 128 kbit/s at 44100 Hz, whose contents are no headers. */
static size_t make_frames(uint8_t *bytes, unsigned count)
{
	for (size_t i = 0; i < (size_t)count * FRAME; i++)
		bytes[i] = (uint8_t)(i * 37 % 251);
	for (unsigned i = 0; i < count; i++)
		memcpy(bytes + (size_t)i * FRAME, "\xff\xfb\x90\x64", 4);
	return (size_t)count * FRAME;
}

Test(recognise, three_headers_in_a_row_are_mp3)
{
	uint8_t bytes[STREAM];
	size_t size = make_frames(bytes, 12);

	expect_at("mp3", 2 * FRAME + 4, bytes, size);
	/* From inside a frame, as a radio capture starts. */
	for (size_t start = 1; start < FRAME; start += 13)
		expect_at("mp3", 3 * FRAME + 4 - start, bytes + start, size - start);
	/* Two are enough where the input starts or ends; one that it starts with, if it is all. */
	expect_whole("mp3", NULL, bytes, 2 * FRAME, NULL);
	expect_whole("mp3", NULL, bytes, FRAME, NULL);
	expect_whole("mp3", NULL, bytes, 100, NULL);
	expect_whole(NULL, NULL, bytes + 100, FRAME + 100, NULL);
}

Test(recognise, zeros_before_mp3)
{
	static uint8_t bytes[60000 + STREAM];
	size_t size = 60000 + make_frames(bytes + 60000, 12);

	expect_at("mp3", 60000 + 2 * FRAME + 4, bytes, size);
}

Test(recognise, mp3_behind_tags)
{
	static uint8_t bytes[40000 + STREAM];
	uint8_t *place = bytes;

	memcpy(place, "ID3\3\0\0\0\0\x08\0", 10); /* 1024 bytes */
	place += 10 + 1024;
	memcpy(place, "ID3\4\0\x10\0\0\x02\0", 10); /* 256, and a footer */
	place += 20 + 256;
	memcpy(place, "APETAGEX\xd0\x07\0\0\0\x40\0\0\1\0\0\0\0\0\0\xa0", 24); /* 16384 */
	place += 32 + 16384;
	size_t size = (size_t)(place - bytes) + make_frames(place, 12);
	expect_at("mp3", (size_t)(place - bytes) + 2 * FRAME + 4, bytes, size);
	/* That behind the tags nothing is known makes it no other format; nor does it hold what it names. */
	expect_whole("mp3", NULL, bytes, (size_t)(place - bytes), NULL);
	expect_whole("mp3", NULL, bytes, 500, "name.mp3");
	expect_whole("flac", NULL, bytes, 500, "name.flac");
	expect_whole("mp3", NULL, bytes, 500, "name.txt");
}

Test(recognise, mp3_inside_wav)
{
	EXPECT_AT("mp3", 22, "RIFF\0\1\0\0WAVEfmt \x1e\0\0\0\x55\0\1\0");
	EXPECT_AT("mp3", 22, "RIFF\0\1\0\0WAVEfmt \x1e\0\0\0\x50\0\1\0");
	EXPECT_AT("wav", 22, "RIFF\0\1\0\0WAVEfmt \x10\0\0\0\1\0\1\0");
	EXPECT_AT("wav", 22, "RIFX\0\0\1\0WAVEfmt \0\0\0\x10\0\1\0\1");
	EXPECT_AT("mp3", 34, "RIFF\0\1\0\0WAVEJUNK\3\0\0\0abc\0fmt \x1e\0\0\0\x55\0\1\0");
	EXPECT("wav", "RIFF\0\1\0\0WAVEJUNK\0\0\1\0abc");
	EXPECT("webp", "RIFF\0\1\0\0WEBPVP8 ");
	EXPECT_LOOKS("AVI", "RIFF\0\1\0\0AVI LIST");
}

/* A sync of 11 bits is in many inputs. */
Test(recognise, a_bare_sync_is_not_mp3)
{
	static uint8_t pixels[30000];

	EXPECT_LOOKS("UTF-16 text", "\xff\xfeH\0e\0l\0l\0o\0 \0w\0o\0r\0l\0d\0");
	EXPECT_LOOKS("UTF-16 text", "\xfe\xff\0H\0e\0l\0l\0o");
	for (size_t i = 0; i < sizeof(pixels); i += 3)
		memcpy(pixels + i, "\xff\xfb\x90", 3);
	expect_whole(NULL, NULL, pixels, sizeof(pixels), NULL);
	for (size_t i = 0; i < sizeof(pixels); i += 4)
		memcpy(pixels + i, "\xff\xe3\xe3\xe3", 4);
	expect_whole(NULL, NULL, pixels, sizeof(pixels), NULL);
	memset(pixels, 0xff, sizeof(pixels));
	expect_whole(NULL, NULL, pixels, sizeof(pixels), NULL);
}

/* ---- tags in front of other sound ---- */

Test(recognise, sound_behind_a_tag)
{
#define TAG "ID3\4\0\0\0\0\0\6abcdef"
	EXPECT_AT("flac", 20, TAG "fLaC\0\0\0\x22");
	EXPECT_AT("wav", 38, TAG "RIFF\0\1\0\0WAVEfmt \x10\0\0\0\1\0\1\0");
	EXPECT_AT("aiff", 28, TAG "FORM\0\0\1\0AIFFCOMM");
	EXPECT_AT("flac", 36, TAG TAG "fLaC\0\0\0\x22");
	EXPECT_LOOKS("Monkey's Audio (APE)", TAG "MAC \x96\x0f\0\0");
	EXPECT("mp3", TAG);
	EXPECT("mp3", TAG "\x89PNG\r\n\x1a\n"); /* no sound: the tag is all that is known */
#undef TAG
	uint8_t aac[300] = "ID3\4\0\0\0\0\0\0";
	for (size_t i = 0; i < 3; i++)
		memcpy(aac + 10 + i * 80, "\xff\xf1\x50\x80\x0a\x1f\xfc", 7);
	expect_whole(NULL, "AAC (ADTS)", aac, 10 + 3 * 80, NULL);
}

Test(recognise, a_tag_that_does_not_end)
{
	static uint8_t bytes[RECOGNISE_MOST + 100] = "ID3\4\0\0\0\x40\0\0"; /* 1 MiB */
	struct recognition result;

	cr_expect_eq(recognise(bytes, RECOGNISE_MOST - 1, false, NULL, &result), RECOGNISE_MORE);
	cr_expect_eq(result.more, RECOGNISE_MOST);
	cr_expect_eq(recognise(bytes, RECOGNISE_MOST, false, NULL, &result), RECOGNISE_KNOWN);
	cr_expect_str_eq(result.format->name, "mp3");
	cr_expect_eq(recognise(bytes, sizeof(bytes), false, "/a.b/c.FLAC", &result), RECOGNISE_KNOWN);
	cr_expect_str_eq(result.format->name, "flac");
}

/* A file with `size` bytes of tag, then what follows; its descriptor stands behind the first 64 bytes. */
static int make_tagged(size_t size, const void *rest, size_t rest_size, uint8_t start[64])
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	uint8_t header[10] = "ID3\3";

	cr_assert_geq(fd, 0);
	for (unsigned i = 0; i < 4; i++)
		header[6 + i] = (uint8_t)((size - 10) >> (7 * (3 - i)) & 0x7f);
	cr_assert_eq(pwrite(fd, header, sizeof(header), 0), 10);
	cr_assert_eq(pwrite(fd, rest, rest_size, (off_t)size), (ssize_t)rest_size);
	cr_assert_eq(read(fd, start, 64), 64);
	return fd;
}

Test(recognise, behind_a_long_tag_of_a_file)
{
	static const struct {
		const char *rest, *name;
	} rows[] = { { "fLaC and so on", "flac" }, { "FORM....AIFC....", "aiff" }, { "something", "mp3" } };
	uint8_t start[64];
	struct recognition result;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = make_tagged(3 << 20, rows[i].rest, strlen(rows[i].rest), start);
		cr_expect_eq(recognise_behind(fd, start, 64, NULL, &result), RECOGNISE_KNOWN);
		cr_expect_str_eq(result.format->name, rows[i].name);
		cr_expect_eq(lseek(fd, 0, SEEK_CUR), 64);
		close(fd);
	}
	int pipe_fds[2];
	cr_assert_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	cr_expect_eq(recognise_behind(pipe_fds[0], start, 64, NULL, &result), RECOGNISE_MORE);
	cr_expect_eq(recognise_behind(pipe_fds[0], TEXT("fLaC"), NULL, &result), RECOGNISE_MORE);
}

/* ---- Ogg ---- */

/* A page of one packet; returns its size. */
static size_t put_page(uint8_t *place, bool first, uint8_t serial, const char *packet, uint8_t size)
{
	memset(place, 0, 27);
	memcpy(place, "OggS", 4);
	place[5] = first ? 2 : 0;
	place[14] = serial;
	place[26] = 1;
	place[27] = size;
	memcpy(place + 28, packet, size);
	return 28 + (size_t)size;
}

Test(recognise, ogg_whose_first_stream_is_another)
{
	uint8_t bytes[400];
	size_t size = put_page(bytes, true, 1, "fishead\0.........", 17);
	size_t theora = size;

	size += put_page(bytes + size, true, 2, "\x80theora........", 15);
	size_t vorbis = size;
	size += put_page(bytes + size, true, 3, "\x01vorbis.......", 14);
	expect_at("vorbis", vorbis + 28 + 7, bytes, size);
	put_page(bytes + vorbis, true, 3, "OpusHead......", 14);
	expect_at("opus", vorbis + 28 + 8, bytes, size);
	put_page(bytes + vorbis, true, 3,
	         "\x7f"
	         "FLAC.........",
	         14);
	expect_at("ogg-flac", vorbis + 28 + 5, bytes, size);
	/* No sound that is known: what is there is said. */
	put_page(bytes + vorbis, false, 2, "\x81theora.......", 14);
	expect_whole(NULL, "Ogg with Theora", bytes, size, NULL);
	put_page(bytes + theora, true, 2, "Speex   .......", 15);
	expect_whole(NULL, "Ogg with Speex", bytes, size, NULL);
	expect_whole(NULL, "Ogg with Skeleton", bytes, theora, NULL);
	expect_whole(NULL, "Ogg that starts inside a stream", bytes + vorbis, size - vorbis, NULL);
}

/* ---- compressed data ---- */

Test(recognise, zlib_is_what_deflate_follows)
{
	/* A short stream with fixed codes, one that is stored, and the start of one with codes of its own. */
	EXPECT("zlib", "\x78\x9c\x03\0\0\0\0\1");
	EXPECT("zlib", "\x78\x9c\x4b\x4c\x4a\x06\0\x02\x4d\x01\x27");
	EXPECT_AT("zlib", 7,
	          "\x78\x01\x01\5\0\xfa\xff"
	          "abcde");
	EXPECT("zlib", "\x48\x89\x03\0\0\0\0\1");
	/* Stored with lengths that differ; a type of block that there is not; a distance before the start. */
	EXPECT(NULL, "\x78\x01\x01\5\0\xfb\xff"
	             "abcde");
	EXPECT(NULL, "\x78\x9c\x07\1\2\3\4\5\6\7");
	EXPECT(NULL, "\x78\x9c\x83\x11\0\0\0\0");
	/* Text. */
	EXPECT_LOOKS("text", "x^2 + y^2 = z^2, and other words");
	EXPECT_LOOKS("text", "Hj, and other words");
	EXPECT_LOOKS("text", "h\x81llo is what a latin letter may do to words, one in ten at most");
	/* What is wrong with it, its decoder can say, if the name says what it is. */
	expect_whole("zlib", NULL, TEXT("\x78\x9c\x07\1\2\3"), "a.zlib");
	expect_whole(NULL, "text", TEXT("Hj, and other words"), "a.zlib");
}

/* With its last byte it was text, and without it was zlib: more bytes must not change what was decided. */
Test(recognise, a_header_of_zlib_that_text_follows)
{
	static const uint8_t bytes[] = "\x78\x9c$#pp<svg";
	struct recognised first = recognise_growing(bytes, sizeof(bytes) - 2, "a.zlib");

	cr_assert_leq(first.at, sizeof(bytes) - 2);
	cr_expect_str_eq(first.result.format ? first.result.format->name : "nothing", "zlib");
	expect_whole("zlib", NULL, bytes, sizeof(bytes) - 1, "a.zlib");
}

Test(recognise, frames_that_are_skipped)
{
#define SKIP "\x50\x2a\x4d\x18\4\0\0\0abcd"
	EXPECT_AT("zstd", 16, SKIP "\x28\xb5\x2f\xfd\x24");
	EXPECT_AT("lz4", 16, SKIP "\x04\x22\x4d\x18\x64");
	EXPECT_AT("lz4", 28, SKIP SKIP "\x02\x21\x4c\x18\x64");
	EXPECT_AT("zstd", 13, SKIP "something else");
	EXPECT("zstd", SKIP);
	expect_whole("lz4", NULL, TEXT(SKIP), "a.lz4");
	expect_whole("zstd", NULL, TEXT(SKIP "\x28\xb5\x2f\xfd\x24"), "a.lz4");
#undef SKIP
}

/* ---- names, and what is of no format ---- */

Test(recognise, a_name_tells_formats_without_a_mark)
{
	expect_whole("brotli", NULL, TEXT("\x8b\x03\x80hello\x03"), "hello.br");
	expect_whole("deflate", NULL, TEXT("\x4b\x4c\x4a\x06\0"), "hello.deflate");
	expect_whole("zlib", NULL, TEXT("\x78\x9c\x4b\x4c\x4a\x06\0\x02\x4d\x01\x27"), "hello.deflate");
	expect_whole("gzip", NULL, TEXT("\x1f\x8b\x08\0\0\0"), "hello.br");
	expect_whole(NULL, "text", TEXT("hello"), "br");
	expect_whole(NULL, "text", TEXT("hello"), "folder.br/hello");
}

Test(recognise, bitmaps)
{
	static const char tga[] = "\0\0\2\0\0\0\0\0\0\0\0\0\x20\0\x10\0\x18\0";
	static const char odd_tga[] = "\5\0\x0a\1\2\3\4\5\6\0\0\0\x20\0\x10\0\x18\0";

	EXPECT_AT("bmp", 18, "BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0");
	EXPECT_AT("bmp", 32,
	          "BA\x46\0\0\0\0\0\0\0\0\0\0\0"
	          "BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x0c\0\0\0");
	expect_whole(NULL, "text", TEXT("BM is short for bitmap"), NULL);
	EXPECT_AT("ico", 22, "\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0\x68\4\0\0\x16\0\0\0");
	EXPECT_AT("cur", 22, "\0\0\2\0\1\0\x10\x10\0\0\1\0\2\0\x68\4\0\0\x16\0\0\0");
	expect_whole("tga", NULL, TEXT(tga), NULL);
	expect_whole(NULL, NULL, TEXT(odd_tga), NULL);
	expect_whole("tga", NULL, TEXT(odd_tga), "a.tga");
	EXPECT_AT("xbm", 18, "#define a_width 9\n");
	expect_whole("xbm", NULL, TEXT("/* a */\n#define a_width 9\n"), NULL);
	expect_whole(NULL, "text", TEXT("#define WIDE 9\n#include \"a\"\n"), NULL);
	EXPECT_AT("xpm", 9, "/* XPM */\nstatic char");
}

Test(recognise, pictures_in_boxes_by_their_brands)
{
	EXPECT("avif", "\0\0\0\x1c"
	               "ftypavif\0\0\0\0");
	EXPECT("avif", "\0\0\0\x18"
	               "ftypmif1\0\0\0\0miafavif");
	EXPECT("heif", "\0\0\0\x18"
	               "ftypheic\0\0\0\0");
	EXPECT("heif", "\0\0\0\x18"
	               "ftypmif1\0\0\0\0miafheic");
	/* What stands behind the box is none of its brands. */
	EXPECT("heif", "\0\0\0\x14"
	               "ftypmif1\0\0\0\0miafavif");
}

Test(recognise, jpeg_xl_without_its_container)
{
	EXPECT("jxl", "\xff\x0a\xfa\x1f\x01");
	EXPECT("jxl", "\xff\x0a\xfa\x1f\x01\x91\x08\x06\x01\x00\x10");
	/* 2^30 pixels wide and high. */
	EXPECT_LOOKS(NULL, "\xff\x0a\xfe\xff\xff\xff\x1f\xff\xff\xff\xff\xff");
}

Test(recognise, what_others_look_like)
{
	EXPECT("gif", "GIF89a\1\0\1\0");
	EXPECT_LOOKS("a raw photograph (CR2)", "II*\0\x10\0\0\0CR\2\0");
	EXPECT_LOOKS("an MP4 video", "\0\0\0\x18"
	                             "ftypisom\0\0\2\0");
	EXPECT_LOOKS("a QuickTime movie", "\0\0\0\x18"
	                                  "ftypqt  \0\0\2\0");
	EXPECT_LOOKS("a GIMP picture", "gimp xcf ");
	EXPECT_LOOKS("SVG", "<?xml version=\"1.0\"?>\n<svg width=\"1\">");
	EXPECT_LOOKS("XML", "<?xml version=\"1.0\"?>\n<rss>");
	EXPECT_LOOKS("HTML", "\n<!doctype html><p>");
	EXPECT_LOOKS("PDF", "%PDF-1.7");
	EXPECT_LOOKS("a ZIP archive", "PK\3\4\x14\0");
	EXPECT_LOOKS("a RAR archive", "Rar!\x1a\7\0");
	EXPECT_LOOKS("a 7z archive", "7z\xbc\xaf\x27\x1c\0\4");
	EXPECT_LOOKS("WebM", "\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm");
	EXPECT_LOOKS("Matroska", "\x1a\x45\xdf\xa3\xa3\x42\x86\x81\x01\x42\x82\x88matroska");
	EXPECT_LOOKS("MIDI", "MThd\0\0\0\6");
	EXPECT_LOOKS("WMA or WMV (ASF)", "\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9");
	EXPECT_LOOKS("WavPack", "wvpk\0\0\0\0");
	EXPECT_LOOKS("a program or library (ELF)", "\x7f"
	                                           "ELF\2\1\1");
	EXPECT_LOOKS("text", "some words\n");
	EXPECT_LOOKS("text", "Gr\xc3\xbc\xc3\x9f"
	                     "e\n");
	uint8_t tar[512] = "a-file";
	memcpy(tar + 257, "ustar", 6);
	expect_whole(NULL, "a tar archive", tar, sizeof(tar), NULL);
}
