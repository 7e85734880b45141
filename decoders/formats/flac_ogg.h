/* SPDX-License-Identifier: MIT */
/*
 * FLAC in Ogg, made into bare FLAC: the packets of one link of a chain after the other.  libFLAC reads Ogg itself, but
 * stops at the end of the first link, and takes the first stream of a file for the sound.
 */
#ifndef SAFE_DECODE_FLAC_OGG_H
#define SAFE_DECODE_FLAC_OGG_H

#include <ogg/ogg.h>

#include "decoders/sound/ogg_pages.h"

struct flac_ogg {
	struct ogg_pages pages;
	ogg_stream_state stream;
	bool open;             /* the stream of the first link was found */
	bool link_over;        /* the stream is that of the next link, and nobody has asked for it */
	bool at_start;         /* of a link: its first packet is next */
	bool unsupported;      /* a mapping of another version */
	bool failed;           /* there was no memory */
	const uint8_t *packet; /* what of the last packet was not given, in the memory of `stream` */
	size_t packet_size;
};

void flac_ogg_init(struct flac_ogg *ogg, struct input *input);
void flac_ogg_release(struct flac_ogg *ogg);

/* Copies up to `size` bytes of the link, but never of more than one packet: so a gap is known before libFLAC has a byte
 * of what is behind it.  Returns 0 at the end of the link. */
size_t flac_ogg_read(struct flac_ogg *ogg, void *to, size_t size);

/* Passes over what is left of the link.  Returns whether another follows. */
bool flac_ogg_next_link(struct flac_ogg *ogg);

#endif
