/* SPDX-License-Identifier: MIT */
#include "seekable.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What is read at a place where nothing was read before: a header or a list of offsets, most likely. */
enum { GLANCE_SIZE = 4 << 10 };

session_result seekable_open(struct session *session, struct seekable *seekable)
{
	*seekable = (struct seekable){ .session = session };
	if (!session_is_random(session)) {
		session_result result = whole_read(session, &seekable->whole);
		seekable->size = seekable->held = seekable->whole.size;
		return result;
	}
	seekable->size = session_request(session)->input_total;
	seekable->held = (uint64_t)SEEKABLE_WINDOWS * SEEKABLE_WINDOW_SIZE;
	seekable->memory = malloc(seekable->held);
	return seekable->memory ? WIRE_OK : WIRE_FAIL_LIMIT_MEMORY;
}

void seekable_close(struct seekable *seekable)
{
	whole_free(&seekable->whole);
	free(seekable->memory);
	seekable->memory = NULL;
}

static uint8_t *memory_of(const struct seekable *seekable, size_t window)
{
	return seekable->memory + window * SEEKABLE_WINDOW_SIZE;
}

/* The window that has this place; or the one to give up for it, which was not used for longest, and *follows: whether
 * another ends here. */
static size_t find_window(const struct seekable *seekable, uint64_t offset, bool *found, bool *follows)
{
	size_t oldest = 0;

	*found = *follows = false;
	for (size_t i = 0; i < SEEKABLE_WINDOWS; i++) {
		const struct seekable_window *window = &seekable->windows[i];
		*found = offset >= window->start && offset - window->start < window->size;
		if (*found)
			return i;
		*follows = *follows || (window->size > 0 && offset - window->start == window->size);
		if (window->used < seekable->windows[oldest].used)
			oldest = i;
	}
	return oldest;
}

/* Copies what one window has of it, or what is read past all windows.  Returns how many bytes; 0 at the end. */
static size_t read_once(struct seekable *seekable, uint64_t offset, uint8_t *to, size_t size)
{
	bool found = false, follows = false;
	size_t index = find_window(seekable, offset, &found, &follows);
	struct seekable_window *window = &seekable->windows[index];

	if (!found && size >= SEEKABLE_WINDOW_SIZE)
		return session_read_at(seekable->session, offset, to, size);
	if (!found) {
		size_t wanted = follows ? SEEKABLE_WINDOW_SIZE : size > GLANCE_SIZE ? size : GLANCE_SIZE;
		window->start = offset;
		window->size = session_read_at(seekable->session, offset, memory_of(seekable, index), wanted);
	}
	window->used = ++seekable->uses;
	size_t before = (size_t)(offset - window->start);
	if (size > window->size - before)
		size = window->size - before;
	memcpy(to, memory_of(seekable, index) + before, size);
	return size;
}

static size_t copy_whole(const struct whole *whole, size_t offset, void *to, size_t size)
{
	if (size > whole->size - offset)
		size = whole->size - offset;
	memcpy(to, whole->data + offset, size);
	return size;
}

size_t seekable_read_at(struct seekable *seekable, uint64_t offset, void *to, size_t size)
{
	size_t done = 0, got = 1;

	if (offset >= seekable->size)
		return 0;
	if (!seekable->memory)
		return copy_whole(&seekable->whole, (size_t)offset, to, size);
	while (got > 0 && done < size) {
		got = read_once(seekable, offset + done, (uint8_t *)to + done, size - done);
		done += got;
	}
	return done;
}
