/* SPDX-License-Identifier: MIT */
/*
 * Follows the pages of an Ogg stream beside the library that decodes it, which keeps three things to itself: that the
 * stream ends within a page, which pages are damaged or lack, and how long a stream is that cannot be sought in.
 */
#ifndef SAFE_DECODE_OGG_PAGES_H
#define SAFE_DECODE_OGG_PAGES_H

#include <ogg/ogg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoder.h"
#include "input.h"

enum { OGG_LINK_HEAD = 12 }; /* bytes of a link's first packet, as far as its length depends on them */

struct ogg_pages {
	ogg_sync_state sync;
	bool failed; /* there was no memory */
	bool tail;   /* after the last whole page there was something that is none */

	/* Links follow one another; each is a stream of its own. */
	bool opening; /* the last page was a first one, */
	bool closed;  /* or a last one */
	int serial;
	long next_number;      /* of the page that should come */
	uint64_t gaps, losses; /* places where pages are damaged or lack, and those of them that were told */
	uint8_t head[OGG_LINK_HEAD];
	size_t head_filled;
	uint64_t first, last; /* positions; 0: none yet */
	uint64_t length;      /* samples of the links that are over */
};

void ogg_pages_init(struct ogg_pages *pages);
void ogg_pages_release(struct ogg_pages *pages);

/* Takes the next bytes of the stream. */
void ogg_pages_follow(struct ogg_pages *pages, const uint8_t *data, size_t size);

/* Tells the session of the gaps that were found since the last time.  Returns WIRE_OK to go on, or what decode() must
 * return because the caller is strict. */
session_result ogg_pages_tell_losses(struct ogg_pages *pages, struct session *session);

/* Takes all that is left of the input.  Returns how many samples there are in all links. */
uint64_t ogg_pages_measure(struct ogg_pages *pages, struct input *input);

/* The library has come to the end of the input, and given so many sample frames.  Returns what decode() must return.
 * A stream that ends between two pages is taken for whole, as its own tools do, although it has no last page. */
session_result ogg_pages_check_end(const struct ogg_pages *pages, struct session *session, uint64_t frames);

/* Whether the input ends within a page. */
bool ogg_pages_cut(const struct ogg_pages *pages);

#endif
