/* SPDX-License-Identifier: MIT */
/* PNG, as far as it is known without its module. */
#include "formats.h"

#define PNG_FORMATS                                                                                                    \
	(WIRE_FORMAT_BIT(WIRE_GRAY) | WIRE_FORMAT_BIT(WIRE_RGB) | WIRE_FORMAT_BIT(WIRE_RGBA) |                         \
	 WIRE_FORMAT_BIT(WIRE_RGBA16))

const struct sink_format sink_png = {
	.name = "png",
	.extensions = "png",
	.description = "PNG: gray, RGB or RGBA, 8 or 16 bits",
	.accepted = PNG_FORMATS,
	.preferred = PNG_FORMATS,
	.module = "png",
};
