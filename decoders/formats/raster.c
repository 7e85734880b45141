/* SPDX-License-Identifier: MIT */
/*
 * TGA, PCX and Sun raster: rows of pixels, plain or with run lengths.
 *
 * pkg-config: none
 */
#include "raster.h"

#include <stdlib.h>
#include <string.h>

#include "decoders/picture/rows.h"
#include "decoders/runtime/decoder.h"

/* In the order of broker/recognise/registry.c. */
static const struct raster_format *const formats[] = { &raster_tga, &raster_pcx, &raster_sun };

session_result raster_read_plain(struct raster *raster)
{
	struct dib *dib = &raster->dib;
	size_t size = dib->stride * dib->height;
	size_t got = input_take(&raster->input, dib->data, size);

	dib->rows_known = (uint32_t)(got / dib->stride);
	return got == size ? WIRE_OK : WIRE_FAIL_TRUNCATED;
}

static session_result announce(struct raster *raster, struct wire_image *image)
{
	const struct dib *dib = &raster->dib;
	session_result result = session_check_size(raster->session, dib->width, dib->height, 1);

	if (result != WIRE_OK)
		return result;
	*image = (struct wire_image){ .width = dib->width,
		                      .height = dib->height,
		                      .frames = 1,
		                      .color = raster->color,
		                      .channels = raster->channels,
		                      .depth = raster->depth,
		                      .flags = dib_has_alpha(dib) ? WIRE_IMAGE_ALPHA : 0 };
	image->pixel_format = session_choose_format(raster->session, image);
	session_needs(raster->session, ((uint64_t)dib->stride + 8) * dib->height + (uint64_t)dib->width * 4);
	result = session_image(raster->session, image);
	return result == WIRE_OK ? session_frame(raster->session, 0) : result;
}

static void turn_round(uint8_t *row, size_t width, size_t bytes)
{
	uint8_t *left = row, *right = row + (width - 1) * bytes;

	for (; left < right; left += bytes, right -= bytes)
		for (size_t i = 0; i < bytes; i++) {
			uint8_t byte = left[i];
			left[i] = right[i];
			right[i] = byte;
		}
}

static session_result send(struct raster *raster, const struct wire_image *image, uint8_t *row)
{
	const struct dib *dib = &raster->dib;
	enum pixels_layout layout = dib_layout(dib);
	session_result result = WIRE_OK;

	for (uint32_t y = 0; y < dib->rows_known && result == WIRE_OK; y++) {
		dib_convert_at(dib, y, row);
		if (raster->right_to_left)
			turn_round(row, dib->width, pixels_layout_bytes[layout]);
		result = rows_send(raster->session, image, layout, row, 0, 1);
	}
	return result;
}

static session_result check_end(struct raster *raster)
{
	const uint8_t *data = NULL;
	session_result result = WIRE_OK;

	if (raster->dib.flaw != WIRE_OK)
		result = session_flaw(raster->session, WIRE_NOTE_END, raster->dib.flaw);
	if (result == WIRE_OK && !raster->anything_follows && input_look(&raster->input, &data) > 0)
		result = session_flaw(raster->session, WIRE_NOTE_TRAILING, WIRE_FAIL_TRAILING);
	return result;
}

static session_result read_pixels(struct raster *raster, const struct raster_format *format)
{
	struct dib *dib = &raster->dib;
	bool alpha = dib->masks[DIB_ALPHA] != 0;
	session_result result = format->pixels(raster);

	dib->alpha_used = dib_find_alpha(dib);
	/* Nobody knows what those are that were read. */
	if (result != WIRE_OK && (!dib->top_down || (alpha && !dib->alpha_used) || raster->late_palette))
		dib->rows_known = 0;
	return result;
}

static session_result decode_pixels(struct raster *raster, const struct raster_format *format,
                                    const struct wire_image *image)
{
	struct dib *dib = &raster->dib;
	size_t size = 0;

	if (__builtin_mul_overflow(dib->stride, dib->height, &size))
		return WIRE_FAIL_LIMIT_MEMORY;
	uint8_t *row = malloc((size_t)dib->width * 4);
	dib->data = malloc(size);
	session_result read = row && dib->data ? read_pixels(raster, format) : WIRE_FAIL_LIMIT_MEMORY;
	session_result result = read;
	if (read != WIRE_FAIL_LIMIT_MEMORY)
		result = send(raster, image, row);
	free(row);
	if (result != WIRE_OK)
		return result;
	return read == WIRE_OK ? check_end(raster) : session_damage(raster->session, (enum wire_failure)read);
}

static session_result decode_raster(struct session *session)
{
	struct raster raster = { .session = session, .input = { .session = session }, .depth = 8, .channels = 3 };
	struct wire_image image = { 0 };
	uint32_t variant = session_request(session)->variant;
	const struct raster_format *format = formats[variant < sizeof(formats) / sizeof(formats[0]) ? variant : 0];

	dib_clear_palette(&raster.dib);
	session_result result = format->header(&raster);
	if (result == WIRE_OK)
		result = announce(&raster, &image);
	if (result == WIRE_OK)
		result = decode_pixels(&raster, format, &image);
	dib_release(&raster.dib);
	return result;
}

const struct decoder decoder = {
	.name = "raster",
	.decode = decode_raster,
};
