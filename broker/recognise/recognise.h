/* SPDX-License-Identifier: MIT */
/* Which format an input is of, by its first bytes as they come. */
#ifndef SAFE_DECODE_RECOGNISE_H
#define SAFE_DECODE_RECOGNISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct format;

enum {
	RECOGNISE_MOST = 64 << 10, /* bytes that recognition looks at, at most */
	RECOGNISE_TAGS = 16,       /* tags in front that it passes over, at most */
};

enum recognise_answer {
	RECOGNISE_MORE,    /* undecided: come again with more bytes, or with the news that there are none */
	RECOGNISE_KNOWN,   /* result->format */
	RECOGNISE_UNKNOWN, /* no format of the registry; result->looks_like may say what it is instead */
};

struct recognition {
	const struct format *format; /* where it is known, else NULL */
	const char *looks_like;      /* where it is not: "WebP", "an MP4 video", "text"; NULL: nothing known */
	size_t more;                 /* where it is undecided: from how many bytes on asking again pays */
};

/* Looks at the first `size` bytes of an input; `ended`: there will be no more.  `name`: of the file, or NULL: decides
 * only between equals, and for formats without a mark.
 *
 * Pure: the same bytes give the same answer, however often and with how many of them it was called before, and an
 * answer other than RECOGNISE_MORE stays the same for every longer start of that input that has not ended.  Reads no
 * descriptor.
 *
 * Cost: linear in `size`.  A mark decides within 1 us, a usual input within 2 us, 64 KiB of the worst kind in 0.4 ms.
 * Come again at `more` bytes, not at each byte: that is where a tag or chunk ends, or an eighth more than there were,
 * so that all calls for an input take 4 ms at most.  (At each byte, they would take up to 15 s.) */
enum recognise_answer recognise(const uint8_t *start, size_t size, bool ended, const char *name,
                                struct recognition *result);

/* The same for what stands behind the tags that a file starts with, of which the first `size` bytes were just read from
 * `fd`, even if those tags are longer than RECOGNISE_MOST.  RECOGNISE_MORE: there is no tag, or the descriptor cannot
 * seek: recognise() decides.  Does not move the descriptor's position. */
enum recognise_answer recognise_behind(int fd, const uint8_t *start, size_t size, const char *name,
                                       struct recognition *result);

#endif
