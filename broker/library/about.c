/* SPDX-License-Identifier: MIT */
#include "../registry.h"
#include "../safe-decode.h"
#include "../status.h"

const char *safe_status_name(enum safe_status status)
{
	return (unsigned)status <= SAFE_UNSUPPORTED ? status_name(status) : "unknown";
}

const char *safe_format_name(size_t index)
{
	const struct safe_format *format = registry_at(index);

	return format ? format->name : NULL;
}

const char *safe_version(void)
{
	return SAFE_DECODE_VERSION;
}
