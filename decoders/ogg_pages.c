/* SPDX-License-Identifier: MIT */
#include "ogg_pages.h"

#include <string.h>

/* No page is longer, in samples: a link whose first page ends later was joined in the middle. */
#define LONGEST_PAGE (UINT64_C(1) << 20)

void ogg_pages_init(struct ogg_pages *pages)
{
	*pages = (struct ogg_pages){ .failed = false };
	(void)ogg_sync_init(&pages->sync);
}

void ogg_pages_release(struct ogg_pages *pages)
{
	(void)ogg_sync_clear(&pages->sync);
}

static uint64_t link_length(const struct ogg_pages *pages)
{
	bool opus = pages->head_filled == OGG_LINK_HEAD && memcmp(pages->head, "OpusHead", 8) == 0;
	uint64_t skipped = pages->first > LONGEST_PAGE ? pages->first : 0;

	skipped += opus ? input_le16(pages->head + 10) : 0;
	return pages->last > skipped ? pages->last - skipped : 0;
}

static void start_link(struct ogg_pages *pages, const ogg_page *page)
{
	pages->length += link_length(pages);
	pages->serial = ogg_page_serialno(page);
	pages->first = pages->last = 0;
	pages->head_filled = page->body_len < OGG_LINK_HEAD ? (size_t)page->body_len : OGG_LINK_HEAD;
	memcpy(pages->head, page->body, pages->head_filled);
}

static void take_page(struct ogg_pages *pages, const ogg_page *page)
{
	bool first_page = ogg_page_bos(page) != 0;
	int64_t position = ogg_page_granulepos(page);

	/* Where several streams start at once, the first is the one. */
	if (first_page && !pages->opening)
		start_link(pages, page);
	pages->opening = first_page;
	pages->closed = ogg_page_eos(page) != 0;
	bool alien = ogg_page_serialno(page) != pages->serial;
	/* A broadcast may go on with any page behind the header of its link. */
	bool missing = !alien && pages->first > 0 && ogg_page_pageno(page) != pages->next_number;
	if (pages->tail || missing)
		pages->gaps++;
	pages->tail = false;
	if (alien)
		return;
	pages->next_number = ogg_page_pageno(page) + 1;
	/* Below zero: no packet ends here. */
	if (position <= 0)
		return;
	pages->last = (uint64_t)position;
	if (pages->first == 0)
		pages->first = (uint64_t)position;
}

void ogg_pages_follow(struct ogg_pages *pages, const uint8_t *data, size_t size)
{
	ogg_page page;
	long found = 0;
	char *room = ogg_sync_buffer(&pages->sync, (long)size);

	pages->failed |= room == NULL;
	if (pages->failed)
		return;
	memcpy(room, data, size);
	(void)ogg_sync_wrote(&pages->sync, (long)size);
	while ((found = ogg_sync_pageseek(&pages->sync, &page)) != 0) {
		if (found > 0)
			take_page(pages, &page);
		else
			pages->tail = true;
	}
}

session_result ogg_pages_tell_losses(struct ogg_pages *pages, struct session *session)
{
	session_result result = WIRE_OK;

	while (pages->losses < pages->gaps && result == WIRE_OK) {
		pages->losses++;
		result = session_loss(session, WIRE_FAIL_DATA);
	}
	return result;
}

uint64_t ogg_pages_measure(struct ogg_pages *pages, struct input *input)
{
	const uint8_t *data = NULL;
	size_t size = 0;

	while ((size = input_look(input, &data)) > 0) {
		ogg_pages_follow(pages, data, size);
		input_used(input, size);
	}
	return pages->length + link_length(pages);
}

bool ogg_pages_cut(const struct ogg_pages *pages)
{
	return pages->sync.fill > pages->sync.returned;
}

session_result ogg_pages_check_end(const struct ogg_pages *pages, struct session *session, uint64_t frames)
{
	bool odd = pages->tail || ogg_pages_cut(pages);

	if (pages->failed)
		return WIRE_FAIL_LIMIT_MEMORY;
	if (odd && !pages->closed)
		return session_damage(session, pages->tail ? WIRE_FAIL_DATA : WIRE_FAIL_TRUNCATED);
	if (frames == 0 && (pages->last > 0 || !pages->closed))
		return session_damage(session, pages->last > 0 ? WIRE_FAIL_DATA : WIRE_FAIL_TRUNCATED);
	if (odd)
		session_note(session, WIRE_NOTE_TRAILING);
	if (!pages->closed)
		session_note(session, WIRE_NOTE_WARNINGS);
	return WIRE_OK;
}
