/* SPDX-License-Identifier: MIT */
/* From libtiff to the session: row by row where a row can be had alone, else by strips, or by rows of tiles. */
#include <stdlib.h>

#include "decoders/picture/rows.h"
#include "tiff_decode.h"

enum {
	MEMORY_BESIDES = 512 << 10, /* of libtiff and the codecs */
};

/* Whether libtiff can be asked for single rows without decoding any twice. */
static bool gives_rows(const struct tiff_form *form)
{
	return !form->tiled && !form->planar && !form->clumped;
}

/* ---- room ---- */

/* The bytes of a chunk, and of a row in it; what libtiff thinks must be as much. */
static session_result measure_chunk(struct decode *decode)
{
	struct tiff_form *form = &decode->form;
	size_t bits = 0, needed = 0;
	tmsize_t size = gives_rows(form) ? TIFFScanlineSize(decode->tiff)
	                : form->tiled    ? TIFFTileSize(decode->tiff)
	                                 : TIFFStripSize(decode->tiff);

	if (size <= 0)
		return tiff_failure(decode, WIRE_FAIL_HEADER);
	/* At most 2^32 times 2^16 times 2^6. */
	bits = (size_t)form->chunk_width * (form->planar ? 1 : form->samples) * form->bits;
	decode->chunk_row = (bits + 7) / 8;
	needed = decode->chunk_row;
	if (form->clumped)
		needed = tiff_clumps_size(form, form->chunk_height);
	else if (!gives_rows(form) && __builtin_mul_overflow(needed, form->chunk_height, &needed))
		return WIRE_FAIL_HEADER;
	decode->chunk_size = (size_t)size;
	return decode->chunk_size >= needed ? WIRE_OK : WIRE_FAIL_STRUCTURE;
}

/* The largest of the page's strips or tiles, as it is in the file. */
static uint64_t largest_stored(struct decode *decode)
{
	uint32_t count = decode->form.tiled ? TIFFNumberOfTiles(decode->tiff) : TIFFNumberOfStrips(decode->tiff);
	uint64_t largest = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint64_t size = TIFFGetStrileByteCount(decode->tiff, i);
		if (size > largest && size <= decode->input.size)
			largest = size;
	}
	return largest;
}

static void tell_needs(struct decode *decode, size_t rows)
{
	const struct tiff_form *form = &decode->form;
	uint64_t needs = 0;

	if (__builtin_mul_overflow(decode->chunk_size, form->planar ? form->used : 1, &needs) ||
	    __builtin_add_overflow(needs, rows + decode->input.held + largest_stored(decode) + MEMORY_BESIDES, &needs))
		return;
	session_needs(decode->session, needs);
}

session_result tiff_prepare_rows(struct decode *decode)
{
	const struct tiff_form *form = &decode->form;
	uint32_t height = decode->image.height;
	size_t rows = form->tiled ? form->chunk_height < height ? form->chunk_height : height : 1;
	size_t row_bytes = (size_t)decode->image.width * pixels_layout_bytes[form->layout], size = 0;
	session_result result = measure_chunk(decode);

	if (result != WIRE_OK)
		return result;
	if (__builtin_mul_overflow(row_bytes, rows, &size))
		return WIRE_FAIL_LIMIT_MEMORY;
	tell_needs(decode, size);
	/* Zeroed: what a codec leaves out must not be old memory. */
	for (unsigned i = 0; i < (form->planar ? form->used : 1); i++) {
		decode->chunks[i] = calloc(1, decode->chunk_size);
		if (!decode->chunks[i])
			return WIRE_FAIL_LIMIT_MEMORY;
	}
	decode->rows = malloc(size);
	decode->scratch = calloc((size_t)decode->image.width, (size_t)TIFF_USED_MAX * 2);
	return decode->rows && decode->scratch ? WIRE_OK : WIRE_FAIL_LIMIT_MEMORY;
}

/* ---- chunks ---- */

/* The strip or tile at a place, or a part of it for each sample that is looked at.  Whether all is well. */
static bool read_chunk(struct decode *decode, uint32_t x, uint32_t y)
{
	const struct tiff_form *form = &decode->form;
	tmsize_t size = (tmsize_t)decode->chunk_size;

	for (unsigned i = 0; i < (form->planar ? form->used : 1); i++) {
		uint16_t sample = (uint16_t)(i < form->colors ? i : form->alpha);
		tmsize_t got = 0;
		if (form->tiled)
			got = TIFFReadEncodedTile(decode->tiff, TIFFComputeTile(decode->tiff, x, y, 0, sample),
			                          decode->chunks[i], size);
		else
			got = TIFFReadEncodedStrip(decode->tiff, TIFFComputeStrip(decode->tiff, y, sample),
			                           decode->chunks[i], size);
		if (got < 0 || decode->complaint != WIRE_OK)
			return false;
	}
	return true;
}

/* `count` pixels of row `y` of the chunk. */
static void convert_row(struct decode *decode, size_t y, size_t count, uint8_t *to)
{
	const struct tiff_form *form = &decode->form;
	const uint8_t *planes[TIFF_USED_MAX] = { NULL };

	if (form->clumped) {
		tiff_convert_clumps(decode, decode->chunks[0], y, count, to);
		return;
	}
	for (unsigned i = 0; i < (form->planar ? form->used : 1); i++)
		planes[i] = decode->chunks[i] + y * decode->chunk_row;
	tiff_convert(decode, planes, count, to);
}

static session_result send(struct decode *decode, size_t count)
{
	size_t stride = (size_t)decode->image.width * pixels_layout_bytes[decode->form.layout];

	return rows_send(decode->session, &decode->image, decode->form.layout, decode->rows, stride, count);
}

/* libtiff could not read on. */
static session_result end_at_damage(struct decode *decode)
{
	enum wire_failure failure = tiff_failure(decode, WIRE_FAIL_DATA);

	return failure < WIRE_FAIL_UNSUPPORTED ? session_damage(decode->session, failure) : failure;
}

/* ---- the page ---- */

static session_result send_single_rows(struct decode *decode)
{
	session_result result = WIRE_OK;

	for (uint32_t y = 0; y < decode->image.height && result == WIRE_OK; y++) {
		if (TIFFReadScanline(decode->tiff, decode->chunks[0], y, 0) < 0 || decode->complaint != WIRE_OK)
			return end_at_damage(decode);
		convert_row(decode, 0, decode->image.width, decode->rows);
		result = send(decode, 1);
	}
	return result;
}

static uint32_t rows_of_chunk(const struct decode *decode, uint32_t y)
{
	uint32_t left = decode->image.height - y;

	return decode->form.chunk_height < left ? decode->form.chunk_height : left;
}

static session_result send_strips(struct decode *decode)
{
	session_result result = WIRE_OK;
	uint32_t count = 0;

	for (uint32_t top = 0; top < decode->image.height && result == WIRE_OK; top += count) {
		count = rows_of_chunk(decode, top);
		if (!read_chunk(decode, 0, top))
			return end_at_damage(decode);
		for (uint32_t y = 0; y < count && result == WIRE_OK; y++) {
			convert_row(decode, y, decode->image.width, decode->rows);
			result = send(decode, 1);
		}
	}
	return result;
}

static session_result send_tiles(struct decode *decode)
{
	const struct tiff_form *form = &decode->form;
	uint32_t width = decode->image.width, across = 0, count = 0;
	size_t pixel = pixels_layout_bytes[form->layout];
	session_result result = WIRE_OK;

	for (uint32_t top = 0; top < decode->image.height && result == WIRE_OK; top += count) {
		count = rows_of_chunk(decode, top);
		for (uint32_t left = 0; left < width; left += across) {
			across = form->chunk_width < width - left ? form->chunk_width : width - left;
			if (!read_chunk(decode, left, top))
				return end_at_damage(decode);
			for (uint32_t y = 0; y < count; y++)
				convert_row(decode, y, across, decode->rows + ((size_t)y * width + left) * pixel);
		}
		result = send(decode, count);
	}
	return result;
}

session_result tiff_send_rows(struct decode *decode)
{
	decode->complaint = WIRE_OK;
	decode->past_end = false;
	if (decode->form.tiled)
		return send_tiles(decode);
	return gives_rows(&decode->form) ? send_single_rows(decode) : send_strips(decode);
}
