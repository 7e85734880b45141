/* SPDX-License-Identifier: MIT */
/* libjxl gives pieces of rows, group by group: each row is kept until it is complete and all above it are sent. */
#include <stdlib.h>
#include <string.h>

#include "decoders/picture/rows.h"
#include "decoders/pixels/light.h"
#include "jxl_decode.h"

session_result jxl_begin_rows(struct decode *decode)
{
	jxl_end_rows(decode);
	decode->rows_sent = 0;
	decode->rows = calloc(decode->image.height, sizeof(*decode->rows));
	decode->filled = calloc(decode->image.height, sizeof(*decode->filled));
	return decode->rows && decode->filled ? WIRE_OK : WIRE_FAIL_LIMIT_MEMORY;
}

bool jxl_all_rows_sent(const struct decode *decode)
{
	return decode->rows_sent == decode->image.height;
}

void jxl_end_rows(struct decode *decode)
{
	for (uint32_t y = 0; decode->rows && y < decode->image.height; y++)
		free(decode->rows[y]);
	free(decode->rows);
	free(decode->filled);
	decode->rows = NULL;
	decode->filled = NULL;
}

static void send_rows(struct decode *decode)
{
	while (decode->rows_result == WIRE_OK && decode->rows_sent < decode->image.height &&
	       decode->filled[decode->rows_sent] >= decode->image.width) {
		uint8_t **row = &decode->rows[decode->rows_sent++];
		decode->rows_result = rows_send(decode->session, &decode->image, decode->layout, *row, 0, 1);
		free(*row);
		*row = NULL;
	}
}

/* But for alpha, which is light already. */
static void make_light(const struct decode *decode, float *samples, size_t count)
{
	size_t channels = decode->image.channels, colors = channels - (channels % 2 == 0 ? 1 : 0);

	for (size_t x = 0; x < count; x++, samples += channels)
		for (size_t i = 0; i < colors; i++)
			samples[i] = light_of_float(samples[i]);
}

void jxl_take_pixels(void *opaque, size_t x, size_t y, size_t count, const void *pixels)
{
	struct decode *decode = opaque;
	size_t bytes = pixels_layout_bytes[decode->layout];
	uint32_t width = decode->image.width;

	if (decode->rows_result != WIRE_OK || y < decode->rows_sent || y >= decode->image.height || x > width ||
	    count > width - x)
		return;
	uint8_t **row = &decode->rows[y];
	if (!*row)
		*row = calloc(width, bytes);
	if (!*row) {
		decode->rows_result = WIRE_FAIL_LIMIT_MEMORY;
		return;
	}
	memcpy(*row + x * bytes, pixels, count * bytes);
	if (decode->data_type == JXL_TYPE_FLOAT && decode->encoded)
		make_light(decode, (float *)(void *)*row + x * (bytes / sizeof(float)), count);
	decode->filled[y] += (uint32_t)count;
	if (y == decode->rows_sent)
		send_rows(decode);
}
