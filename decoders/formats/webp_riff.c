/* SPDX-License-Identifier: MIT */
#include "webp_riff.h"

#include <stdlib.h>
#include <string.h>

#include "decoders/picture/exif.h"
#include "decoders/picture/exif_tags.h"
#include "decoders/picture/icc.h"
#include "decoders/runtime/input.h"

enum {
	TAG_SIZE = 4,
	CHUNK_SIZE = 8,
	RIFF_SIZE = 12,
	EXTENDED_SIZE = 10,
	FRAME_SIZE = 16,
	FIRST_ROOM = 64 << 10,
	/* bits of the extended header, and of a frame's */
	HAS_EXIF = 8,
	HAS_XMP = 4,
	ANIMATED = 2,
	REPLACES = 2,
	CLEARS = 1,
};

struct chunk {
	const uint8_t *tag;
	size_t data, end, next; /* offsets */
};

/* ---- the input ---- */

static bool make_room(struct webp_file *file, size_t size)
{
	uint64_t total = session_request(file->session)->input_total;
	size_t room = file->room > 0 ? file->room + file->room / 2 : FIRST_ROOM;

	if (size <= file->room)
		return true;
	if (total > room && total <= SIZE_MAX)
		room = (size_t)total;
	if (room < size)
		room = size;
	uint8_t *larger = realloc(file->data, room);
	if (!larger)
		larger = realloc(file->data, room = size);
	if (!larger)
		return false;
	file->data = larger;
	file->room = room;
	return true;
}

session_result webp_need(struct webp_file *file, size_t size)
{
	while (file->size < size && !file->ended) {
		const uint8_t *data = NULL;
		size_t got = session_read(file->session, &data);
		file->ended = got == 0;
		if (got > 0 && !make_room(file, file->size + got))
			return WIRE_FAIL_LIMIT_MEMORY;
		if (got > 0)
			memcpy(file->data + file->size, data, got);
		file->size += got;
	}
	return file->size < size ? WIRE_FAIL_TRUNCATED : WIRE_OK;
}

void webp_close(struct webp_file *file)
{
	free(file->data);
}

/* ---- chunks ---- */

static bool is(const struct chunk *chunk, const char *tag)
{
	return memcmp(chunk->tag, tag, TAG_SIZE) == 0;
}

/* The header of a chunk that lies before `end`.  WIRE_FAIL_ABSENT: there is none. */
static session_result read_chunk(struct webp_file *file, size_t at, size_t end, struct chunk *chunk)
{
	if (at >= end || end - at < CHUNK_SIZE)
		return WIRE_FAIL_ABSENT;
	session_result result = webp_need(file, at + CHUNK_SIZE);
	if (result != WIRE_OK)
		return result;
	size_t size = input_le32(file->data + at + TAG_SIZE);
	chunk->tag = file->data + at;
	chunk->data = at + CHUNK_SIZE;
	if (size > end - chunk->data)
		return WIRE_FAIL_LENGTH;
	chunk->end = chunk->data + size;
	chunk->next = chunk->end + size % 2;
	return WIRE_OK;
}

static uint32_t read_u24(const uint8_t *bytes)
{
	return input_le16(bytes) | (uint32_t)bytes[2] << 16;
}

static session_result read_extended(struct webp_file *file, const struct chunk *chunk)
{
	if (chunk->end - chunk->data < EXTENDED_SIZE)
		return WIRE_FAIL_HEADER;
	session_result result = webp_need(file, chunk->data + EXTENDED_SIZE);
	if (result != WIRE_OK)
		return result;
	const uint8_t *bytes = file->data + chunk->data;
	file->extended = true;
	file->animated = (bytes[0] & ANIMATED) != 0;
	file->has_exif = (bytes[0] & HAS_EXIF) != 0;
	file->has_xmp = (bytes[0] & HAS_XMP) != 0;
	file->width = read_u24(bytes + 4) + 1;
	file->height = read_u24(bytes + 7) + 1;
	return WIRE_OK;
}

session_result webp_read_header(struct webp_file *file)
{
	struct chunk chunk;
	session_result result = webp_need(file, RIFF_SIZE);

	if (result != WIRE_OK)
		return result;
	if (memcmp(file->data, "RIFF", TAG_SIZE) != 0 || memcmp(file->data + CHUNK_SIZE, "WEBP", TAG_SIZE) != 0)
		return WIRE_FAIL_SIGNATURE;
	/* At most as much as four gigabytes, which fit. */
	file->end = (size_t)input_le32(file->data + TAG_SIZE) + CHUNK_SIZE;
	result = read_chunk(file, RIFF_SIZE, file->end, &chunk);
	if (result != WIRE_OK)
		return result == WIRE_FAIL_ABSENT ? WIRE_FAIL_HEADER : result;
	file->first = RIFF_SIZE;
	if (!is(&chunk, "VP8X"))
		return WIRE_OK;
	file->first = chunk.next;
	return read_extended(file, &chunk);
}

/* ---- pictures ---- */

static session_result take_profile(struct webp_file *file, const struct chunk *chunk)
{
	struct session *session = file->session;

	file->icc = true;
	if (!icc_is_wanted(session))
		return WIRE_OK;
	session_result result = webp_need(file, chunk->end);
	if (result == WIRE_OK)
		icc_send(session, file->data + chunk->data, chunk->end - chunk->data);
	return result;
}

/* Finds the picture among the chunks from `at` to `end`. */
static session_result find_picture(struct webp_file *file, size_t at, size_t end, struct webp_picture *picture)
{
	struct chunk chunk;
	session_result result = WIRE_OK;

	picture->start = 0;
	while ((result = read_chunk(file, at, end, &chunk)) == WIRE_OK) {
		bool found = is(&chunk, "VP8 ") || is(&chunk, "VP8L");
		if (picture->start == 0 && (found || is(&chunk, "ALPH")))
			picture->start = at;
		if (found) {
			picture->data = at;
			picture->end = chunk.end;
			picture->next = chunk.next;
			return WIRE_OK;
		}
		/* A frame that is not to be there, and a picture that would be taken for the first. */
		if (is(&chunk, "ANMF"))
			return WIRE_FAIL_STRUCTURE;
		if (is(&chunk, "ICCP"))
			result = take_profile(file, &chunk);
		if (result != WIRE_OK)
			return result;
		at = chunk.next;
	}
	return result == WIRE_FAIL_ABSENT ? WIRE_FAIL_STRUCTURE : result;
}

session_result webp_find_still(struct webp_file *file, struct webp_picture *picture)
{
	return find_picture(file, file->first, file->end, picture);
}

static session_result read_frame(struct webp_file *file, const struct chunk *chunk, struct webp_picture *picture)
{
	if (chunk->end - chunk->data < FRAME_SIZE)
		return WIRE_FAIL_HEADER;
	session_result result = webp_need(file, chunk->data + FRAME_SIZE);
	if (result != WIRE_OK)
		return result;
	const uint8_t *bytes = file->data + chunk->data;
	size_t next = chunk->next;
	struct compositor_frame *place = &picture->place;
	place->x = 2 * read_u24(bytes);
	place->y = 2 * read_u24(bytes + 3);
	place->width = read_u24(bytes + 6) + 1;
	place->height = read_u24(bytes + 9) + 1;
	place->over = (bytes[15] & REPLACES) == 0;
	place->dispose = (bytes[15] & CLEARS) != 0 ? COMPOSITOR_CLEAR : COMPOSITOR_KEEP;
	picture->delay = read_u24(bytes + 12);
	/* No browser takes a file with such a frame. */
	if (place->width > file->width || place->x > file->width - place->width || place->height > file->height ||
	    place->y > file->height - place->height)
		return WIRE_FAIL_HEADER;
	result = find_picture(file, chunk->data + FRAME_SIZE, chunk->end, picture);
	picture->next = next;
	return result;
}

static session_result read_animation(struct webp_file *file, const struct chunk *chunk)
{
	enum { ANIMATION_SIZE = 6 };

	if (chunk->end - chunk->data < ANIMATION_SIZE)
		return WIRE_OK;
	session_result result = webp_need(file, chunk->data + ANIMATION_SIZE);
	if (result == WIRE_OK)
		file->loops = input_le16(file->data + chunk->data + 4);
	return result;
}

session_result webp_find_frame(struct webp_file *file, size_t at, struct webp_picture *picture)
{
	struct chunk chunk;
	session_result result = WIRE_OK;

	while ((result = read_chunk(file, at, file->end, &chunk)) == WIRE_OK) {
		if (is(&chunk, "ANMF"))
			return read_frame(file, &chunk, picture);
		/* A picture outside of the frames. */
		if (is(&chunk, "VP8 ") || is(&chunk, "VP8L") || is(&chunk, "ALPH"))
			return WIRE_FAIL_STRUCTURE;
		if (is(&chunk, "ICCP"))
			result = take_profile(file, &chunk);
		if (result != WIRE_OK)
			return result;
		if (is(&chunk, "ANIM") && read_animation(file, &chunk) != WIRE_OK)
			return WIRE_FAIL_TRUNCATED;
		at = chunk.next;
	}
	return result;
}

/* ---- what stands behind ---- */

static void take_exif(struct webp_file *file, const struct chunk *chunk)
{
	size_t end = chunk->end < file->size ? chunk->end : file->size;

	if (chunk->data >= end)
		return;
	const uint8_t *block = file->data + chunk->data;
	size_t size = end - chunk->data, prefix = exif_prefix(block, size);
	file->orientation = exif_orientation(block + prefix, size - prefix);
	exif_send(file->session, block + prefix, size - prefix);
}

session_result webp_look_ahead(struct webp_file *file, uint32_t *frames)
{
	struct chunk chunk;
	session_result result = webp_need(file, file->end);

	*frames = 0;
	if (result == WIRE_FAIL_LIMIT_MEMORY)
		return result;
	for (size_t at = file->first; read_chunk(file, at, file->end, &chunk) == WIRE_OK; at = chunk.next) {
		if (is(&chunk, "EXIF") && file->has_exif)
			take_exif(file, &chunk);
		if (is(&chunk, "XMP ") && chunk.end <= file->size)
			session_blob(file->session, WIRE_BLOB_XMP, file->data + chunk.data, chunk.end - chunk.data);
		*frames += is(&chunk, "ANMF");
	}
	return WIRE_OK;
}

session_result webp_check_end(struct webp_file *file)
{
	uint64_t passed = file->size;
	const uint8_t *data = NULL;

	/* The byte that makes the size even is often not counted. */
	uint64_t most = (uint64_t)file->end + file->end % 2;
	/* Nobody wants what it is: it is not kept. */
	while (passed <= most && !file->ended) {
		size_t got = session_read(file->session, &data);
		file->ended = got == 0;
		passed += got;
	}
	if (passed < file->end)
		return session_flaw(file->session, WIRE_NOTE_END, WIRE_FAIL_TRUNCATED);
	if (passed > most)
		return session_flaw(file->session, WIRE_NOTE_TRAILING, WIRE_FAIL_TRAILING);
	return WIRE_OK;
}
