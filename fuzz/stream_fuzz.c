/* SPDX-License-Identifier: MIT */
/*
 * The library's calls and streams over a decoder that says whatever the input is.  The first byte chooses how the
 * library is called, the second the flags; the rest is what the decoder says.
 */
#include <stdlib.h>

#include "tests/support/played_child.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const formats[] = { "jpeg", "gzip", "wav", "tiff" };
	static const uint32_t blocks[] = { 0, SDEC_TAGS, SDEC_TAGS | SDEC_EXIF | SDEC_XMP, SDEC_ICC };
	enum { OPTIONS = 2, MOST = 32 << 10 };
	static struct played played;
	const char *broken = NULL;

	if (size < OPTIONS || size > MOST)
		return 0;
	if (!played.pool.source.want)
		played_init(&played);
	played.said = data + OPTIONS;
	played.size = size - OPTIONS;
	played.verified = data[1] & 8;
	(void)played_call(&played, (enum played_way)(data[0] % PLAYED_WAYS), formats[data[1] >> 4 & 3],
	                  (data[1] & 7U) | blocks[data[1] >> 6], &broken);
	if (broken)
		abort();
	return 0;
}
