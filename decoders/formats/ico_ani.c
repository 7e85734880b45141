/* SPDX-License-Identifier: MIT */
/* ANI: icons in a RIFF file, and how long to show which. */
#include <stdlib.h>
#include <string.h>

#include "decoders/runtime/input.h"
#include "ico.h"

enum { CHUNK_HEADER = 8, RIFF_HEADER = 12, HEADER_LEAST = 36, MOST_STEPS = 1 << 20 };

/* Takes the next chunk from the front of `rest`.  One that is cut is as long as what there is. */
static bool next_chunk(struct slice *rest, const uint8_t **name, struct slice *chunk, bool *cut)
{
	if (rest->size < CHUNK_HEADER)
		return false;
	uint64_t size = input_le32(rest->data + 4);
	*name = rest->data;
	*cut = size > rest->size - CHUNK_HEADER;
	*chunk = (struct slice){ rest->data + CHUNK_HEADER, *cut ? rest->size - CHUNK_HEADER : (size_t)size };
	size_t taken = CHUNK_HEADER + chunk->size;
	taken += taken % 2 && taken < rest->size;
	*rest = (struct slice){ rest->data + taken, rest->size - taken };
	return true;
}

static session_result add_pictures(struct animation *animation, struct slice list)
{
	size_t room = list.size / CHUNK_HEADER;
	const uint8_t *name = NULL;
	struct slice chunk;
	bool cut = false;

	if (animation->pictures || room == 0)
		return WIRE_OK;
	animation->pictures = malloc(room * sizeof(*animation->pictures));
	if (!animation->pictures)
		return WIRE_FAIL_LIMIT_MEMORY;
	while (animation->count < room && next_chunk(&list, &name, &chunk, &cut))
		if (memcmp(name, "icon", 4) == 0)
			animation->pictures[animation->count++] = chunk;
	return WIRE_OK;
}

static session_result take_chunk(struct animation *animation, const uint8_t *name, struct slice chunk)
{
	if (memcmp(name, "anih", 4) == 0 && chunk.size >= HEADER_LEAST) {
		animation->steps = input_le32(chunk.data + 8);
		animation->rate = input_le32(chunk.data + 28);
	} else if (memcmp(name, "rate", 4) == 0) {
		animation->rates = chunk;
	} else if (memcmp(name, "seq ", 4) == 0) {
		animation->order = chunk;
	} else if (memcmp(name, "LIST", 4) == 0 && chunk.size >= 4 && memcmp(chunk.data, "fram", 4) == 0) {
		return add_pictures(animation, (struct slice){ chunk.data + 4, chunk.size - 4 });
	}
	return WIRE_OK;
}

session_result animation_find(struct animation *animation, struct slice file)
{
	session_result result = WIRE_OK;
	const uint8_t *name = NULL;
	struct slice rest = file, chunk;
	bool cut = false;

	*animation = (struct animation){ 0 };
	if (file.size < RIFF_HEADER)
		return WIRE_FAIL_TRUNCATED;
	if (memcmp(file.data, "RIFF", 4) != 0 || memcmp(file.data + 8, "ACON", 4) != 0)
		return WIRE_FAIL_SIGNATURE;
	rest = (struct slice){ file.data + RIFF_HEADER, file.size - RIFF_HEADER };
	/* The order may stand behind the pictures, so that one that is cut tells nothing. */
	while (result == WIRE_OK && !cut && next_chunk(&rest, &name, &chunk, &cut))
		result = cut ? WIRE_FAIL_TRUNCATED : take_chunk(animation, name, chunk);
	if (result == WIRE_OK && animation->count == 0)
		result = rest.size == 0 ? WIRE_FAIL_STRUCTURE : WIRE_FAIL_TRUNCATED;
	if (animation->order.size / 4 > 0)
		animation->steps = (uint32_t)(animation->order.size / 4);
	else if (animation->steps == 0 || animation->steps > animation->count)
		animation->steps = (uint32_t)animation->count;
	if (animation->steps > MOST_STEPS)
		animation->steps = MOST_STEPS;
	return result;
}

struct slice animation_at(const struct animation *animation, uint32_t step, uint32_t *delay)
{
	bool ordered = animation->order.size / 4 > step, timed = animation->rates.size / 4 > step;
	uint32_t index = ordered ? input_le32(animation->order.data + (size_t)step * 4) : step;
	uint64_t rate = timed ? input_le32(animation->rates.data + (size_t)step * 4) : animation->rate;

	*delay = (uint32_t)(rate * 1000 / 60);
	return index < animation->count ? animation->pictures[index] : (struct slice){ 0 };
}

void animation_release(struct animation *animation)
{
	free(animation->pictures);
	animation->pictures = NULL;
}
