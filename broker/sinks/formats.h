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
extern const struct sink_format sink_preview;

/* All pixel formats. */
#define SINK_ANY_PIXELS (WIRE_FORMAT_BIT(WIRE_PIXEL_FORMATS) - 1)

#endif
