/* SPDX-License-Identifier: MIT */
#include "flac_ogg.h"

#include <string.h>

/* The first packet: this, the version, how many headers follow; then what a bare file starts with. */
#define MAGIC "\177FLAC"

enum {
	MAGIC_SIZE = 5,
	MAPPING_SIZE = 9,
	MAPPING_VERSION = 1,
};

/* By the header of a frame; what else there is are headers. */
static int64_t count_samples(void *context, const uint8_t *packet, size_t size)
{
	enum { FIXED = 4 };

	(void)context;
	if (size <= FIXED || packet[0] != 0xff || (packet[1] & 0xfe) != 0xf8)
		return 0;
	unsigned code = packet[2] >> 4;
	if (code == 1)
		return 192;
	if (code >= 2 && code <= 5)
		return 576 << (code - 2);
	if (code >= 8)
		return 256 << (code - 8);
	/* A number of 1 to 7 bytes, the first of which says how many, stands before it. */
	size_t at = FIXED + 1;
	for (unsigned bit = 0x40; (packet[FIXED] & 0x80) && (packet[FIXED] & bit); bit >>= 1)
		at++;
	if (at + 2 > size)
		return 0;
	return code == 6 ? packet[at] + 1 : code == 7 ? input_be16(packet + at) + 1 : 0;
}

void flac_ogg_init(struct flac_ogg *ogg, struct input *input)
{
	*ogg = (struct flac_ogg){ .at_start = true };
	ogg_pages_init(&ogg->pages, input, MAGIC, MAGIC_SIZE);
	ogg_pages_count_with(&ogg->pages, count_samples, ogg);
}

void flac_ogg_release(struct flac_ogg *ogg)
{
	if (ogg->open)
		(void)ogg_stream_clear(&ogg->stream);
	ogg_pages_release(&ogg->pages);
}

static void start_link(struct flac_ogg *ogg, int serial)
{
	ogg->link_over = ogg->open;
	if (ogg->open)
		ogg->failed |= ogg_stream_reset_serialno(&ogg->stream, serial) != 0;
	else
		ogg->failed |= ogg_stream_init(&ogg->stream, serial) != 0;
	ogg->open = true;
}

/* Takes the next page.  Returns false if there is none. */
static bool take_page(struct flac_ogg *ogg)
{
	ogg_page page;

	if (ogg->failed || !ogg_pages_next(&ogg->pages, &page))
		return false;
	if (ogg_page_bos(&page))
		start_link(ogg, ogg_page_serialno(&page));
	if (ogg->failed)
		return false;
	/* One of another version of Ogg is as good as missing. */
	if (ogg_stream_pagein(&ogg->stream, &page) != 0)
		ogg->pages.gaps++;
	ogg->failed = ogg_stream_check(&ogg->stream) != 0;
	return !ogg->failed;
}

/* The next packet of the link.  Returns false at its end. */
static bool next_packet(struct flac_ogg *ogg, ogg_packet *packet)
{
	while (!ogg->link_over) {
		/* Below zero: something is missing, of which the pages tell. */
		int got = ogg->open ? ogg_stream_packetout(&ogg->stream, packet) : 0;
		if (got > 0)
			return true;
		if (got == 0 && !take_page(ogg))
			return false;
	}
	return false;
}

static bool take_mapping(struct flac_ogg *ogg)
{
	bool known = ogg->packet_size > MAPPING_SIZE && memcmp(ogg->packet, MAGIC, MAGIC_SIZE) == 0;

	ogg->at_start = false;
	ogg->unsupported = known && ogg->packet[MAGIC_SIZE] != MAPPING_VERSION;
	if (!known || ogg->unsupported)
		return false;
	ogg->packet += MAPPING_SIZE;
	ogg->packet_size -= MAPPING_SIZE;
	return true;
}

size_t flac_ogg_read(struct flac_ogg *ogg, void *to, size_t size)
{
	while (ogg->packet_size == 0) {
		ogg_packet packet;
		if (!next_packet(ogg, &packet))
			return 0;
		ogg->packet = packet.packet;
		ogg->packet_size = (size_t)packet.bytes;
		if (ogg->at_start && !take_mapping(ogg)) {
			ogg->packet_size = 0;
			return 0;
		}
	}
	if (size > ogg->packet_size)
		size = ogg->packet_size;
	memcpy(to, ogg->packet, size);
	ogg->packet += size;
	ogg->packet_size -= size;
	return size;
}

bool flac_ogg_next_link(struct flac_ogg *ogg)
{
	ogg_packet packet;

	while (next_packet(ogg, &packet))
		;
	bool more = ogg->link_over;
	ogg->packet_size = 0;
	ogg->link_over = false;
	ogg->at_start = true;
	return more;
}
