/* SPDX-License-Identifier: MIT */
/*
 * The pages of an Ogg file, as far as they belong to the sound: what a library gets to read, one page at a time,
 * however the input comes.  Pages of other streams (video, Skeleton, another sound beside the first) are left out.
 * Tells what libraries keep to themselves: that the stream ends within a page, which pages are damaged or missing, and
 * how long a stream is that cannot be sought in.
 */
#ifndef SAFE_DECODE_OGG_PAGES_H
#define SAFE_DECODE_OGG_PAGES_H

#include <ogg/ogg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoders/runtime/decoder.h"
#include "decoders/runtime/input.h"

enum {
	OGG_LINK_HEAD = 19,   /* bytes of a link's first packet that are kept: what OpusHead has up to its family */
	OGG_PACKET_HEAD = 24, /* bytes of a packet that tell how many samples it has: those of FLAC's longest header */
};

/* How many samples a packet adds to those before it, by its first bytes; 0 for a header; below zero if that cannot be
 * told.  The packets of a link come in order, but none may come that are behind its first position. */
typedef int64_t ogg_pages_count(void *context, const uint8_t *packet, size_t size);

struct ogg_pages {
	struct input *input;
	const char *magic; /* how the first packet of the sound starts */
	size_t magic_size;
	ogg_sync_state sync;
	bool failed;         /* there was no memory */
	bool ended;          /* the input is at its end */
	bool tail;           /* after the last whole page there was something that is none */
	const uint8_t *rest; /* of the last page: what ogg_pages_read() has not given, in the memory of `sync` */
	size_t rest_size;

	/* Links follow one another.  Each is a group of streams that start together, one of which is the sound. */
	bool opening; /* the last page was a first one of its stream */
	bool chosen;  /* the sound of this link was found */
	bool started; /* and that of an earlier one, or of this */
	bool closed;  /* the last page of the sound was its last one */
	int serial;
	long next_number;      /* of the page that should come */
	uint64_t gaps, losses; /* places where pages are damaged or missing, and those of them that were told */
	uint8_t head[OGG_LINK_HEAD];
	size_t head_filled;
	uint64_t first, last; /* positions; 0: none yet */
	uint64_t begun;       /* samples of the packets up to the first position: they start before it */
	bool uncounted;       /* these could not be told */
	ogg_pages_count *count;
	void *context;
	uint8_t packet[OGG_PACKET_HEAD]; /* the start of the packet that was begun */
	size_t packet_filled;            /* 0: none was */
	uint64_t length;                 /* samples of the links that are over */
};

/* `magic` must outlive the pages. */
void ogg_pages_init(struct ogg_pages *pages, struct input *input, const char *magic, size_t magic_size);

/* To be called right after that, for the length of streams that were joined in the middle. */
void ogg_pages_count_with(struct ogg_pages *pages, ogg_pages_count *count, void *context);
void ogg_pages_release(struct ogg_pages *pages);

/* The next page of the sound, valid until the next call.  Returns false at the end, or where there is no memory. */
bool ogg_pages_next(struct ogg_pages *pages, ogg_page *page);

/* For libraries that find the pages themselves: copies up to `size` bytes of the pages of the sound, but never of more
 * than one page, so that whatever a library makes of them does not hang on how the input came.  Returns 0 at the end.
 */
size_t ogg_pages_read(struct ogg_pages *pages, void *to, size_t size);

/* Tells the session of the gaps that were found since the last time.  Returns WIRE_OK to go on, or what decode() must
 * return because the caller is strict. */
session_result ogg_pages_tell_losses(struct ogg_pages *pages, struct session *session);

/* Takes all that is left of the input.  Returns how many samples there are in all links. */
uint64_t ogg_pages_measure(struct ogg_pages *pages);

/* A library could not make sense of the start, which would be `failure`.  Returns what decode() must return: an input
 * that ends within its headers has none to the libraries. */
session_result ogg_pages_name_failure(const struct ogg_pages *pages, session_result failure);

/* The library has come to the end of the input, and given so many sample frames.  Returns what decode() must return.
 * A stream that ends between two pages is taken for whole, as its own tools do, although it has no last page. */
session_result ogg_pages_check_end(const struct ogg_pages *pages, struct session *session, uint64_t frames);

#endif
