/* SPDX-License-Identifier: MIT */
/* What a decode may cost.  Finite by default. */
#ifndef SAFE_DECODE_LIMITS_H
#define SAFE_DECODE_LIMITS_H

#include <stdint.h>

struct safe_limits {
	uint32_t max_side;      /* pixels */
	uint32_t max_metadata;  /* bytes of one ancillary block */
	uint64_t max_pixels;    /* over all frames */
	uint64_t max_output;    /* bytes of pixels or data */
	uint64_t max_input;     /* compressed bytes */
	uint64_t memory;        /* bytes of the decoder's arena */
	uint32_t cpu_seconds;   /* processor time of the child */
	uint32_t stall_seconds; /* time in which the child neither takes nor gives a byte, though it could */
};

#define SAFE_LIMITS_DEFAULT                                                                                            \
	((struct safe_limits){                                                                                         \
	        .max_side = 65535,                                                                                     \
	        .max_metadata = UINT32_C(1) << 20,                                                                     \
	        .max_pixels = UINT64_C(256) << 20,                                                                     \
	        .max_output = UINT64_C(4) << 30,                                                                       \
	        .max_input = UINT64_C(2) << 30,                                                                        \
	        .memory = UINT64_C(512) << 20,                                                                         \
	        .cpu_seconds = 30,                                                                                     \
	        .stall_seconds = 30,                                                                                   \
	})

#endif
