/* SPDX-License-Identifier: MIT */
/* Ogg: an input has several streams at once, and all their first pages come first. */
#include <string.h>

#include "look.h"

enum codec_kind { CODEC_OTHER, CODEC_VORBIS, CODEC_OPUS, CODEC_FLAC };

struct codec {
	const char *mark; /* of its first packet */
	uint8_t size;
	enum codec_kind kind;
	bool secondary; /* says little of what the input is */
	const char *name;
};

#define MARK(bytes) bytes, sizeof(bytes) - 1
static const struct codec codecs[] = {
	{ MARK("\x01vorbis"), CODEC_VORBIS, false, "Ogg with Vorbis" },
	{ MARK("OpusHead"), CODEC_OPUS, false, "Ogg with Opus" },
	{ MARK("\x7f"
	       "FLAC"),
	  CODEC_FLAC, false, "Ogg with FLAC" },
	{ MARK("\x80theora"), CODEC_OTHER, false, "Ogg with Theora" },
	{ MARK("Speex   "), CODEC_OTHER, false, "Ogg with Speex" },
	{ MARK("BBCD"), CODEC_OTHER, false, "Ogg with Dirac" },
	{ MARK("OVP80"), CODEC_OTHER, false, "Ogg with VP8" },
	{ MARK("CELT    "), CODEC_OTHER, false, "Ogg with CELT" },
	{ MARK("PCM     "), CODEC_OTHER, false, "Ogg with PCM" },
	{ MARK("\x01video"), CODEC_OTHER, false, "Ogg with video of OGM" },
	{ MARK("\x01"
	       "audio"),
	  CODEC_OTHER, false, "Ogg with sound of OGM" },
	{ MARK("\x8bJNG"), CODEC_OTHER, false, "Ogg with JNG" },
	{ MARK("\x80kate"), CODEC_OTHER, true, "Ogg with Kate" },
	{ MARK("CMML"), CODEC_OTHER, true, "Ogg with CMML" },
	{ MARK("fishead"), CODEC_OTHER, true, "Ogg with Skeleton" },
};

struct page {
	const uint8_t *body;
	size_t body_size, there; /* bytes of the body, and those in sight */
	size_t size;
	bool first; /* of its stream */
};

static enum look look_page(const struct look_view *view, struct page *page)
{
	enum { HEADER = 27, FLAGS = 5, BEGINS = 2, COUNT = 26 };
	enum look look = LOOK_BYTES(view, 0, "OggS\0");

	if (look != LOOK_YES)
		return look;
	if (view->size < HEADER || view->size < HEADER + (size_t)view->bytes[COUNT])
		return view->ended ? LOOK_NO : LOOK_MORE;
	size_t header = HEADER + (size_t)view->bytes[COUNT];
	*page = (struct page){ .body = view->bytes + header,
		               .first = (view->bytes[FLAGS] & BEGINS) != 0,
		               .there = view->size - header };
	for (size_t i = HEADER; i < header; i++)
		page->body_size += view->bytes[i];
	if (page->there > page->body_size)
		page->there = page->body_size;
	page->size = header + page->body_size;
	return LOOK_YES;
}

/* LOOK_YES: *codec is that of the page, or NULL; LOOK_MORE: its mark is not all there. */
static enum look look_codec(const struct page *page, bool ended, const struct codec **codec)
{
	*codec = NULL;
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
		const struct look_view body = { page->body, page->there, ended || page->there == page->body_size, "" };
		enum look look = look_bytes(&body, 0, codecs[i].mark, codecs[i].size);
		if (look == LOOK_YES)
			*codec = &codecs[i];
		if (look != LOOK_NO)
			return look;
	}
	return LOOK_YES;
}

/* Walks the first pages of streams up to one whose codec is known.  LOOK_NO: there is none; *name is what there is. */
static enum look look_streams(const struct look_view *view, size_t *more, enum codec_kind *kind, const char **name)
{
	enum { MOST = 64 };
	struct look_view rest = *view;
	const struct codec *best = NULL, *codec = NULL;
	struct page page;

	*kind = CODEC_OTHER;
	*name = "Ogg";
	for (unsigned i = 0; i < MOST; i++) {
		enum look look = look_page(&rest, &page);
		if (look == LOOK_YES && page.first)
			look = look_codec(&page, view->ended, &codec);
		if (look == LOOK_MORE || (look == LOOK_YES && !page.first && i == 0))
			*name = look == LOOK_MORE ? *name : "Ogg that starts inside a stream";
		if (look != LOOK_YES || !page.first)
			return look == LOOK_MORE ? LOOK_MORE : LOOK_NO;
		if (codec && codec->kind != CODEC_OTHER) {
			*kind = codec->kind;
			return LOOK_YES;
		}
		if (codec && (!best || (best->secondary && !codec->secondary)))
			*name = (best = codec)->name;
		size_t place = (size_t)(rest.bytes - view->bytes) + page.size;
		if (place >= view->size && !view->ended) {
			*more = place + 28;
			return LOOK_MORE;
		}
		rest = look_behind(&rest, page.size);
	}
	return LOOK_NO;
}

static enum look look_for(const struct look_view *view, size_t *more, enum codec_kind wanted)
{
	enum codec_kind kind = CODEC_OTHER;
	const char *name = NULL;
	enum look look = look_streams(view, more, &kind, &name);

	return look == LOOK_YES && kind != wanted ? LOOK_NO : look;
}

enum look look_vorbis(const struct look_view *view, size_t *more)
{
	return look_for(view, more, CODEC_VORBIS);
}

enum look look_opus(const struct look_view *view, size_t *more)
{
	return look_for(view, more, CODEC_OPUS);
}

enum look look_ogg_flac(const struct look_view *view, size_t *more)
{
	return look_for(view, more, CODEC_FLAC);
}

const char *look_name_ogg(const struct look_view *view)
{
	enum codec_kind kind = CODEC_OTHER;
	const char *name = NULL;
	size_t more = 0;

	(void)look_streams(view, &more, &kind, &name);
	return name;
}
