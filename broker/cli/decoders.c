/* SPDX-License-Identifier: MIT */
#include "decoders.h"

#include <errno.h>
#include <string.h>

#include "broker/safe-decode.h"

static void print(FILE *stream, const struct safe_format_info *format)
{
	fprintf(stream, "%-10s %s", format->name, format->description);
	if (*format->mime)
		fprintf(stream, "; %.*s", (int)strcspn(format->mime, " "), format->mime);
	if (format->available)
		fprintf(stream, "; %s\n", format->library);
	else
		fprintf(stream, "; not available: %s\n", format->reason);
}

struct safe_outcome decoders_print(FILE *stream)
{
	struct safe_decoder *decoder = NULL;
	struct safe_format_info format = { .size = sizeof(format) };
	enum safe_status status = safe_decoder_open(NULL, &decoder);

	if (status != SAFE_OK)
		return outcome_of_errno(status, "cannot begin", ENOMEM);
	for (size_t i = 0; safe_decoder_format(decoder, i, &format) == SAFE_OK; i++)
		print(stream, &format);
	safe_decoder_close(&decoder);
	return outcome_ok();
}
