/* SPDX-License-Identifier: MIT */
/* The library goes where it likes in the input, of which no more is read than it wants, nor kept than it may want. */
#include <stdlib.h>
#include <string.h>

#include "exr_decode.h"

/* Gives up what need not be kept, then grows. */
static bool make_room(struct exr_input *input, size_t more)
{
	uint64_t unneeded = input->keep > input->base ? input->keep - input->base : 0;
	size_t drop = unneeded < input->size ? (size_t)unneeded : input->size, needed = 0;

	if (more <= input->room - input->size)
		return true;
	if (drop > 0) {
		memmove(input->data, input->data + drop, input->size - drop);
		input->base += drop;
		input->size -= drop;
	}
	if (more <= input->room - input->size)
		return true;
	if (__builtin_add_overflow(input->size, more, &needed))
		return false;
	size_t generous = needed + needed / 2;
	uint8_t *larger = generous > needed ? realloc(input->data, generous) : NULL;
	if (!larger) {
		generous = needed;
		larger = realloc(input->data, needed);
	}
	if (!larger)
		return false;
	input->data = larger;
	input->room = generous;
	return true;
}

static bool add(struct exr_input *input, const uint8_t *data, size_t size)
{
	uint64_t end = input->base + input->size;

	/* What is not even looked at is not kept either. */
	if (input->keep >= end + size) {
		input->base = end + size;
		input->size = 0;
		return true;
	}
	if (!make_room(input, size))
		return false;
	memcpy(input->data + input->size, data, size);
	input->size += size;
	return true;
}

/* Reads on until the input is there up to `end`, or ends. */
static void read_up_to(struct exr_input *input, uint64_t end)
{
	while (!input->no_memory && input->base + input->size < end) {
		const uint8_t *data = NULL;
		size_t size = session_read(input->session, &data);
		if (size == 0)
			return;
		input->no_memory = !add(input, data, size);
	}
}

static size_t there_are(struct exr_input *input, uint64_t offset, size_t size)
{
	uint64_t end = 0;

	if (__builtin_add_overflow(offset, size, &end))
		end = UINT64_MAX;
	/* Whether it is still there may depend on how the input came. */
	if (offset < input->keep)
		return 0;
	read_up_to(input, end);
	if (offset >= input->base + input->size)
		return 0;
	size_t left = input->size - (size_t)(offset - input->base);
	return size < left ? size : left;
}

const uint8_t *exr_bytes(struct exr_input *input, uint64_t offset, size_t size)
{
	if (there_are(input, offset, size) < size) {
		input->past_end = !input->no_memory && offset >= input->keep;
		return NULL;
	}
	return input->data + (size_t)(offset - input->base);
}

int64_t exr_copy(struct exr_input *input, uint64_t offset, void *to, size_t size)
{
	size_t count = there_are(input, offset, size);

	if (input->no_memory)
		return -1;
	if (count < size && offset >= input->keep)
		input->past_end = true;
	if (count > 0)
		memcpy(to, input->data + (size_t)(offset - input->base), count);
	return (int64_t)count;
}
