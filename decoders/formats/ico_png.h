/* SPDX-License-Identifier: MIT */
/* A PNG inside of an icon, which is in memory as a whole. */
#ifndef SAFE_DECODE_ICO_PNG_H
#define SAFE_DECODE_ICO_PNG_H

#include <png.h>

#include "decoders/pixels/pixels.h"
#include "decoders/runtime/decoder.h"

struct icon_png {
	struct session *session;
	png_structp png;
	png_infop info;
	const uint8_t *data;
	size_t left;
	enum wire_failure failure; /* known before libpng complains; else WIRE_OK */

	uint32_t width, height, channels, depth; /* of the file */
	enum wire_color color;
	bool alpha, icc;
	enum pixels_layout layout; /* RGB or RGBA, 8 bits a sample */
	size_t stride;
	uint8_t *pixels; /* owned */
};

bool icon_png_is_one(const uint8_t *data, size_t size);

/* Reads what is in front of the pixels; icon_png_close() is next in either case. */
session_result icon_png_open(struct icon_png *icon, struct session *session, const uint8_t *data, size_t size);

/* Reads all pixels. */
session_result icon_png_read(struct icon_png *icon);
void icon_png_close(struct icon_png *icon);

#endif
