/* SPDX-License-Identifier: MIT */
#include "ogg_pages.h"

#include <string.h>

/* No page is longer, in samples: a link whose first page ends later was joined in the middle.  For links whose packets
 * cannot be counted. */
#define LONGEST_PAGE (UINT64_C(1) << 20)

void ogg_pages_init(struct ogg_pages *pages, struct input *input, const char *magic, size_t magic_size)
{
	*pages = (struct ogg_pages){ .input = input, .magic = magic, .magic_size = magic_size };
	(void)ogg_sync_init(&pages->sync);
}

void ogg_pages_count_with(struct ogg_pages *pages, ogg_pages_count *count, void *context)
{
	pages->count = count;
	pages->context = context;
}

void ogg_pages_release(struct ogg_pages *pages)
{
	(void)ogg_sync_clear(&pages->sync);
}

/* ---- links ---- */

static uint64_t link_length(const struct ogg_pages *pages)
{
	bool opus = pages->head_filled >= 12 && memcmp(pages->head, "OpusHead", 8) == 0;
	uint64_t skipped = pages->first > pages->begun ? pages->first - pages->begun : 0;

	if (pages->uncounted)
		skipped = pages->first > LONGEST_PAGE ? pages->first : 0;
	skipped += opus ? input_le16(pages->head + 10) : 0;
	return pages->last > skipped ? pages->last - skipped : 0;
}

static bool is_sound(const struct ogg_pages *pages, const ogg_page *page)
{
	return page->body_len >= (long)pages->magic_size && memcmp(page->body, pages->magic, pages->magic_size) == 0;
}

static void start_link(struct ogg_pages *pages, const ogg_page *page)
{
	pages->length += link_length(pages);
	pages->serial = ogg_page_serialno(page);
	pages->chosen = pages->started = true;
	pages->first = pages->last = pages->begun = 0;
	pages->uncounted = pages->count == NULL;
	pages->packet_filled = 0;
	pages->head_filled = page->body_len < OGG_LINK_HEAD ? (size_t)page->body_len : OGG_LINK_HEAD;
	memcpy(pages->head, page->body, pages->head_filled);
}

static void count_packet(struct ogg_pages *pages)
{
	int64_t samples = pages->count ? pages->count(pages->context, pages->packet, pages->packet_filled) : -1;

	if (samples < 0)
		pages->uncounted = true;
	else
		pages->begun += (uint64_t)samples;
}

/* Counts the samples of the packets that end on the page.  One whose start is missing no library decodes. */
static void count_packets(struct ogg_pages *pages, const ogg_page *page)
{
	enum { TABLE_AT = 26 };
	const uint8_t *table = page->header + TABLE_AT, *body = page->body;
	bool continued = ogg_page_continued(page) != 0;
	bool startless = continued && (pages->packet_filled == 0 || ogg_page_pageno(page) != pages->next_number);

	if (!continued)
		pages->packet_filled = 0;
	for (size_t i = 1; i <= table[0]; i++) {
		size_t room = OGG_PACKET_HEAD - pages->packet_filled;
		size_t part = startless ? 0 : table[i] < room ? table[i] : room;
		memcpy(pages->packet + pages->packet_filled, body, part);
		pages->packet_filled += part;
		body += table[i];
		if (table[i] == UINT8_MAX)
			continue;
		if (!startless)
			count_packet(pages);
		startless = false;
		pages->packet_filled = 0;
	}
}

/* Notes what the page says.  Returns whether it belongs to the sound. */
static bool take_page(struct ogg_pages *pages, const ogg_page *page)
{
	bool first_page = ogg_page_bos(page) != 0;
	int64_t position = ogg_page_granulepos(page);

	if (first_page && !pages->opening)
		pages->chosen = false;
	/* Where several streams start at once, the first that is such sound is the one. */
	if (first_page && !pages->chosen && is_sound(pages, page))
		start_link(pages, page);
	/* A link that has none is lost. */
	bool without = !first_page && pages->opening && !pages->chosen && pages->started;
	pages->opening = first_page;
	bool own = pages->chosen && ogg_page_serialno(page) == pages->serial;
	/* A broadcast may go on with any page behind the header of its link. */
	bool missing = own && pages->first > 0 && ogg_page_pageno(page) != pages->next_number;
	if (pages->tail || missing || without)
		pages->gaps++;
	pages->tail = false;
	if (!own)
		return false;
	if (pages->first == 0)
		count_packets(pages, page);
	pages->closed = ogg_page_eos(page) != 0;
	pages->next_number = ogg_page_pageno(page) + 1;
	/* Below zero: no packet ends here. */
	if (position > 0)
		pages->last = (uint64_t)position;
	if (position > 0 && pages->first == 0)
		pages->first = (uint64_t)position;
	return true;
}

/* ---- pages ---- */

/* Takes what is at hand.  Returns false at the end of the input, or where there is no memory. */
static bool fill(struct ogg_pages *pages)
{
	const uint8_t *data = NULL;
	size_t size = input_look(pages->input, &data);

	pages->ended = size == 0;
	if (pages->ended)
		return false;
	char *room = ogg_sync_buffer(&pages->sync, (long)size);
	pages->failed = room == NULL;
	if (pages->failed)
		return false;
	memcpy(room, data, size);
	input_used(pages->input, size);
	return ogg_sync_wrote(&pages->sync, (long)size) == 0;
}

bool ogg_pages_next(struct ogg_pages *pages, ogg_page *page)
{
	while (!pages->failed) {
		long found = ogg_sync_pageseek(&pages->sync, page);
		if (found > 0 && take_page(pages, page))
			return true;
		if (found < 0)
			pages->tail = true;
		if (found == 0 && !fill(pages))
			return false;
	}
	return false;
}

size_t ogg_pages_read(struct ogg_pages *pages, void *to, size_t size)
{
	ogg_page page;

	if (pages->rest_size == 0) {
		if (!ogg_pages_next(pages, &page))
			return 0;
		/* The body stands behind the header. */
		pages->rest = page.header;
		pages->rest_size = (size_t)page.header_len + (size_t)page.body_len;
	}
	if (size > pages->rest_size)
		size = pages->rest_size;
	memcpy(to, pages->rest, size);
	pages->rest += size;
	pages->rest_size -= size;
	return size;
}

uint64_t ogg_pages_measure(struct ogg_pages *pages)
{
	ogg_page page;

	while (ogg_pages_next(pages, &page))
		;
	pages->rest_size = 0; /* it is gone */
	return pages->length + link_length(pages);
}

/* ---- what is wrong ---- */

session_result ogg_pages_tell_losses(struct ogg_pages *pages, struct session *session)
{
	session_result result = WIRE_OK;

	while (pages->losses < pages->gaps && result == WIRE_OK) {
		pages->losses++;
		result = session_loss(session, WIRE_FAIL_DATA);
	}
	return result;
}

/* Whether the input ends within a page. */
static bool is_cut(const struct ogg_pages *pages)
{
	return pages->sync.fill > pages->sync.returned;
}

session_result ogg_pages_name_failure(const struct ogg_pages *pages, session_result failure)
{
	bool short_of = pages->ended && pages->gaps == 0 && !pages->tail && pages->last == 0 &&
	                (is_cut(pages) || pages->started);

	if (pages->failed || failure == WIRE_FAIL_LIMIT_MEMORY)
		return WIRE_FAIL_LIMIT_MEMORY;
	if (short_of && failure != WIRE_FAIL_UNSUPPORTED)
		return WIRE_FAIL_TRUNCATED;
	return pages->started ? failure : WIRE_FAIL_SIGNATURE;
}

session_result ogg_pages_check_end(const struct ogg_pages *pages, struct session *session, uint64_t frames)
{
	bool odd = pages->tail || is_cut(pages);

	if (pages->failed)
		return WIRE_FAIL_LIMIT_MEMORY;
	if (odd && !pages->closed)
		return session_damage(session, pages->tail ? WIRE_FAIL_DATA : WIRE_FAIL_TRUNCATED);
	if (frames == 0 && (link_length(pages) > 0 || !pages->closed))
		return session_damage(session, link_length(pages) > 0 ? WIRE_FAIL_DATA : WIRE_FAIL_TRUNCATED);
	if (odd)
		session_note(session, WIRE_NOTE_TRAILING);
	if (!pages->closed)
		session_note(session, WIRE_NOTE_WARNINGS);
	return WIRE_OK;
}
