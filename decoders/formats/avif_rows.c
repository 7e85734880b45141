/* SPDX-License-Identifier: MIT */
/*
 * From planes to rows.  libavif converts a band of the picture at a time, so that nobody holds all of it as RGB: rows
 * of what is shown, which are columns of what was decoded where it is turned.
 */
#include <stdlib.h>
#include <string.h>

#include "avif_decode.h"
#include "decoders/picture/rows.h"

enum {
	BAND_BYTES = 512 << 10,
	BAND_LEAST = 32, /* rows or columns */
	BAND_MOST = 256,
	CONTEXT = 2, /* rows and columns around a band that make its chroma what it is in the whole */
};

/* ---- where ---- */

/* A clean aperture that makes no sense is passed over, as browsers do it. */
static avifCropRect find_crop(const avifImage *image)
{
	const avifCropRect all = { .width = image->width, .height = image->height };
	avifCropRect crop = all;
	avifDiagnostics diagnostics = { { 0 } };

	if (!(image->transformFlags & AVIF_TRANSFORM_CLAP))
		return all;
#if AVIF_VERSION >= 1020000
	bool valid = avifCropRectFromCleanApertureBox(&crop, &image->clap, image->width, image->height, &diagnostics);
#else
	bool valid = avifCropRectConvertCleanApertureBox(&crop, &image->clap, image->width, image->height,
	                                                 image->yuvFormat, &diagnostics);
#endif
	valid = valid && crop.width > 0 && crop.height > 0 && crop.x < image->width && crop.y < image->height &&
	        crop.width <= image->width - crop.x && crop.height <= image->height - crop.y;
	return valid ? crop : all;
}

/* Counterclockwise by quarters. */
static void turn(struct decode *decode, unsigned quarters)
{
	decode->transposed = quarters % 2 == 1;
	decode->flip_columns = quarters == 1 || quarters == 2;
	decode->flip_rows = quarters == 2 || quarters == 3;
}

static void mirror(struct decode *decode, bool left_and_right)
{
	if (left_and_right != decode->transposed)
		decode->flip_columns = !decode->flip_columns;
	else
		decode->flip_rows = !decode->flip_rows;
}

void avif_place(struct decode *decode)
{
	const avifImage *image = decode->decoder->image;

	decode->crop = find_crop(image);
	if (image->transformFlags & AVIF_TRANSFORM_IROT)
		turn(decode, image->irot.angle % 4);
	if (image->transformFlags & AVIF_TRANSFORM_IMIR)
#if AVIF_VERSION >= 1000000
		mirror(decode, image->imir.axis == 1);
#else
		mirror(decode, image->imir.mode == 1);
#endif
	decode->image.width = decode->transposed ? decode->crop.height : decode->crop.width;
	decode->image.height = decode->transposed ? decode->crop.width : decode->crop.height;
}

bool avif_is_as_announced(const struct decode *decode)
{
	const avifImage *image = decode->decoder->image;

	return image->depth >= 8 && image->depth <= 16 && decode->crop.x < image->width &&
	       decode->crop.y < image->height && decode->crop.width <= image->width - decode->crop.x &&
	       decode->crop.height <= image->height - decode->crop.y;
}

/* ---- bands ---- */

/* Of the planes that were decoded. */
struct part {
	uint32_t start, size;
};

/* Widens a part by what its chroma depends on, within the picture. */
static struct part widen(struct part part, uint32_t most)
{
	uint32_t start = part.start > CONTEXT ? (part.start - CONTEXT) & ~UINT32_C(1) : 0;
	uint32_t end = part.size < most - part.start ? part.start + part.size : most;

	end = most - end > CONTEXT ? end + CONTEXT : most;
	return (struct part){ start, end - start };
}

static avifImage view_of(const avifImage *image, struct part columns, struct part rows)
{
	avifImage view = *image;
	size_t sample = image->depth > 8 ? 2 : 1;
	unsigned shift_x = image->yuvFormat == AVIF_PIXEL_FORMAT_YUV420 || image->yuvFormat == AVIF_PIXEL_FORMAT_YUV422;
	unsigned shift_y = image->yuvFormat == AVIF_PIXEL_FORMAT_YUV420;

	view.width = columns.size;
	view.height = rows.size;
	for (unsigned i = 0; i < AVIF_PLANE_COUNT_YUV; i++) {
		size_t x = columns.start >> (i > 0 ? shift_x : 0), y = rows.start >> (i > 0 ? shift_y : 0);
		if (view.yuvPlanes[i])
			view.yuvPlanes[i] += y * view.yuvRowBytes[i] + x * sample;
	}
	if (view.alphaPlane)
		view.alphaPlane += (size_t)rows.start * view.alphaRowBytes + columns.start * sample;
	return view;
}

/* The band is that of the view, packed. */
static session_result convert(struct decode *decode, const avifImage *view)
{
	bool deep = decode->image.depth > 8 && pixels_want_deep(&decode->image);
	bool alpha = (decode->image.flags & WIRE_IMAGE_ALPHA) != 0;
	avifRGBImage rgb = { 0 };
	size_t bytes = 0;

	decode->layout = pixels_layout_of(deep ? 2 : 1, true, alpha);
	avifRGBImageSetDefaults(&rgb, view);
	rgb.depth = deep ? 16 : 8;
	rgb.format = alpha ? AVIF_RGB_FORMAT_RGBA : AVIF_RGB_FORMAT_RGB;
	if (__builtin_mul_overflow(view->width, pixels_layout_bytes[decode->layout], &rgb.rowBytes) ||
	    __builtin_mul_overflow((size_t)rgb.rowBytes, view->height, &bytes))
		return WIRE_FAIL_LIMIT_MEMORY;
	if (bytes > decode->band_bytes) {
		free(decode->band);
		decode->band_bytes = 0;
		decode->band = malloc(bytes);
		if (!decode->band)
			return WIRE_FAIL_LIMIT_MEMORY;
		decode->band_bytes = bytes;
	}
	rgb.pixels = decode->band;
	avifResult result = avifImageYUVToRGB(view, &rgb);
	return result == AVIF_RESULT_OK              ? WIRE_OK
	       : result == AVIF_RESULT_OUT_OF_MEMORY ? WIRE_FAIL_LIMIT_MEMORY
	                                             : WIRE_FAIL_UNSUPPORTED;
}

/* Sends a row that is shown: `count` pixels from `first` on, `step` bytes from one to the next. */
static session_result send_row(struct decode *decode, const uint8_t *first, ptrdiff_t step)
{
	size_t bytes = pixels_layout_bytes[decode->layout];
	uint32_t width = decode->image.width;

	if (step == (ptrdiff_t)bytes)
		return rows_send(decode->session, &decode->image, decode->layout, first, 0, 1);
	if (!decode->row)
		decode->row = calloc(width, 8); /* bytes: a pixel of any layout */
	if (!decode->row)
		return WIRE_FAIL_LIMIT_MEMORY;
	for (uint32_t x = 0; x < width; x++)
		memcpy(decode->row + x * bytes, first + (ptrdiff_t)x * step, bytes);
	return rows_send(decode->session, &decode->image, decode->layout, decode->row, 0, 1);
}

/* Sends rows `first` to `first` + `count` of what is shown. */
static session_result send_band(struct decode *decode, uint32_t first, uint32_t count)
{
	const avifImage *image = decode->decoder->image;
	const avifCropRect *crop = &decode->crop;
	bool from_end = decode->transposed ? decode->flip_columns : decode->flip_rows;
	struct part band = { from_end ? decode->image.height - first - count : first, count };
	struct part columns = { crop->x + (decode->transposed ? band.start : 0),
		                decode->transposed ? count : crop->width };
	struct part rows = { crop->y + (decode->transposed ? 0 : band.start),
		             decode->transposed ? crop->height : count };
	struct part wide_columns = widen(columns, image->width), wide_rows = widen(rows, image->height);
	avifImage view = view_of(image, wide_columns, wide_rows);
	session_result result = convert(decode, &view);

	ptrdiff_t pixel = pixels_layout_bytes[decode->layout], stride = pixel * view.width;
	/* The first pixel of the first row that is shown, and what is between pixels and between rows. */
	uint32_t x = columns.start - wide_columns.start + (decode->flip_columns ? columns.size - 1 : 0);
	uint32_t y = rows.start - wide_rows.start + (decode->flip_rows ? rows.size - 1 : 0);
	ptrdiff_t right = decode->flip_columns ? -pixel : pixel, down = decode->flip_rows ? -stride : stride;
	ptrdiff_t place = x * pixel + y * stride;
	for (uint32_t i = 0; result == WIRE_OK && i < count; i++, place += decode->transposed ? right : down)
		result = send_row(decode, decode->band + place, decode->transposed ? down : right);
	return result;
}

session_result avif_send(struct decode *decode)
{
	size_t row_bytes = (size_t)decode->image.width * sizeof(uint64_t) / 2;
	size_t most = BAND_BYTES / row_bytes & ~(size_t)1;
	uint32_t band = most < BAND_LEAST ? BAND_LEAST : most > BAND_MOST ? BAND_MOST : (uint32_t)most;
	session_result result = WIRE_OK;

	for (uint32_t y = 0; result == WIRE_OK && y < decode->image.height; y += band) {
		uint32_t left = decode->image.height - y;
		result = send_band(decode, y, left < band ? left : band);
	}
	return result;
}
