/* SPDX-License-Identifier: MIT */
#include "broker/base/structs.h"
#include "broker/recognise/registry.h"
#include "broker/service/inquire.h"
#include "broker/service/pool.h"

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

enum safe_status safe_decoder_format(struct safe_decoder *decoder, size_t index, struct safe_format_info *info)
{
	const struct safe_format *format = registry_at(index);

	if (!decoder_is_ours(decoder) || !format || !info)
		return SAFE_USAGE;
	struct safe_format_info all = {
		.size = sizeof(all),
		.name = format->name,
		.description = format->description,
		.mime = format->mime ? format->mime : "",
		.extensions = format->extensions,
		.kind = format->kind,
	};
	struct safe_outcome outcome = inquire(decoder->folder, format->program, &all.library);
	all.available = outcome.status == SAFE_OK;
	all.reason = outcome.reason;
	structs_give(info, &all, sizeof(all));
	return SAFE_OK;
}

const char *safe_version(void)
{
	return SAFE_DECODE_VERSION;
}
