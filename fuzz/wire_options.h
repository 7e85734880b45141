/* SPDX-License-Identifier: MIT */
/* What the first bytes of a harness's input say of the request whose answer follows. */
#ifndef SAFE_DECODE_FUZZ_WIRE_OPTIONS_H
#define SAFE_DECODE_FUZZ_WIRE_OPTIONS_H

#include "broker/wire/wire.h"

enum {
	WIRE_OPTIONS = 5, /* bytes */
	BLOBS = WIRE_BLOB_FLAG(WIRE_BLOB_ICC) | WIRE_BLOB_FLAG(WIRE_BLOB_EXIF) | WIRE_BLOB_FLAG(WIRE_BLOB_XMP),
};

static inline struct wire_request wire_options_request(const uint8_t data[WIRE_OPTIONS])
{
	static const uint32_t operations[] = { WIRE_DECODE, WIRE_INFO, WIRE_COVER, WIRE_DECODE };

	return (struct wire_request){
		.version = WIRE_VERSION,
		.operation = operations[data[4] >> 6],
		.pixel_formats = data[1],
		.flags = (data[0] & (WIRE_PARTIAL | WIRE_STRICT)) | (data[2] & 128 ? WIRE_RANDOM : 0) |
		         (data[2] & 64 ? BLOBS : 0) | (data[1] & 1 ? WIRE_UPRIGHT : WIRE_FLATTEN) |
		         (data[1] & 16 ? WIRE_PREVIEW : 0),
		.max_side = 65535,
		.max_frames = 1 + (data[0] >> 6),
		.max_metadata = UINT32_C(1) << (data[4] >> 2 & 12),
		.max_pixels = UINT64_C(1) << (data[2] % 64),
		.max_output = UINT64_C(1) << (data[3] % 64),
		.sample_formats = data[4] & 15U,
		.view = { .crop_width = data[1] & 2 ? 100 : 0,
		          .crop_height = data[1] & 2 ? 50 : 0,
		          .fit_width = data[1] & 4 ? 64 : 0,
		          .fit_height = data[1] & 8 ? 32 : 0 },
		.input_total = UINT64_C(1000) << (data[3] >> 6) * 16,
	};
}

#endif
