/* SPDX-License-Identifier: MIT */
/* The output formats, each from a file of its own, and what they share. */
#ifndef SAFE_DECODE_SINK_FORMATS_H
#define SAFE_DECODE_SINK_FORMATS_H

#include "sink.h"

extern const struct sink_format sink_raw;
extern const struct sink_format sink_pam;
extern const struct sink_format sink_ppm;
extern const struct sink_format sink_png;
extern const struct sink_format sink_bmp;
extern const struct sink_format sink_wav;
extern const struct sink_format sink_preview;

/* What PNG and PAM hold: gray and RGB, with and without alpha, 8 or 16 bits. */
#define SINK_PLAIN_PIXELS                                                                                              \
	(WIRE_FORMAT_BIT(WIRE_GRAY) | WIRE_FORMAT_BIT(WIRE_GRAY_ALPHA) | WIRE_FORMAT_BIT(WIRE_RGB) |                   \
	 WIRE_FORMAT_BIT(WIRE_RGBA) | WIRE_FORMAT_BIT(WIRE_GRAY16) | WIRE_FORMAT_BIT(WIRE_GRAY_ALPHA16) |              \
	 WIRE_FORMAT_BIT(WIRE_RGB16) | WIRE_FORMAT_BIT(WIRE_RGBA16))

/* All pixel formats, and all sample formats. */
#define SINK_ANY_PIXELS (WIRE_FORMAT_BIT(WIRE_PIXEL_FORMATS) - 1)
#define SINK_ANY_SAMPLES (WIRE_FORMAT_BIT(WIRE_SAMPLE_FORMATS) - 1)

/* The shape of sound for the preview: zero at first. */
struct waveform {
	uint16_t peaks[160]; /* of as many spans of the same length */
	size_t filled;
	uint64_t span; /* samples, all channels counted */
	uint64_t left; /* of the span that is being filled */
};

/* Takes `count` S16 samples. */
void waveform_add(struct waveform *waveform, const uint8_t *samples, size_t count);

/* Writes one line of text, `columns` wide at most: blocks of eight heights, or else ASCII. */
enum { WAVEFORM_TEXT = 160 * 3 + 2 }; /* bytes of it at most */
size_t waveform_draw(const struct waveform *waveform, size_t columns, bool blocks, char text[WAVEFORM_TEXT]);

#endif
