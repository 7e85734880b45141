/* SPDX-License-Identifier: MIT */
/* Pixels as they are in the file, and those that are run-length coded. */
#include <stdlib.h>
#include <string.h>

#include "dib.h"

void dib_release(struct dib *dib)
{
	free(dib->data);
	free(dib->drawn);
	free(dib->mask);
	dib->data = dib->drawn = dib->mask = NULL;
}

static bool is_coded(const struct dib *dib)
{
	return dib->coding != DIB_PLAIN;
}

bool dib_streams(const struct dib *dib)
{
	return !is_coded(dib) && dib->top_down && !dib->icon && dib->masks[DIB_ALPHA] == 0;
}

uint64_t dib_needs(const struct dib *dib)
{
	uint64_t rows = dib_streams(dib) ? 1 : dib->height, row = (uint64_t)dib->stride + 8;

	if (is_coded(dib))
		row += dib->width / 8;
	if (dib->icon)
		row += dib->mask_stride;
	return rows * row;
}

/* ---- run lengths ---- */

struct runs {
	struct dib *dib;
	struct input *input;
	uint32_t x, y; /* y counts from the first row of the file */
};

static bool is_past_end(const struct runs *runs, uint32_t rows)
{
	return rows >= runs->dib->height - runs->y;
}

/* Sets the next pixel: a byte, or three. */
static void draw(struct runs *runs, const uint8_t *sample)
{
	struct dib *dib = runs->dib;
	size_t place = (size_t)runs->y * dib->width + runs->x;
	size_t bytes = dib->coding == DIB_RLE24 ? 3 : 1;

	memcpy(dib->data + place * bytes, sample, bytes);
	dib->drawn[place / 8] |= (uint8_t)(0x80 >> place % 8);
	runs->x++;
}

/* Too long a run is cut: there are writers that do not count. */
static session_result draw_run(struct runs *runs, const uint8_t *command)
{
	struct dib *dib = runs->dib;
	uint8_t samples[3] = { command[1], command[1], 0 };
	uint32_t left = dib->width - runs->x;
	uint32_t count = command[0] < left ? command[0] : left;

	if (dib->coding == DIB_RLE24 && input_take(runs->input, samples + 1, 2) < 2)
		return WIRE_FAIL_TRUNCATED;
	if (dib->coding == DIB_RLE4) {
		samples[0] = command[1] >> 4;
		samples[1] = command[1] & 15;
	}
	for (uint32_t i = 0; i < count; i++)
		draw(runs, dib->coding == DIB_RLE24 ? samples : samples + i % 2);
	return WIRE_OK;
}

static session_result draw_literally(struct runs *runs, uint32_t count)
{
	struct dib *dib = runs->dib;
	uint8_t bytes[UINT8_MAX * 3 + 1], nibble = 0;
	size_t least = dib->coding == DIB_RLE24 ? (size_t)count * 3 : dib->coding == DIB_RLE4 ? (count + 1) / 2 : count;
	size_t got = input_take(runs->input, bytes, least + least % 2);

	if (count > dib->width - runs->x)
		return WIRE_FAIL_DATA;
	if (got < least)
		return WIRE_FAIL_TRUNCATED;
	for (size_t i = 0; i < count; i++) {
		nibble = i % 2 == 0 ? bytes[i / 2] >> 4 : bytes[i / 2] & 15;
		draw(runs, dib->coding == DIB_RLE4 ? &nibble : bytes + i * (dib->coding == DIB_RLE24 ? 3 : 1));
	}
	return WIRE_OK;
}

static session_result move(struct runs *runs)
{
	uint8_t step[2];

	if (input_take(runs->input, step, sizeof(step)) < sizeof(step))
		return WIRE_FAIL_TRUNCATED;
	if (step[0] > runs->dib->width - runs->x || is_past_end(runs, step[1]))
		return WIRE_FAIL_DATA;
	runs->x += step[0];
	runs->y += step[1];
	return WIRE_OK;
}

enum { END_OF_LINE, END_OF_PICTURE, MOVE };

/* One command; *ended: it was the last. */
static session_result obey(struct runs *runs, const uint8_t *command, bool *ended)
{
	if (command[0] == 0 && command[1] == END_OF_PICTURE) {
		*ended = true;
		return WIRE_OK;
	}
	if (command[0] > 0)
		return draw_run(runs, command);
	if (command[1] == MOVE)
		return move(runs);
	if (command[1] != END_OF_LINE)
		return draw_literally(runs, command[1]);
	runs->x = 0;
	runs->y++;
	return WIRE_OK;
}

static session_result read_runs(struct dib *dib, struct input *input)
{
	struct runs runs = { .dib = dib, .input = input };
	session_result result = WIRE_OK;
	bool ended = false;
	uint8_t command[2];

	while (result == WIRE_OK && !ended) {
		bool complete = runs.y == dib->height || (runs.x == dib->width && is_past_end(&runs, 1));
		if (input_take(input, command, sizeof(command)) < sizeof(command))
			result = WIRE_FAIL_TRUNCATED;
		else if (runs.y == dib->height && (command[0] > 0 || command[1] != END_OF_PICTURE))
			result = WIRE_FAIL_DATA;
		else
			result = obey(&runs, command, &ended);
		dib->rows_known = runs.y;
		/* Nothing of the picture is missing then. */
		if (result != WIRE_OK && complete) {
			dib->flaw = (enum wire_failure)result;
			result = WIRE_OK;
			ended = true;
		}
	}
	if (ended)
		dib->rows_known = dib->height;
	return result;
}

/* ---- plain pixels ---- */

static session_result read_rows(struct dib *dib, struct input *input)
{
	size_t size = dib->stride * dib->height;
	size_t got = input_take(input, dib->data, size);

	dib->rows_known = (uint32_t)(got / dib->stride);
	if (got == size)
		return WIRE_OK;
	/* Nothing but the padding of the last row. */
	if (dib->rows_known + 1 < dib->height || got % dib->stride < dib->least)
		return WIRE_FAIL_TRUNCATED;
	dib->rows_known++;
	dib->flaw = WIRE_FAIL_TRUNCATED;
	return WIRE_OK;
}

session_result dib_read_row(struct dib *dib, struct input *input, uint8_t *row)
{
	size_t got = input_take(input, row, dib->stride);

	if (got < dib->least || (got < dib->stride && dib->rows_known + 1 < dib->height))
		return WIRE_FAIL_TRUNCATED;
	if (got < dib->stride)
		dib->flaw = WIRE_FAIL_TRUNCATED;
	dib->rows_known++;
	return WIRE_OK;
}

/* There are writers that fill alpha with zeros and mean nothing by it. */
bool dib_find_alpha(const struct dib *dib)
{
	uint32_t mask = dib->masks[DIB_ALPHA];
	size_t bytes = dib->bits / 8;

	for (uint32_t y = 0; mask != 0 && y < dib->rows_known; y++) {
		const uint8_t *pixel = dib->data + y * dib->stride;
		for (uint32_t x = 0; x < dib->width; x++, pixel += bytes)
			if ((bytes == 2 ? input_le16(pixel) : input_le32(pixel)) & mask)
				return true;
	}
	return false;
}

static session_result read_mask(struct dib *dib, struct input *input)
{
	size_t size = 0, last = ((size_t)dib->width + 7) / 8;

	if (__builtin_mul_overflow(dib->mask_stride, dib->height, &size))
		return WIRE_FAIL_LIMIT_MEMORY;
	dib->mask = malloc(size);
	if (!dib->mask)
		return WIRE_FAIL_LIMIT_MEMORY;
	size_t got = input_take(input, dib->mask, size);
	if (got < size)
		dib->flaw = WIRE_FAIL_TRUNCATED;
	return got >= size - dib->mask_stride + last ? WIRE_OK : WIRE_FAIL_TRUNCATED;
}

session_result dib_read(struct dib *dib, struct input *input)
{
	size_t size = 0;

	if (__builtin_mul_overflow(dib->stride, dib->height, &size))
		return WIRE_FAIL_LIMIT_MEMORY;
	dib->data = is_coded(dib) ? calloc(size, 1) : malloc(size);
	if (is_coded(dib))
		dib->drawn = calloc((size_t)((uint64_t)dib->width * dib->height / 8 + 1), 1);
	if (!dib->data || (is_coded(dib) && !dib->drawn))
		return WIRE_FAIL_LIMIT_MEMORY;
	session_result result = is_coded(dib) ? read_runs(dib, input) : read_rows(dib, input);
	dib->alpha_used = dib_find_alpha(dib);
	if (result == WIRE_OK && dib->icon && !dib->alpha_used)
		result = read_mask(dib, input);
	/* Without the rest, nobody knows what they are. */
	if (result != WIRE_OK && (!dib->top_down || dib->icon || (dib->masks[DIB_ALPHA] != 0 && !dib->alpha_used)))
		dib->rows_known = 0;
	return result;
}
