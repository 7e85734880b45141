/* SPDX-License-Identifier: MIT */
#include "input.h"

#include <string.h>

size_t input_look(struct input *input, const uint8_t **data)
{
	if (input->left == 0 && input->after_left > 0) {
		input->data = input->after;
		input->left = input->after_left;
		input->after_left = 0;
	} else if (input->left == 0) {
		input->left = session_read(input->session, &input->data);
	}
	*data = input->data;
	return input->left;
}

size_t input_gather(struct input *input, uint8_t *room, size_t size)
{
	size_t count = input->left;

	if (count >= size)
		return size;
	/* What is left may lie in the same memory already, and is lost when the session reads. */
	memmove(room, input->data ? input->data : room, count);
	while (count < size) {
		if (input->after_left == 0)
			input->after_left = session_read(input->session, &input->after);
		size_t part = input->after_left < size - count ? input->after_left : size - count;
		if (part == 0)
			break;
		memcpy(room + count, input->after, part);
		input->after += part;
		input->after_left -= part;
		count += part;
	}
	input->data = room;
	input->left = count;
	return count;
}

size_t input_peek(struct input *input, void *to, size_t size)
{
	size_t count = input_gather(input, input->held, size);

	memcpy(to, input->data, count);
	return count;
}

void input_return(struct input *input, uint8_t *room, size_t size)
{
	size_t held = 0;

	if (size == 0)
		return;
	if (input->after_left > 0) {
		/* What was peeked at. */
		held = input->left < INPUT_PEEK_MAX ? input->left : INPUT_PEEK_MAX;
		memcpy(room + size, input->data, held);
	} else {
		input->after = input->data;
		input->after_left = input->left;
	}
	input->data = room;
	input->left = size + held;
	input->position -= size;
}

void input_used(struct input *input, size_t size)
{
	input->data += size;
	input->left -= size;
	input->position += size;
}

int input_next(struct input *input)
{
	const uint8_t *data = NULL;

	if (input_look(input, &data) == 0)
		return -1;
	int byte = *data;
	input_used(input, 1);
	return byte;
}

size_t input_take(struct input *input, void *to, size_t size)
{
	size_t taken = 0;

	while (taken < size) {
		const uint8_t *data = NULL;
		size_t part = input_look(input, &data);
		if (part == 0)
			break;
		if (part > size - taken)
			part = size - taken;
		memcpy((uint8_t *)to + taken, data, part);
		input_used(input, part);
		taken += part;
	}
	return taken;
}

uint64_t input_skip(struct input *input, uint64_t size)
{
	uint64_t skipped = 0;

	while (skipped < size) {
		const uint8_t *data = NULL;
		size_t part = input_look(input, &data);
		if (part == 0)
			break;
		if (part > size - skipped)
			part = (size_t)(size - skipped);
		input_used(input, part);
		skipped += part;
	}
	return skipped;
}

bool input_is_placeholder(uint64_t size)
{
	/* All ones; half of them (arecord), as a signed number that is rounded down (sox, espeak, GStreamer). */
	return size == 0 || (size >= 0x7eff0000 && size <= 0x80001000) || (size >= 0xffff0000 && size <= UINT32_MAX) ||
	       size >= UINT64_C(1) << 62;
}
