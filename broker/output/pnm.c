/* SPDX-License-Identifier: MIT */
/* The netpbm formats: a line or two of text, then the pixels as they are; but 16 bits have the higher byte first. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/wire/pixel_forms.h"
#include "formats.h"

static struct outcome write_swapped(struct sink *sink, const uint8_t *row)
{
	uint8_t *swapped = sink->state;

	for (size_t i = 0; i < sink->stride; i += 2) {
		swapped[i] = row[i + 1];
		swapped[i + 1] = row[i];
	}
	return sink_write(sink, swapped, sink->stride);
}

/* Bytes go out as they are, without being gathered to rows. */
static struct outcome begin(struct sink *sink, const char *header, int length)
{
	bool deep = wire_pixels_deep(sink->image.pixel_format);

	sink->writer.row = deep ? write_swapped : NULL;
	sink->state = deep ? malloc(sink->stride) : NULL;
	if (deep && !sink->state)
		return outcome_of(SDEC_IO, "no memory for the output");
	return length > 0 ? sink_write(sink, header, (size_t)length) : outcome_of_output("cannot write the output", 0);
}

static void release(struct sink *sink)
{
	free(sink->state);
}

/* The largest sample. */
static unsigned maximum(const struct sink *sink)
{
	return wire_pixels_deep(sink->image.pixel_format) ? UINT16_MAX : UINT8_MAX;
}

static struct outcome begin_ppm(struct sink *sink)
{
	char header[64];
	bool gray = wire_pixel_forms[sink->image.pixel_format].channels == 1;

	return begin(sink, header,
	             snprintf(header, sizeof(header), "P%c\n%" PRIu32 " %" PRIu32 "\n%u\n", gray ? '5' : '6',
	                      sink->image.width, sink->image.height, maximum(sink)));
}

static struct outcome begin_pam(struct sink *sink)
{
	static const char *const types[] = { "", "GRAYSCALE", "GRAYSCALE_ALPHA", "RGB", "RGB_ALPHA" };
	char header[160];
	unsigned depth = wire_pixel_forms[sink->image.pixel_format].channels;

	return begin(sink, header,
	             snprintf(header, sizeof(header),
	                      "P7\nWIDTH %" PRIu32 "\nHEIGHT %" PRIu32 "\nDEPTH %u\nMAXVAL %u\nTUPLTYPE %s\nENDHDR\n",
	                      sink->image.width, sink->image.height, depth, maximum(sink), types[depth]));
}

#define PPM_FORMATS                                                                                                    \
	(WIRE_FORMAT_BIT(WIRE_GRAY) | WIRE_FORMAT_BIT(WIRE_RGB) | WIRE_FORMAT_BIT(WIRE_GRAY16) |                       \
	 WIRE_FORMAT_BIT(WIRE_RGB16))

const struct sink_format sink_pam = {
	.name = "pam",
	.extensions = "pam",
	.description = "Portable Arbitrary Map: gray or RGB, also with alpha, 8 or 16 bits",
	.accepted = SINK_PLAIN_PIXELS,
	.preferred = SINK_PLAIN_PIXELS,
	.takes_frames = true,
	.writer.begin = begin_pam,
	.writer.release = release,
};

const struct sink_format sink_ppm = {
	.name = "ppm",
	.extensions = "ppm pgm pnm",
	.description = "Portable Pixmap: RGB, or gray with -p gray; 16 bits with -p rgb16",
	.accepted = PPM_FORMATS,
	.preferred = WIRE_FORMAT_BIT(WIRE_RGB),
	.takes_frames = true,
	.writer.begin = begin_ppm,
	.writer.release = release,
};
