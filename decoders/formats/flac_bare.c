/* SPDX-License-Identifier: MIT */
#include "flac_bare.h"

#include <string.h>

#include "decoders/sound/id3.h"
#include "decoders/sound/tail_tags.h"

static void remember(struct flac_bare *bare, const uint8_t *data, size_t size)
{
	size_t kept = bare->recent_size < FLAC_BARE_BEFORE ? bare->recent_size : FLAC_BARE_BEFORE;

	memmove(bare->recent, bare->recent + bare->recent_size - kept, kept);
	memcpy(bare->recent + kept, data, size);
	bare->recent_size = kept + size;
}

static bool skip_tag(struct input *input)
{
	return id3_skip(input) || tail_tag_skip(input, true);
}

/* Where the last frame ends, passes over tags.  Returns whether there are any. */
static bool skip_tags(struct flac_bare *bare, uint64_t frame_end)
{
	const uint8_t *next = NULL;

	bare->looked_at = frame_end;
	/* A place that is farther back is one behind which libFLAC found only damage. */
	if (frame_end > bare->given || bare->given - frame_end > bare->recent_size)
		return false;
	size_t ahead = (size_t)(bare->given - frame_end);
	uint8_t *start = bare->recent + bare->recent_size - ahead;
	/* All tags start with one of these, and no frame does: there, more than a byte is waited for. */
	if (ahead > 0)
		next = start;
	else if (input_look(bare->input, &next) == 0)
		return false;
	if (*next != 'A' && *next != 'I' && *next != 'L' && *next != 'T')
		return false;
	input_return(bare->input, start, ahead);
	while (skip_tag(bare->input))
		bare->over = true;
	if (bare->over)
		bare->more = input_look(bare->input, &next) > 0;
	else
		(void)input_skip(bare->input, ahead);
	return bare->over;
}

size_t flac_bare_read(struct flac_bare *bare, void *to, size_t size, uint64_t frame_end)
{
	const uint8_t *data = NULL;

	if (bare->over || (frame_end > bare->looked_at && skip_tags(bare, frame_end)))
		return 0;
	size_t part = input_look(bare->input, &data);
	if (size > FLAC_BARE_PIECE)
		size = FLAC_BARE_PIECE;
	if (size > part)
		size = part;
	if (size == 0)
		return 0;
	memcpy(to, data, size);
	remember(bare, data, size);
	input_used(bare->input, size);
	bare->given += size;
	return size;
}
