/* SPDX-License-Identifier: MIT */
#include "broker/base/structs.h"
#include "broker/recognise/registry.h"
#include "broker/service/inquire.h"
#include "broker/service/pool.h"

const char *sdec_status_name(enum sdec_status status)
{
	return (unsigned)status <= SDEC_WRONG_KIND ? status_name(status) : "unknown";
}

const char *sdec_tag_name(enum sdec_tag tag)
{
	static const char *const names[WIRE_TAGS] = {
		[SDEC_TAG_TITLE] = "title",
		[SDEC_TAG_ARTIST] = "artist",
		[SDEC_TAG_ALBUM] = "album",
		[SDEC_TAG_ALBUM_ARTIST] = "album_artist",
		[SDEC_TAG_COMPOSER] = "composer",
		[SDEC_TAG_PERFORMER] = "performer",
		[SDEC_TAG_TRACK] = "track",
		[SDEC_TAG_DISC] = "disc",
		[SDEC_TAG_DATE] = "date",
		[SDEC_TAG_GENRE] = "genre",
		[SDEC_TAG_COMMENT] = "comment",
		[SDEC_TAG_COPYRIGHT] = "copyright",
		[SDEC_TAG_PUBLISHER] = "publisher",
		[SDEC_TAG_ISRC] = "isrc",
		[SDEC_TAG_LANGUAGE] = "language",
		[SDEC_TAG_ENCODER] = "encoder",
		[SDEC_TAG_DESCRIPTION] = "description",
		[SDEC_TAG_SOFTWARE] = "software",
		[SDEC_TAG_MAKE] = "make",
		[SDEC_TAG_MODEL] = "model",
		[SDEC_TAG_LENS] = "lens",
		[SDEC_TAG_TAKEN] = "taken",
		[SDEC_TAG_EXPOSURE] = "exposure",
		[SDEC_TAG_APERTURE] = "aperture",
		[SDEC_TAG_ISO] = "iso",
		[SDEC_TAG_FOCAL_LENGTH] = "focal_length",
		[SDEC_TAG_POSITION] = "position",
		[SDEC_TAG_DENSITY] = "density",
		[SDEC_TAG_PROFILE] = "profile",
	};

	return (unsigned)tag < WIRE_TAGS ? names[tag] : "unknown";
}

const char *sdec_format_name(size_t index)
{
	const struct format *format = registry_at(index);

	return format ? format->name : NULL;
}

enum sdec_status sdec_pool_format(struct sdec_pool *decoder, size_t index, struct sdec_format_info *info)
{
	const struct format *format = registry_at(index);

	if (!decoder_is_ours(decoder) || !format || !info)
		return SDEC_USAGE;
	struct sdec_format_info all = {
		.size = sizeof(all),
		.name = format->name,
		.description = format->description,
		.mime = format->mime ? format->mime : "",
		.extensions = format->extensions,
		.kind = format->kind,
	};
	struct outcome outcome = inquire(decoder->folder, format->program, &all.library);
	all.available = outcome.status == SDEC_OK;
	all.reason = outcome.reason;
	structs_give(info, &all, sizeof(all));
	return SDEC_OK;
}

const char *sdec_version(void)
{
	return SAFE_DECODE_VERSION;
}
