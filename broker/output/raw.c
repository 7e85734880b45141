/* SPDX-License-Identifier: MIT */
/* Pixels, samples and bytes as they are, without a header. */
#include "formats.h"

const struct sink_format sink_raw = {
	.name = "raw",
	.extensions = "raw bgra rgba bgra-premultiplied rgba-premultiplied rgb bgr gray rgba16 gray-alpha gray16 "
	              "gray-alpha16 "
	              "rgb16 rgbaf16 rgbaf32 pcm data bin",
	.description = "pixels, samples or bytes without a header",
	.accepted = SINK_ANY_PIXELS,
	.preferred = WIRE_FORMAT_BIT(WIRE_BGRA),
	.samples = SINK_ANY_SAMPLES,
	.takes_bytes = true,
	.takes_frames = true,
};
