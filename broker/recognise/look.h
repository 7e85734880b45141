/* SPDX-License-Identifier: MIT */
/* What recognition is made of: looks at the start of an input, each for one format.
 *
 * A look must keep its word: LOOK_NO and LOOK_YES stay the same when there are more bytes.  Only where the view has
 * ended may it settle for less evidence. */
#ifndef SAFE_DECODE_LOOK_H
#define SAFE_DECODE_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct look_view {
	const uint8_t *bytes;
	size_t size;
	bool ended;            /* there are no more bytes, or no more are looked at */
	const char *extension; /* of the file's name, or "" */
};

enum look { LOOK_NO, LOOK_MORE, LOOK_YES };

/* A look may say in `more` how many bytes it needs, if it knows: it is one more than there are otherwise. */
typedef enum look look_function(const struct look_view *view, size_t *more);

/* Where the input is decided by evidence that gathers: how many bytes it took, 0: not decided. */
typedef size_t guess_function(const struct look_view *view);

/* Bytes at a place, of which those matter whose bits `mask` has; NULL: all. */
struct look_pattern {
	size_t offset, size;
	const char *bytes, *mask;
};

/* Initialisers of a pattern: bytes at the start, such with a mask, and at a place; chunked files of a kind. */
#define LOOK_MASKED(bytes, mask)                                                                                       \
	{                                                                                                              \
		0, sizeof(bytes) - 1, bytes, mask                                                                      \
	}
#define LOOK_START(bytes) LOOK_MASKED(bytes, NULL)
#define LOOK_AT(offset, bytes)                                                                                         \
	{                                                                                                              \
		offset, sizeof(bytes) - 1, bytes, NULL                                                                 \
	}
#define LOOK_RIFF(kind) LOOK_MASKED("RIFF\0\0\0\0" kind, "\xff\xff\xff\xff\0\0\0\0\xff\xff\xff\xff")
#define LOOK_FORM(kind) LOOK_MASKED("FORM\0\0\0\0" kind, "\xff\xff\xff\xff\0\0\0\0\xff\xff\xff\xff")

enum look look_pattern(const struct look_view *view, const struct look_pattern *pattern);
enum look look_bytes(const struct look_view *view, size_t offset, const char *bytes, size_t size);
#define LOOK_BYTES(view, offset, bytes) look_bytes(view, offset, bytes, sizeof(bytes) - 1)

uint64_t look_little_endian(const uint8_t *bytes, size_t size);

/* The view from an offset on, at most its size. */
struct look_view look_behind(const struct look_view *view, size_t offset);

/* marks.c */
look_function look_jpeg, look_gzip, look_bzip2, look_lzip, look_lzma, look_zstd, look_lz4, look_aiff, look_au;
guess_function guess_jpeg;

/* riff.c; the second is for MPEG audio inside of WAV */
look_function look_wav, look_wav_mpeg;

/* ogg.c */
look_function look_vorbis, look_opus, look_ogg_flac;
const char *look_name_ogg(const struct look_view *view);

/* deflate.c */
look_function look_zlib;

/* tiff.c; the second for raw photographs that look like TIFF */
look_function look_tiff;
const char *look_name_raw(const struct look_view *view);

/* heif.c: by the brands that a file of boxes has */
look_function look_avif, look_heif;

/* jxl.c */
guess_function guess_jxl;

/* mpeg.c */
guess_function guess_mpeg, guess_adts;

/* bitmap.c */
look_function look_bmp, look_ico, look_cur, look_tga, look_pcx, look_xbm;
guess_function guess_tga;

/* pnm.c */
look_function look_plain_pnm;

/* tags.c: LOOK_YES: the view starts with a tag of `size` bytes, which may be more than there are. */
enum look look_tag(const struct look_view *view, size_t *size);

/* text.c: text of bytes, and of two bytes a character.  Whatever a text in UTF-8 starts with is one, too. */
guess_function guess_text, guess_utf16;
bool look_is_utf8(const struct look_view *view);
const char *look_name_text(const struct look_view *view);

/* others.c: formats that are none of ours.  The first takes only marks that leave no doubt. */
enum look look_others(const struct look_view *view, const char **name);
size_t guess_others(const struct look_view *view, const char **name);

#endif
