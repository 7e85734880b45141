/* SPDX-License-Identifier: MIT */
/* PNG, as far as it is known without its module. */
#include "formats.h"

const struct sink_format sink_png = {
	.name = "png",
	.extensions = "png",
	.description = "PNG: gray or RGB, with or without alpha, 8 or 16 bits",
	.accepted = SINK_PLAIN_PIXELS,
	.preferred = SINK_PLAIN_PIXELS,
	.module = "png",
};
