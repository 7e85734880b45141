/* SPDX-License-Identifier: MIT */
#include "info.h"

#include <inttypes.h>

#include "escape.h"

static const char *const color_names[WIRE_COLORS] = {
	[WIRE_COLOR_GRAY] = "gray", [WIRE_COLOR_RGB] = "rgb",   [WIRE_COLOR_YCBCR] = "ycbcr",
	[WIRE_COLOR_CMYK] = "cmyk", [WIRE_COLOR_YCCK] = "ycck", [WIRE_COLOR_PALETTE] = "palette",
};

static const char *boolean(uint32_t bits)
{
	return bits ? "true" : "false";
}

void info_print(FILE *stream, const char *input, const struct safe_format *format, const struct wire_image *image)
{
	fputs("{\"file\": ", stream);
	escape_json(stream, input);
	fprintf(stream, ", \"format\": \"%s\", \"kind\": \"%s\"", format->name, image ? "image" : "bytes");
	if (image) {
		fprintf(stream,
		        ", \"width\": %" PRIu32 ", \"height\": %" PRIu32 ", \"channels\": %" PRIu32
		        ", \"depth\": %" PRIu32 ", \"alpha\": %s, \"color\": \"%s\"",
		        image->width, image->height, image->channels, image->depth,
		        boolean(image->flags & WIRE_IMAGE_ALPHA), color_names[image->color]);
		fprintf(stream, ", \"progressive\": %s, \"arithmetic\": %s, \"icc\": %s, \"frames\": %" PRIu32,
		        boolean(image->flags & WIRE_IMAGE_PROGRESSIVE), boolean(image->flags & WIRE_IMAGE_ARITHMETIC),
		        boolean(image->flags & WIRE_IMAGE_ICC), image->file_frames);
		if (image->orientation != 0)
			fprintf(stream, ", \"orientation\": %" PRIu32, image->orientation);
		else
			fputs(", \"orientation\": null", stream);
	}
	fputs("}\n", stream);
}
