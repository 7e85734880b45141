/* SPDX-License-Identifier: MIT */
#include "registry.h"

#include <string.h>

#include "broker/base/words.h"

/* The variants of each program are listed here alone; its file names them in an enum of the same order. */
static const struct format formats[] = {
	{ "jpeg", "jpeg", 0, SDEC_KIND_IMAGE, "JPEG: baseline, extended, progressive, arithmetic", "jpg jpeg jpe jfif",
	  "image/jpeg", .look = look_jpeg, .guess = guess_jpeg },
	{ "png", "png", 0, SDEC_KIND_IMAGE, "PNG: every colour type and depth, interlaced, animated", "png apng",
	  "image/png", BY_MARKS(LOOK_START("\x89PNG\r\n\x1a\n")) },
	{ "gif", "gif", 0, SDEC_KIND_IMAGE, "GIF: stills and animations", "gif", "image/gif",
	  BY_MARKS(LOOK_START("GIF8")) },
	{ "webp", "webp", 0, SDEC_KIND_IMAGE, "WebP: lossy, lossless, animations", "webp", "image/webp",
	  BY_MARKS(LOOK_RIFF("WEBP")) },
	{ "bmp", "bmp", 0, SDEC_KIND_IMAGE, "BMP: every depth, run lengths, masks, alpha", "bmp", "image/bmp",
	  BY_LOOK(look_bmp) },
	{ "dib", "bmp", 1, SDEC_KIND_IMAGE, "BMP without the header of a file (by name only)", "dib", NULL, BY_NAME },
	{ "ico", "ico", 0, SDEC_KIND_IMAGE, "icons (ICO): the largest picture", "ico", "image/vnd.microsoft.icon",
	  BY_LOOK(look_ico) },
	{ "cur", "ico", 1, SDEC_KIND_IMAGE, "cursors (CUR): the largest picture", "cur", "image/x-win-bitmap",
	  BY_LOOK(look_cur) },
	{ "ani", "ico", 2, SDEC_KIND_IMAGE, "animated cursors (ANI)", "ani", "application/x-navi-animation",
	  BY_MARKS(LOOK_RIFF("ACON")) },
	{ "tga", "raster", 0, SDEC_KIND_IMAGE, "TGA: all kinds and depths, run lengths", "tga icb vda vst targa",
	  "image/x-tga", .look = look_tga, .guess = guess_tga },
	{ "pcx", "raster", 1, SDEC_KIND_IMAGE, "PCX", "pcx", "image/vnd.zbrush.pcx", BY_LOOK(look_pcx) },
	{ "sun", "raster", 2, SDEC_KIND_IMAGE, "Sun raster", "ras sun im1 im8 im24 im32", "image/x-sun-raster",
	  BY_MARKS(LOOK_START("\x59\xa6\x6a\x95")) },
	{ "xpm", "xpm", 0, SDEC_KIND_IMAGE, "XPM", "xpm", "image/x-xpixmap", BY_MARKS(LOOK_START("/* XPM */")) },
	{ "xbm", "xpm", 1, SDEC_KIND_IMAGE, "XBM: black and white", "xbm", "image/x-xbitmap", BY_LOOK(look_xbm) },
	{ "tiff", "tiff", 0, SDEC_KIND_IMAGE, "TIFF, BigTIFF: all pages", "tiff tif", "image/tiff", RANDOM_ACCESS,
	  BY_LOOK(look_tiff) },
	{ "jpeg2000", "jpeg2000", 0, SDEC_KIND_IMAGE, "JPEG 2000: JP2 files, codestreams", "jp2 j2k jpc j2c jpx jpf",
	  "image/jp2", BY_MARKS(LOOK_START("\0\0\0\x0cjP  \x0d\x0a\x87\x0a"), LOOK_START("\xff\x4f\xff\x51")) },
	{ "avif", "avif", 0, SDEC_KIND_IMAGE, "AVIF: stills and sequences", "avif avifs", "image/avif",
	  BY_LOOK(look_avif) },
	{ "jxl", "jxl", 0, SDEC_KIND_IMAGE, "JPEG XL: stills and animations", "jxl", "image/jxl",
	  BY_MARKS(LOOK_START("\0\0\0\x0cJXL \x0d\x0a\x87\x0a")), .guess = guess_jxl },
	{ "heif", "heif", 0, SDEC_KIND_IMAGE, "HEIC, HEIF: the primary picture", "heic heif hif heics heifs",
	  "image/heic", BY_LOOK(look_heif) },
	{ "pnm", "pnm", 0, SDEC_KIND_IMAGE, "PNM: PBM, PGM and PPM, in text or binary", "pnm pbm pgm ppm",
	  "image/x-portable-anymap",
	  /* Then a blank or the end of a line. */
	  BY_MARKS(LOOK_MASKED("P4\0", "\xff\xff\xd0"), LOOK_MASKED("P5\0", "\xff\xff\xd0"),
	           LOOK_MASKED("P6\0", "\xff\xff\xd0")),
	  BY_LOOK(look_plain_pnm) },
	{ "pam", "pnm", 1, SDEC_KIND_IMAGE, "PAM: 1 to 4 channels", "pam", "image/x-portable-arbitrarymap",
	  BY_MARKS(LOOK_START("P7\n")) },
	{ "pfm", "pnm", 2, SDEC_KIND_IMAGE, "PFM", "pfm", "image/x-portable-floatmap",
	  BY_MARKS(LOOK_MASKED("PF\0\x30", "\xff\xff\xd0\xf0"), LOOK_MASKED("Pf\0\x30", "\xff\xff\xd0\xf0")) },
	{ "farbfeld", "pnm", 3, SDEC_KIND_IMAGE, "farbfeld", "ff", "image/x-farbfeld",
	  BY_MARKS(LOOK_START("farbfeld")) },
	{ "qoi", "qoi", 0, SDEC_KIND_IMAGE, "QOI", "qoi", "image/qoi", BY_MARKS(LOOK_START("qoif")) },
	{ "hdr", "hdr", 0, SDEC_KIND_IMAGE, "Radiance HDR (RGBE)", "hdr rgbe pic", "image/vnd.radiance",
	  BY_MARKS(LOOK_START("#?RADIANCE"), LOOK_START("#?RGBE")) },
	{ "exr", "exr", 0, SDEC_KIND_IMAGE, "OpenEXR: scan lines and tiles; the flat parts as pages", "exr",
	  "image/x-exr", BY_MARKS(LOOK_START("\x76\x2f\x31\x01")) },
	{ "dds", "dds", 0, SDEC_KIND_IMAGE, "DDS: uncompressed, BC1 to BC7; the first picture", "dds",
	  "image/vnd-ms.dds", BY_MARKS(LOOK_START("DDS ")) },
	{ "psd", "psd", 0, SDEC_KIND_IMAGE, "PSD, PSB: the merged picture", "psd psb", "image/vnd.adobe.photoshop",
	  BY_MARKS(LOOK_START("8BPS")) },
	{ "flac", "flac", 0, SDEC_KIND_AUDIO, "FLAC", "flac", "audio/flac", BY_MARKS(LOOK_START("fLaC")) },
	{ "ogg-flac", "flac", 1, SDEC_KIND_AUDIO, "FLAC in Ogg", "oga", "audio/ogg", BY_LOOK(look_ogg_flac) },
	{ "vorbis", "vorbis", 0, SDEC_KIND_AUDIO, "Ogg Vorbis", "ogg oga", "audio/ogg", BY_LOOK(look_vorbis) },
	{ "opus", "opus", 0, SDEC_KIND_AUDIO, "Ogg Opus", "opus", "audio/ogg", BY_LOOK(look_opus) },
	{ "mp3", "mp3", 0, SDEC_KIND_AUDIO, "MP3, and MPEG audio layers I and II", "mp3 mp2 mpga", "audio/mpeg",
	  .look = look_wav_mpeg, .guess = guess_mpeg },
	{ "wav", "pcm", 0, SDEC_KIND_AUDIO, "WAV, RF64: PCM, float, A-law, mu-law, ADPCM", "wav wave", "audio/vnd.wave",
	  BY_LOOK(look_wav) },
	{ "aiff", "pcm", 1, SDEC_KIND_AUDIO, "AIFF, AIFF-C: PCM, float, A-law, mu-law, IMA", "aiff aif aifc",
	  "audio/aiff", BY_LOOK(look_aiff) },
	{ "au", "pcm", 2, SDEC_KIND_AUDIO, "AU: PCM, float, A-law, mu-law", "au snd", "audio/basic", BY_LOOK(look_au) },
	{ "gzip", "zlib", 0, SDEC_KIND_BYTES, "gzip, one or several members", "gz tgz svgz", "application/gzip",
	  BY_LOOK(look_gzip) },
	{ "zlib", "zlib", 1, SDEC_KIND_BYTES, "zlib stream", "zlib zz z", "application/zlib", BY_LOOK(look_zlib) },
	{ "deflate", "zlib", 2, SDEC_KIND_BYTES, "raw deflate stream (by name only)", "deflate", NULL, BY_NAME },
	{ "bzip2", "bzip2", 0, SDEC_KIND_BYTES, "bzip2, one or several streams", "bz2 tbz2 tbz", "application/x-bzip2",
	  BY_LOOK(look_bzip2) },
	{ "xz", "lzma", 0, SDEC_KIND_BYTES, "xz, one or several streams", "xz txz", "application/x-xz",
	  BY_MARKS(LOOK_START("\3757zXZ\0")) },
	{ "lzip", "lzma", 2, SDEC_KIND_BYTES, "lzip, one or several members", "lz tlz", "application/lzip",
	  BY_LOOK(look_lzip) },
	{ "zstd", "zstd", 0, SDEC_KIND_BYTES, "Zstandard, one or several frames", "zst zstd tzst", "application/zstd",
	  BY_LOOK(look_zstd) },
	{ "lz4", "lz4", 0, SDEC_KIND_BYTES, "lz4, one or several frames, legacy ones too", "lz4", "application/x-lz4",
	  BY_LOOK(look_lz4) },
	{ "lzma", "lzma", 1, SDEC_KIND_BYTES, "LZMA alone", "lzma", "application/x-lzma", BY_LOOK(look_lzma) },
	{ "brotli", "brotli", 0, SDEC_KIND_BYTES, "Brotli stream (by name only)", "br", NULL, BY_NAME },
#ifdef SAFE_DECODE_TEST_FORMATS
	SAFE_DECODE_TEST_FORMATS
#endif
};

const struct format *registry_at(size_t index)
{
	return index < sizeof(formats) / sizeof(formats[0]) ? &formats[index] : NULL;
}

/* The index of the name of so many bytes, or one past the last. */
static size_t find(const char *name, size_t length)
{
	const struct format *format = NULL;
	size_t i = 0;

	while ((format = registry_at(i)) != NULL &&
	       (strlen(format->name) != length || memcmp(format->name, name, length) != 0))
		i++;
	return i;
}

const struct format *registry_by_name(const char *name)
{
	return registry_at(find(name, strlen(name)));
}

_Static_assert(sizeof(formats) / sizeof(formats[0]) <= 64, "a set of formats has a bit for each");

bool registry_has(uint64_t set, const struct format *format)
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

static bool by_name_only(const struct format *format)
{
	return !format->marks && !format->look && !format->guess;
}

const struct format *registry_by_file_name(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *dot = strrchr(slash ? slash : name, '.');
	const struct format *format = NULL;

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
