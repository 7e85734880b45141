/* SPDX-License-Identifier: MIT */
/* The session's part about what a picture says of itself: tags, and blocks as they are. */
#include <string.h>

#include "session.h"

/* All of it comes before the picture. */
static bool may_come(const struct session *session, uint32_t flag)
{
	return (session->request.flags & flag) != 0 && session->request.operation != WIRE_COVER && !session->pictured &&
	       !session->announced;
}

bool session_wants_tags(const struct session *session)
{
	return may_come(session, WIRE_TAGS_TOO) && session->tags < WIRE_METADATA_MAX && session->metadata_left > 0;
}

void session_picture_tag(struct session *session, enum wire_tag tag, const char *value, size_t size)
{
	if (session_wants_tags(session))
		session_tag(session, tag, value, size);
}

bool session_wants_blob(const struct session *session, enum wire_blob_kind kind)
{
	return may_come(session, WIRE_BLOB_FLAG(kind));
}

void session_blob(struct session *session, enum wire_blob_kind kind, const uint8_t *data, size_t size)
{
	struct wire_blob blob = { .kind = kind, .size = (uint32_t)size };

	if (!session_wants_blob(session, kind) || size == 0)
		return;
	if (size > session->request.max_metadata) {
		session_note(session, WIRE_NOTE_WARNINGS);
		return;
	}
	/* It comes once. */
	session->request.flags &= ~WIRE_BLOB_FLAG(kind);
	(void)session_put(session, WIRE_BLOB, &blob, sizeof(blob));
	while (size > 0) {
		uint8_t *room = NULL;
		size_t part = 0;
		if (session_bulk_room(session, 1, &room, &part) != WIRE_OK)
			return;
		if (part > size)
			part = size;
		memcpy(room, data, part);
		session_bulk_commit(session, WIRE_BLOB_DATA, part);
		data += part;
		size -= part;
	}
}
