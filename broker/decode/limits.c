/* SPDX-License-Identifier: MIT */
#include "limits.h"

static void set_default64(uint64_t *field, uint64_t value)
{
	if (*field == 0)
		*field = value;
}

static void set_default32(uint32_t *field, uint32_t value)
{
	if (*field == 0)
		*field = value;
}

struct sdec_limits limits_resolve(const struct sdec_limits *given)
{
	struct sdec_limits limits = given ? *given : (struct sdec_limits){ .size = sizeof(limits) };

	set_default64(&limits.max_pixels, UINT64_C(256) << 20);
	set_default64(&limits.max_output, UINT64_C(4) << 30);
	set_default64(&limits.max_input, UINT64_C(2) << 30);
	set_default64(&limits.memory, LIMITS_MEMORY);
	set_default32(&limits.max_side, 65535);
	set_default32(&limits.max_metadata, UINT32_C(1) << 20);
	set_default32(&limits.cpu_seconds, 30);
	set_default32(&limits.stall_seconds, 30);
	set_default32(&limits.work_seconds, 300);
	set_default64(&limits.max_cover, UINT64_C(16) << 20);
	return limits;
}
