/* SPDX-License-Identifier: MIT */
#include "registry.h"

#include <string.h>

#include "broker/base/words.h"

/* The variants of each program are listed here alone; its file names them in an enum of the same order. */
static const struct safe_format formats[] = {
	{ "jpeg", "jpeg", 0, SAFE_KIND_IMAGE, "JPEG: baseline, extended, progressive, arithmetic", "jpg jpeg jpe jfif",
	  "image/jpeg", .look = look_jpeg, .guess = guess_jpeg },
	{ "png", "png", 0, SAFE_KIND_IMAGE, "PNG: every colour type and depth, interlaced", "png apng", "image/png",
	  BY_MARKS(LOOK_START("\x89PNG\r\n\x1a\n")) },
	{ "gif", "gif", 0, SAFE_KIND_IMAGE, "GIF: the first frame of an animation", "gif", "image/gif",
	  BY_MARKS(LOOK_START("GIF8")) },
	{ "webp", "webp", 0, SAFE_KIND_IMAGE, "WebP: lossy, lossless; the first frame of an animation", "webp",
	  "image/webp", BY_MARKS(LOOK_RIFF("WEBP")) },
	{ "flac", "flac", 0, SAFE_KIND_AUDIO, "FLAC", "flac", "audio/flac", BY_MARKS(LOOK_START("fLaC")) },
	{ "ogg-flac", "flac", 1, SAFE_KIND_AUDIO, "FLAC in Ogg", "oga", "audio/ogg", BY_LOOK(look_ogg_flac) },
	{ "vorbis", "vorbis", 0, SAFE_KIND_AUDIO, "Ogg Vorbis", "ogg oga", "audio/ogg", BY_LOOK(look_vorbis) },
	{ "opus", "opus", 0, SAFE_KIND_AUDIO, "Ogg Opus", "opus", "audio/ogg", BY_LOOK(look_opus) },
	{ "mp3", "mp3", 0, SAFE_KIND_AUDIO, "MP3, and MPEG audio layers I and II", "mp3 mp2 mpga", "audio/mpeg",
	  .look = look_wav_mpeg, .guess = guess_mpeg },
	{ "wav", "pcm", 0, SAFE_KIND_AUDIO, "WAV, RF64: PCM, float, A-law, mu-law, ADPCM", "wav wave", "audio/vnd.wave",
	  BY_LOOK(look_wav) },
	{ "aiff", "pcm", 1, SAFE_KIND_AUDIO, "AIFF, AIFF-C: PCM, float, A-law, mu-law, IMA", "aiff aif aifc",
	  "audio/aiff", BY_LOOK(look_aiff) },
	{ "au", "pcm", 2, SAFE_KIND_AUDIO, "AU: PCM, float, A-law, mu-law", "au snd", "audio/basic", BY_LOOK(look_au) },
	{ "gzip", "zlib", 0, SAFE_KIND_BYTES, "gzip, one or several members", "gz tgz svgz", "application/gzip",
	  BY_LOOK(look_gzip) },
	{ "zlib", "zlib", 1, SAFE_KIND_BYTES, "zlib stream", "zlib zz z", "application/zlib", BY_LOOK(look_zlib) },
	{ "deflate", "zlib", 2, SAFE_KIND_BYTES, "raw deflate stream (by name only)", "deflate", NULL, BY_NAME },
	{ "bzip2", "bzip2", 0, SAFE_KIND_BYTES, "bzip2, one or several streams", "bz2 tbz2 tbz", "application/x-bzip2",
	  BY_LOOK(look_bzip2) },
	{ "xz", "lzma", 0, SAFE_KIND_BYTES, "xz, one or several streams", "xz txz", "application/x-xz",
	  BY_MARKS(LOOK_START("\3757zXZ\0")) },
	{ "lzip", "lzma", 2, SAFE_KIND_BYTES, "lzip, one or several members", "lz tlz", "application/lzip",
	  BY_LOOK(look_lzip) },
	{ "zstd", "zstd", 0, SAFE_KIND_BYTES, "Zstandard, one or several frames", "zst zstd tzst", "application/zstd",
	  BY_LOOK(look_zstd) },
	{ "lz4", "lz4", 0, SAFE_KIND_BYTES, "lz4, one or several frames, legacy ones too", "lz4", "application/x-lz4",
	  BY_LOOK(look_lz4) },
	{ "lzma", "lzma", 1, SAFE_KIND_BYTES, "LZMA alone", "lzma", "application/x-lzma", BY_LOOK(look_lzma) },
	{ "brotli", "brotli", 0, SAFE_KIND_BYTES, "Brotli stream (by name only)", "br", NULL, BY_NAME },
#ifdef SAFE_DECODE_TEST_FORMATS
	SAFE_DECODE_TEST_FORMATS
#endif
};

const struct safe_format *registry_at(size_t index)
{
	return index < sizeof(formats) / sizeof(formats[0]) ? &formats[index] : NULL;
}

/* The index of the name of so many bytes, or one past the last. */
static size_t find(const char *name, size_t length)
{
	const struct safe_format *format = NULL;
	size_t i = 0;

	while ((format = registry_at(i)) != NULL &&
	       (strlen(format->name) != length || memcmp(format->name, name, length) != 0))
		i++;
	return i;
}

const struct safe_format *registry_by_name(const char *name)
{
	return registry_at(find(name, strlen(name)));
}

_Static_assert(sizeof(formats) / sizeof(formats[0]) <= 64, "a set of formats has a bit for each");

bool registry_has(uint64_t set, const struct safe_format *format)
{
	return (set >> (format - formats) & 1) != 0;
}

const char *registry_set(const char *names, uint64_t *set)
{
	*set = 0;
	for (const char *name = names;; name++) {
		size_t length = strcspn(name, ",");
		size_t index = find(name, length);
		if (!registry_at(index))
			return name;
		*set |= UINT64_C(1) << index;
		name += length;
		if (*name == '\0')
			return NULL;
	}
}

static bool by_name_only(const struct safe_format *format)
{
	return format->marks[0].size == 0 && !format->look && !format->guess;
}

const struct safe_format *registry_by_file_name(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *dot = strrchr(slash ? slash : name, '.');
	const struct safe_format *format = NULL;

	for (size_t i = 0; dot && dot[1] && (format = registry_at(i)) != NULL; i++)
		if (by_name_only(format) && words_have(format->extensions, dot + 1))
			return format;
	return NULL;
}

size_t registry_prefix(const uint8_t *start, size_t size)
{
	const struct look_view view = { .bytes = start, .size = size, .ended = true, .extension = "" };
	size_t tag = 0;

	return look_tag(&view, &tag) == LOOK_YES && tag < SIZE_MAX ? tag : 0;
}
