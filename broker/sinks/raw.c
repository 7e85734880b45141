/* SPDX-License-Identifier: MIT */
/* Pixels and bytes as they are, without a header. */
#include "formats.h"

const struct sink_format sink_raw = {
	.name = "raw",
	.extensions = "raw bgra rgba bgra-premultiplied rgba-premultiplied rgb bgr gray rgba16 data bin",
	.description = "pixels or bytes without a header",
	.accepted = SINK_ANY_PIXELS,
	.preferred = WIRE_FORMAT_BIT(WIRE_BGRA),
	.takes_bytes = true,
};
