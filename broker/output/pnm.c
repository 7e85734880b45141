/* SPDX-License-Identifier: MIT */
/* The netpbm formats: a line or two of text, then the pixels as they are. */
#include <inttypes.h>
#include <stdio.h>

#include "formats.h"

static struct outcome write_header(struct sink *sink, const char *header, int length)
{
	return length > 0 ? sink_write(sink, header, (size_t)length) : outcome_of_output("cannot write the output", 0);
}

static struct outcome begin_ppm(struct sink *sink)
{
	char header[64];
	bool gray = sink->image.pixel_format == WIRE_GRAY;

	return write_header(sink, header,
	                    snprintf(header, sizeof(header), "P%c\n%" PRIu32 " %" PRIu32 "\n255\n", gray ? '5' : '6',
	                             sink->image.width, sink->image.height));
}

static struct outcome begin_pam(struct sink *sink)
{
	static const struct {
		unsigned depth, maximum;
		const char *type;
	} types[WIRE_PIXEL_FORMATS] = {
		[WIRE_GRAY] = { 1, 255, "GRAYSCALE" },
		[WIRE_RGB] = { 3, 255, "RGB" },
		[WIRE_RGBA] = { 4, 255, "RGB_ALPHA" },
		[WIRE_RGBA16] = { 4, 65535, "RGB_ALPHA" },
	};
	char header[160];
	uint32_t format = sink->image.pixel_format;

	return write_header(sink, header,
	                    snprintf(header, sizeof(header),
	                             "P7\nWIDTH %" PRIu32 "\nHEIGHT %" PRIu32
	                             "\nDEPTH %u\nMAXVAL %u\nTUPLTYPE %s\nENDHDR\n",
	                             sink->image.width, sink->image.height, types[format].depth, types[format].maximum,
	                             types[format].type));
}

#define PAM_FORMATS                                                                                                    \
	(WIRE_FORMAT_BIT(WIRE_GRAY) | WIRE_FORMAT_BIT(WIRE_RGB) | WIRE_FORMAT_BIT(WIRE_RGBA) |                         \
	 WIRE_FORMAT_BIT(WIRE_RGBA16))

const struct sink_format sink_pam = {
	.name = "pam",
	.extensions = "pam",
	.description = "Portable Arbitrary Map: gray, RGB or RGBA, 8 or 16 bits",
	.accepted = PAM_FORMATS,
	.preferred = PAM_FORMATS,
	.takes_frames = true,
	.writer.begin = begin_pam,
};

const struct sink_format sink_ppm = {
	.name = "ppm",
	.extensions = "ppm pgm pnm",
	.description = "Portable Pixmap: RGB without alpha, or gray with -p gray",
	.accepted = WIRE_FORMAT_BIT(WIRE_RGB) | WIRE_FORMAT_BIT(WIRE_GRAY),
	.preferred = WIRE_FORMAT_BIT(WIRE_RGB),
	.takes_frames = true,
	.writer.begin = begin_ppm,
};
