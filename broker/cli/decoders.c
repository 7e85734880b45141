/* SPDX-License-Identifier: MIT */
#include "decoders.h"

#include <errno.h>
#include <string.h>

#include "broker/safe-decode.h"

static void print(FILE *stream, const struct sdec_format_info *format)
{
	fprintf(stream, "%-10s %s", format->name, format->description);
	if (*format->mime)
		fprintf(stream, "; %.*s", (int)strcspn(format->mime, " "), format->mime);
	if (format->available)
		fprintf(stream, "; %s\n", format->library);
	else
		fprintf(stream, "; not available: %s\n", format->reason);
}

struct outcome decoders_print(FILE *stream)
{
	struct sdec_pool *decoder = NULL;
	struct sdec_format_info format = { .size = sizeof(format) };
	enum sdec_status status = sdec_pool_open(NULL, &decoder);

	if (status != SDEC_OK)
		return outcome_of_errno(status, "cannot begin", ENOMEM);
	for (size_t i = 0; sdec_pool_format(decoder, i, &format) == SDEC_OK; i++)
		print(stream, &format);
	sdec_pool_close(&decoder);
	return outcome_ok();
}
