/* SPDX-License-Identifier: MIT */
#include "../registry.h"
#include "../safe-decode.h"
#include "../status.h"

const char *safe_status_name(enum safe_status status)
{
	return (unsigned)status <= SAFE_EXHAUSTED ? status_name(status) : "unknown";
}

const char *safe_tag_name(enum safe_tag tag)
{
	static const char *const names[WIRE_TAGS] = {
		[SAFE_TAG_TITLE] = "title",         [SAFE_TAG_ARTIST] = "artist",
		[SAFE_TAG_ALBUM] = "album",         [SAFE_TAG_ALBUM_ARTIST] = "album_artist",
		[SAFE_TAG_COMPOSER] = "composer",   [SAFE_TAG_PERFORMER] = "performer",
		[SAFE_TAG_TRACK] = "track",         [SAFE_TAG_DISC] = "disc",
		[SAFE_TAG_DATE] = "date",           [SAFE_TAG_GENRE] = "genre",
		[SAFE_TAG_COMMENT] = "comment",     [SAFE_TAG_COPYRIGHT] = "copyright",
		[SAFE_TAG_PUBLISHER] = "publisher", [SAFE_TAG_ISRC] = "isrc",
		[SAFE_TAG_LANGUAGE] = "language",   [SAFE_TAG_ENCODER] = "encoder",
	};

	return (unsigned)tag < WIRE_TAGS ? names[tag] : "unknown";
}

const char *safe_format_name(size_t index)
{
	const struct safe_format *format = registry_at(index);

	return format ? format->name : NULL;
}

const char *safe_version(void)
{
	return SAFE_DECODE_VERSION;
}
