/* SPDX-License-Identifier: MIT */
#include "registry.h"

#include <string.h>
#include <unistd.h>

#include "words.h"

static bool starts_with(const uint8_t *start, size_t size, const char *magic, size_t magic_size)
{
	return size >= magic_size && memcmp(start, magic, magic_size) == 0;
}

static bool is_jpeg(const uint8_t *start, size_t size)
{
	return starts_with(start, size, "\xff\xd8", 2);
}

static bool is_png(const uint8_t *start, size_t size)
{
	return starts_with(start, size, "\x89PNG\r\n\x1a\n", 8);
}

static bool is_gzip(const uint8_t *start, size_t size)
{
	return starts_with(start, size, "\x1f\x8b", 2);
}

/* RFC 1950: method 8, a window of at most 32 KiB, and a header that is a multiple of 31. */
static bool is_zlib(const uint8_t *start, size_t size)
{
	if (size < 2)
		return false;
	return (start[0] & 0x0f) == 8 && start[0] >> 4 <= 7 && ((unsigned)start[0] << 8 | start[1]) % 31 == 0;
}

/* The first packet of an Ogg stream, behind the header of its page and its table of one entry. */
static bool is_ogg(const uint8_t *start, size_t size, const char *magic, size_t magic_size)
{
	enum { HEADER = 28 };

	return starts_with(start, size, "OggS", 4) && size > HEADER &&
	       starts_with(start + HEADER, size - HEADER, magic, magic_size);
}

static bool is_flac(const uint8_t *start, size_t size)
{
	return starts_with(start, size, "fLaC", 4);
}

static bool is_ogg_flac(const uint8_t *start, size_t size)
{
	return is_ogg(start, size,
	              "\x7f"
	              "FLAC",
	              5);
}

static bool is_vorbis(const uint8_t *start, size_t size)
{
	return is_ogg(start, size, "\x01vorbis", 7);
}

static bool is_opus(const uint8_t *start, size_t size)
{
	return is_ogg(start, size, "OpusHead", 8);
}

/* A tag, or the header of a frame: 11 bits of sync, then no value that is reserved. */
static bool is_mp3(const uint8_t *start, size_t size)
{
	if (starts_with(start, size, "ID3", 3))
		return true;
	return size >= 4 && start[0] == 0xff && (start[1] & 0xe0) == 0xe0 && (start[1] & 0x18) != 0x08 &&
	       (start[1] & 0x06) != 0 && (start[2] & 0xf0) != 0xf0 && (start[2] & 0x0c) != 0x0c;
}

static bool is_wav(const uint8_t *start, size_t size)
{
	bool riff = starts_with(start, size, "RIFF", 4) || starts_with(start, size, "RF64", 4) ||
	            starts_with(start, size, "BW64", 4) || starts_with(start, size, "RIFX", 4);

	return riff && size >= 12 && memcmp(start + 8, "WAVE", 4) == 0;
}

static bool is_aiff(const uint8_t *start, size_t size)
{
	return starts_with(start, size, "FORM", 4) && size >= 12 &&
	       (memcmp(start + 8, "AIFF", 4) == 0 || memcmp(start + 8, "AIFC", 4) == 0);
}

static bool is_au(const uint8_t *start, size_t size)
{
	return starts_with(start, size, ".snd", 4);
}

static bool is_bzip2(const uint8_t *start, size_t size)
{
	return starts_with(start, size, "BZh", 3) && size > 3 && start[3] >= '1' && start[3] <= '9';
}

static bool is_xz(const uint8_t *start, size_t size)
{
	return starts_with(start, size, "\3757zXZ\0", 6);
}

static bool is_lzip(const uint8_t *start, size_t size)
{
	return starts_with(start, size, "LZIP", 4);
}

static uint64_t little_endian(const uint8_t *bytes, size_t size)
{
	uint64_t number = 0;

	for (size_t i = 0; i < size; i++)
		number |= (uint64_t)bytes[i] << (8 * i);
	return number;
}

/* No magic, but a header in which little is usual: literal coder settings, a dictionary of 2^n or 2^n + 2^(n-1) bytes,
 * and a length that is unknown or below 256 GiB. */
static bool is_lzma(const uint8_t *start, size_t size)
{
	if (size < 13 || start[0] >= 9 * 5 * 5 || start[0] % 9 + start[0] / 9 % 5 > 4)
		return false;
	uint64_t dictionary = little_endian(start + 1, 4);
	uint64_t length = little_endian(start + 5, 8);
	uint64_t lowest = dictionary & -dictionary;
	bool usual = dictionary == lowest || dictionary == 3 * lowest || dictionary == UINT32_MAX;
	return dictionary > 0 && usual && (length == UINT64_MAX || length < UINT64_C(1) << 38);
}

/* What zstd and lz4 share: frames that are skipped.  Moves past those whose end is in sight; returns whether the start
 * ends inside one, so that it may belong to either. */
static bool skip_frames(const uint8_t **start, size_t *size)
{
	while (*size >= 4 && (little_endian(*start, 4) & 0xfffffff0) == 0x184d2a50) {
		uint64_t frame = *size < 8 ? UINT64_MAX : 8 + little_endian(*start + 4, 4);
		if (frame >= *size)
			return true;
		*start += frame;
		*size -= frame;
	}
	return false;
}

static bool is_zstd(const uint8_t *start, size_t size)
{
	return skip_frames(&start, &size) || starts_with(start, size, "\x28\xb5\x2f\xfd", 4);
}

static bool is_lz4(const uint8_t *start, size_t size)
{
	return skip_frames(&start, &size) || starts_with(start, size, "\x04\x22\x4d\x18", 4) ||
	       starts_with(start, size, "\x02\x21\x4c\x18", 4);
}

/* The variants of each module are listed here alone; its file names them in an enum of the same order. */
static const struct safe_format formats[] = {
	{ "jpeg", "jpeg", 0, SAFE_KIND_IMAGE, "JPEG: baseline, extended, progressive, arithmetic", "jpg jpeg jpe jfif",
	  is_jpeg },
	{ "png", "png", 0, SAFE_KIND_IMAGE, "PNG: every colour type and depth, interlaced", "png apng", is_png },
	{ "flac", "flac", 0, SAFE_KIND_AUDIO, "FLAC", "flac", is_flac },
	{ "ogg-flac", "flac", 1, SAFE_KIND_AUDIO, "FLAC in Ogg", "oga", is_ogg_flac },
	{ "vorbis", "vorbis", 0, SAFE_KIND_AUDIO, "Ogg Vorbis", "ogg oga", is_vorbis },
	{ "opus", "opus", 0, SAFE_KIND_AUDIO, "Ogg Opus", "opus", is_opus },
	{ "mp3", "mp3", 0, SAFE_KIND_AUDIO, "MP3, and MPEG audio layers I and II", "mp3 mp2 mpga", is_mp3 },
	{ "wav", "pcm", 0, SAFE_KIND_AUDIO, "WAV, RF64: PCM, float, A-law, mu-law, ADPCM", "wav wave", is_wav },
	{ "aiff", "pcm", 1, SAFE_KIND_AUDIO, "AIFF, AIFF-C: PCM, float, A-law, mu-law, IMA", "aiff aif aifc", is_aiff },
	{ "au", "pcm", 2, SAFE_KIND_AUDIO, "AU: PCM, float, A-law, mu-law", "au snd", is_au },
	{ "gzip", "zlib", 0, SAFE_KIND_BYTES, "gzip, one or several members", "gz tgz svgz", is_gzip },
	{ "zlib", "zlib", 1, SAFE_KIND_BYTES, "zlib stream", "zlib zz z", is_zlib },
	{ "deflate", "zlib", 2, SAFE_KIND_BYTES, "raw deflate stream (by name only)", "deflate", NULL },
	{ "bzip2", "bzip2", 0, SAFE_KIND_BYTES, "bzip2, one or several streams", "bz2 tbz2 tbz", is_bzip2 },
	{ "xz", "lzma", 0, SAFE_KIND_BYTES, "xz, one or several streams", "xz txz", is_xz },
	{ "lzip", "lzma", 2, SAFE_KIND_BYTES, "lzip, one or several members", "lz tlz", is_lzip },
	{ "zstd", "zstd", 0, SAFE_KIND_BYTES, "Zstandard, one or several frames", "zst zstd tzst", is_zstd },
	{ "lz4", "lz4", 0, SAFE_KIND_BYTES, "lz4, one or several frames, legacy ones too", "lz4", is_lz4 },
	{ "lzma", "lzma", 1, SAFE_KIND_BYTES, "LZMA alone", "lzma", is_lzma },
	{ "brotli", "brotli", 0, SAFE_KIND_BYTES, "Brotli stream (by name only)", "br", NULL },
#ifdef SAFE_DECODE_TEST_FORMATS
	SAFE_DECODE_TEST_FORMATS
#endif
};

size_t registry_prefix(const uint8_t *start, size_t size)
{
	enum { HEADER = 10, FOOTER = 0x10 };

	if (!starts_with(start, size, "ID3", 3) || size < HEADER)
		return 0;
	size_t tag = (size_t)(start[6] & 0x7f) << 21 | (size_t)(start[7] & 0x7f) << 14 |
	             (size_t)(start[8] & 0x7f) << 7 | (start[9] & 0x7f);
	return HEADER + tag + (start[5] & FOOTER ? HEADER : 0);
}

const struct safe_format *registry_at(size_t index)
{
	return index < sizeof(formats) / sizeof(formats[0]) ? &formats[index] : NULL;
}

const struct safe_format *registry_by_name(const char *name)
{
	const struct safe_format *format = NULL;

	for (size_t i = 0; (format = registry_at(i)) != NULL; i++)
		if (strcmp(format->name, name) == 0)
			return format;
	return NULL;
}

const struct safe_format *registry_recognise(const uint8_t *start, size_t size)
{
	const struct safe_format *format = NULL;

	for (size_t i = 0; (format = registry_at(i)) != NULL; i++)
		if (format->recognise && format->recognise(start, size))
			return format;
	return NULL;
}

const struct safe_format *registry_by_file_name(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *dot = strrchr(slash ? slash : name, '.');
	const struct safe_format *format = NULL;

	for (size_t i = 0; dot && dot[1] && (format = registry_at(i)) != NULL; i++)
		if (!format->recognise && words_have(format->extensions, dot + 1))
			return format;
	return NULL;
}

const struct safe_format *registry_recognise_behind(int fd, const uint8_t *start, size_t size)
{
	uint8_t bytes[REGISTRY_START];
	size_t prefix = registry_prefix(start, size);
	off_t place = prefix > 0 ? lseek(fd, 0, SEEK_CUR) : -1;

	if (place < (off_t)size)
		return NULL;
	ssize_t got = pread(fd, bytes, sizeof(bytes), place - (off_t)size + (off_t)prefix);
	return got > 0 ? registry_recognise(bytes, (size_t)got) : NULL;
}
